"""Database URLs: parsed from text, and displayed without credentials."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from automl_meta.exceptions import UsageError

__all__ = ["database_file", "parse_url", "shown_url", "without_secrets"]

_HIDDEN = "***"
_SECRET = re.compile("pass|pwd|secret|token|key|options", re.IGNORECASE)


def parse_url(text: str) -> URL:
    """Parse a database URL.

    Raises
    ------
    UsageError
        If the text is not a valid URL; the message does not reveal passwords.

    Examples
    --------
    >>> parse_url("sqlite:///mine.db").database
    'mine.db'
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    # An unescaped @ in the password is parsed as part of the host name.
    if url is None or "@" in (url.host or ""):
        raise UsageError(
            f"{shown_url(text)!r} is not a database URL. Pass a file, or a URL such as sqlite:///store.db or "
            "postgresql+psycopg://user:password@host/database; in the password, escape @ : / as %40 %3A %2F."
        )
    return url


def shown_url(url: URL | str | Path) -> str:
    """Format the location of a database: the path of a file, or a URL without passwords.

    Examples
    --------
    >>> shown_url("postgresql+psycopg://me:secret@host/results?sslpassword=other")
    'postgresql+psycopg://me:***@host/results?sslpassword=***'
    >>> shown_url("postgresql://me:secret@@@host")
    'postgresql://***'
    """
    if not isinstance(url, URL):
        if "://" not in str(url):
            return str(url)
        try:
            url = make_url(str(url))
        except (ArgumentError, ValueError):
            return f"{str(url).partition('://')[0]}://{_HIDDEN}"
    if "@" in (url.host or ""):
        return f"{url.drivername}://{_HIDDEN}"
    hidden = {name: _HIDDEN for name in url.query if _SECRET.search(name)}
    return url.update_query_dict(hidden).render_as_string(hide_password=True).replace("%2A", "*")


def without_secrets(text: object, url: URL | str) -> str:
    """Remove the passwords of a URL from an error message of a library."""
    if not isinstance(url, URL):
        try:
            url = make_url(url)
        except (ArgumentError, ValueError):
            return ""  # the passwords cannot be located
    if "@" in (url.host or ""):
        return ""
    shown = str(text)
    texts = [str(url.password or "")]
    for name, value in url.query.items():
        if _SECRET.search(name):
            values = [value] if isinstance(value, str) else [*value]
            texts += [*values, *(part for text in values for part in re.findall(r"=(\S+)", text))]
    for secret in filter(None, texts):
        shown = shown.replace(secret, _HIDDEN).replace(quote(secret, safe=""), _HIDDEN)
    return shown


def database_file(url: URL) -> Path | None:
    """Return the file of an SQLite database; None for in-memory and server databases."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return None
    name = str(url.database)
    if name.startswith("file:"):  # SQLite's own URI syntax
        if "mode=memory" in name or url.query.get("mode") == "memory":
            return None
        return Path(unquote(urlsplit(name).path))
    return Path(name)
