"""A timer of the event loop that is exact to some microseconds.

asyncio rounds the time that it sleeps up to whole milliseconds, as long as eleven bytes take at 115,200 baud; the
kernel's own timer (Linux, timerfd_create(2)) is a file that becomes readable when the moment has come.
"""

import asyncio
import ctypes
import os
import time
from collections.abc import Callable

ABSOLUTE = 1  # TFD_TIMER_ABSTIME of <sys/timerfd.h>
S = 1_000_000_000

_libc = ctypes.CDLL(None, use_errno=True)


class _Setting(ctypes.Structure):
    """`struct itimerspec`: how often it comes again, and when it comes first."""

    _fields_ = (
        ("again_s", ctypes.c_long),
        ("again_ns", ctypes.c_long),
        ("first_s", ctypes.c_long),
        ("first_ns", ctypes.c_long),
    )


class ExactTimer:
    """Calls back once at each moment that it is set to; used from one event loop, whose time is monotonic time.

    Args:
        then: What is called, in the event loop.

    Raises:
        OSError: The kernel gives no timer.
    """

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then
        self._file = _checked(_libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC))
        asyncio.get_running_loop().add_reader(self._file, self._comes)

    def set(self, moment_s: float | None) -> None:
        """Call at this moment of the event loop's time, at once where it is over, and not at the one before; or never.

        Args:
            moment_s: The moment, in seconds; None for never.
        """
        moment_ns = max(1, round(moment_s * S)) if moment_s is not None else 0
        setting = _Setting(0, 0, moment_ns // S, moment_ns % S)
        _checked(_libc.timerfd_settime(self._file, ABSOLUTE, ctypes.byref(setting), None))

    def close(self) -> None:
        """Call no more."""
        asyncio.get_running_loop().remove_reader(self._file)
        os.close(self._file)

    def _comes(self) -> None:
        try:
            os.read(self._file, 8)
        except BlockingIOError:  # it was set anew meanwhile
            return
        self._then()


def _checked(answer: int) -> int:
    if answer < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return answer
