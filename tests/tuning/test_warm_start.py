import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from automl_meta.algorithms import Condition, SearchSpace
from automl_meta.exceptions import UsageError
from automl_meta.recommenders import RankedConfiguration, Recommendation
from automl_meta.records import Configuration
from automl_meta.tuning import ExperienceSampler, origin_of, warm_start

SPACE = SearchSpace(
    {
        "kernel": CategoricalDistribution(["rbf", "poly"]),
        "degree": IntDistribution(1, 5),
        "C": FloatDistribution(1e-3, 1e3, log=True),
    },
    {"degree": Condition("kernel", ("poly",))},
)


def _queue(study: optuna.Study) -> list[dict]:
    return [trial.system_attrs["fixed_params"] for trial in study.trials]


def test_what_is_right_is_enqueued_in_order_and_tried_as_given() -> None:
    study = optuna.create_study()
    advice = [{"kernel": "rbf", "C": 1.0}, {"kernel": "poly", "degree": 2, "C": 10.0}]
    report = warm_start(study, advice, space=SPACE)
    assert [entry.changes for entry in report.enqueued] == [(), ()]
    study.optimize(lambda trial: float(len(SPACE.suggest(trial))), n_trials=2)
    assert [trial.params for trial in study.trials] == advice
    assert [str(origin_of(trial)) for trial in study.trials] == ["advice rank 1", "advice rank 2"]


def test_the_default_comes_second() -> None:
    study = optuna.create_study()
    warm_start(
        study,
        [{"kernel": "rbf", "C": 1.0}, {"kernel": "rbf", "C": 2.0}],
        space=SPACE,
        default={"kernel": "poly", "degree": 3, "C": 1.0},
    )
    assert [str(origin_of(trial)) for trial in study.trials] == ["advice rank 1", "default", "advice rank 2"]


def test_numbers_out_of_range_are_clipped_with_a_word_on_it() -> None:
    study = optuna.create_study()
    report = warm_start(study, [{"kernel": "rbf", "C": 1e9}], space=SPACE)
    assert _queue(study) == [{"kernel": "rbf", "C": 1000.0}]
    assert report.enqueued[0].changes == ("C=1000000000.0 was clipped to 1000.0",)


def test_unknown_and_inactive_parameters_are_left_out() -> None:
    study = optuna.create_study()
    report = warm_start(study, [{"kernel": "rbf", "C": 1.0, "gama": 1, "degree": 3}], space=SPACE)
    assert _queue(study) == [{"kernel": "rbf", "C": 1.0}]
    assert report.enqueued[0].changes == (
        "there is no parameter 'gama'",
        "degree is inactive here and was removed",
    )


@pytest.mark.parametrize("wrong", [{"kernel": "sigmoid", "C": 1.0}, {"kernel": "rbf", "C": "much"}])
def test_a_value_of_the_wrong_kind_drops_the_configuration(wrong: dict) -> None:
    study = optuna.create_study()
    report = warm_start(study, [wrong], space=SPACE)
    assert study.trials == []
    assert " is not " in report.dropped[0].changes[0]


def test_a_missing_parameter_is_left_to_the_sampler() -> None:
    study = optuna.create_study()
    report = warm_start(study, [{"kernel": "rbf"}], space=SPACE)
    assert report.enqueued[0].changes == ("C is missing and left to the sampler",)
    study.optimize(lambda trial: float(len(SPACE.suggest(trial))), n_trials=1)
    assert study.trials[0].params["kernel"] == "rbf"


def test_a_gap_that_the_sampler_fills_does_not_change_where_the_trial_came_from() -> None:
    study = optuna.create_study(sampler=ExperienceSampler(seed=0))
    warm_start(study, [{"kernel": "rbf"}], space=SPACE)
    study.optimize(lambda trial: float(len(SPACE.suggest(trial))), n_trials=1)
    assert str(origin_of(study.trials[0])) == "advice rank 1"


def test_repeats_are_dropped_also_of_what_is_in_the_study_or_its_queue() -> None:
    study = optuna.create_study()
    study.optimize(lambda trial: float(len(SPACE.suggest(trial))), n_trials=1)
    study.enqueue_trial({"kernel": "rbf", "C": 7.0})
    advice = [
        study.trials[0],
        {"kernel": "rbf", "C": 7.0},
        {"kernel": "rbf", "C": 8},
        {"kernel": "rbf", "C": 8.0},
    ]
    report = warm_start(study, advice, space=SPACE)
    assert [entry.parameters for entry in report.enqueued] == [{"kernel": "rbf", "C": 8.0}]
    assert len(report.dropped) == 3


def test_the_space_is_that_of_the_trials_there_are() -> None:
    study = optuna.create_study()
    study.optimize(lambda trial: trial.suggest_float("x", 0.0, 1.0), n_trials=1)
    assert warm_start(study, [{"x": 3.0}]).enqueued[0].parameters == {"x": 1.0}


def test_a_study_without_trials_needs_a_space() -> None:
    with pytest.raises(UsageError, match="Pass space="):
        warm_start(optuna.create_study(), [{"x": 1.0}])


@pytest.mark.parametrize("advice", [{"x": 1.0}, "x", 3, [3]])
def test_what_is_no_advice_is_refused(advice: object) -> None:
    with pytest.raises(UsageError, match="is of type"):
        warm_start(optuna.create_study(), advice, space=SPACE)


def _recommendation(*configurations: Configuration) -> Recommendation:
    ranked = tuple(
        RankedConfiguration(rank, configuration, 0.9, (0.8, 1.0), 1.0, 0.5)
        for rank, configuration in enumerate(configurations, start=1)
    )
    return Recommendation("accuracy", "classification", ranked, False, 0.1, 0.5, (), "Portfolio")


def test_a_recommendation_is_written_as_the_space_writes_it() -> None:
    advice = _recommendation(Configuration("svm", {"C": 1.0}), Configuration("knn", {"n": 3}))
    own, joint = optuna.create_study(), optuna.create_study()
    report = warm_start(own, advice, space={"C": FloatDistribution(0.1, 10.0)}, algorithm="svm")
    assert _queue(own) == [{"C": 1.0}]
    assert report.dropped[0].changes == ("it is of knn",)
    space = SearchSpace(
        {
            "algorithm": CategoricalDistribution(["svm", "knn"]),
            "svm.C": FloatDistribution(0.1, 10.0),
            "knn.n": IntDistribution(1, 9),
        },
        {"svm.C": Condition("algorithm", ("svm",)), "knn.n": Condition("algorithm", ("knn",))},
    )
    warm_start(joint, advice, space=space)
    assert _queue(joint) == [{"algorithm": "svm", "svm.C": 1.0}, {"algorithm": "knn", "knn.n": 3}]


def test_a_recommendation_of_several_algorithms_needs_to_know_whose_space_it_is() -> None:
    advice = _recommendation(Configuration("svm", {"C": 1.0}), Configuration("knn", {"C": 3}))
    with pytest.raises(UsageError, match=r"knn, svm.*Say with algorithm="):
        warm_start(optuna.create_study(), advice, space={"C": FloatDistribution(0.1, 10.0)})


def test_the_report_can_be_read() -> None:
    report = warm_start(optuna.create_study(), [{"kernel": "rbf", "C": 1e9}, {"kernel": "no"}], space=SPACE)
    assert str(report).splitlines() == [
        "1 enqueued, 1 dropped",
        "  enqueued advice rank 1 (kernel='rbf', C=1000.0); C=1000000000.0 was clipped to 1000.0",
        "  dropped advice rank 2 (kernel='no'); kernel='no' is not one of ['rbf', 'poly']",
    ]
