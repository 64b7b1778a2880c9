"""Who waits for whom when there are fewer cores than work: answers before the network, the network before all else.

What must answer at once does not wait for a core that the network is using: on two busy cores the 99th percentile from
a block's last line to its array falls from 4 to 7 ms to under 3. And the network does not wait for what has time, for
each of its layers waits for the slowest of its threads: a millisecond that one of them loses, all lose.

Real-time scheduling needs the right to it (root, CAP_SYS_NICE, or `LimitRTPRIO=2` of a systemd unit); without it
everything works as well, only later. The kernel keeps 5 % of the time for others, so nothing that spins can lock the
computer up. What a serial line brings is carried by ordinary threads of the kernel: where the network takes every core,
it is seen when a strip is scored (`findings/serial-bytes-wait-for-real-time-threads.sh`).

Threads of one process also wait for each other, for the interpreter's lock: one that wants it back after it has sent or
received something waits as long as Python lets another one compute, 5 ms by default. Here it is a tenth of that.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ANSWERING, COMPUTING = 2, 1
"""Real-time priorities; the higher one goes first."""
SWITCH_S = 0.0005
"""How long a thread that computes may keep the interpreter's lock from one that has something to answer."""


def take_precedence() -> bool:
    """Give this thread, and those that it starts, real-time priority; whether that was allowed."""
    return _answer_first(os.SCHED_RR)


def compute_in_time() -> bool:
    """Give this thread, and those that it starts, the real-time priority of the network; whether that was allowed.

    It is refused where the right to real time does not reach above it: then nobody could interrupt the network.
    """
    return _schedule(os.SCHED_RR, ANSWERING) and _schedule(os.SCHED_RR, COMPUTING)


@contextmanager
def precedence() -> Iterator[bool]:
    """Give only this thread real-time priority while in this context; whether that was allowed.

    Threads and processes that it starts meanwhile are ordinary ones. No thread of the process waits long for another.
    """
    allowed = _answer_first(os.SCHED_RR | os.SCHED_RESET_ON_FORK)
    switch_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        yield allowed
    finally:
        sys.setswitchinterval(switch_s)
        if allowed:
            _schedule(os.SCHED_OTHER, 0)


def _answer_first(policy: int) -> bool:
    return _schedule(policy, ANSWERING) or _schedule(policy, COMPUTING)


def _schedule(policy: int, priority: int) -> bool:
    try:
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    except PermissionError:
        return False
    return True
