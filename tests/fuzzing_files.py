"""The formats of files that users and strangers give: an intact one of each, and what a command does with it."""

from __future__ import annotations

import functools
import gzip
import io
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from damage import Damage, damaged, damaged_json, damaged_zip, either
from fuzzing import Child, fuzz

from automl_meta.algorithms import get_algorithm
from automl_meta.automl import TabularModel
from automl_meta.task import TabularTask
from automl_meta.testing.algorithms import mixed_task

N_ROWS = 60


class Format(NamedTuple):
    """An intact file, what is done to it, and what then reads it."""

    write: Callable[[Path], object]
    read: Callable[[Path], object]
    damage: Damage


def bad_outcomes(child: Child, formats: Mapping[str, Format], name: str, folder: Path) -> list[Any]:
    """Damage a file of a format forty times; return the calls that did not end in an answer or one line."""
    intact = folder / "intact" / name
    intact.parent.mkdir()
    formats[name].write(intact)
    return fuzz(child, formats[name].read, intact, folder, range(40), formats[name].damage).bad


# Tables ----------------------------------------------------------------------------------------


@functools.cache
def table() -> pd.DataFrame:
    task = mixed_task("classification", N_ROWS)
    return task.X.assign(y=task.y)


def read_task(path: Path) -> object:
    """What `describe` does before it extracts meta-features."""
    return TabularTask.from_file(path, "y").n_rows


def _arff(frame: pd.DataFrame) -> bytes:
    classes = sorted(frame["y"].unique())
    lines = [
        "@relation r",
        "@attribute number real",
        "@attribute whole real",
        f"@attribute y {{{','.join(classes)}}}",
    ]
    rows = [
        f"{row.number},{row.whole},{row.y}" for row in frame.fillna({"number": 0.5, "whole": 1}).itertuples()
    ]
    return "\n".join([*lines, "@data", *rows, ""]).encode()


def _zipped(content: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", content)
    return made.getvalue()


def _damaged_records(content: bytes, rng: np.random.Generator) -> bytes:
    import json

    return json.dumps(damaged_json(json.loads(content), rng)).encode()


def _table(write: Callable[[Path], object], damage: Damage = damaged) -> Format:
    return Format(write, read_task, damage)


TABLES: Mapping[str, Format] = {
    "table.csv": _table(lambda path: table().to_csv(path, index=False)),
    "table.csv.gz": _table(lambda path: table().to_csv(path, index=False)),
    "table.csv.bz2": _table(lambda path: table().to_csv(path, index=False)),
    "table.csv.xz": _table(lambda path: table().to_csv(path, index=False)),
    "table.csv.zst": _table(lambda path: path.write_bytes(_zstd(table().to_csv(index=False).encode()))),
    "table.csv.zip": _table(lambda path: path.write_bytes(_zipped(table().to_csv(index=False).encode()))),
    "table.tar.gz": _table(lambda path: path.write_bytes(_tar(table().to_csv(index=False).encode()))),
    "table.arff": _table(lambda path: path.write_bytes(_arff(table()))),
    "table.arff.gz": _table(lambda path: path.write_bytes(gzip.compress(_arff(table())))),
    "table.parquet": _table(lambda path: table().to_parquet(path, index=False)),
    "table.feather": _table(lambda path: table().to_feather(path)),
    "table.xlsx": _table(lambda path: table().to_excel(path, index=False), either(damaged, damaged_zip)),
    "table.json": _table(
        lambda path: table().to_json(path, orient="records", date_format="iso"),
        either(damaged, _damaged_records),
    ),
    "table.jsonl": _table(
        lambda path: table().to_json(path, orient="records", lines=True, date_format="iso")
    ),
}


def _zstd(content: bytes) -> bytes:
    import pyarrow as pa

    packed: bytes = pa.compress(content, codec="zstd", asbytes=True)
    return packed


def _tar(content: bytes) -> bytes:
    import tarfile

    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        member = tarfile.TarInfo("table.csv")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


# Models ----------------------------------------------------------------------------------------

NARROW = ("knn", "gaussian_process")  # whose structures depend on the number of columns
KINDS = {
    "decision_tree": {}, "random_forest": {"n_estimators": 50}, "hist_gradient_boosting": {"max_iter": 32},
    "lightgbm": {"n_estimators": 32}, "adaboost": {"n_estimators": 25}, "knn": {}, "rbf_svm": {}, "linear_svm": {},
    "mlp": {}, "lda": {}, "gaussian_nb": {}, "logistic_regression": {}, "ridge": {}, "gaussian_process": {},
}  # fmt: skip


def write_model(name: str, path: Path) -> None:
    task_type: Any = "regression" if name in ("ridge", "gaussian_process") else "classification"
    task = mixed_task(task_type, N_ROWS)
    if name in NARROW:
        task = TabularTask.from_frame(task.X[["number", "whole"]].fillna(0.0), task.y, task_type=task_type)
    algorithm = get_algorithm(name, task_type)
    default = algorithm.default_configuration
    configuration = type(default)(name, {**default.parameters, **KINDS[name]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = algorithm.build(configuration, task).fit(task.X, task.y_codes)
    labels = np.asarray(task.classes)
    TabularModel(task_type, [pipeline], [1.0], [str(configuration)], task.columns, labels, target="y").save(
        path
    )


def predict(path: Path) -> object:
    model = TabularModel.load(path)
    repr(model)
    new = table().drop(columns="y")
    if model.task_type == "classification":
        model.predict_proba(new)
    return model.predict(new)[:3]


def _model(name: str) -> Format:
    return Format(
        functools.partial(write_model, name), predict, either(damaged_zip, damaged_zip, damaged_zip, damaged)
    )


MODELS: Mapping[str, Format] = {f"{name}.skops": _model(name) for name in KINDS}
