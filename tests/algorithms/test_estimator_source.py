import warnings

import numpy as np
import pytest

from automl_meta.algorithms import ALGORITHMS, Algorithm
from automl_meta.algorithms.estimator_source import estimator_source
from automl_meta.testing.algorithms import mixed_task


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda a: f"{a.name}-{a.task_type}")
def test_the_source_makes_a_pipeline_that_predicts_the_same(algorithm: Algorithm) -> None:
    task = mixed_task(algorithm.task_type)
    configuration = algorithm.configurations(2)[-1]
    pipeline = algorithm.build(configuration, task, seed=3)
    source = estimator_source(pipeline)
    program = "import pandas as pd\n" + "\n".join(
        [*source.imports, *source.functions, f"made = {source.expression}"]
    )
    names: dict = {}
    exec(compile(program, "source", "exec"), names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = pipeline.fit(task.X, task.y).predict(task.X)
        found = names["made"].fit(task.X, task.y).predict(task.X)
    np.testing.assert_array_equal(found, expected)
    assert "automl_meta" not in program


def test_what_has_no_source_is_refused() -> None:
    from sklearn.svm import SVC

    with pytest.raises(TypeError, match="cannot be written as source code"):
        estimator_source(SVC(C=object()))
