"""What the processes of a cell hold at one moment, as Linux tells it: memory, descriptors, threads, shared memory."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.own_children import command, descendants

PROC = Path("/proc")
KB_PER_MB = 1024
BYTES_PER_MB = 1 << 20
ROLES = {b"drivers.camera.process.service": "camera"}
"""What a process is that another one has started, by a word of its command line."""
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"


@dataclass(frozen=True, slots=True)
class Held:
    """What one process holds.

    Attributes:
        private_mb: Resident memory that is its own, in MiB.
        descriptors: Open files, sockets and pipes.
        threads: All of them, those of libraries, too.
        segments: Shared memory that it has mapped: inode to size in bytes.
    """

    private_mb: float
    descriptors: int
    threads: int
    segments: dict[int, int]


def held_by(pid: int) -> Held | None:
    """What a process holds; None when it is gone."""
    folder = PROC / str(pid)
    try:
        status = dict(line.split(":", 1) for line in (folder / "status").read_text(encoding="utf-8").splitlines())
        descriptors = sum(1 for _ in (folder / "fd").iterdir())
        segments = dict(_segments((folder / "maps").read_text(encoding="utf-8")))
    except OSError:
        return None
    if "RssAnon" not in status:  # it has ended, and nobody has waited for it
        return None
    return Held(int(status["RssAnon"].split()[0]) / KB_PER_MB, descriptors, int(status["Threads"]), segments)


def _segments(maps: str) -> Iterator[tuple[int, int]]:
    """Inode and bytes of what is mapped of shared memory; of one that is mapped in parts the last part's end."""
    for line in maps.splitlines():
        span, _rights, offset, _device, inode, *path = line.split(maxsplit=5)
        if path and path[0].startswith(("/memfd:", "/dev/shm/")):  # noqa: S108  # the name of what is shared
            first, end = (int(place, 16) for place in span.split("-"))
            yield int(inode), int(offset, 16) + end - first


def role_of(pid: int) -> str:
    """What a process is: one of `ROLES`, or the end of its command line."""
    words = command(pid).split(b"\0")
    return next(
        (role for word, role in ROLES.items() if word in words), b" ".join(words)[-40:].decode(errors="replace")
    )


def figures(roots: dict[int, str], data: Path) -> dict[str, float]:
    """Everything that might grow, by name.

    Args:
        roots: The processes that were started, and what they are; their children are found.
        data: The data folder.
    """
    found: dict[str, float] = {}
    segments: dict[int, int] = {}
    roles = dict(roots)
    for root in roots:
        roles.update({pid: role_of(pid) for pid in descendants(root)})
    for pid, role in roles.items():
        if (held := held_by(pid)) is None:
            continue
        for name, value in (
            ("MB of its own", held.private_mb), ("descriptors", held.descriptors), ("threads", held.threads),
            ("processes", 1),
        ):  # fmt: skip
            found[f"{role}: {name}"] = found.get(f"{role}: {name}", 0) + value
        segments.update(held.segments)
    found["shared memory: segments"] = len(segments)
    found["shared memory: MB"] = sum(segments.values()) / BYTES_PER_MB
    return {**found, **_disk(data)}


def _disk(data: Path) -> dict[str, float]:
    database = data / "records.sqlite"
    return {
        "database: MB": _size(database) / BYTES_PER_MB,
        "database: MB of its log": _size(database.with_name("records.sqlite-wal")) / BYTES_PER_MB,
        "archive: MB": sum(map(_size, (data / "archive").rglob("*"))) / BYTES_PER_MB,
        "logs: MB": sum(map(_size, (data / "logs").rglob("*"))) / BYTES_PER_MB,
        **rows_in(database),
    }


def rows_in(database: Path) -> dict[str, float]:
    """How many rows each table of the records has; none where there is no database yet."""
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as records:
        names = [name for (name,) in records.execute(TABLES)]
        return {
            f"rows: {name}": records.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608  # its own
            for name in names
        }
    return {}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0
