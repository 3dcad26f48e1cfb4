import cProfile
import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from automl_meta.exceptions import DataError, UsageError
from automl_meta.task import TabularTask, read_table
from automl_meta.task.reading import read_raw
from automl_meta.task.writing import check_format, write_table

ROWS = 'name,size,note\nanna,1.5,"two\nlines, quoted"\nbjørn,2.5,"plain"\ncleo,3.5,"a ""word"""\n'


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        delimiter.join("abc") + "\n" + "\n".join(delimiter.join(["1", "x y", "2.5"]) for _ in range(5))
    )
    frame = read_table(path)
    assert frame.columns.tolist() == ["a", "b", "c"]
    assert frame["c"].tolist() == [2.5] * 5


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_the_encoding_is_found_out(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(ROWS.encode(encoding))
    frame = read_table(path)
    assert frame.columns.tolist() == ["name", "size", "note"]
    assert frame["name"].tolist() == ["anna", "bjørn", "cleo"]
    assert frame["note"][0] == "two\nlines, quoted"


def test_a_character_cut_at_the_end_of_what_is_sniffed_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "ø,1\n" * 40_000, encoding="utf-8")
    assert read_table(path)["a"].unique().tolist() == ["ø"]


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(ROWS.encode()))
    assert len(read_table(path)) == 3


def test_parquet_is_read(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    frame.to_parquet(tmp_path / "table.parquet")
    assert read_table(tmp_path / "table.parquet")["a"].tolist() == [1, 2]


def test_arff_keeps_what_it_declares(tmp_path: Path) -> None:
    path = tmp_path / "table.arff"
    path.write_text(
        "% a comment\n@relation t\n@attribute size numeric\n@attribute code {1,2,3}\n@attribute word string\n"
        "@data\n1.5,2,'a b'\n?,3,c\n2.5,?,d\n"
    )
    frame = read_table(path)
    assert frame["size"].tolist()[0] == 1.5
    assert frame["size"].isna().tolist() == [False, True, False]
    assert isinstance(frame["code"].dtype, pd.CategoricalDtype)
    assert frame["word"][0] == "a b"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.csv", b"", "is empty"),
        ("blank.csv", b"\n\n\n", "no columns"),
        ("binary.csv", bytes(range(256)) * 20, "binary file"),
        (
            "binary2.csv",
            b"\x89PNG\r\n\x1a\n" + bytes(range(128, 256)) * 4 + b"\x01\x02\x03" * 40,
            "binary file",
        ),
        ("ragged.csv", b"a,b\n1,2\n1,2,3,4\n", "cannot be read as a table"),
        ("bad.parquet", b"this is no parquet file", "cannot be read as a table"),
        ("bad.arff", b"@relation x\n@attribute a numeric\n@data\nfoo\n", "ARFF"),
        ("cut.csv.gz", gzip.compress(ROWS.encode() * 1000)[:-400], "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_words(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_table(path)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a directory"):
        read_table(tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file .*nothing\.csv"):
        read_table(tmp_path / "nothing.csv")


def mixed() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": [1.5, None, 3.25] * 10,
            "whole": [1, 2, 3] * 10,
            "code": ["007", "012", "x"] * 10,
            "flag": [True, False, True] * 10,
            "day": pd.date_range("2022-11-28", periods=30),
            "word": ["blå", "rød", None] * 10,
            "y": ["no", "yes"] * 15,
        }
    )


WRITERS = {
    "t.csv": lambda frame, path: frame.to_csv(path, index=False),
    "t.tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "t.xlsx": lambda frame, path: frame.to_excel(path, index=False),
    "t.parquet": lambda frame, path: frame.to_parquet(path),
    "t.feather": lambda frame, path: frame.to_feather(path),
    "t.json": lambda frame, path: frame.to_json(path, orient="records", date_format="iso"),
    "columns.json": lambda frame, path: frame.to_json(path, date_format="iso"),
    "split.json": lambda frame, path: frame.to_json(path, orient="split", date_format="iso"),
    "table.json": lambda frame, path: frame.to_json(path, orient="table"),
    "lists.json": lambda frame, path: path.write_text(
        json.dumps(
            {name: json.loads(frame[name].to_json(orient="values", date_format="iso")) for name in frame}
        )
    ),
    "t.jsonl": lambda frame, path: frame.to_json(path, orient="records", lines=True, date_format="iso"),
    "t.json.gz": lambda frame, path: frame.to_json(path, orient="records", date_format="iso"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_task(tmp_path: Path, name: str) -> None:
    WRITERS[name](mixed(), tmp_path / name)
    expected, found = TabularTask.from_frame(mixed(), "y"), TabularTask.from_file(tmp_path / name, "y")
    assert found.column_kinds == expected.column_kinds
    assert found.fingerprint == expected.fingerprint


@pytest.mark.parametrize(
    "name", ["t.csv", "t.xlsx", "t.json", "t.parquet", "t.feather", "t.jsonl", "t.csv.gz", "t.tsv"]
)
def test_a_table_is_written_in_the_format_of_its_name(tmp_path: Path, name: str) -> None:
    write_table(mixed(), tmp_path / name)
    assert (
        TabularTask.from_file(tmp_path / name, "y").fingerprint
        == TabularTask.from_frame(mixed(), "y").fingerprint
    )


@pytest.mark.parametrize("name", ["t.doc", "t.parquet.gz", "t.csv.7z", "t.xls"])
def test_a_format_that_cannot_be_written_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="its name must end in"):
        check_format(tmp_path / name)


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx", "t.json"])
def test_columns_of_one_name_are_renamed_and_told(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame([[1, 2, "x"], [3, 5, "z"]] * 9, columns=["a", "a", "y"])
    if name == "t.json":
        frame.set_axis(["a", "b", "y"], axis=1).to_json(tmp_path / name, orient="split")
        (tmp_path / name).write_text((tmp_path / name).read_text().replace('"b"', '"a"'))
    else:
        (frame.to_excel if name == "t.xlsx" else frame.to_csv)(tmp_path / name, index=False)
    task = TabularTask.from_file(tmp_path / name, "y")
    assert list(task.columns) == ["a", "a.1"]
    assert "more than one column is named 'a': the later ones were renamed, as in 'a.1'" in task.notes


def test_a_workbook_of_several_sheets_says_which_was_read(tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "t.xlsx") as writer:
        mixed().to_excel(writer, sheet_name="first", index=False)
        mixed().to_excel(writer, sheet_name="second", index=False)
    assert (
        "the first sheet, 'first', was read; others are 'second'"
        in TabularTask.from_file(tmp_path / "t.xlsx", "y").notes
    )


def test_names_of_rows_are_told(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,y\n" + "".join(f"row {i},{i % 4},{'xz'[i % 2]}\n" for i in range(20)))
    task = TabularTask.from_file(tmp_path / "t.csv", "y")
    assert list(task.columns) == ["a"]
    assert any("treated as row names" in note for note in task.notes)


def test_the_user_may_say_the_separator(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a:y\n1:x\n2:z\n")
    assert read_table(tmp_path / "t.csv", ":").columns.tolist() == ["a", "y"]
    with pytest.raises(UsageError, match="must be one character"):
        read_table(tmp_path / "t.csv", "::")


def test_plain_columns_are_typed_as_pandas_types_them(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,c,d,e\n1,1.5,x,True,NA\n2,,NA,False,\n3,2,z,True,null\n")
    pd.testing.assert_frame_equal(
        read_table(tmp_path / "t.csv"), pd.read_csv(tmp_path / "t.csv"), check_dtype=False
    )


@pytest.mark.parametrize("name", ["t.xls", "t.ods"])
def test_workbooks_of_other_kinds_are_refused_in_words(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0" + bytes(100))
    with pytest.raises(DataError, match=r"Save it as .xlsx or .csv"):
        read_table(tmp_path / name)


def test_names_of_columns_are_counted_once(tmp_path: Path) -> None:
    """Operations grow with the columns, not with their square: twice the columns, about twice the work."""

    def calls(n_columns: int) -> int:
        (tmp_path / "t.csv").write_text(",".join(f"c{i}" for i in range(n_columns)) + "\n")
        profiler = cProfile.Profile()
        profiler.runcall(read_table, tmp_path / "t.csv")
        return sum(entry.callcount for entry in profiler.getstats())

    read_table_once = calls(10)
    few, many = calls(250) - read_table_once, calls(1000) - read_table_once
    assert many < 6 * few


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_delimiter_at_the_end_of_each_row_moves_no_column(tmp_path: Path, delimiter: str) -> None:
    rows = [delimiter.join([str(i % 2), str(i % 7), str(i % 5), ""]) for i in range(20)]
    (tmp_path / "t.csv").write_text("\n".join([delimiter.join("yab"), *rows]))
    frame = read_table(tmp_path / "t.csv")
    assert frame["y"].tolist() == [i % 2 for i in range(20)]
    assert frame["b"].tolist() == [i % 5 for i in range(20)]


def test_the_separator_that_excel_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("sep=;\na;y\n1;x\n2;z\n")
    assert read_table(tmp_path / "t.csv").columns.tolist() == ["a", "y"]


@pytest.mark.parametrize(
    ("encoding", "words"), [("cp1251", ["Москва", "Казань"]), ("koi8-r", ["Москва", "казань"]), ("cp1252", ["größe", "Übung"])]
)  # fmt: skip
def test_other_code_pages_are_read_and_told(tmp_path: Path, encoding: str, words: list[str]) -> None:
    rows = "".join(f"{i % 7},{words[i % 2]}\n" for i in range(40))
    (tmp_path / "t.csv").write_bytes(f"a,y\n{rows}".encode(encoding))
    task = TabularTask.from_file(tmp_path / "t.csv", "y")
    assert set(task.classes) == set(words)
    assert any(f"it was read as {encoding}" in note for note in task.notes)


@pytest.mark.parametrize("write", ["to_parquet", "to_feather"])
def test_an_index_with_a_name_is_a_column(tmp_path: Path, write: str) -> None:
    frame = pd.DataFrame({"city": ["K", "Z", "B"] * 20, "x": range(60), "y": ["a", "b"] * 30})
    indexed = frame.set_index("city")
    if write == "to_feather":
        indexed = frame
    getattr(indexed, write)(tmp_path / "t.bin")
    assert TabularTask.from_file(tmp_path / "t.bin", "y").column_kinds["city"] == "categorical"


def test_json_of_services_is_read(tmp_path: Path) -> None:
    rows = [{"a": i % 5, "y": "xz"[i % 2]} for i in range(20)]
    (tmp_path / "nested.json").write_text(json.dumps({"data": rows}))
    (tmp_path / "index.json").write_text(json.dumps({str(i): row for i, row in enumerate(rows)}))
    for name in ("nested.json", "index.json"):
        assert read_table(tmp_path / name).columns.tolist() == ["a", "y"]


def test_a_name_that_differs_in_case_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a, Y \n1,x\n2,z\n")
    with pytest.raises(DataError, match="Did you mean ' Y '"):
        TabularTask.from_file(tmp_path / "t.csv", "y")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('[{"a": 1, "b": 3}, {"a": 2, "b": 4}]', [[1, 3], [2, 4]]),
        ('{"a": [1, 2], "b": [3, 4]}', [[1, 3], [2, 4]]),
        ('{"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}}', [[1, 3], [2, 4]]),
        ('{"0": {"a": 1, "b": 3}, "1": {"a": 2, "b": 4}}', [[1, 3], [2, 4]]),
        ('{"columns": ["a", "b"], "data": [[1, 3], [2, 4]]}', [[1, 3], [2, 4]]),
        ('{"result": [{"a": 1, "b": 3}]}', [[1, 3]]),
        ('{"a": 1, "b": 3}', [[1, 3]]),
        ('{"a": 1, "b": 3}\n\n{"a": 2, "b": 4}\n', [[1, 3], [2, 4]]),
        ('{"a": {"x": 1}, "b": {"x": 3}}', [[1, 3]]),
    ],
)
def test_json_of_any_orientation_is_a_table(tmp_path: Path, text: str, rows: list) -> None:
    (tmp_path / "t.json").write_text(text)
    frame = read_table(tmp_path / "t.json")
    assert (frame.columns.tolist(), frame.to_numpy().tolist()) == (["a", "b"], rows)


@pytest.mark.parametrize("text", ["5", "[1, 2]", '["a"]', "null"])
def test_json_that_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(DataError, match=r"t\.json is JSON but not a table"):
        read_table(tmp_path / "t.json")


@pytest.mark.parametrize(
    ("fields", "values", "dtype"),
    [
        (["1", "2"], [1, 2], "int64"),
        (["1", "2.0"], [1.0, 2.0], "float64"),
        (["1e3", "2"], [1000.0, 2.0], "float64"),
        (["1", "NA"], [1.0, None], "float64"),
        (["9007199254740993", "1"], [9007199254740993, 1], "int64"),
        (["True", "FALSE"], [True, False], "bool"),
        (["true", ""], [True, None], "object"),
        (["true", "x"], ["true", "x"], "str"),
        (["a", "NA"], ["a", None], "str"),
        (["?", "1"], ["?", "1"], "str"),
        (["NA", "null"], [None, None], "float64"),
    ],
)
def test_a_column_of_a_file_has_the_type_of_its_fields(
    tmp_path: Path, fields: list[str], values: list, dtype: str
) -> None:
    (tmp_path / "t.csv").write_text("x,c\n" + "".join(f"1,{field}\n" for field in fields))
    column = read_table(tmp_path / "t.csv")["c"]
    assert str(column.dtype) == dtype
    assert [None if pd.isna(value) else value for value in column.tolist()] == values


def test_text_of_a_file_is_left_as_it_is_until_all_columns_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a;b\nNA;1\n;2\n")
    raw = read_raw(tmp_path / "t.csv")
    assert raw.frame.to_numpy().tolist() == [["NA", "1"], ["", "2"]]
    assert (raw.is_text, raw.notes, raw.decimal) == (True, (), ",")
    (tmp_path / "t.csv").write_text("a,b\nNA,1\n")
    assert read_raw(tmp_path / "t.csv").decimal is None


@pytest.mark.parametrize("start", ["sep=;\n", "sep=;\r\n", "\ufeffsep=;\n"])
def test_the_line_that_says_the_separator_is_no_row(tmp_path: Path, start: str) -> None:
    (tmp_path / "t.csv").write_bytes(f"{start}a,x;b\n1,2;3\n".encode())
    assert read_raw(tmp_path / "t.csv").frame.to_numpy().tolist() == [["1,2", "3"]]
    assert read_raw(tmp_path / "t.csv", ",").frame.columns.tolist() == ["a", "x;b"]


def test_columns_without_a_name_are_numbered_and_later_namesakes_too(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,,a,a\n1,2,3,4\n")
    raw = read_raw(tmp_path / "t.csv")
    assert raw.frame.columns.tolist() == ["a", "Unnamed: 1", "a.1", "a.2"]
    assert len(raw.notes) == 1
    pd.DataFrame([["a", None, "a", "a", "a.1"], [1, 2, 3, 4, 5]]).to_excel(
        tmp_path / "t.xlsx", index=False, header=False
    )
    raw = read_raw(tmp_path / "t.xlsx")
    assert raw.frame.columns.tolist() == ["a", "Unnamed: 1", "a.2", "a.3", "a.1"]
    assert raw.frame.to_numpy().tolist() == [[1, 2, 3, 4, 5]]


def test_a_format_is_found_out_by_the_content_where_the_name_says_nothing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "z"]})
    frame.to_parquet(tmp_path / "parquet")
    frame.to_feather(tmp_path / "feather")
    frame.to_excel(tmp_path / "t.xlsx", index=False)
    (tmp_path / "t.xlsx").rename(tmp_path / "workbook")
    (tmp_path / "arff").write_text(
        "@RELATION t\n@ATTRIBUTE a NUMERIC\n@ATTRIBUTE b STRING\n@DATA\n1,x\n2,z\n"
    )
    (tmp_path / "json").write_text(' \n[{"a": 1, "b": "x"}, {"a": 2, "b": "z"}]')
    (tmp_path / "csv").write_text("a,b\n1,x\n2,z\n")
    for name in ("parquet", "feather", "workbook", "arff", "json", "csv"):
        found = read_table(tmp_path / name)
        assert found.to_numpy().tolist() == [[1, "x"], [2, "z"]], name
        assert found.columns.tolist() == ["a", "b"], name
    for name in ("t.csv", "t.txt"):
        (tmp_path / name).write_text("{a,b\n1,2\n")
        assert read_table(tmp_path / name).columns.tolist() == ["{a", "b"]


@pytest.mark.parametrize("text", ["plain", "with\ra return"])
def test_a_written_table_is_read_as_it_was(tmp_path: Path, text: str) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": [text, "x"]})
    for name in ("t.csv", "t.tsv", "t.txt", "t", "t.json", "t.ndjson", "t.pq", "t.CSV", "t.csv.gz"):
        write_table(frame, tmp_path / name)
        assert read_table(tmp_path / name).to_numpy().tolist() == frame.to_numpy().tolist(), name


@pytest.mark.parametrize("name", ["t.csv.tar", "t.xlsx.gz", "t.feather.zip"])
def test_only_text_can_be_compressed(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="its name must end in"):
        check_format(tmp_path / name)


def test_words_for_missing_values_in_a_workbook_are_missing(tmp_path: Path) -> None:
    pd.DataFrame({"a": ["x", "NA"], "b": [1, 2]}).to_excel(tmp_path / "t.xlsx", index=False)
    assert read_raw(tmp_path / "t.xlsx").is_text
    assert read_table(tmp_path / "t.xlsx")["a"].isna().tolist() == [False, True]


def test_a_workbook_without_a_cell_is_refused(tmp_path: Path) -> None:
    pd.DataFrame().to_excel(tmp_path / "t.xlsx", index=False)
    with pytest.raises(DataError, match="is empty"):
        read_table(tmp_path / "t.xlsx")


def test_json_of_a_schema_loses_its_index_only(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(
        '{"schema": {"fields": []}, "data": [{"index": 0, "a": 1}, {"index": 1, "a": 2}]}'
    )
    assert read_table(tmp_path / "t.json").to_dict("list") == {"a": [1, 2]}


def test_types_that_an_arff_file_declares_are_kept(tmp_path: Path) -> None:
    (tmp_path / "t.arff").write_text(
        "@relation t\n@attribute a integer\n@attribute b real\n@attribute c string\n@attribute d {z,x}\n"
        "@data\n1,2.5,7,x\n2,3.5,8,z\n"
    )
    frame = read_table(tmp_path / "t.arff")
    assert [pd.api.types.is_numeric_dtype(frame[name]) for name in "abcd"] == [True, True, False, False]
    assert frame["d"].cat.categories.tolist() == ["z", "x"]


def test_of_several_sheets_the_first_is_read(tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "t.xlsx") as writer:
        for name, value in (("one", 1), ("two", 2), ("three", 3)):
            pd.DataFrame({"a": [value]}).to_excel(writer, sheet_name=name, index=False)
    assert read_table(tmp_path / "t.xlsx")["a"].tolist() == [1]
    (note,) = read_raw(tmp_path / "t.xlsx").notes
    assert "'two', 'three'" in note
