"""ArraySource: classification tasks from arrays in memory."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from typing_extensions import override

from automl_meta._utils.random import RandomState, child_generator, seed_of
from automl_meta.exceptions import DataError, UsageError
from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.sources.task_source import Shots, TaskSource

__all__ = ["ArraySource", "Augmentation", "as_tensor"]

Augmentation = Callable[[Tensor, torch.Generator | None], Tensor]


class ArraySource(TaskSource):
    """Classification tasks from arrays: sample classes, then examples of each class.

    The data are stored on the device in their own type (images as bytes); a batch of tasks is one gather operation.

    Parameters
    ----------
    X : array-like of shape (n_examples, *features)
        Examples: images as uint8 or floats of shape (height, width) or (channels, height, width), rows of numbers,
        or a data frame of numeric columns.
    y : array-like of shape (n_examples,)
        Class labels of any type.
    groups : array-like of shape (n_examples,), optional
        Group (such as an alphabet or a table) of the class of each example; the classes of a task then belong to one
        group.
    augment : callable, optional
        Function of the examples of a batch, of shape (n, *features), and the generator that returns augmented
        examples.
    device : torch.device or str, default='cpu'
        Device that the tasks are sampled on.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted class labels, which the ``class_ids`` of an episode index.

    Raises
    ------
    DataError
        If shapes do not match, values are not finite, or there are fewer than two classes.

    Examples
    --------
    >>> source = ArraySource(np.arange(24.0).reshape(12, 2), list("aaaabbbbcccc"))
    >>> source.sample(n_way=2, n_shot=1, n_query=3, n_tasks=5).query_x.shape
    torch.Size([5, 6, 2])
    """

    def __init__(
        self,
        X: Any,
        y: Any,
        groups: Any = None,
        augment: Augmentation | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        x = as_tensor(X)
        labels = np.asarray(y.to_numpy() if isinstance(y, (pd.Series, pd.Index)) else y)
        if labels.shape != (len(x),):
            raise DataError(
                f"X holds {len(x)} examples, but y has shape {labels.shape}; give one label per example."
            )
        if pd.isna(labels).any():
            raise DataError(f"y has {int(pd.isna(labels).sum())} missing values; remove those examples.")
        self.classes, codes = np.unique(labels, return_inverse=True)
        if len(self.classes) < 2:
            raise DataError(f"There is only one class, {_name(self.classes, 0)}; tasks need at least two.")
        self.augment = augment
        self.device = torch.device(device)
        order = np.argsort(codes, kind="stable")
        self._x = x[torch.from_numpy(order)].to(self.device)
        self._set_counts(np.bincount(codes))
        self._set_groups(self._group_members(groups, codes))

    @property
    def input_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The shape of one example."""
        return tuple(self._x.shape[1:])

    @property
    def n_classes(self) -> int:  # type: ignore[override]
        """The number of classes."""
        return len(self.classes)

    @override
    def sample(
        self,
        n_way: int | None,
        n_shot: Shots,
        n_query: int,
        n_tasks: int = 1,
        generator: torch.Generator | None = None,
    ) -> Episode:
        fewest, most = n_shot if isinstance(n_shot, tuple) else (n_shot, n_shot)
        n_way = self._check(n_way, fewest, most, n_query, n_tasks)
        class_ids = self._draw_classes(n_way, n_tasks, generator)
        rows = self._draw_rows(class_ids, most + n_query, generator)
        x = self._x[rows]
        if self.augment is not None:
            x = self.augment(x.flatten(0, 2), generator).unflatten(0, rows.shape)
        labels = torch.arange(n_way, device=self.device).expand(n_tasks, n_way)
        mask = None
        if fewest < most:
            shots = torch.randint(
                fewest, most + 1, (n_tasks, n_way, 1), generator=generator, device=self.device
            )
            mask = (torch.arange(most, device=self.device) < shots).flatten(1)
        return Episode(
            x[:, :, :most].flatten(1, 2),
            labels.repeat_interleave(most, 1),
            x[:, :, most:].flatten(1, 2),
            labels.repeat_interleave(n_query, 1),
            n_way,
            class_ids,
            mask,
        )

    @override
    def to(self, device: torch.device | str) -> ArraySource:
        moved = copy.copy(self)
        moved.device = torch.device(device)
        for name in ("_x", "_counts", "_starts", "_groups", "_group_sizes"):
            value = getattr(self, name)
            setattr(moved, name, None if value is None else value.to(device))
        return moved

    def split(self, fractions: Sequence[float], random_state: RandomState = None) -> tuple[ArraySource, ...]:
        """Split into sources with disjoint classes.

        Parameters
        ----------
        fractions : sequence of float
            Fraction of the classes in each part; they must sum to 1.
        random_state : int, numpy.random.Generator or None, default=None
            Random seed; None gives a different split on each call.

        Returns
        -------
        tuple of ArraySource
            One source per fraction.

        Raises
        ------
        DataError
            If a part would have fewer than two classes.
        UsageError
            If the fractions are not above 0, or do not sum to 1.
        """
        if not np.isclose(sum(fractions), 1.0) or min(fractions) <= 0:
            raise UsageError(f"fractions are {tuple(fractions)}; they must be above 0 and sum to 1.")
        shuffled = child_generator(seed_of(random_state), "classes").permutation(self.n_classes)
        ends = np.round(np.cumsum(fractions) * self.n_classes).astype(int)
        return tuple(self._subset(np.sort(part)) for part in np.split(shuffled, ends[:-1]))

    def _subset(self, kept: np.ndarray) -> ArraySource:
        if len(kept) < 2:
            raise DataError(
                f"A part of the split would have {len(kept)} of the {self.n_classes} classes; each part needs at "
                "least two. Give larger fractions or more classes."
            )
        counts, starts = self._counts.cpu().numpy()[kept], self._starts.cpu().numpy()[kept]
        rows = np.concatenate([np.arange(start, start + n) for start, n in zip(starts, counts, strict=True)])
        part = copy.copy(self)
        part.classes = self.classes[kept]
        part._x = self._x[torch.from_numpy(rows).to(self.device)]
        part._set_counts(counts)
        part._set_groups(
            None if self._groups is None else self._groups[torch.from_numpy(kept).to(self.device)]
        )
        return part

    def _set_counts(self, counts: np.ndarray) -> None:
        """Store the first row and the number of rows of each class."""
        self._counts = torch.from_numpy(counts).to(self.device)
        self._starts = torch.from_numpy(np.cumsum(counts) - counts).to(self.device)
        self._largest, self._smallest = int(counts.max()), int(counts.min())

    def _set_groups(self, groups: Tensor | None) -> None:
        """Store the group of each class and the number of classes per group."""
        self._groups = groups
        self._group_sizes = None if groups is None else torch.bincount(groups)
        self._most_classes = self.n_classes if self._group_sizes is None else int(self._group_sizes.max())

    def _group_members(self, groups: Any, codes: np.ndarray) -> Tensor | None:
        """Return the group of each class."""
        if groups is None:
            return None
        values = np.asarray(groups)
        if values.shape != codes.shape:
            raise DataError(
                f"groups has shape {values.shape}; give one group for each of the {len(codes)} examples."
            )
        group_codes = np.unique(values, return_inverse=True)[1]
        of_class = np.zeros(self.n_classes, dtype=np.int64)
        of_class[codes] = group_codes
        if (of_class[codes] != group_codes).any():
            torn = int(codes[np.flatnonzero(of_class[codes] != group_codes)[0]])
            raise DataError(
                f"Class {_name(self.classes, torn)} is in two groups; each class must be in one group."
            )
        return torch.from_numpy(of_class).to(self.device)

    def _check(self, n_way: int | None, fewest: int, most: int, n_query: int, n_tasks: int) -> int:
        if n_way is None or n_way < 1 or fewest < 1 or most < fewest or n_query < 0 or n_tasks < 1:
            raise UsageError(
                f"n_way is {n_way}, n_shot {fewest if fewest == most else (fewest, most)}, n_query {n_query}, "
                f"n_tasks {n_tasks}; all must be at least 1 (n_query may be 0)."
            )
        if self._smallest < most + n_query:
            least = int(self._counts.argmin())
            raise DataError(
                f"Class {_name(self.classes, least)} has {self._smallest} examples; {most} shots and {n_query} "
                f"queries need {most + n_query}. Reduce n_shot or n_query, or remove small classes."
            )
        if self._most_classes < n_way:
            where = "" if self._groups is None else "the largest group of "
            raise DataError(
                f"Tasks of {n_way} classes were requested; {where}this source has {self._most_classes}. "
                f"Set n_way to at most {self._most_classes}."
            )
        return n_way

    def _draw_classes(self, n_way: int, n_tasks: int, generator: torch.Generator | None) -> Tensor:
        """Sample distinct classes for each task: shape (n_tasks, n_way)."""
        keys = torch.rand(n_tasks, self.n_classes, generator=generator, device=self.device)
        if self._groups is not None and self._group_sizes is not None:
            # Among groups with enough classes, the probability of a group is proportional to its number of classes.
            weights = torch.where(self._group_sizes >= n_way, self._group_sizes, 0).double()
            chosen = torch.multinomial(weights, n_tasks, replacement=True, generator=generator)
            keys = keys + 2 * (self._groups[None] == chosen[:, None])
        return keys.topk(n_way, dim=1).indices

    def _draw_rows(self, class_ids: Tensor, n: int, generator: torch.Generator | None) -> Tensor:
        """Sample distinct rows of each class: shape (n_tasks, n_way, n)."""
        keys = torch.rand(*class_ids.shape, self._largest, generator=generator, device=self.device)
        if self._smallest < self._largest:
            beyond = torch.arange(self._largest, device=self.device) >= self._counts[class_ids][..., None]
            keys = keys - 2 * beyond
        return keys.topk(n, dim=-1).indices + self._starts[class_ids][..., None]


def as_tensor(X: Any) -> Tensor:
    """Convert examples to a tensor of bytes or floats, with a channel dimension for images."""
    if isinstance(X, Tensor):
        x = X
    else:
        if isinstance(X, pd.DataFrame):
            is_numeric = pd.api.types.is_numeric_dtype
            if other := [str(name) for name, dtype in X.dtypes.items() if not is_numeric(dtype)]:
                raise DataError(f"Columns {', '.join(other)} are not numeric; encode or remove them.")
        values = np.asarray(X)
        if values.dtype.kind not in "biuf":
            raise DataError(f"X has dtype {values.dtype}; it must be numeric.")
        x = torch.from_numpy(np.array(values, dtype=np.uint8 if values.dtype == np.uint8 else np.float32))
    if x.dtype != torch.uint8 and not bool(torch.isfinite(x).all()):
        raise DataError("X contains NaN or infinite values; impute them or remove those examples.")
    if x.ndim < 2:
        raise DataError(f"X has shape {tuple(x.shape)}; it must be (n_examples, *features).")
    return x[:, None] if x.ndim == 3 else x


def _name(classes: np.ndarray, position: int) -> str:
    return repr(classes[position].item() if hasattr(classes[position], "item") else classes[position])
