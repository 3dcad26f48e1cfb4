import numpy as np

from automl_meta.transfer import compress_tail, regret_scales


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


def test_the_scale_is_the_range_up_to_three_median_regrets() -> None:
    scores = np.array([[1.0, 0.9, 0.8], [1.0, 0.9, 0.2], [1.0, 0.9, 0.7]])
    _, scale = regret_scales(scores)
    np.testing.assert_allclose(scale, [0.2, 0.3, 0.3])
    np.testing.assert_allclose(regret_scales(scores, n_medians=2.0)[1], 0.2)


def test_the_scale_is_at_least_a_tenth_of_the_typical_one() -> None:
    scores = np.array([[1.0, 0.8, 0.6], [1.0, 0.8, 0.6], [1.0, 0.999, 0.998]])
    np.testing.assert_allclose(regret_scales(scores)[1], [0.4, 0.4, 0.06])
    np.testing.assert_allclose(regret_scales(scores, smallest_share=0.5)[1], [0.4, 0.4, 0.3])
    np.testing.assert_allclose(regret_scales(scores, smallest_share=0.0)[1], [0.4, 0.4, 0.002])


def test_where_half_of_the_candidates_reach_the_best_the_range_is_the_scale() -> None:
    np.testing.assert_allclose(regret_scales(np.array([[1.0, 1.0, 0.5]]))[1], [0.5])


def test_regrets_beyond_one_grow_slowly_up_to_three() -> None:
    regrets = np.array([-1.0, 0.0, 0.5, 1.0, np.e, np.e**2, np.e**3, np.inf])
    np.testing.assert_allclose(compress_tail(regrets), [-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 3.0, 3.0])
