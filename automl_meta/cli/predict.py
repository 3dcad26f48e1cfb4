"""``automl-meta predict``: use a model that ``automl-meta tune`` has written."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from automl_meta.cli.shared import check_writable, print_json, printable
from automl_meta.cli.tables import Separator

_HELP = """Predict with a model that "automl-meta tune" has written.

Columns are found by name, in any order, and further ones are ignored. Values may be written in another way than in
training, such as dates with dots or numbers as text; a note says so.

Examples:

  automl-meta predict model.skops new.csv

  automl-meta predict model.skops new.xlsx --proba --out predictions.parquet
"""


def command(
    model: Annotated[Path, typer.Argument(help="What tune has written.")],
    file: Annotated[str, typer.Argument(help="A table with the same columns: a file, a web address, or -.")],
    proba: Annotated[bool, typer.Option("--proba", help="Probabilities, one column for each class.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Write here, in the format that its name says; CSV to standard output by default."),
    ] = None,
    separator: Separator = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    import pandas as pd

    from automl_meta.automl.model import TabularModel
    from automl_meta.task.writing import check_format, csv_quoting, write_table

    if out is not None:
        check_writable(out)
        check_format(out)
    loaded = TabularModel.load(model)
    table = loaded.read_table(file, separator)
    if proba:
        predicted = pd.DataFrame(loaded.predict_proba(table), columns=[str(label) for label in loaded.labels])
    else:
        predicted = pd.DataFrame({loaded.target: loaded.predict(table)})
    if out is not None:
        write_table(predicted, out)
    if json:
        values = predicted.to_numpy().tolist() if proba else predicted.iloc[:, 0].tolist()
        kind = "probabilities" if proba else "predictions"
        labels = {"labels": loaded.labels.tolist()} if proba else {}
        print_json({"target": loaded.target, "out": out and str(out), **labels, kind: values})
    elif out is None:
        if sys.stdout.isatty():  # what labels hold must not command the terminal
            predicted = predicted.rename(columns=printable).map(
                lambda value: printable(value) if isinstance(value, str) else value
            )
        predicted.to_csv(sys.stdout, index=False, quoting=csv_quoting(predicted))


command.__doc__ = _HELP
