"""Why a serial port is not the station's to open: not there, not permitted, held by another program, or a terminal.

Everything here blocks for some milliseconds.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

PROCESSES = Path("/proc")
_PSEUDO_TERMINALS = range(136, 144)
"""Majors of the slaves of pseudo-terminals. Source: Linux, Documentation/admin-guide/devices.txt."""


def someones_terminal(device: str) -> str:
    """Whose controlling terminal a device is, in words; empty for a serial line.

    A pseudo-terminal may well be a serial line (a simulated jig, socat), but then nobody works at it. Its number is
    given to the next terminal as soon as it is free, so a path that is out of date leads to a stranger's.
    """
    try:
        number = os.stat(device).st_rdev  # noqa: PTH116
    except OSError:
        return ""
    if os.major(number) not in _PSEUDO_TERMINALS:
        return ""
    owner = next((process for process in _processes() if _terminal_of(process) == number), None)
    return f"it is the terminal of {_named(owner)}, and no serial line" if owner else ""


def why_not(device: str) -> str:
    """What keeps the station from opening a device, in words; empty where nothing does."""
    try:
        file = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return _explained(error, device)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _held(device)
    except OSError as error:
        return _explained(error, device)
    finally:
        os.close(file)
    return ""


def _explained(error: OSError, device: str) -> str:
    match error.errno:
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            return "there is no such device; check that its adapter is plugged in"
        case errno.EACCES | errno.EPERM:
            return "no permission; the station's user must be in the device's group, mostly dialout"
        case errno.EBUSY:
            return _held(device)
    return error.strerror or str(error)


def _held(device: str) -> str:
    number = os.stat(device).st_rdev  # noqa: PTH116
    holders = [_named(process) for process in _processes() if process != os.getpid() and _has_open(process, number)]
    return f"{', '.join(holders) or 'another program'} holds it; end that, and see that it leaves the port alone"


def _processes() -> Iterator[int]:
    return (int(path.name) for path in PROCESSES.iterdir() if path.name.isdecimal())


def _terminal_of(process: int) -> int | None:
    """The device number of a process' controlling terminal. Source: proc(5), /proc/pid/stat, field tty_nr."""
    try:
        stat = (PROCESSES / str(process) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[4])


def _has_open(process: int, number: int) -> bool:
    try:
        return any(_number_of(file) == number for file in (PROCESSES / str(process) / "fd").iterdir())
    except OSError:  # another user's, or gone meanwhile
        return False


def _number_of(file: Path) -> int | None:
    try:
        return file.stat().st_rdev
    except OSError:
        return None


def _named(process: int) -> str:
    try:
        name = (PROCESSES / str(process) / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return f"process {process}"
    return f"process {process} ({name})"
