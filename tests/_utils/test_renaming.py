import warnings

import pytest

from automl_meta._utils.renaming import renamed


def test_the_new_name_is_taken_without_a_word() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert renamed("old", None, "new", 2) == 2
        assert renamed("old", None, "new", None) is None


def test_the_old_name_works_and_warns_and_the_new_one_takes_precedence() -> None:
    with pytest.warns(FutureWarning, match="old is now called new"):
        assert renamed("old", 1, "new", None) == 1
    with pytest.warns(FutureWarning, match="old is now called new"):
        assert renamed("old", 1, "new", 2) == 2
