"""A store for scans that speaks as Amazon's S3 does, from a package in an environment of its own."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from obstore.store import S3Store

from tests.free_port import free_port
from tests.plant.peers import lacking

ROOT = Path(__file__).parents[2]
SERVER = ROOT / ".venv-store" / "bin" / "moto_server"
KEY_ID, SECRET = "AKIATEST", "not-secret"
BUCKET = "scans-of-the-plant"


class Store:
    """A store with one bucket, empty."""

    def __init__(self, folder: Path) -> None:
        if not SERVER.exists():
            lacking(f"{SERVER} is not there: make test-plant makes it")
        self.port = free_port()
        self.key_file = folder / "store.key"
        self.key_file.write_text(f"{KEY_ID}\n{SECRET}\n", encoding="ascii")
        self._log = folder / "store.log"
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and make the bucket."""
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [str(SERVER), "-H", "127.0.0.1", "-p", str(self.port)], stdout=log, stderr=subprocess.STDOUT
            )
        while True:
            assert self._child.poll() is None, self._log.read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
        self._ask(f"PUT /{BUCKET} HTTP/1.1")

    def stop(self) -> None:
        """End it; what it held is lost."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None

    def settings(self) -> dict[str, object]:
        """What the configuration says of it."""
        return {
            "bucket": BUCKET, "endpoint": self.endpoint, "key_file": str(self.key_file), "allow_http": True,
        }  # fmt: skip

    def client(self) -> S3Store:
        """A client that may do everything."""
        return S3Store(
            BUCKET, endpoint=self.endpoint, region="us-east-1", access_key_id=KEY_ID, secret_access_key=SECRET,
            virtual_hosted_style_request=False, client_options={"allow_http": True},
        )  # fmt: skip

    def _ask(self, line: str) -> None:
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(f"{line}\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            answer = connection.makefile("rb").readline()
        assert b" 200 " in answer, answer


@contextmanager
def scan_store(folder: Path) -> Iterator[Store]:
    """A store, while in this context."""
    store = Store(folder)
    try:
        store.start()
        yield store
    finally:
        store.stop()
