"""Scans go when their time is over, by a date that may be believed, and never many at once for a wrong clock."""

import ctypes
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from station.core import synchrony
from station.core.synchrony import Timex, kernel_synchronised
from station.records import pruner
from station.records.ledger import SqliteLedger
from tests.housings import Verdict
from tests.lines import LINES_PER_TURN
from tests.record_samples import PART_TYPE, START, HandClock, blocks_of, decision, judgement, open_ledger, part

KEPT = 365
PIXELS = np.full((LINES_PER_TURN, 8), 9, np.uint8)


async def opened(folder: Path, clock: HandClock, days: int = KEPT) -> SqliteLedger:
    return await open_ledger(folder, clock, archive=["pits"], keep_days={"pits": days})


async def archive(ledger: SqliteLedger, scans: int) -> None:
    for _ in range(scans):
        inspection = await ledger.enter(part(), PART_TYPE)
        await ledger.judged(inspection, judgement(decision(Verdict.PITS), blocks_of(PIXELS), None))
        ledger._archivist._lane.wait()


async def archived(folder: Path, clock: HandClock, scans: int) -> None:
    """A station has archived these and was stopped."""
    ledger = await opened(folder, clock)
    await archive(ledger, scans)
    await ledger.close()


def on_disk(folder: Path) -> list[int]:
    """Numbers of the inspections whose scans are there, by the database, which agrees with the disk."""
    with closing(sqlite3.connect(folder / "records.sqlite")) as connection:
        rows = connection.execute("SELECT inspection, file FROM scans WHERE state = 'archived' ORDER BY 1").fetchall()
    assert sorted(folder / row[1] for row in rows) == sorted((folder / "archive").rglob("*.png"))
    return [row[0] for row in rows]


def events(folder: Path, event: str) -> list[str]:
    with closing(sqlite3.connect(folder / "records.sqlite")) as connection:
        return [row[0] for row in connection.execute("SELECT detail FROM events WHERE event = ?", (event,))]


async def every_hour(ledger: SqliteLedger, clock: HandClock, hours: int) -> int:
    removed = 0
    for _ in range(hours):
        clock.advance(hours=1)
        removed += await ledger.prune()
    return removed


# ---------------------------------------------------------------------- a clock that is wrong


async def test_one_start_with_a_clock_that_is_years_ahead_removes_nothing(tmp_path: Path) -> None:
    await archived(tmp_path, HandClock(), 16)
    wrong = HandClock(START + timedelta(days=400), synchronised=False)
    ledger = await opened(tmp_path, wrong)
    assert await ledger.prune() == 0
    assert await every_hour(ledger, wrong, 23) == 0
    await ledger.close()
    assert len(on_disk(tmp_path)) == 16
    (told,) = events(tmp_path, "pruning_postponed")
    assert "16 of 16 archived scans are older" in told
    assert "0 of 24 h have passed since the station's start" in told


async def test_a_clock_that_goes_on_wrongly_costs_a_twentieth_a_day(tmp_path: Path) -> None:
    await archived(tmp_path, HandClock(), 40)
    wrong = HandClock(START + timedelta(days=400), synchronised=False)
    ledger = await opened(tmp_path, wrong)
    assert await every_hour(ledger, wrong, 24) == 2
    assert await every_hour(ledger, wrong, 23) == 0
    assert await every_hour(ledger, wrong, 1) == 2
    await ledger.close()
    assert on_disk(tmp_path) == list(range(5, 41))
    assert events(tmp_path, "scans_removed") == ["2 archived scans, older than records.keep_days says"] * 2
    assert events(tmp_path, "pruning_begun")[0] == "2 of 40 archived scans; 38 wait for other days"


async def test_a_wrong_clock_that_is_synchronised_costs_a_twentieth_a_day_however_often_it_starts(
    tmp_path: Path,
) -> None:
    await archived(tmp_path, HandClock(), 40)
    wrong = HandClock(START + timedelta(days=400))
    for _ in range(5):
        ledger = await opened(tmp_path, wrong)
        await every_hour(ledger, wrong, 3)
        await ledger.close()
    assert len(on_disk(tmp_path)) == 38


async def test_a_step_of_the_clock_makes_it_doubtful_for_a_day(tmp_path: Path) -> None:
    clock = HandClock(synchronised=False)
    ledger = await opened(tmp_path, clock)
    await archive(ledger, 3)
    assert await every_hour(ledger, clock, 30) == 0
    clock.step(days=400)
    assert await every_hour(ledger, clock, 24) == 0
    (told,) = events(tmp_path, "pruning_postponed")
    assert "since the clock was set by +400.0 days" in told
    clock.step(days=-400)
    assert await every_hour(ledger, clock, 48) == 0
    await ledger.close()
    assert len(on_disk(tmp_path)) == 3


async def test_a_clock_that_swings_costs_one_days_share_a_day(tmp_path: Path) -> None:
    """Each swing looks like another day; the clock that nobody sets knows better."""
    clock = HandClock()
    ledger = await opened(tmp_path, clock)
    await archive(ledger, 40)
    for days in (400, -300, 700, -400, 500):
        clock.step(days=days)
        await every_hour(ledger, clock, 2)
    await ledger.close()
    assert len(on_disk(tmp_path)) >= 38


async def test_a_clock_that_is_slewed_is_believed(tmp_path: Path) -> None:
    clock = HandClock(synchronised=False)
    ledger = await opened(tmp_path, clock, days=1)
    await archive(ledger, 1)
    for _ in range(30):
        clock.step(seconds=2)
        await every_hour(ledger, clock, 1)
    await ledger.close()
    assert on_disk(tmp_path) == []


# ---------------------------------------------------------------------- dates that are wrong


async def test_scans_that_were_dated_into_the_past_go_with_their_neighbours(tmp_path: Path) -> None:
    """The battery was empty: until the time server answered, it was the year 2000."""
    clock = HandClock()
    ledger = await opened(tmp_path, clock, days=30)
    await archive(ledger, 5)
    home = clock.moment
    clock.step(days=-9600)
    await archive(ledger, 3)
    clock.step(days=9600)
    await archive(ledger, 4)
    assert clock.moment == home
    assert await every_hour(ledger, clock, 48) == 0
    clock.advance(days=30)
    assert await every_hour(ledger, clock, 24 * 12) == 12
    await ledger.close()
    assert on_disk(tmp_path) == []


async def test_scans_that_were_dated_into_the_future_go_with_their_neighbours(tmp_path: Path) -> None:
    clock = HandClock()
    ledger = await opened(tmp_path, clock, days=30)
    await archive(ledger, 3)
    clock.step(days=400)
    await archive(ledger, 2)
    clock.step(days=-400)
    await archive(ledger, 3)
    clock.advance(days=31)
    await archive(ledger, 1)
    await every_hour(ledger, clock, 24 * 12)
    await ledger.close()
    assert on_disk(tmp_path) == [9]


async def test_wrong_dates_that_come_true_do_not_keep_what_was_taken_after_them(tmp_path: Path) -> None:
    clock = HandClock()
    ledger = await opened(tmp_path, clock, days=100)
    clock.step(days=120)
    await archive(ledger, 2)
    clock.step(days=-120)
    await archive(ledger, 5)
    clock.advance(days=121)
    await every_hour(ledger, clock, 24 * 8)
    await ledger.close()
    assert on_disk(tmp_path) == []


# ---------------------------------------------------------------------- a line that goes on


@pytest.mark.parametrize(("days", "a_day"), [(1, 12), (3, 8), (30, 2)])
async def test_a_steady_line_keeps_the_days_that_are_configured(tmp_path: Path, days: int, a_day: int) -> None:
    clock = HandClock()
    ledger = await opened(tmp_path, clock, days=days)
    for _ in range(2 * days + 6):
        await archive(ledger, a_day)
        await every_hour(ledger, clock, 24)
    await ledger.close()
    assert days * a_day <= len(on_disk(tmp_path)) <= (days + 2) * a_day


async def test_an_archive_that_has_grown_too_large_shrinks_while_the_line_goes_on(tmp_path: Path) -> None:
    clock = HandClock()
    ledger = await opened(tmp_path, clock)
    for _ in range(20):
        await archive(ledger, 3)
        clock.advance(days=1)
    await ledger.close()
    ledger = await opened(tmp_path, clock, days=2)
    before = len(on_disk(tmp_path))
    for _ in range(30):
        await archive(ledger, 3)
        await every_hour(ledger, clock, 24)
        now = len(on_disk(tmp_path))
        assert now >= before - 4, "a twentieth, and what came in"
        before = now
    await ledger.close()
    assert before <= 12


@pytest.mark.parametrize(("clock_is", "left"), [("synchronised", 15), ("free-running", 20)])
async def test_a_station_that_is_started_every_morning_prunes_if_the_clock_is_synchronised(
    tmp_path: Path, clock_is: str, left: int
) -> None:
    await archived(tmp_path, HandClock(), 20)
    clock = HandClock(START + timedelta(days=KEPT + 1), synchronised=clock_is == "synchronised")
    for _ in range(5):
        ledger = await opened(tmp_path, clock)
        await ledger.prune()
        await every_hour(ledger, clock, 10)
        await ledger.close()
        clock.advance(hours=14)
    assert len(on_disk(tmp_path)) == left
    assert len(events(tmp_path, "pruning_postponed")) == (0 if clock.is_synchronised else 5)


async def test_a_stop_in_the_midst_does_not_make_a_second_share_of_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await archived(tmp_path, HandClock(), 40)
    clock = HandClock(START + timedelta(days=KEPT + 1))

    def power_fails(*_given: object) -> None:
        raise OSError(5, "Input/output error")

    ledger = await opened(tmp_path, clock)
    with monkeypatch.context() as patch:
        patch.setattr(pruner.archive, "remove_scan", power_fails)
        assert await ledger.prune() == 0
    await ledger.close()
    ledger = await opened(tmp_path, clock)
    assert await every_hour(ledger, clock, 20) == 0
    assert await every_hour(ledger, clock, 4) == 2
    await ledger.close()


async def test_new_scans_are_archived_while_many_old_ones_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.records.ledger.REMOVED_AT_A_TIME", 1)
    await archived(tmp_path, HandClock(), 60)
    clock = HandClock(START + timedelta(days=KEPT + 1))
    ledger = await opened(tmp_path, clock)
    remove, between = pruner.archive.remove_scan, []

    def remove_while_one_comes(folder: Path, file: str) -> None:
        if not between:
            between.append(ledger._archivist._lane.submit(lambda: between.append(len(list(folder.rglob("*.png"))))))
        remove(folder, file)

    monkeypatch.setattr(pruner.archive, "remove_scan", remove_while_one_comes)
    assert await ledger.prune() == 3
    await ledger.close()
    assert between[1] == 59, "not after all of them"


# ---------------------------------------------------------------------- what the kernel says


def answering(state: int, status: int) -> Callable[..., int]:
    def adjtimex(pointer: object) -> int:
        timex = ctypes.cast(pointer, ctypes.POINTER(Timex)).contents  # type: ignore[arg-type]
        assert timex.modes == 0, "it is asked, not set"
        timex.status = status
        return state

    return adjtimex


@pytest.mark.parametrize(
    ("state", "status", "expected"),
    [
        (0, 0x2001, "synchronised"),
        (1, 0x2001, "synchronised"),
        (5, 0x2001, ""),
        (5, 0x40, ""),
        (0, 0x40, ""),
        (-1, 0, ""),
    ],
)
def test_the_clock_is_synchronised_where_state_and_status_say_so(
    monkeypatch: pytest.MonkeyPatch, state: int, status: int, expected: str
) -> None:
    monkeypatch.setattr(synchrony, "_adjtimex", lambda: answering(state, status))
    assert kernel_synchronised() is bool(expected)


def test_the_kernel_of_this_computer_is_asked() -> None:
    assert kernel_synchronised() in {True, False}
    assert synchrony._adjtimex()(ctypes.byref(Timex())) in range(-1, 6)


async def test_without_a_time_server_a_twentieth_a_day_goes_however_many_came_in(tmp_path: Path) -> None:
    clock = HandClock()
    ledger = await opened(tmp_path, clock, days=1)
    await archive(ledger, 100)
    await ledger.close()
    wrong = HandClock(START + timedelta(days=400), synchronised=False)
    ledger = await opened(tmp_path, wrong, days=1)
    await every_hour(ledger, wrong, 12)
    await archive(ledger, 60)
    await every_hour(ledger, wrong, 13)
    await ledger.close()
    assert len(on_disk(tmp_path)) == 160 - 8
