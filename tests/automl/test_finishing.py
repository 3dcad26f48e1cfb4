from typing import Any

import numpy as np
import optuna

from automl_meta._utils.budget import Budget
from automl_meta.algorithms import JointSpace, algorithms_for
from automl_meta.automl.cross_validation import CrossValidation
from automl_meta.automl.finishing import Finisher
from automl_meta.automl.problem import Problem
from automl_meta.automl.scoring import Scoring
from automl_meta.automl.session import Session
from automl_meta.automl.shared_study import SharedStudy
from automl_meta.automl.study_budget import StudyBudget
from automl_meta.experiments import Fitted, InProcessEvaluator
from automl_meta.task import TabularTask


class Slow(InProcessEvaluator):
    """Exceeds each limit."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: list[float | None] = []

    def fit(self, *arguments: Any, seconds: float | None = None, **options: Any) -> Fitted:
        self.limits.append(seconds)
        if seconds is not None:
            return Fitted(None, "timeout", f"ended at its limit of {seconds:g} s")
        return super().fit(*arguments, **options)


def test_there_is_a_model_even_if_only_a_fold_is_affordable_and_takes_longer_than_expected() -> None:
    task = TabularTask.bundled("iris")
    cross_validation = CrossValidation(2, None)
    space = JointSpace(algorithms_for("classification", only=["lda"]))
    problem = Problem(
        task,
        np.array(task.classes),
        Scoring.of("accuracy", "classification"),
        space,
        cross_validation.folds(task, 0),
        cross_validation,
    )
    study = optuna.create_study(direction="maximize")
    parameters = space.parameters(space.algorithms[0].default_configuration)
    study.enqueue_trial(parameters)
    trial = study.ask()
    space.space.suggest(trial)
    trial.set_user_attr("run", {"seconds": 100.0, "wall_seconds": 100.0, "fit_seconds": 50.0})
    study.tell(trial, 0.9)
    session, evaluator = Session(), Slow()
    budget = StudyBudget(task, problem.folds, None, 0.01, None, 1, Budget(0.01))
    shared = SharedStudy(study, problem, session.note)
    found = Finisher(problem, shared, budget, session, evaluator).finish(ensemble=False)
    assert found.model.predict(task.X).shape == (150,)
    assert evaluator.limits == [None]
    assert any("rows of 150: all would have taken too long" in note for note in session.notes)
