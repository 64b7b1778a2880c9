"""Programs of others beside which the station is tested: Debian's broker, and children that speak JSON by lines."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]
HERE = Path(__file__).parent
INSTALL = "npm ci --omit=optional --ignore-scripts --prefix tests/plant"
PATIENCE_S = 60.0


def program_of(name: str, how: str) -> str:
    """A program that is installed; without it the test is skipped, or fails where everything must be there."""
    program = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        lacking(f"{name} is not installed: {how}")
    return str(program)


def package_of(name: str) -> None:
    """Make sure that a package of npm's is there, in the version that is pinned."""
    found = HERE / "node_modules" / name / "package.json"
    if not found.exists():
        lacking(f"{name} is not installed: {INSTALL}")
    wanted = json.loads((HERE / "package.json").read_text(encoding="utf-8"))["dependencies"][name]
    assert json.loads(found.read_text(encoding="utf-8"))["version"] == wanted, f"not the pinned version: {INSTALL}"


def lacking(what: str) -> None:
    """Skip the test, or fail it where every peer must be there."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


class Broker:
    """Debian's mosquitto at a port of its own; it may go and come."""

    def __init__(self, folder: Path, port: int, *extra: str) -> None:
        self._program = program_of("mosquitto", "apt-get install mosquitto")
        self._config = folder / "mosquitto.conf"
        lines = (
            f"listener {port} 127.0.0.1",
            "persistence false",
            "log_dest stderr",
            *(extra or ("allow_anonymous true",)),
        )
        self._config.write_text("\n".join(lines) + "\n", encoding="ascii")
        self._child: subprocess.Popen[bytes] | None = None
        self.port = port

    @contextmanager
    def up(self) -> Iterator[None]:
        """While in this context it is there."""
        with (self._config.with_suffix(".log")).open("ab") as log:
            child = subprocess.Popen([self._program, "-c", str(self._config)], stdout=log, stderr=subprocess.STDOUT)
            try:
                self._await_listening(child)
                yield
            finally:
                child.kill()
                child.wait()

    def _await_listening(self, child: "subprocess.Popen[bytes]") -> None:
        while True:
            assert child.poll() is None, self._config.with_suffix(".log").read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return


class Peer:
    """A child in another language that says one JSON object a line, and is told the same; used from an event loop."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child
        self.said: list[Json] = []

    def tell(self, what: Json) -> None:
        """Give it a line."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(what).encode() + b"\n")

    async def next(self, event: str, **keys: object) -> Json:
        """The next event of this name and with these values; those before it are kept in `said`."""
        assert self._child.stdout is not None
        wanted = {"event": event, **keys}
        async with asyncio.timeout(PATIENCE_S):
            async for line in self._child.stdout:
                if not line.startswith(b"{"):
                    continue
                said = json.loads(line)
                self.said.append(said)
                if wanted.items() <= said.items():
                    return dict(said)
        raise AssertionError(f"no {wanted} after {self.said}")


@asynccontextmanager
async def peer(script: str, *arguments: str) -> AsyncIterator[Peer]:
    """A program of this folder in node, while in this context."""
    node = program_of("node", "apt-get install nodejs")
    child = await asyncio.create_subprocess_exec(
        node, str(HERE / script), *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 22
    )
    try:
        yield Peer(child)
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()
