import numpy as np

from automl_meta.transfer import regret_scales


def test_one_diverged_fit_does_not_hide_the_differences_that_matter() -> None:
    _, scale = regret_scales(np.array([[0.9, 0.8, 0.7, -1e6]] * 3))
    assert (scale < 1.0).all()


def test_data_sets_on_which_all_do_alike_keep_a_scale() -> None:
    best, scale = regret_scales(np.array([[0.9, 0.9, 0.9], [0.9, 0.6, 0.3], [0.8, 0.5, 0.1]]))
    assert best.tolist() == [0.9, 0.9, 0.8]
    assert scale[0] > 0.01


def test_no_differences_anywhere_give_a_scale_of_one() -> None:
    assert regret_scales(np.full((2, 3), 0.5))[1].tolist() == [1.0, 1.0]


def test_unknown_scores_do_not_count() -> None:
    best, _ = regret_scales(np.array([[np.nan, 0.4], [0.3, np.nan]]))
    assert best.tolist() == [0.4, 0.3]
