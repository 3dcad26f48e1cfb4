"""Files from the network: resumed where they broke off, kept only when whole.

pooch cannot resume a transfer; with a resuming downloader of ours it would save six lines and bring requests along.
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
    """Fetch a file, unless it is there.

    What has come lies in a file ``….part`` beside it until all has come and its checksum is right; the next call
    goes on from there.

    Parameters
    ----------
    url : str
    path : Path
    checksum : str
        Hexadecimal.
    algorithm : str, default='sha256'
        Of the checksum.
    timeout : float, default=30.0
        Seconds without an answer.

    Raises
    ------
    DataError
        If the server cannot be reached, the transfer breaks off, or the checksum is wrong.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        _fetch(url, part, timeout)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise DataError(
            f"{url} could not be fetched ({error}). Run the same again to go on from where it broke off, or put "
            f"the file at {path} yourself."
        ) from None
    found = hashlib.new(algorithm, part.read_bytes()).hexdigest()
    if found != checksum:
        part.unlink()
        raise DataError(
            f"{url} has the {algorithm} checksum {found}; {checksum} was expected, so it was thrown away. Try "
            f"again; if it stays so, the file has changed there: put a good one at {path}."
        )
    part.replace(path)


def _fetch(url: str, part: Path, timeout: float) -> None:
    done = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it had come
        raise
    with answer, part.open("ab" if answer.status == http.HTTPStatus.PARTIAL_CONTENT else "wb") as file:
        expected = answer.headers.get("Content-Length")
        received = 0
        while block := answer.read(_BLOCK):
            received += len(block)
            file.write(block)
        if expected is not None and received < int(expected):
            raise http.client.IncompleteRead(b"", int(expected) - received)
