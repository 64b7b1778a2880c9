"""Who goes first: taken where it is allowed, given back, passed on by the network and never by the station."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from station.core.priority import ANSWERING, COMPUTING, compute_in_time, precedence


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


def test_the_network_computes_below_what_answers_and_passes_its_priority_on() -> None:
    seen: list[tuple[int, int]] = []

    def look() -> None:
        seen.append((policy(), os.sched_getparam(0).sched_priority))

    def compute() -> None:
        allowed = compute_in_time()
        look()
        helper = threading.Thread(target=look)
        helper.start()
        helper.join()
        assert seen == [(os.SCHED_RR, COMPUTING) if allowed else (os.SCHED_OTHER, 0)] * 2

    with ThreadPoolExecutor(1) as executor:
        executor.submit(compute).result()
    with precedence() as allowed:
        assert os.sched_getparam(0).sched_priority in ((ANSWERING, COMPUTING) if allowed else (0,))


def test_a_right_that_does_not_reach_above_the_network_goes_to_what_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []

    def up_to_one(_who: int, _policy: int, asked: os.sched_param) -> None:
        if asked.sched_priority > 1:
            raise PermissionError
        given.append(asked.sched_priority)

    monkeypatch.setattr(os, "sched_setscheduler", up_to_one)
    assert not compute_in_time()
    assert given == []
    with precedence() as allowed:
        assert allowed
        assert given == [1]
