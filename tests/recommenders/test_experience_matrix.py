import numpy as np

from automl_meta.recommenders.experience_matrix import ExperienceMatrix
from automl_meta.testing.experience import synthetic_experience


def test_failed_runs_count_as_the_worst_and_missing_ones_as_usual() -> None:
    meta = synthetic_experience(missing=0.2, failed=0.2)
    experience = ExperienceMatrix.from_meta_dataset(meta)
    failed = (experience.run_ids != "") & ~experience.known
    missing = experience.run_ids == ""
    assert failed.any()
    assert missing.any()
    assert np.allclose(experience.regrets[failed], 1.0)
    assert experience.regrets[missing].mean() < 0.8


def test_no_score_of_a_row_exceeds_its_best() -> None:
    experience = ExperienceMatrix.from_meta_dataset(synthetic_experience(missing=0.5))
    assert (experience.scores <= experience.best[:, None] + 1e-12).all()


def test_a_time_limit_that_was_hit_counts_as_the_time_of_a_fit() -> None:
    experience = ExperienceMatrix.from_meta_dataset(synthetic_experience(failed=0.3))
    assert (experience.seconds[(experience.run_ids != "") & ~experience.known] == 60.0).all()
