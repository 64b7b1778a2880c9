"""How a benchmark that is broken off ends: whatever was begun is undone, and nothing is left on the disk or running."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """While in this context SIGTERM and a lost terminal break off as Ctrl-C does, at whose end everything is undone.

    By themselves they would end the process at once, and leave its folders and what it has started.
    """
    before = [signal.signal(number, _break_off) for number in ENDING]
    try:
        yield
    finally:
        for number, handler in zip(ENDING, before, strict=True):
            signal.signal(number, handler)


def _break_off(_number: int, _frame: FrameType | None) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell sets it for what runs in its background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)
