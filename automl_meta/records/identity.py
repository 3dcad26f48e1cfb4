"""Names and digests that identify records."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from automl_meta.exceptions import UsageError

LONGEST_NAME = 255
"""Maximum number of characters of the name of a data set, family, source or protocol, as database columns have."""


def check_lengths(*names: str) -> None:
    """Refuse names that are too long."""
    for name in names:
        if len(name) > LONGEST_NAME:
            raise UsageError(
                f"The name {name[:40]!r}… has {len(name)} characters; {LONGEST_NAME} are the most."
            )


def digest_of(content: Any, n_digits: int) -> str:
    """First hexadecimal digits of the SHA-256 digest of content that JSON can hold."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:n_digits]
