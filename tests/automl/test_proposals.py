import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from automl_meta import MetadataStore
from automl_meta.advice import Advisor
from automl_meta.algorithms import JointSpace, algorithms_for
from automl_meta.automl.proposals import Proposal, Proposals
from automl_meta.metrics import get_metric
from automl_meta.task import TabularTask
from automl_meta.tuning import ORIGIN, ExperienceSampler, Origin


def proposals(space: JointSpace, advisor: Advisor | None = None, seed: int = 0) -> Proposals:
    return Proposals(space, advisor, ExperienceSampler(None, seed), seed)


def trial_of(space: JointSpace, proposal: Proposal, number: int, value: float | None) -> FrozenTrial:
    parameters = space.parameters(proposal.configuration)
    distributions = {name: space.space.distributions[name] for name in parameters}
    made = create_trial(
        value=value,
        state=TrialState.COMPLETE if value is not None else TrialState.FAIL,
        params=parameters,
        distributions=distributions,
        user_attrs={
            "configuration_id": proposal.configuration.configuration_id,
            ORIGIN: str(proposal.origin),
            "run": {"scores": {} if value is None else {"balanced_accuracy": value}},
        },
    )
    made.number = number
    return made


def played(space: JointSpace, chosen: Proposals, n: int, score, **limits) -> list[Proposal]:
    trials: list[FrozenTrial] = []
    made = []
    for number in range(n):
        proposal = chosen.next(trials, **limits)
        if proposal is None:
            break
        made.append(proposal)
        trials.append(trial_of(space, proposal, number, score(proposal)))
    return made


@pytest.fixture(scope="module")
def advisor(tmp_path_factory: pytest.TempPathFactory) -> Advisor:
    with MetadataStore(tmp_path_factory.mktemp("store") / "store.db") as store:
        return Advisor.for_task(
            TabularTask.bundled("wine"),
            get_metric("balanced_accuracy"),
            algorithms=["knn", "lda", "decision_tree", "rbf_svm"],
            store=store,
        )


def test_a_default_comes_first_then_advice_then_the_sampler(space: JointSpace, advisor: Advisor) -> None:
    made = played(space, proposals(space, advisor), 16, lambda proposal: 0.8)
    origins = [str(proposal.origin) for proposal in made]
    assert origins[:11] == ["default", *(f"advice rank {rank}" for rank in range(1, 11))]
    assert origins[11:] == ["local", "local", "local", "local", "advice rank 11"]


def test_quick_configurations_come_first_only_where_seconds_are_short(
    space: JointSpace, advisor: Advisor
) -> None:
    def advised(**limits) -> list[Proposal]:
        return played(space, proposals(space, advisor), 8, lambda proposal: 0.8, **limits)

    def seconds(made: list[Proposal]) -> float:
        everything = advisor.recommend(1000).configurations
        known = {entry.configuration.configuration_id: entry.expected_seconds for entry in everything}
        return sum(known[proposal.configuration.configuration_id] for proposal in made[1:])

    patient = advised()
    assert list(map(repr, advised(fit_seconds=1000.0))) == list(map(repr, patient))  # NaN differs from itself
    assert seconds(advised(fit_seconds=1000.0, per_second=True)) < seconds(patient)


def test_nothing_is_proposed_twice_also_when_a_space_is_small() -> None:
    small = JointSpace(algorithms_for("classification", only=["dummy", "lda"]))
    made = played(small, proposals(small), 60, lambda proposal: 0.5)
    ids = [proposal.configuration.configuration_id for proposal in made]
    assert len(ids) == len(set(ids)) > 5


def test_a_space_that_was_tried_whole_ends_the_search() -> None:
    one = JointSpace(algorithms_for("classification", only=["dummy"]))
    made = played(one, proposals(one), 5, lambda proposal: 0.5)
    assert [proposal.origin for proposal in made] == [Origin("default")]


def test_the_best_algorithm_is_searched_most(space: JointSpace) -> None:
    scores = {"knn": 0.9, "lda": 0.5, "decision_tree": 0.4, "rbf_svm": 0.3}
    made = played(space, proposals(space), 60, lambda p: scores[p.configuration.algorithm])
    share = sum(proposal.configuration.algorithm == "knn" for proposal in made[20:]) / 40
    assert share > 0.35


def test_what_fails_is_neither_repeated_nor_a_reason_to_stop(space: JointSpace, advisor: Advisor) -> None:
    made = played(space, proposals(space, advisor), 14, lambda proposal: None)
    assert len({proposal.configuration.configuration_id for proposal in made}) == 14


def test_what_was_reached_changes_the_advice(space: JointSpace, advisor: Advisor) -> None:
    def advised(score) -> list[str]:
        made = played(space, proposals(space, advisor), 8, score)
        return [proposal.configuration.algorithm for proposal in made[1:]]

    trees = advised(lambda p: 0.99 if p.configuration.algorithm == "decision_tree" else 0.3)
    kernels = advised(lambda p: 0.99 if p.configuration.algorithm == "rbf_svm" else 0.3)
    assert trees.count("decision_tree") > kernels.count("decision_tree")
    assert kernels.count("rbf_svm") > trees.count("rbf_svm")


def test_the_same_trials_and_seed_give_the_same_proposals(space: JointSpace) -> None:
    first, second = (played(space, proposals(space, seed=3), 15, lambda p: 0.5) for _ in range(2))
    assert list(map(repr, first)) == list(map(repr, second))  # NaN differs from itself


def test_floating_point_values_are_short(space: JointSpace) -> None:
    made = played(space, proposals(space), 25, lambda proposal: 0.5)
    values = [v for p in made for v in p.configuration.parameters.values() if isinstance(v, float)]
    assert values
    assert all(value == float(f"{value:.6g}") for value in values)
