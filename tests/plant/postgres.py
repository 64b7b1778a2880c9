"""A real PostgreSQL of a test's own, which does not run as root: it may be killed, and comes back."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from station.plant.central.version_1 import SCHEMA
from tests.free_port import free_port
from tests.other_users import STRANGER
from tests.plant.peers import lacking

OWNER = "owner"
"""Who may do everything there."""


def _program(name: str) -> str:
    """Debian's lie in a folder a version."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    found = shutil.which(name, path=os.pathsep.join([*map(str, reversed(versions)), os.environ.get("PATH", "")]))
    if found is None:
        lacking(f"{name} is not installed: apt-get install postgresql")
    return str(found)


class Postgres:
    """A server at a port of its own, whose folder is made anew.

    Args:
        folder: Where its files lie; it is made, and is its user's.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._data = folder / "data"
        self._user = STRANGER if os.geteuid() == 0 else None
        folder.mkdir()
        if self._user is not None:
            os.chown(folder, self._user, self._user)
        self._run(_program("initdb"), "-D", str(self._data), "-U", OWNER, "-A", "trust", "-N", "-E", "UTF8")

    def start(self) -> None:
        """Start it, and return when it answers; it is nobody's child, so that it outlives a test that restarts it."""
        options = f"-p {self.port} -h 127.0.0.1 -k {self._folder} -c fsync=off -c max_connections=150"
        self._control("start", "-w", "-t", "100", "-l", str(self._folder / "log"), "-o", options)

    def kill(self) -> None:
        """End it at once, whatever it does: what was not committed is lost. Harmless when it has ended."""
        if (self._data / "postmaster.pid").exists():
            self._control("stop", "-m", "immediate", "-t", "100")

    def owner(self, database: str) -> psycopg.Connection:
        """A connection that may do everything."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, dbname=database, user=OWNER, autocommit=True,
            options=f"-c search_path={SCHEMA}",
        )  # fmt: skip

    def make_database(self, name: str) -> None:
        """Make an empty database."""
        with self.owner("postgres") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def make_user(self, name: str) -> None:
        """Make a user who may connect, and nothing else."""
        with self.owner("postgres") as connection:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))

    def _control(self, *words: str) -> None:
        self._run(_program("pg_ctl"), "-D", str(self._data), "-s", *words)

    def _run(self, *words: str) -> None:
        """Run one of its programs as its user; a server that stays behind gets no pipe of this process."""
        nothing = subprocess.DEVNULL
        done = subprocess.run(
            words, stdin=nothing, stdout=nothing, stderr=nothing, user=self._user, group=self._user, check=False,
            extra_groups=None if self._user is None else [], cwd=self._folder,
        )  # fmt: skip
        log = self._folder / "log"
        assert done.returncode == 0, f"{' '.join(words)}: {log.read_text() if log.exists() else done.returncode}"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server, while in this context."""
    with tempfile.TemporaryDirectory(prefix="pg-") as home:
        Path(home).chmod(0o755)
        server = Postgres(Path(home) / "server")
        try:
            server.start()
            yield server
        finally:
            server.kill()
