from pathlib import Path
from xml.etree import ElementTree

import pytest

from automl_meta.evaluation import leave_family_out, plot_evaluation
from automl_meta.exceptions import UsageError
from automl_meta.recommenders import Portfolio
from automl_meta.testing.experience import synthetic_experience

EVALUATION = leave_family_out(synthetic_experience(8), {"portfolio": Portfolio()}, ks=(1, 2))


def test_a_plot_names_all_lines_and_both_axes(tmp_path: Path) -> None:
    file = tmp_path / "regret.svg"
    plot_evaluation(EVALUATION, file)
    drawn = file.read_text()
    # Text is drawn as outlines, each preceded by a comment that says what it is.
    for words in ("portfolio", "random", "trials", "seconds", "normalised regret"):
        assert words in drawn


@pytest.mark.parametrize("name", ["regret.txt", "missing/regret.png"])
def test_a_file_that_cannot_be_written_is_a_clear_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        plot_evaluation(EVALUATION, tmp_path / name)


def test_names_are_no_formulas_and_none_is_left_out(tmp_path: Path) -> None:
    names = ("$\\frac{$", "_hidden", "<b>&amp;", "\x1b[31m")
    evaluation = leave_family_out(synthetic_experience(8), {name: Portfolio() for name in names}, ks=(1, 2))
    for ending in ("svg", "png"):
        plot_evaluation(evaluation, tmp_path / f"regret.{ending}")
    drawn = "".join(ElementTree.parse(tmp_path / "regret.svg").getroot().itertext())
    comments = (tmp_path / "regret.svg").read_text()
    assert "\x1b" not in drawn + comments
    for words in ("\\frac{", "_hidden", "\\x1b[31m"):
        assert words in comments
