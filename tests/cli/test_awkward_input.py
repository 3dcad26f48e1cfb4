"""One clear message each, exit code 2 where the user can mend it, no traceback; or an answer."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

RNG = np.random.default_rng(0)


def good(n: int = 80) -> pd.DataFrame:
    signal = RNG.normal(size=n)
    return pd.DataFrame(
        {
            "a": signal + RNG.normal(size=n),
            "b": RNG.choice(["u", "v"], n),
            "y": np.where(signal > 0, "yes", "no"),
        }
    )


def write(folder: Path, frame: pd.DataFrame, **options: object) -> Path:
    path = folder / "data.csv"
    frame.to_csv(path, index=False, **options)  # type: ignore[call-overload]
    return path


REFUSED = {
    "empty file": (lambda p: p.write_bytes(b""), "is empty"),
    "header only": (lambda p: p.write_text("a,b,y\n"), "no rows"),
    "no such target": (lambda p: good().drop(columns="y").to_csv(p, index=False), "no target column 'y'"),
    "target all missing": (lambda p: good().assign(y=np.nan).to_csv(p, index=False), "missing in every row"),
    "one class": (lambda p: good().assign(y="yes").to_csv(p, index=False), "a single class"),
    "one row": (lambda p: good(1).to_csv(p, index=False), "only 1 row"),
    "all columns constant": (lambda p: good().assign(a=1, b="x").to_csv(p, index=False), "constant, empty or identifiers"),
    "all columns empty": (lambda p: good().assign(a=np.nan, b=np.nan).to_csv(p, index=False), "constant, empty"),
    "only the target": (lambda p: good()[["y"]].to_csv(p, index=False), "no column other than the target"),
    "binary file": (lambda p: p.write_bytes(bytes(RNG.integers(0, 256, 4000, dtype=np.uint8))), "binary file"),
    "directory": (lambda p: p.mkdir(), "is a directory"),
    "no file": (lambda p: None, "There is no file"),
    "ragged rows": (lambda p: p.write_text("a,y\n1,x\n1,2,3,4\n"), "cannot be read as a table"),
}  # fmt: skip


@pytest.mark.parametrize("command", ["describe", "recommend", "collect"])
@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_used_is_refused(run, tmp_path: Path, command: str, case: str) -> None:
    make, message = REFUSED[case]
    path = tmp_path / "data.csv"
    make(path)
    done = run(command, path, "--target", "y")
    assert done.code == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert done.out == ""


ANSWERED = {
    "class with one member": lambda f: f.assign(y=["alone", *f["y"][1:]]),
    "constant and empty columns": lambda f: f.assign(k=3, e=np.nan, w="x"),
    "infinities": lambda f: f.assign(a=[np.inf, -np.inf, *f["a"][2:]]),
    "mixed types": lambda f: f.assign(m=[1, "one", 2.5, None] * 20),
    "booleans as text": lambda f: f.assign(t=["TRUE", "False"] * 40),
    "dates": lambda f: f.assign(d=pd.date_range("2021-01-01", periods=80).astype(str)),
    "free text": lambda f: f.assign(t=[f"a remark of many words number {i}" for i in range(80)]),
    "missing everywhere": lambda f: f.mask(RNG.random(f.shape) < 0.4).assign(y=f["y"]),
    "two rows": lambda f: f.drop_duplicates("y"),
    "strange names": lambda f: f.rename(columns={"a": 'x "quoted", [1]<2>', "b": "größe\t"}),
    "whole numbers as names": lambda f: f.rename(columns={"a": "0", "b": "1"}),
    "10,000 categories": lambda f: pd.concat([good(10_050), pd.DataFrame({"c": [f"k{i % 10_000}" for i in range(10_050)]})], axis=1),
    "300 rows x 2,000 columns": lambda f: pd.concat([good(300), pd.DataFrame(RNG.normal(size=(300, 2000))).add_prefix("n")], axis=1),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERED)
def test_an_awkward_table_is_described_and_advised(run, tmp_path: Path, case: str) -> None:
    path = write(tmp_path, ANSWERED[case](good()))
    described = run("describe", path, "--target", "y", "--json")
    assert (described.code, described.err) == (0, "")
    values, reasons = described.json["metafeatures"], described.json["reasons"]
    assert {name for name, value in values.items() if value is None} == set(reasons)
    advised = run("recommend", path, "--target", "y", "--json")
    assert (advised.code, advised.err) == (0, "")
    assert [entry["rank"] for entry in advised.json["recommendations"]] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "options",
    [{"sep": ";"}, {"sep": "\t"}, {"encoding": "utf-16"}, {"encoding": "utf-8-sig"}, {"encoding": "cp1252"}],
    ids=str,
)
def test_delimiters_and_encodings_are_found_out(run, tmp_path: Path, options: dict) -> None:
    path = write(tmp_path, good().assign(b=lambda f: f["b"] + "ø"), **options)
    done = run("describe", path, "--target", "y", "--groups", "simple", "--json")
    assert (done.code, done.json["metafeatures"]["n_features"]) == (0, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["recommend", "sklearn:titanic"], "no bundled data set 'titanic'"),
        (["recommend", "sklearn:iris", "--metric", "r2"], "no metric 'r2' for classification"),
        (["recommend", "sklearn:iris", "--only", "magic"], "no algorithm 'magic'"),
        (["recommend", "sklearn:iris", "--only", "knn", "--exclude", "knn"], "No algorithm is left"),
        (["recommend", "sklearn:iris", "--top", "0"], "--top"),
        (["recommend", "sklearn:iris", "--task-type", "ranking"], "ranking"),
        (["recommend", "iris.csv"], "--target"),
        (["describe", "sklearn:iris", "--groups", "magic"], "magic"),
        (["collect"], "--index"),
        (["evaluate", "--recommenders", "Oracle"], "Oracle"),
        (["evaluate", "--task-type", "ranking"], "ranking"),
        (["recommend", "sklearn:iris", "--store", "nosuch://x"], "nosuch"),
        (["conjure"], "conjure"),
    ],
)
def test_a_wrong_option_is_told_with_the_choices(run, arguments: list[str], message: str) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err
