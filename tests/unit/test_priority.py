"""Precedence over computation: taken where it is allowed, given back, and never passed on by the station."""

import os
import sys
import threading

import pytest

from station.core.priority import precedence


def policy() -> int:
    return os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK


def test_precedence_is_this_threads_alone_and_ends_with_the_context() -> None:
    seen: list[int] = []
    with precedence() as allowed:
        assert policy() == (os.SCHED_RR if allowed else os.SCHED_OTHER)
        thread = threading.Thread(target=lambda: seen.append(policy()))
        thread.start()
        thread.join()
    assert seen == [os.SCHED_OTHER]
    assert policy() == os.SCHED_OTHER


def test_without_the_right_to_it_everything_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    before = sys.getswitchinterval()
    with precedence() as allowed:
        assert not allowed
        assert sys.getswitchinterval() < 0.001
    assert sys.getswitchinterval() == pytest.approx(before)
