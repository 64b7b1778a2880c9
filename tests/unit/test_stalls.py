"""An event loop that stands still is told with its stack, and ends the process when it stays so.

What a look shows is tested by times that are given; what comes of it, in real processes.
"""

import gc
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from station.core.settings import WatchdogSettings
from station.host.stalls import STALLED, Seen, Standstill, beat_s, settled_memory

ROOT = Path(__file__).parents[2]

STATION = """
import asyncio, logging, sys, threading, time
from station.core.logs import configure_logs
from station.core.settings import WatchdogSettings
from station.host.stalls import StallGuard

configure_logs("info", None)

def hang_in_a_driver(seconds):
    time.sleep(seconds)

def hang_while_logging():
    for handler in logging.getLogger().handlers:
        handler.acquire()
    time.sleep(60)

async def beat(guard):
    while True:
        guard.beat()
        await asyncio.sleep(guard.beat_s)

async def main():
    with StallGuard(WatchdogSettings(stall_logged_s=0.2, stall_fatal_s=0.8)) as guard:
        beating = asyncio.create_task(beat(guard))
        await asyncio.sleep(0.1)
        print("up", flush=True)
        {does}
        await asyncio.sleep(0.3)
        beating.cancel()
    print("well", flush=True)

asyncio.run(main())
"""


LOGGED_S, FATAL_S = 2.0, 15.0
WATCH = WatchdogSettings(stall_logged_s=LOGGED_S, stall_fatal_s=FATAL_S)
BEAT_S = beat_s(WATCH)


class Looks:
    """A loop that beats or does not, looked at in time."""

    def __init__(self) -> None:
        self._now_s, self._beats = 100.0, 7
        self._standstill = Standstill(WATCH, self._beats, self._now_s)
        self.told: list[tuple[float, Seen, float]] = []

    def beating(self, seconds: float) -> None:
        for _ in range(round(seconds / BEAT_S)):
            self._beats += 1
            self.look(BEAT_S)

    def standing(self, seconds: float) -> None:
        for _ in range(round(seconds / BEAT_S)):
            self.look(BEAT_S)

    def look(self, after_s: float) -> None:
        self._now_s += after_s
        for seen in self._standstill.look(self._beats, self._now_s):
            self.told.append((self._now_s - 100.0, seen, self._standstill.lasted_s))


def test_a_loop_that_beats_is_never_told() -> None:
    looks = Looks()
    looks.beating(3600)
    assert looks.told == []


def test_a_standstill_is_told_once_and_ends_the_process_at_its_time() -> None:
    looks = Looks()
    looks.standing(FATAL_S)
    assert looks.told == [(LOGGED_S, Seen.STALLED, LOGGED_S), (FATAL_S, Seen.HUNG, FATAL_S)]


def test_what_goes_on_is_told_with_how_long_it_stood_and_begins_anew() -> None:
    looks = Looks()
    looks.standing(FATAL_S - BEAT_S)
    looks.beating(BEAT_S)
    looks.standing(LOGGED_S - BEAT_S)
    looks.beating(BEAT_S)
    looks.standing(LOGGED_S)
    lasted_s = FATAL_S - BEAT_S
    assert looks.told == [
        (LOGGED_S, Seen.STALLED, LOGGED_S),
        (FATAL_S, Seen.GOES_ON, lasted_s),
        (FATAL_S + 2 * LOGGED_S, Seen.STALLED, LOGGED_S),
    ]


@pytest.mark.parametrize("rest_s", [10.0, 3600.0])
def test_a_process_that_was_at_rest_as_a_whole_has_not_stalled(rest_s: float) -> None:
    looks = Looks()
    looks.beating(1)
    looks.look(rest_s)
    looks.beating(1)
    assert looks.told == []


def test_a_rest_in_the_middle_of_a_standstill_counts_for_two_beats() -> None:
    looks = Looks()
    looks.standing(LOGGED_S - 3 * BEAT_S)
    looks.look(3600.0)
    assert looks.told == []
    looks.look(BEAT_S)
    assert looks.told == [(LOGGED_S - 2 * BEAT_S + 3600.0, Seen.STALLED, LOGGED_S)]


def test_a_standstill_that_is_both_at_once_is_told_before_it_ends_the_process() -> None:
    standstill = Standstill(WatchdogSettings(stall_logged_s=2.0, stall_fatal_s=2.1), 0, 0.0)
    seen = [standstill.look(0, 0.4 * number) for number in range(1, 7)]
    assert seen == [[], [], [], [], [Seen.STALLED], [Seen.HUNG]]
    late = Standstill(WatchdogSettings(stall_logged_s=2.0, stall_fatal_s=2.1), 0, 0.0)
    assert [late.look(0, 0.45 * number) for number in range(1, 6)][-1] == [Seen.STALLED, Seen.HUNG]


def start(does: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", STATION.replace("{does}", does)], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def run(does: str) -> tuple[int, str, str]:
    process = start(does)
    said, logged = process.communicate(timeout=60)
    return process.returncode, said, logged


def test_a_loop_that_hangs_ends_the_process_with_its_stack_in_the_log_and_a_status_of_its_own() -> None:
    status, said, logged = run("hang_in_a_driver(60)")
    assert (status, said) == (STALLED, "up\n")
    assert STALLED not in (0, 1, 2, 3)
    assert logged.count("event_loop_stalled") == 1
    assert logged.count("event_loop_hung") == 1
    assert "hang_in_a_driver" in logged
    assert f"exit_status={STALLED}" in logged


def test_a_loop_that_stands_still_for_a_while_is_told_once_and_goes_on() -> None:
    status, said, logged = run("hang_in_a_driver(0.5)")
    assert (status, said) == (0, "up\nwell\n")
    assert logged.count("event_loop_stalled") == 1
    assert logged.count("event_loop_goes_on") == 1
    assert "hang_in_a_driver" in logged


def test_a_loop_that_turns_is_left_alone() -> None:
    status, said, logged = run("pass")
    assert (status, said) == (0, "up\nwell\n")
    assert "event_loop_hung" not in logged


def test_a_loop_that_hangs_with_the_log_in_its_hands_is_ended_too() -> None:
    status, said, _logged = run("hang_while_logging()")
    assert (status, said) == (STALLED, "up\n")


@pytest.mark.skipif(sys.platform != "linux", reason="needs SIGSTOP")
def test_a_process_that_was_stopped_as_a_whole_has_not_stalled() -> None:
    process = start("pass")
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.2)
    process.send_signal(signal.SIGCONT)
    said, logged = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "well\n")
    assert "event_loop_hung" not in logged


def test_what_there_is_at_the_start_is_not_looked_through_again() -> None:
    before = gc.get_freeze_count()
    with settled_memory():
        assert gc.get_freeze_count() > before + 1000
    assert gc.get_freeze_count() == 0
