"""Cores that are ready when a block arrives.

Between two blocks of a turning part the cores rest, and are woken for each. A core that slept comes back with a slow
clock, or, in a virtual machine, only after its host has scheduled it again, and finds its caches used by others. Linux
lets a program ask that no core sleeps, for as long as it holds a file open.

It costs power, which is why it is asked for only from a part's loading until its decision is recorded: a host that sees
the cores busy before the turn keeps others off them. It needs the right to write to the file (root, or a udev rule for
the station's group); without it everything works as well, only later.
Source: Linux kernel, Documentation/power/pm_qos_interface.rst, "User space interface".
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LATENCY_FILE = Path("/dev/cpu_dma_latency")
NO_SLEEP = (0).to_bytes(4, "little")  # microseconds that a core may take to wake up


@contextmanager
def cores_awake(*, wanted: bool = True) -> Iterator[bool]:
    """While in this context no core of the computer goes to sleep; whether that was allowed.

    Args:
        wanted: False to ask for nothing.
    """
    request = _request() if wanted else None
    try:
        yield request is not None
    finally:
        if request is not None:
            os.close(request)


def _request() -> int | None:
    """The open file that stands for the request, or None where it is refused or the kernel knows none."""
    try:
        request = os.open(LATENCY_FILE, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        os.write(request, NO_SLEEP)
    except OSError:
        os.close(request)
        return None
    return request
