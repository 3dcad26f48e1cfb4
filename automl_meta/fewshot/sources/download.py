"""Resumable downloads with checksums.

The pooch package cannot resume a transfer: with a resuming downloader of our own it would save six lines
and add a dependency on requests.
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path

from automl_meta.exceptions import DataError

__all__ = ["download"]

_BLOCK = 1 << 16


def download(url: str, path: Path, checksum: str, algorithm: str = "sha256", timeout: float = 30.0) -> None:
    """Download a file unless it exists.

    Partial content is kept in a file ``….part`` in the same folder, from which the next call resumes; the file is
    moved into place once its checksum has been verified.

    Parameters
    ----------
    url : str
        Address of the file.
    path : Path
        Local path of the file.
    checksum : str
        Expected checksum in hexadecimal.
    algorithm : str, default='sha256'
        Hash algorithm of the checksum.
    timeout : float, default=30.0
        Seconds to wait for a response.

    Raises
    ------
    DataError
        If the server cannot be reached, the transfer is interrupted, or the checksum does not match.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        _fetch(url, part, timeout)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise DataError(
            f"{url} could not be downloaded ({error}). Run the same command again to resume the download, or save "
            f"the file as {path} yourself."
        ) from None
    found = hashlib.new(algorithm, part.read_bytes()).hexdigest()
    if found != checksum:
        part.unlink()
        raise DataError(
            f"{url} has the {algorithm} checksum {found}; expected {checksum}. The download was discarded. Try again; "
            f"if the error persists, the file on the server has changed: save the original as {path}."
        )
    part.replace(path)


def _fetch(url: str, part: Path, timeout: float) -> None:
    done = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # the partial file is already complete
        raise
    with answer, part.open("ab" if answer.status == http.HTTPStatus.PARTIAL_CONTENT else "wb") as file:
        expected = answer.headers.get("Content-Length")
        received = 0
        while block := answer.read(_BLOCK):
            received += len(block)
            file.write(block)
        if expected is not None and received < int(expected):
            raise http.client.IncompleteRead(b"", int(expected) - received)
