"""``automl-meta evaluate``: does the advice help?"""

from __future__ import annotations
