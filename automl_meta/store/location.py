"""Location of a store."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL

from automl_meta._utils.databases import database_file, parse_url, shown_url

__all__ = [
    "STORE_VARIABLE",
    "default_store_path",
    "is_memory",
    "is_protected",
    "is_read_only",
    "resolve_url",
    "shown_store",
]

STORE_VARIABLE = "AUTOML_META_STORE"
"""Environment variable with the location of the default store."""


def default_store_path() -> Path:
    """Return the location of the default store in the user's data folder.

    Returns
    -------
    Path
        File, which need not exist.

    Examples
    --------
    >>> default_store_path().name
    'store.db'
    """
    from platformdirs import user_data_path

    return user_data_path("automl_meta", appauthor=False) / "store.db"


def resolve_url(url: str | Path | URL | None) -> URL:
    """Convert the location of a store to an SQLAlchemy URL.

    Parameters
    ----------
    url : str, Path, URL or None
        URL, or path of an SQLite file. None stands for the value of the environment variable
        `STORE_VARIABLE`, or else `default_store_path`.

    Returns
    -------
    URL
        Absolute location.

    Raises
    ------
    UsageError
        If it contains ``://`` and is not a valid URL.

    Examples
    --------
    >>> str(resolve_url("sqlite://"))
    'sqlite://'
    >>> resolve_url("mine.db").drivername
    'sqlite'
    """
    if url is None:
        url = os.environ.get(STORE_VARIABLE) or default_store_path()
    if isinstance(url, URL):
        return url
    if isinstance(url, str) and "://" in url:
        return parse_url(url)
    return URL.create("sqlite", database=str(Path(url).expanduser().absolute()))


def is_memory(url: URL) -> bool:
    """Return whether a store is in the memory of this process."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def is_read_only(url: URL) -> bool:
    """Return whether a store is an existing file that this process cannot write to."""
    path = database_file(url)
    return path is not None and is_protected(path)


def is_protected(path: Path) -> bool:
    """Return whether an existing file, or its folder, cannot be written to."""
    return path.is_file() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def shown_store(url: URL) -> str:
    """Format the location of a store for messages: a path without ``sqlite://``, or a URL without passwords."""
    return (url.database or "in memory") if url.get_backend_name() == "sqlite" else shown_url(url)
