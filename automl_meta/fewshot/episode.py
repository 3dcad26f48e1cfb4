"""Episode: a batch of few-shot tasks, each with a labelled support and labelled queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

__all__ = ["Episode"]


@dataclass(frozen=True)
class Episode:
    """A batch of few-shot tasks; all tensors have the tasks as first dimension and lie on one device.

    Parameters
    ----------
    support_x : Tensor of shape (n_tasks, n_support, *features)
        Examples to adapt to: images as uint8 (0 to 255) or floats, rows of a table as floats.
    support_y : Tensor of shape (n_tasks, n_support)
        Class labels from 0 to ``n_way - 1``; in regression, targets of shape (n_tasks, n_support, n_outputs).
    query_x : Tensor of shape (n_tasks, n_query, *features)
        Examples to predict.
    query_y : Tensor of shape (n_tasks, n_query)
        True labels or targets of the queries, like `support_y`.
    n_way : int or None
        Number of classes per task; None in regression.
    class_ids : Tensor of shape (n_tasks, n_way), optional
        Index in the source of the class behind each label.
    support_mask, query_mask : Tensor of bool of shape (n_tasks, n_support or n_query), optional
        False where an example is padding, in tasks of different sizes; None if there is no padding.

    Examples
    --------
    >>> x = torch.zeros(2, 5, 3)
    >>> y = torch.arange(5).expand(2, 5)
    >>> episode = Episode(x, y, x, y, n_way=5)
    >>> len(episode), [len(part) for part in episode.split(1)]
    (2, [1, 1])
    """

    support_x: Tensor
    support_y: Tensor
    query_x: Tensor
    query_y: Tensor
    n_way: int | None
    class_ids: Tensor | None = None
    support_mask: Tensor | None = None
    query_mask: Tensor | None = None

    def __len__(self) -> int:
        """Return the number of tasks."""
        return len(self.support_x)

    @property
    def is_uneven(self) -> bool:
        """Whether some examples are padding."""
        return self.support_mask is not None or self.query_mask is not None

    def __getitem__(self, tasks: slice) -> Episode:
        """Return a slice of the tasks."""
        return self._map(lambda tensor: tensor[tasks])

    def split(self, n_tasks: int) -> Iterator[Episode]:
        """Split the tasks into chunks.

        Parameters
        ----------
        n_tasks : int
            Largest number of tasks per chunk.

        Yields
        ------
        Episode
            The next chunk.
        """
        for start in range(0, len(self), n_tasks):
            yield self[start : start + n_tasks]

    def to(self, device: torch.device | str) -> Episode:
        """Move the tensors to a device.

        Parameters
        ----------
        device : torch.device or str
            Target device.

        Returns
        -------
        Episode
            The episode on that device.
        """
        return self._map(lambda tensor: tensor.to(device))

    def single_tasks(self) -> Iterator[Episode]:
        """Split into single tasks and remove their padding.

        Batch statistics must not see padding, so tasks of different sizes are computed one at a time.

        Yields
        ------
        Episode
            The next task.
        """
        for task in self.split(1):
            kept: dict[str, Tensor | None] = {"support_mask": None, "query_mask": None}
            for part in ("support", "query"):
                mask = getattr(task, f"{part}_mask")
                if mask is not None:
                    kept[f"{part}_x"] = getattr(task, f"{part}_x")[:, mask[0]]
                    kept[f"{part}_y"] = getattr(task, f"{part}_y")[:, mask[0]]
            yield replace(task, **kept)  # type: ignore[arg-type]

    def _map(self, function: Callable[[Tensor], Tensor]) -> Episode:
        changed = {
            field.name: function(value)
            for field in fields(self)
            if isinstance(value := getattr(self, field.name), Tensor)
        }
        return replace(self, **changed)  # type: ignore[arg-type]
