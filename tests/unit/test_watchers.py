"""Watchers see everything in order, and whatever they do changes nothing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import structlog

from station.core import watchers as module
from station.core.broadcast import Broadcast
from station.core.events import CellEvent, PartEntered, ScanJudged, StateChanged, StepStarted, StripSeen
from station.core.part import Inspection
from station.core.watchers import Watchers
from tests.record_samples import PART_TYPE, START, blocks_of, judgement, part
from tests.stopwatch import stopwatch

PATIENCE_S = 10.0


def inspection(part_id: str) -> Inspection:
    return Inspection("0001", 1, part(part_id), PART_TYPE, START)


def step(number: int) -> StepStarted:
    return StepStarted(inspection("A"), f"step {number}")


def scan(grey: int) -> tuple[ScanJudged, np.ndarray]:
    image = np.full((3584, 64), grey, np.uint8)
    return ScanJudged(inspection("A"), judgement(blocks=blocks_of(image))), image


class Blocking:
    """A watcher that does not return from its first event until it may; it notes what it was told."""

    def __init__(self) -> None:
        self.told: list[CellEvent] = []
        self.entered, self.may_go_on = threading.Event(), threading.Event()

    def watch(self, event: CellEvent) -> None:
        self.told.append(event)
        self.entered.set()
        assert self.may_go_on.wait(PATIENCE_S)


def end_all() -> None:
    """Return when no watcher's thread is left."""
    for thread in threading.enumerate():
        if thread.name.startswith("watcher "):
            thread.join(PATIENCE_S)


@contextmanager
def blocking() -> Iterator[Blocking]:
    watcher = Blocking()
    try:
        yield watcher
    finally:
        watcher.may_go_on.set()
        end_all()


async def test_everybody_gets_every_event_in_order_on_a_thread_of_its_own() -> None:
    watchers, told, threads = Watchers(), [[], []], [set(), set()]  # type: ignore[var-annotated]
    for seen, where in zip(told, threads, strict=True):
        watchers.add(lambda event, seen=seen, where=where: (seen.append(event), where.add(threading.current_thread())))  # type: ignore[misc]
    events = [step(number) for number in range(1000)]
    for event in events:
        watchers.tell(event)
    await watchers.close()
    assert told == [events, events]
    assert len(threads[0] | threads[1]) == 2
    assert threading.current_thread() not in threads[0] | threads[1]


async def test_one_that_raises_is_told_of_and_not_called_again_and_the_others_hear_on() -> None:
    watchers, calls, told = Watchers(), list[CellEvent](), list[CellEvent]()

    def broken(event: CellEvent) -> None:
        calls.append(event)
        raise ValueError("planted")

    with structlog.testing.capture_logs() as log:
        watchers.add(broken)
        watchers.add(told.append)
        for number in range(3):
            watchers.tell(step(number))
        await watchers.close()
    assert len(calls) == 1
    assert len(told) == 3
    assert [entry["event"] for entry in log] == ["watcher_dropped"]
    assert "broken" in log[0]["watcher"]


async def test_one_that_never_returns_loses_what_has_no_room_and_nobody_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "EVENTS_WAITING", 5)
    monkeypatch.setattr(module, "PATIENCE_S", 0.05)
    watchers, told = Watchers(), list[CellEvent]()
    with structlog.testing.capture_logs() as log, blocking() as stuck:
        watchers.add(stuck.watch)
        watchers.tell(step(0))
        assert stuck.entered.wait(PATIENCE_S)
        for number in range(1, 9):
            watchers.tell(step(number))
        assert [entry["event"] for entry in log] == ["watcher_behind"], "told once, when it is seen"
        watchers.add(told.append)
        watchers.tell(last := StateChanged("IDLE", "STARTING", None))
        await watchers.close()
        assert told == [last]
    assert log[-1] == {
        "event": "watcher_behind", "log_level": "warning", "watcher": "Blocking.watch", "dropped": 10,
    }  # fmt: skip


async def test_the_end_waits_for_however_many_as_long_as_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.2)
    watchers = Watchers()
    with structlog.testing.capture_logs() as log, blocking() as stuck:
        for _ in range(100):  # more than the event loop has threads to wait on
            watchers.add(stuck.watch)
        watchers.tell(step(0))
        watchers.tell(step(1))
        with stopwatch() as watch:
            await watchers.close()
        assert watch.s < 5 * module.PATIENCE_S
    assert len(log) == 100


async def test_who_is_removed_hears_what_was_told_before_and_no_more() -> None:
    watchers, told = Watchers(), list[CellEvent]()
    with blocking() as slow:
        remove = watchers.add(slow.watch)
        watchers.add(told.append)
        watchers.tell(step(0))
        watchers.tell(step(1))
        remove()
        remove()
        watchers.tell(step(2))
        slow.may_go_on.set()
        await watchers.close()
    assert told == [step(0), step(1), step(2)]
    assert slow.told == [step(0), step(1)]


async def test_a_scan_is_held_as_it_was_and_holds_no_memory_of_the_camera() -> None:
    watchers = Watchers()
    with blocking() as slow:
        watchers.add(slow.watch, ScanJudged)
        for grey in (10, 20):
            event, image = scan(grey)
            watchers.tell(event)
            image[:] = 0
        slow.may_go_on.set()
        await watchers.close()
    assert [int(one.judgement.blocks[-1].pixels.mean()) for one in slow.told if isinstance(one, ScanJudged)] == [10, 20]


async def test_scans_that_wait_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SCANS_WAITING", 2)
    watchers = Watchers()
    with structlog.testing.capture_logs() as log, blocking() as slow:
        watchers.add(slow.watch, ScanJudged, StepStarted)
        for grey in range(1, 5):
            watchers.tell(scan(grey)[0])
        watchers.tell(step(1))
        slow.may_go_on.set()
        await watchers.close()
    assert [type(event) for event in slow.told] == [ScanJudged, ScanJudged, StepStarted]
    assert [entry.get("dropped") for entry in log] == [None, 2]


async def test_scans_are_for_who_names_them_and_everybody_else_hears_all_the_rest() -> None:
    watchers, all_else, scans = Watchers(), list[CellEvent](), list[CellEvent]()
    watchers.add(all_else.append)
    watchers.add(scans.append, ScanJudged)
    watchers.tell(step(1))
    watchers.tell(scan(1)[0])
    await watchers.close()
    assert all_else == [step(1)]
    assert [type(event) for event in scans] == [ScanJudged]


async def test_a_strip_is_held_as_it_was_for_who_wants_to_see_it_and_only_while_it_does() -> None:
    watchers, all_else, looks_on = Watchers(), list[CellEvent](), threading.Event()
    image = np.full((448, 64), 10, np.uint8)
    with blocking() as slow:
        watchers.add(all_else.append)
        watchers.add(slow.watch, StripSeen, when=looks_on.is_set)
        for index, look in enumerate((False, True, False)):
            (looks_on.set if look else looks_on.clear)()
            watchers.tell(StripSeen(inspection("A"), index, image[:, 8:40]))
        image[:] = 0
        slow.may_go_on.set()
        await watchers.close()
    assert all_else == []
    (seen,) = slow.told
    assert isinstance(seen, StripSeen)
    assert (seen.index, seen.pixels.shape, int(seen.pixels.min())) == (1, (448, 32), 10)


# ---- the one voice ----


def test_what_can_wait_is_told_at_the_end_of_the_holding_in_order() -> None:
    told: list[CellEvent] = []
    broadcast = Broadcast(told.append)
    broadcast.tell(step(0))
    broadcast.hold()
    broadcast.tell(step(1))
    broadcast.tell(step(2))
    assert told == [step(0)]
    broadcast.release()
    broadcast.tell(step(3))
    assert told == [step(0), step(1), step(2), step(3)]


def test_a_change_of_state_does_not_wait_and_what_came_before_it_is_told_before_it() -> None:
    told: list[CellEvent] = []
    broadcast, suspending = Broadcast(told.append), StateChanged("EXECUTE", "SUSPENDING", None)
    broadcast.hold()
    broadcast.tell(step(1))
    broadcast.tell(suspending)
    assert told == [step(1), suspending]
    broadcast.tell(step(2))
    assert told == [step(1), suspending, step(2)], "from then on nothing is held"


def test_a_listener_that_raises_is_told_of_once_and_not_called_again() -> None:
    calls: list[CellEvent] = []

    def broken(event: CellEvent) -> None:
        calls.append(event)
        raise ValueError("planted")

    broadcast = Broadcast(broken)
    with structlog.testing.capture_logs() as log:
        for _ in range(3):
            broadcast.tell(PartEntered(inspection("A")))
    assert len(calls) == 1
    assert [entry["event"] for entry in log] == ["watcher_dropped"]
