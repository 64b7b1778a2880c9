"""Whether the kernel holds its clock for synchronised with a time server.

Source: adjtimex(2), ntp_adjtime(3): the state TIME_ERROR and the status bit STA_UNSYNC. Asking needs no rights.
"""

import ctypes
from collections.abc import Callable
from functools import cache

TIME_ERROR = 5
STA_UNSYNC = 0x0040
ASK = 0


class Timex(ctypes.Structure):
    """The head of `struct timex`, as far as it is read, and room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


def kernel_synchronised() -> bool:
    """Whether the date is a time server's; False where the kernel does not know, and where it may not be asked."""
    timex = Timex(modes=ASK)
    state = _adjtimex()(ctypes.byref(timex))
    return 0 <= state < TIME_ERROR and not timex.status & STA_UNSYNC


@cache
def _adjtimex() -> Callable[..., int]:
    try:
        return ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return lambda _timex: -1
