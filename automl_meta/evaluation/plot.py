"""Plot of a replay."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from automl_meta._utils.printable import printable
from automl_meta._utils.replacing import replacing
from automl_meta.evaluation.replay_report import ReplayReport
from automl_meta.exceptions import MissingDependencyError, UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["check_plot_file", "plot_evaluation"]

_NEEDED = "Plots require matplotlib: pip install matplotlib."
_DASHED = (0, (4, 2))
_FORMATS = (".svg", ".png", ".pdf")


def check_plot_file(file: str | Path) -> None:
    """Check that a plot can be written to a file, before the evaluation that it will show.

    Parameters
    ----------
    file : str or Path
        Output file.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    UsageError
        If the suffix of the file is not that of a supported format.
    """
    if find_spec("matplotlib") is None:
        raise MissingDependencyError(_NEEDED)
    if Path(file).suffix.lower() not in _FORMATS:
        raise UsageError(
            f"The plot cannot be written to {file}: its suffix must be one of {', '.join(_FORMATS)}."
        )


def plot_evaluation(evaluation: ReplayReport, file: str | Path) -> None:
    """Plot the mean normalised regret against the number of trials, and against time budgets if any.

    Parameters
    ----------
    evaluation : ReplayReport
        Recommenders are drawn as solid lines, baselines as dashed ones.
    file : str or Path
        Output file; its suffix (``.svg``, ``.png``, ``.pdf``) determines the format.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    UsageError
        If the suffix is not supported, or the file cannot be written.
    """
    check_plot_file(file)
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"text.parse_math": False, "text.usetex": False}):  # dollar signs in names
        figure = Figure(layout="constrained")
        _draw(evaluation, figure)
        try:
            with replacing(file) as part:
                figure.savefig(part, dpi=150, format=Path(file).suffix[1:].lower())
        except (ValueError, OSError) as error:
            raise UsageError(f"The plot cannot be written to {file}: {error}.") from error


def _draw(evaluation: ReplayReport, figure: Figure) -> None:
    from matplotlib.ticker import NullLocator, ScalarFormatter

    table = evaluation.table()
    panels: list[tuple[str, str, tuple[float, ...]]] = [("trials", "", evaluation.ks)]
    if evaluation.seconds:
        panels.append(("seconds", "s", evaluation.seconds))
    figure.set_size_inches(5.2 * len(panels), 4.2)
    for axes, (label, unit, points) in zip(
        figure.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels, strict=True
    ):
        for name in evaluation.names:
            values = [table.at[name, f"normalized@{point:g}{unit}"] for point in points]
            style = "-" if name in evaluation.recommenders else _DASHED
            axes.plot(points, values, linestyle=style, marker="o", markersize=3)
        axes.set_xscale("log")
        axes.set_xticks(points)
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel(label)
        axes.grid(alpha=0.3)
    first = figure.axes[0]
    first.set_ylim(bottom=0.0)  # after all lines are drawn
    first.set_ylabel("mean normalised regret (lower is better)")
    # Passed explicitly, since labels that start with an underscore are omitted otherwise.
    names = [printable(name) for name in evaluation.names]
    figure.legend(first.get_lines(), names, loc="outside lower center", ncols=4)
    n_datasets = evaluation.regrets["dataset_id"].nunique()
    figure.suptitle(f"{evaluation.metric}: {n_datasets} data sets, recommendations from other families only")
