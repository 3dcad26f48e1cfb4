import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from automl_meta.exceptions import DataError
from automl_meta.fewshot.sources.download import download

CONTENT = bytes(range(256)) * 2000
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    asked: list[str | None]

    def do_GET(self) -> None:
        self.asked.append(self.headers.get("Range"))
        if self.path == "/missing":
            self.send_error(404)
            return
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if start >= len(CONTENT):
            self.send_error(416)
            return
        resumes = start > 0 and self.path != "/no-range"
        body = CONTENT[start:] if resumes else CONTENT
        self.send_response(206 if resumes else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        breaks = self.path == "/breaks" and len(self.asked) == 1
        self.wfile.write(body[:100000] if breaks else body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Handler.asked = []
    running = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()


def test_a_file_is_fetched_once(server: str, tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    for _ in range(2):
        download(f"{server}/file", path, CHECKSUM)
    assert path.read_bytes() == CONTENT
    assert Handler.asked == [None]
    assert list(path.parent.iterdir()) == [path]


def test_a_broken_transfer_goes_on_where_it_broke_off(server: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(DataError, match="to resume the download"):
        download(f"{server}/breaks", path, CHECKSUM)
    assert not path.exists()
    download(f"{server}/breaks", path, CHECKSUM)
    assert path.read_bytes() == CONTENT
    assert Handler.asked == [None, "bytes=100000-"]


def test_a_server_without_ranges_starts_again(server: str, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(b"old")
    download(f"{server}/no-range", tmp_path / "file", CHECKSUM)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_what_had_come_whole_is_only_checked(server: str, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT)
    download(f"{server}/file", tmp_path / "file", CHECKSUM)
    assert (tmp_path / "file").read_bytes() == CONTENT


def test_a_wrong_checksum_is_thrown_away(server: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"{CHECKSUM}; expected {'0' * 64}"):
        download(f"{server}/file", tmp_path / "file", "0" * 64)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["{}/missing", "http://127.0.0.1:9/file"])
def test_a_server_that_does_not_answer_is_a_clear_error(server: str, tmp_path: Path, url: str) -> None:
    with pytest.raises(DataError, match="could not be downloaded"):
        download(url.format(server), tmp_path / "file", CHECKSUM)
