"""Families: related data sets, which must be held out together."""

from __future__ import annotations

import numpy as np
import pandas as pd

from automl_meta.records import MetaDataset

__all__ = ["merged_families"]

_FEWEST_EQUAL_SCORES = 5
_FEWEST_EQUAL_METAFEATURES = 10


def merged_families(meta: MetaDataset) -> tuple[pd.Series, tuple[str, ...]]:
    """Merge the families of data sets that are copies of each other.

    Two data sets count as copies if at least ten meta-features, or at least five scores that are
    not all the same, are known and equal: a renamed copy must not inform the advice for its
    original.

    Parameters
    ----------
    meta : MetaDataset
        Data sets with their families, meta-features and runs.

    Returns
    -------
    families : Series
        Name of the family, index ``dataset_id``.
    notes : tuple of str
        One for each pair of copies in different families.
    """
    families = meta.datasets["family"].astype(str).copy()
    notes: list[str] = []
    tables = (
        ("meta-features", meta.metafeatures.to_numpy(np.float64), _FEWEST_EQUAL_METAFEATURES),
        ("scores", meta.scores.to_numpy(np.float64), _FEWEST_EQUAL_SCORES),
    )
    for what, values, fewest in tables:
        first_with: dict[bytes, str] = {}
        for dataset_id, row in zip(meta.datasets.index, values, strict=True):
            finite = row[np.isfinite(row)]
            if len(finite) < fewest or np.ptp(finite) == 0.0:
                continue
            original = first_with.setdefault(np.round(row, 12).tobytes(), dataset_id)
            if families[original] != families[dataset_id]:
                pair = " and ".join(repr(meta.datasets.at[key, "name"]) for key in (original, dataset_id))
                notes.append(f"Data sets {pair} have equal {what}; their families were merged.")
                families[families == families[dataset_id]] = families[original]
    return families, tuple(notes)
