"""The processes that the test process has started."""

from pathlib import Path


def children() -> set[int]:
    """Processes that this one has started and not yet reaped; the one that Python keeps for itself is not counted."""
    return {pid for pid in _children("self") if b"multiprocessing.resource_tracker" not in command(pid)}


def descendants(parent: int) -> set[int]:
    """The children of a process, theirs included."""
    pids = _children(str(parent))
    return pids.union(*map(descendants, pids))


def camera_processes() -> list[int]:
    """The camera processes among them."""
    return [pid for pid in children() if b"drivers.camera.process.service" in command(pid).split(b"\0")]


def camera_process() -> int:
    """The one camera process."""
    (pid,) = camera_processes()
    return pid


def command(pid: int) -> bytes:
    """The command line of a process; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def _children(process: str) -> set[int]:
    tasks = Path(f"/proc/{process}/task").glob("*/children")
    return {int(pid) for task in tasks for pid in _read(task).split()}


def _read(task: Path) -> str:
    """The children of a thread; none where it has ended since it was listed."""
    try:
        return task.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
