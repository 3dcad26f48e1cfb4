from collections.abc import Iterator

import pytest
from contracts import EVALUATORS

from automl_meta.experiments import EvaluatorLike
from automl_meta.testing.evaluators import EvaluatorContract


@pytest.fixture(scope="module", params=EVALUATORS, ids=lambda member: member.__name__)
def evaluator(request: pytest.FixtureRequest) -> Iterator[EvaluatorLike]:
    with request.param() as opened:
        yield opened


class TestEvaluators(EvaluatorContract):
    pass
