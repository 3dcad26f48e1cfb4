"""``automl-meta predict``: use a model that ``automl-meta tune`` has written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from automl_meta.cli._shared import check_writable

_HELP = """Predict with a model that "automl-meta tune" has written.

Columns are found by name, in any order, and further ones are ignored.

Examples:

  automl-meta predict model.skops new.csv

  automl-meta predict model.skops new.csv --proba --out predictions.csv
"""


def command(
    model: Annotated[Path, typer.Argument(help="What tune has written.")],
    file: Annotated[str, typer.Argument(help="A CSV, Parquet or ARFF file with the same columns.")],
    proba: Annotated[bool, typer.Option("--proba", help="Probabilities, one column for each class.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write here, as CSV; standard output by default.")] = None,
) -> None:
    import pandas as pd

    from automl_meta.automl.model import TabularModel
    from automl_meta.task import read_table

    if out is not None:
        check_writable(out)
    loaded = TabularModel.load(model)
    table = read_table(file)
    if proba:
        predicted = pd.DataFrame(loaded.predict_proba(table), columns=[str(label) for label in loaded.labels])
    else:
        predicted = pd.DataFrame({loaded.target: loaded.predict(table)})
    predicted.to_csv(sys.stdout if out is None else out, index=False)


command.__doc__ = _HELP
