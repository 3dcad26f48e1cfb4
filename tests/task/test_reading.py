import gzip
from pathlib import Path

import pandas as pd
import pytest

from automl_meta.exceptions import DataError
from automl_meta.task import read_table

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
