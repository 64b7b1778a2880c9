"""What a test may not leave behind: threads, child processes, open files and sockets, temporary files, a changed place.

A moment is compared with one before it. What was there before is the business of who made it, so that fixtures of a
wider scope and caches of earlier tests need no list of exceptions.
"""

import asyncio
import gc
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from types import FrameType

from tests.own_children import children, command

ROOT = Path(__file__).parents[1]
HOUSE = tuple(f"{ROOT / name}{os.sep}" for name in ("station", "drivers", "config", "models", "sim", "tests"))
"""Where the code of this project lies."""

PATIENCE_S = 5.0
"""How long a thread, a process or a file that is on its way out may still take."""

PYTESTS_OWN = "PYTEST_CURRENT_TEST"

FONTS = "/matplotlib/mpl-data/fonts/"
"""Matplotlib keeps the fonts open that it has drawn with."""


TORCHS_OWN = ("TORCHINDUCTOR_CACHE_DIR", "torchinductor_")
"""Where torch keeps what it compiles: a variable and a folder, both made when its compiler is loaded."""


@dataclass(frozen=True, slots=True)
class Held:
    """What this process holds at one moment.

    Attributes:
        files: Where each open descriptor leads to: a path, `socket:[…]`, `pipe:[…]` or `anon_inode:…`.
        threads: Those of Python.
        children: Processes that were started and not yet waited for.
        temporary: What lies in the folder for temporary files.
        folder: The working directory.
        environment: Without what pytest itself writes there.
    """

    files: dict[int, str]
    threads: frozenset[threading.Thread]
    children: frozenset[int]
    temporary: frozenset[Path]
    folder: Path
    environment: dict[str, str]


def held_now() -> Held:
    """What this process holds now."""
    return Held(
        files=dict(_open_files()),
        threads=frozenset(threading.enumerate()),
        children=_children(),
        temporary=frozenset(path for path in Path(tempfile.gettempdir()).iterdir() if TORCHS_OWN[1] not in path.name),
        folder=Path.cwd(),
        environment={name: value for name, value in os.environ.items() if name not in {PYTESTS_OWN, TORCHS_OWN[0]}},
    )


def left_since(before: Held) -> list[str]:
    """What is held now and was not before, one line each.

    What nobody refers to any more is collected first; what is on its way out is waited for.
    """
    found = list(_differences(before, held_now()))
    patient_until = time.monotonic() + PATIENCE_S
    while found and time.monotonic() < patient_until:
        gc.collect()
        found = list(_differences(before, held_now()))
        time.sleep(0.01 if found else 0)
    return found


def put_back(before: Held) -> None:
    """The place as it was, so that a test that leaves it changed costs no other one."""
    os.chdir(before.folder)
    for name in os.environ.keys() - before.environment.keys() - {PYTESTS_OWN}:
        del os.environ[name]
    os.environ.update(before.environment)


def tasks_left(loop: asyncio.AbstractEventLoop) -> list[str]:
    """The tasks of a loop that does not run, one line each: what they do and where they wait."""
    return sorted(_task(task) for task in asyncio.all_tasks(loop))


def _differences(before: Held, now: Held) -> Iterator[str]:
    for descriptor, target in now.files.items() - before.files.items():
        yield _file(descriptor, target)
    for thread in now.threads - before.threads:
        place = _place_of(thread)
        if place or not thread.daemon:  # a library may keep a daemon thread of its own
            yield f"thread {thread.name!r}{' (daemon)' if thread.daemon else ''} at {place or 'code of a library'}"
    for pid in now.children - before.children:
        line = command(pid).replace(b"\0", b" ").decode(errors="replace")
        yield f"child process {pid}: {line or 'ended, not waited for'}"
    for path in now.temporary - before.temporary:
        yield f"temporary file {path}"
    if now.folder != before.folder:
        yield f"working directory {now.folder}, it was {before.folder}"
    for name in sorted(dict(now.environment.items() ^ before.environment.items())):
        yield f"environment {name}={now.environment.get(name)!r}, it was {before.environment.get(name)!r}"


def _open_files() -> Iterator[tuple[int, str]]:
    trackers = str(resource_tracker._resource_tracker._fd)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  # paths would cost a millisecond, twice a test
        if name == trackers:  # multiprocessing begins its tracker with the first pool and never ends it
            continue
        try:
            target = os.readlink(f"/proc/self/fd/{name}")  # noqa: PTH115
        except FileNotFoundError:  # the descriptor that the folder itself was read by
            continue
        if FONTS not in target:
            yield int(name), target


def _children() -> frozenset[int]:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:  # none at all, which costs one call to find out
        return frozenset()
    return frozenset(children())


def _file(descriptor: int, target: str) -> str:
    if not target.startswith("socket:"):
        return f"open file {descriptor}: {target}"
    try:
        with socket.socket(fileno=os.dup(descriptor)) as twin:
            listens = twin.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            return f"{'listening' if listens else 'open'} socket {descriptor}: {twin.getsockname()}"
    except OSError:
        return f"open socket {descriptor}"


def _place_of(thread: threading.Thread) -> str:
    """Where a thread is in the code of this project; empty where it runs none of it."""
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None and not frame.f_code.co_filename.startswith(HOUSE):
        frame = frame.f_back
    return _place(frame) if frame else ""


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_filename.removeprefix(f'{ROOT}{os.sep}')}:{frame.f_lineno}"


def _task(task: asyncio.Task[object]) -> str:
    stack = task.get_stack(limit=1)
    coroutine = task.get_coro()
    name = getattr(coroutine, "__qualname__", repr(coroutine))
    return f"task {task.get_name()!r}: {name} at {_place(stack[-1]) if stack else 'its end'}"
