"""``automl-meta predict``: predict with a model of ``automl-meta tune``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from automl_meta.cli.shared import check_writable, print_json, printable
from automl_meta.cli.tables import Separator

_HELP = """Predict with a model that "automl-meta tune" has written.

Columns are matched by name, in any order; additional columns are ignored. Values may be formatted differently than in
the training data, such as dates with dots or numbers as text; a note reports this.

Examples:

  automl-meta predict model.skops new.csv

  automl-meta predict model.skops new.xlsx --proba --out predictions.parquet
"""


def command(
    model: Annotated[Path, typer.Argument(help="Model file.")],
    file: Annotated[
        str,
        typer.Argument(help="Table with the same columns: a file, a web address, or - for standard input."),
    ],
    proba: Annotated[
        bool, typer.Option("--proba", help="Predict probabilities, one column for each class.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Output file; its suffix determines the format. Default: CSV to standard output."),
    ] = None,
    separator: Separator = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
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
        if sys.stdout.isatty():  # labels must not control the terminal
            predicted = predicted.rename(columns=printable).map(
                lambda value: printable(value) if isinstance(value, str) else value
            )
        predicted.to_csv(sys.stdout, index=False, quoting=csv_quoting(predicted))


command.__doc__ = _HELP
