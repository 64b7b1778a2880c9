"""A stopwatch of the tests counts what waits, and never more than the clock does."""

import time

from tests.stopwatch import TICK_S, stopwatch


def test_what_waits_is_counted_and_never_more_than_by_the_clock() -> None:
    began = time.monotonic()
    with stopwatch() as watch:
        while watch.s < 4 * TICK_S:
            time.sleep(TICK_S)
    assert 4 * TICK_S <= watch.s <= time.monotonic() - began


def test_after_its_end_it_stands() -> None:
    with stopwatch() as watch:
        pass
    counted = watch.s
    time.sleep(3 * TICK_S)
    assert watch.s == counted
