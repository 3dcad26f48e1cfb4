import optuna
import pytest

from automl_meta.algorithms import ALGORITHMS, JointSpace, algorithms_for
from automl_meta.exceptions import UsageError
from automl_meta.records import Configuration


@pytest.fixture
def space() -> JointSpace:
    return JointSpace(algorithms_for("classification", only=["knn", "lda", "decision_tree", "rbf_svm"]))


@pytest.mark.parametrize("task_type", ["classification", "regression"])
def test_every_configuration_survives_the_way_there_and_back(task_type) -> None:
    joint = JointSpace(algorithms_for(task_type))
    for algorithm in ALGORITHMS:
        if algorithm.task_type == task_type:
            for configuration in algorithm.configurations(6):
                parameters = joint.parameters(configuration)
                assert joint.space.problems(parameters) == []
                assert joint.configuration(parameters) == algorithm.completed(configuration)


def test_only_the_parameters_of_the_chosen_algorithm_are_suggested(space: JointSpace) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(20):
        parameters = space.space.suggest(study.ask())
        chosen = parameters.pop("algorithm")
        assert all(name.startswith(f"{chosen}.") for name in parameters)
        assert space.configuration({"algorithm": chosen, **parameters}).algorithm == chosen


def test_conditions_inside_an_algorithm_hold(space: JointSpace) -> None:
    condition = space.space.conditions["rbf_svm.gamma"]
    assert (condition.parent, condition.values) == ("rbf_svm.gamma_rule", ("value",))


def test_what_is_left_out_takes_its_default(space: JointSpace) -> None:
    assert space.parameters(Configuration("knn", {"p": 1}))["knn.n_neighbors"] == 5


def test_an_algorithm_that_is_not_in_it_is_refused(space: JointSpace) -> None:
    with pytest.raises(UsageError, match="There is no algorithm 'mlp' in this search space"):
        space.parameters(Configuration("mlp"))
