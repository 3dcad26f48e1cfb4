"""Seeds: one comes in, every part of the work draws from a child of its own."""

from __future__ import annotations

import zlib

import numpy as np

from automl_meta.exceptions import UsageError

__all__ = ["RandomState", "child_generator", "child_seeds", "seed_of"]

RandomState = int | np.integer | np.random.Generator | np.random.RandomState | None
"""What a ``random_state`` argument may be; None takes fresh entropy from the system."""


def seed_of(random_state: RandomState) -> int:
    """Turn a ``random_state`` argument into one whole number from which everything follows.

    Raises
    ------
    UsageError
        If it is none of the accepted types, or negative.

    Examples
    --------
    >>> seed_of(7)
    7
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**32))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**32, dtype=np.uint64))
    if (
        isinstance(random_state, (int, np.integer))
        and not isinstance(random_state, bool)
        and random_state >= 0
    ):
        return int(random_state)
    raise UsageError(
        f"random_state is {random_state!r}; it must be a whole number from 0, a NumPy generator or None."
    )


def child_seeds(random_state: RandomState, n: int) -> list[int]:
    """`n` independent seeds, drawn before a loop so that its order and parallelism change nothing.

    Examples
    --------
    >>> child_seeds(0, 3) == child_seeds(0, 5)[:3]
    True
    """
    children = np.random.SeedSequence(seed_of(random_state)).spawn(n)
    return [int(child.generate_state(1)[0]) for child in children]


def child_generator(seed: int, name: str) -> np.random.Generator:
    """The generator of one named part of the work, whatever other parts are done beside it.

    Examples
    --------
    >>> child_generator(0, "folds").random() == child_generator(0, "folds").random()
    True
    """
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))
