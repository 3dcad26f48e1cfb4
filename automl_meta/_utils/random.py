"""Random seeds: every part of a computation uses its own child of the given seed."""

from __future__ import annotations

import zlib

import numpy as np

from automl_meta.exceptions import UsageError

__all__ = ["RandomState", "child_generator", "child_seeds", "seed_of"]

RandomState = int | np.integer | np.random.Generator | np.random.RandomState | None
"""Accepted types of a ``random_state`` argument; None draws fresh entropy from the operating system."""


def seed_of(random_state: RandomState) -> int:
    """Convert a ``random_state`` argument to an integer seed.

    Raises
    ------
    UsageError
        If `random_state` is negative or not of an accepted type.

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
        f"random_state is {random_state!r}; it must be a non-negative integer, a NumPy generator or None."
    )


def child_seeds(random_state: RandomState, n: int) -> list[int]:
    """Draw `n` independent seeds, before a loop whose order and parallelism must not affect results.

    Examples
    --------
    >>> child_seeds(0, 3) == child_seeds(0, 5)[:3]
    True
    """
    children = np.random.SeedSequence(seed_of(random_state)).spawn(n)
    return [int(child.generate_state(1)[0]) for child in children]


def child_generator(seed: int, name: str) -> np.random.Generator:
    """Create the generator of one named part of a computation, independent of all other parts.

    Examples
    --------
    >>> child_generator(0, "folds").random() == child_generator(0, "folds").random()
    True
    """
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode())]))
