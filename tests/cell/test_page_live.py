"""What a browser is told of a cell: the whole state first, every change, and nothing old as if it were of now."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Message, Scope

from station.core.clock import SystemClock
from station.core.errors import FAULTS
from station.core.events import PartEntered, StateChanged
from station.core.part import Inspection
from station.host.control import watch
from station.host.follow import Follower
from station.host.watch import Watch
from station.page.roles import Role
from station.page.stream import EventStream
from tests.cell.bench import listening, running
from tests.housings import GEOMETRY, TABLE, Verdict
from tests.lines import BLOCKS_PER_TURN
from tests.page_bench import PageBench, SetClock, paged
from tests.record_samples import PART_TYPE, START, part

Told = tuple[str, dict[str, Any]]
at_work = partial(running, within_s=100.0)
"""A cell, and time enough for those who look at it."""


async def events(answer: httpx.Response) -> AsyncIterator[Told]:
    """The events of a stream, without what only keeps it open."""
    name = ""
    async for line in answer.aiter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


@asynccontextmanager
async def looking(browser: httpx.AsyncClient, path: str = "/events") -> AsyncIterator[AsyncIterator[Told]]:
    async with browser.stream("GET", path) as answer, aclosing(events(answer)) as told:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield told


async def first(told: AsyncIterator[Told], *names: str) -> Told:
    """The next event of one of these names."""
    async for name, data in told:
        if name in names:
            return name, data
    raise AssertionError(names)


def make_watch() -> Watch:
    return Watch("test", TABLE.places, SystemClock())


async def heard(bench: PageBench) -> None:
    """Return when the page hears the cell."""
    while not bench.served.desk.follower.live:
        await bench.served.desk.follower.changed()


async def lost(bench: PageBench) -> None:
    while bench.served.desk.follower.live:
        await bench.served.desk.follower.changed()


async def test_a_part_is_seen_from_its_first_patch_to_its_bin(tmp_path: Path) -> None:
    told = make_watch()
    async with (
        at_work(watch=told.take) as cell, listening(cell.desk, tmp_path, watch=told), paged(tmp_path) as bench,
        bench.browser(bench.admit(Role.OPERATOR)) as browser,
    ):  # fmt: skip
        await heard(bench)
        async with looking(browser) as stream:
            name, state = await anext(stream)
            assert (name, state["live"], state["sections"]["cell"]["state"]) == ("state", True, "STOPPED")
            cell.classifier.says = Verdict.SCRATCHES
            await cell.start()
            cell.feed("A1")
            seen = state["sections"]
            while not (seen["part"] and seen["part"]["ended"]):
                _, data = await first(stream, "change")
                seen |= data["sections"]
    part = seen["part"]
    assert (part["id"], part["decision"]["verdict"], part["ended"]) == ("A1", "scratches", "sorted")
    assert part["patches"] == ["scratches"] * GEOMETRY.patches_per_strip * BLOCKS_PER_TURN
    assert {one["place"]: one["parts"] for one in seen["bins"] if one["parts"]} == {"bin_scratches": 1}


async def test_the_surface_comes_strip_by_strip_where_it_is_asked_for_and_goes_with_the_next_part(
    tmp_path: Path,
) -> None:
    told = make_watch()
    strips = {f"surface.{number}" for number in range(BLOCKS_PER_TURN)}
    async with (
        at_work(watch=lambda event: (told.take(event), told.show(event))) as cell,
        listening(cell.desk, tmp_path, watch=told), paged(tmp_path) as bench,
        bench.browser(bench.admit(Role.OPERATOR)) as browser,
    ):  # fmt: skip
        await heard(bench)
        async with looking(browser, "/events/surface") as stream, looking(browser) as plain:
            _, state = await anext(stream)
            await anext(plain)
            await cell.start()
            cell.feed("A1")
            seen, others = state["sections"], set[str]()
            while not (strips <= set(seen) and seen["part"]["ended"]):
                seen |= (await first(stream, "change"))[1]["sections"]
            while "counters" not in others:
                others |= set((await first(plain, "change"))[1]["sections"])
        assert {seen[strip]["inspection"] for strip in strips} == {seen["part"]["inspection"]}
        assert not strips & others
        for path, wanted in (("/events", set[str]()), ("/events/surface", strips)):
            async with looking(browser, path) as late:
                _, state = await anext(late)
                assert set(state["sections"]) & strips == wanted
        told.take(PartEntered(Inspection("0002", 2, part("A2"), PART_TYPE, START)))
        while bench.served.desk.follower.after(0)[1]["part"]["id"] != "A2":
            await bench.served.desk.follower.changed()
        async with looking(browser, "/events/surface") as late:
            _, state = await anext(late)
            assert not set(state["sections"]) & strips


async def test_a_cell_that_is_gone_is_told_and_the_whole_state_comes_when_it_is_back(tmp_path: Path) -> None:
    async with (
        at_work() as cell, paged(tmp_path) as bench, bench.browser(bench.admit(Role.OPERATOR)) as browser,
        looking(browser) as stream,
    ):  # fmt: skip
        name, state = await anext(stream)
        assert (name, state["live"], state["sections"]) == ("state", False, {}), "never heard, and so not live"
        _, gone = await first(stream, "lost")
        assert gone["why"] in {"", FAULTS["control.no_station"].text}
        told = make_watch()
        async with listening(cell.desk, tmp_path, watch=told):
            _, data = await first(stream, "change")
            assert data["sections"]["cell"]["state"] == "STOPPED"
        _, gone = await first(stream, "lost")
        assert (gone["live"], gone["why"]) == (False, FAULTS["control.no_answer"].text)
        told.take(StateChanged("STOPPED", "HELD", None))
        async with listening(cell.desk, tmp_path, watch=told):
            _, data = await first(stream, "change", "beat")
            assert {"cell", "line", "part", "bins", "alarms", "counters", "orders"} <= set(data["sections"])
            assert data["sections"]["cell"]["state"] == "HELD"


async def test_a_beat_is_only_what_the_station_itself_has_said(tmp_path: Path) -> None:
    silent = Watch("test", TABLE.places, SystemClock(), beat_s=3600)
    async with (
        at_work() as cell,
        listening(cell.desk, tmp_path, watch=silent),
        paged(tmp_path) as bench,
    ):
        await heard(bench)
        async with bench.browser(bench.admit(Role.OPERATOR)) as browser, looking(browser) as stream:
            assert (await anext(stream))[0] == "state"
            assert (await anext(stream))[0] == "lost", "no beat is made up while the station is silent"


async def test_fifty_browsers_take_one_seat_at_the_station(tmp_path: Path) -> None:
    told = make_watch()
    async with at_work() as cell, listening(cell.desk, tmp_path, watch=told), paged(tmp_path) as bench:
        await heard(bench)
        async with AsyncExitStack() as stack:
            browser = await stack.enter_async_context(bench.browser(bench.admit(Role.OPERATOR)))
            streams = [await stack.enter_async_context(looking(browser)) for _ in range(50)]
            for stream in streams:
                assert (await anext(stream))[0] == "state"
            assert len(told._seats) == 1
            told.take(StateChanged("STOPPED", "IDLE", None))
            for stream in streams:
                _, data = await first(stream, "change")
                assert data["sections"]["cell"]["state"] == "IDLE"


async def test_who_is_signed_out_sees_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.page.stream.ASKED_S", 0.0)
    clock = SetClock()
    told = make_watch()
    async with (
        at_work() as cell, listening(cell.desk, tmp_path, watch=told), paged(tmp_path, clock) as bench,
        bench.browser(bench.admit(Role.OPERATOR)) as browser,
    ):  # fmt: skip
        await heard(bench)
        async with looking(browser) as stream:
            assert (await anext(stream))[0] == "state"
            clock.go_on(minutes=16)
            await first(stream, "over")
            assert [name async for name, _ in stream] == []


async def test_a_page_that_dies_costs_the_cell_nothing(tmp_path: Path) -> None:
    told = make_watch()
    async with at_work(watch=told.take) as cell, listening(cell.desk, tmp_path, watch=told):
        async with paged(tmp_path) as bench:
            await heard(bench)
            await cell.start()
            cell.feed("A1")
        await cell.sorted(1)
        async with aclosing(watch(tmp_path)) as lines:
            assert (await anext(lines))["counters"]["sorted"] == 1


async def test_an_alarm_that_a_person_has_seen_bears_the_persons_name(tmp_path: Path) -> None:
    told = make_watch()
    async with (
        at_work(watch=told.take) as cell, listening(cell.desk, tmp_path, watch=told), paged(tmp_path) as bench,
        bench.browser(bench.admit(Role.OPERATOR, "Ada King")) as browser,
    ):  # fmt: skip
        cell.built.alarms.warn(FAULTS["record.disk_low"], "planted")
        assert (await browser.post("/acknowledge", json={"code": "record.disk_low"})).status_code == 200
        (alarm,) = cell.desk.view.alarms
        assert alarm.acknowledged_by.startswith("Ada King (")
        deeds = [(row.who, row.what, row.detail) for row in bench.served.desk.doors.audit.rows(1)]
        assert deeds == [("Ada King", "alarm_acknowledged", "record.disk_low")]
        for code in ("record.disk_low extra", "", "no.such", None):
            assert (await browser.post("/acknowledge", json={"code": code})).status_code == 422
    async with paged(tmp_path) as bench, bench.browser(bench.admit(Role.ENGINEER)) as browser:
        answer = await browser.post("/acknowledge", json={"code": "record.disk_low"})
        assert answer.status_code == 503, "without a station nothing is acknowledged"


# ---------------------------------------------------------------------- a browser that is slow


class SlowBrowser:
    """Takes what it is sent when it is told to."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.takes = asyncio.Semaphore(2)

    async def send(self, message: Message) -> None:
        await self.takes.acquire()
        self.taken.append(message.get("body", b""))

    async def has_taken(self, count: int) -> None:
        while len(self.taken) < count:  # noqa: ASYNC110  # it takes in silence
            await asyncio.sleep(0)

    async def receive(self) -> Message:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_slow_browser_gets_the_newest_and_nothing_queues_for_it(tmp_path: Path) -> None:
    scope: Scope = {"type": "http", "method": "GET", "path": "/events", "headers": []}
    follower, slow = Follower(tmp_path, SystemClock()), SlowBrowser()

    async def still_there() -> bool:
        return True

    hear = follower._hear
    hear({"kind": "state", "cell": 0})
    stream = asyncio.create_task(EventStream(follower, still_there)(scope, slow.receive, slow.send))
    await slow.has_taken(2)
    for number in range(1, 10_001):
        hear({"kind": "change", "cell": number, "part": number})
        if number % 1000 == 0:
            await asyncio.sleep(0)
    slow.takes.release()
    slow.takes.release()
    await slow.has_taken(4)
    stream.cancel()
    await asyncio.gather(stream, return_exceptions=True)
    told = b"".join(slow.taken).decode()
    assert told.count("event: change") <= 2
    assert '"cell": 10000' in told
