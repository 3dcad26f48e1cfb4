"""ArraySource: tasks from examples in memory."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from automl_meta._utils.random import RandomState, child_generator, seed_of
from automl_meta.exceptions import DataError, UsageError
from automl_meta.fewshot.episode import Episode
from automl_meta.fewshot.sources.task_source import Shots, TaskSource

__all__ = ["ArraySource", "Augmentation", "as_tensor"]

Augmentation = Callable[[Tensor, torch.Generator | None], Tensor]


class ArraySource(TaskSource):
    """Classification tasks from arrays: draw some classes, then some examples of each.

    The data lies on the device as it is (images as bytes), and a batch of tasks is one gather.

    Parameters
    ----------
    X : array-like of shape (n_examples, *features)
        Images as uint8 or floats, (height, width) or (channels, height, width); rows of numbers; or a frame of
        numeric columns.
    y : array-like of shape (n_examples,)
        The class of each example, of any type.
    groups : array-like of shape (n_examples,), optional
        Where each class belongs (an alphabet, a table); the classes of a task are then all of one group.
    augment : callable, optional
        Takes the examples of a batch, (n, *features), and the generator, and gives changed ones.
    device : str or torch.device, default='cpu'

    Raises
    ------
    DataError
        If shapes do not fit, values are not finite, or there are fewer than two classes.

    Attributes
    ----------
    classes : ndarray
        The classes, sorted; a task's ``class_ids`` are positions in it.

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
            raise DataError(f"X holds {len(x)} examples and y has shape {labels.shape}; give one class each.")
        if pd.isna(labels).any():
            raise DataError(f"y has {int(pd.isna(labels).sum())} missing values; leave those examples out.")
        self.classes, codes = np.unique(labels, return_inverse=True)
        if len(self.classes) < 2:
            raise DataError(f"There is only one class, {_name(self.classes, 0)}; tasks need two or more.")
        self.augment = augment
        self.device = torch.device(device)
        order = np.argsort(codes, kind="stable")
        self._x = x[torch.from_numpy(order)].to(self.device)
        self._set_counts(np.bincount(codes))
        self._set_groups(self._group_members(groups, codes))

    @property
    def input_shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """Shape of one example."""
        return tuple(self._x.shape[1:])

    @property
    def n_classes(self) -> int:  # type: ignore[override]
        """Number of classes."""
        return len(self.classes)

    def sample(
        self,
        n_way: int | None,
        n_shot: Shots,
        n_query: int,
        n_tasks: int = 1,
        generator: torch.Generator | None = None,
    ) -> Episode:
        """Draw tasks, as `TaskSource.sample` says."""
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

    def to(self, device: torch.device | str) -> ArraySource:
        """Return the source with its data on another device."""
        moved = copy.copy(self)
        moved.device = torch.device(device)
        for name in ("_x", "_counts", "_starts", "_groups", "_group_sizes"):
            value = getattr(self, name)
            setattr(moved, name, None if value is None else value.to(device))
        return moved

    def split(self, fractions: Sequence[float], random_state: RandomState = None) -> tuple[ArraySource, ...]:
        """Divide the classes, so that no class is in two parts.

        Parameters
        ----------
        fractions : sequence of float
            Of the classes, one for each part; they sum to 1.
        random_state : int, Generator or None

        Returns
        -------
        tuple of ArraySource
        """
        if not np.isclose(sum(fractions), 1.0) or min(fractions) <= 0:
            raise UsageError(f"fractions are {tuple(fractions)}; they must be above 0 and sum to 1.")
        shuffled = child_generator(seed_of(random_state), "classes").permutation(self.n_classes)
        ends = np.round(np.cumsum(fractions) * self.n_classes).astype(int)
        return tuple(self._subset(np.sort(part)) for part in np.split(shuffled, ends[:-1]))

    def _subset(self, kept: np.ndarray) -> ArraySource:
        if len(kept) < 2:
            raise DataError(
                f"A part of the split would have {len(kept)} of the {self.n_classes} classes; each needs two. "
                "Give larger fractions, or more classes."
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
        """Note where the rows of each class begin and how many there are."""
        self._counts = torch.from_numpy(counts).to(self.device)
        self._starts = torch.from_numpy(np.cumsum(counts) - counts).to(self.device)
        self._largest, self._smallest = int(counts.max()), int(counts.min())

    def _set_groups(self, groups: Tensor | None) -> None:
        """Note the group of each class, and how many classes a group has."""
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
                f"groups has shape {values.shape}; give one for each of the {len(codes)} examples."
            )
        group_codes = np.unique(values, return_inverse=True)[1]
        of_class = np.zeros(self.n_classes, dtype=np.int64)
        of_class[codes] = group_codes
        if (of_class[codes] != group_codes).any():
            torn = int(codes[np.flatnonzero(of_class[codes] != group_codes)[0]])
            raise DataError(f"Class {_name(self.classes, torn)} is in two groups; a class belongs to one.")
        return torch.from_numpy(of_class).to(self.device)

    def _check(self, n_way: int | None, fewest: int, most: int, n_query: int, n_tasks: int) -> int:
        if n_way is None or n_way < 1 or fewest < 1 or most < fewest or n_query < 0 or n_tasks < 1:
            raise UsageError(
                f"n_way is {n_way}, n_shot {fewest if fewest == most else (fewest, most)}, n_query {n_query}, "
                f"n_tasks {n_tasks}; all must be 1 or more (n_query may be 0)."
            )
        if self._smallest < most + n_query:
            least = int(self._counts.argmin())
            raise DataError(
                f"Class {_name(self.classes, least)} has {self._smallest} examples; {most} shots and {n_query} "
                f"queries need {most + n_query}. Ask for fewer, or leave out small classes."
            )
        if self._most_classes < n_way:
            where = "" if self._groups is None else "the largest group of "
            raise DataError(
                f"Tasks of {n_way} classes were asked for; {where}this source has {self._most_classes}. "
                f"Ask for n_way={self._most_classes} at most."
            )
        return n_way

    def _draw_classes(self, n_way: int, n_tasks: int, generator: torch.Generator | None) -> Tensor:
        """Draw different classes for each task: shape (n_tasks, n_way)."""
        keys = torch.rand(n_tasks, self.n_classes, generator=generator, device=self.device)
        if self._groups is not None and self._group_sizes is not None:
            # A group is as likely as the number of its classes, among those with enough.
            chances = torch.where(self._group_sizes >= n_way, self._group_sizes, 0).double()
            chosen = torch.multinomial(chances, n_tasks, replacement=True, generator=generator)
            keys = keys + 2 * (self._groups[None] == chosen[:, None])
        return keys.topk(n_way, dim=1).indices

    def _draw_rows(self, class_ids: Tensor, n: int, generator: torch.Generator | None) -> Tensor:
        """Draw different rows of each class: shape (n_tasks, n_way, n)."""
        keys = torch.rand(*class_ids.shape, self._largest, generator=generator, device=self.device)
        if self._smallest < self._largest:
            beyond = torch.arange(self._largest, device=self.device) >= self._counts[class_ids][..., None]
            keys = keys - 2 * beyond
        return keys.topk(n, dim=-1).indices + self._starts[class_ids][..., None]


def as_tensor(X: Any) -> Tensor:
    """Examples as a tensor of bytes or floats, images with a dimension of channels."""
    if isinstance(X, Tensor):
        x = X
    else:
        if isinstance(X, pd.DataFrame):
            words = [str(name) for name, kind in X.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
            if words:
                raise DataError(f"Columns {', '.join(words)} are not numeric; encode them or leave them out.")
        values = np.asarray(X)
        if values.dtype.kind not in "biuf":
            raise DataError(f"X holds {values.dtype}; give numbers.")
        x = torch.from_numpy(np.array(values, dtype=np.uint8 if values.dtype == np.uint8 else np.float32))
    if x.dtype != torch.uint8 and not bool(torch.isfinite(x).all()):
        raise DataError("X holds NaN or infinite values; fill them in or leave those examples out.")
    if x.ndim < 2:
        raise DataError(f"X has shape {tuple(x.shape)}; give (n_examples, *features).")
    return x[:, None] if x.ndim == 3 else x


def _name(classes: np.ndarray, position: int) -> str:
    return repr(classes[position].item() if hasattr(classes[position], "item") else classes[position])
