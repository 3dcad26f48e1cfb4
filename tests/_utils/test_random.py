import numpy as np
import pytest

from automl_meta._utils.random import child_generator, child_seeds, seed_of
from automl_meta.exceptions import UsageError


def test_a_whole_number_is_its_own_seed() -> None:
    assert seed_of(5) == seed_of(np.int64(5)) == 5


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_equal_generators_give_equal_seeds_and_move_on(make: type) -> None:
    first, second = make(1), make(1)
    assert seed_of(first) == seed_of(second)
    assert seed_of(first) != seed_of(make(1))


def test_none_gives_another_seed_each_time() -> None:
    assert len({seed_of(None) for _ in range(5)}) == 5


@pytest.mark.parametrize("wrong", ["zero", -1, 0.5, True])
def test_anything_else_is_refused_with_its_value(wrong: object) -> None:
    with pytest.raises(UsageError, match=str(wrong)):
        seed_of(wrong)  # type: ignore[arg-type]


def test_more_children_do_not_change_the_first_ones() -> None:
    assert child_seeds(3, 8)[:4] == child_seeds(3, 4)
    assert len(set(child_seeds(3, 8))) == 8


def test_children_of_other_names_or_seeds_are_independent() -> None:
    drawn = {child_generator(seed, name).random() for seed in (0, 1) for name in ("folds", "rows")}
    assert len(drawn) == 4
