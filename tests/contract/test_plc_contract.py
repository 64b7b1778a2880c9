"""What every line PLC does: the fake, and the driver in both roles on the simulated PLC over Modbus TCP."""

import asyncio
from datetime import UTC, datetime

import numpy as np
import pytest

from station.core.alarms import AlarmSummary
from station.core.errors import FAULTS, PlcError
from station.core.judgement import Published
from station.core.part import Announcement, Decision, Inspection, PartType
from station.core.ports.line import AcknowledgeWish, CellReport, CommandWish, LineLink
from tests.contract.benches import lines, until
from tests.housings import TABLE, Destination, Verdict
from tests.turned import GEOMETRY

pytestmark = pytest.mark.parametrize("kind", ["fake", "client", "server"])

KIND = PartType("smh_385", 1, 385, 8, 6, 18.0, 320.0, 20.0, GEOMETRY)


def inspection(part: Announcement) -> Inspection:
    return Inspection("0001", 1, part, KIND, datetime(2026, 1, 1, tzinfo=UTC))


def decision(verdict: Verdict) -> Decision:
    return Decision(verdict, verdict, None, "", 0.9, 3, 1, np.zeros((16, 5), np.float32))


async def announced(link: LineLink) -> Announcement:
    """The part that waits, once the port has heard of it."""
    async with asyncio.timeout(10):
        while (part := link.feed.view.waiting) is None:
            await link.feed.changed()
    return part


async def test_permission_is_there_when_the_line_gives_it(kind: str) -> None:
    async with lines(kind) as bench:
        await bench.link.connect()
        await until(lambda: bench.link.feed.view.permission)
        assert bench.link.feed.view.fault is None
        bench.line.permit("withdrawn")
        await until(lambda: not bench.link.feed.view.permission)
        assert bench.link.feed.view.fault is None
        bench.line.permit("given")
        await until(lambda: bench.link.feed.view.permission)


async def test_an_announced_part_waits_until_it_is_accepted(kind: str) -> None:
    async with lines(kind) as bench:
        await bench.link.connect()
        assert bench.link.feed.view.waiting is None
        number = bench.line.announce("SMH-0001", 1)
        part = await announced(bench.link)
        assert part == Announcement(number, "SMH-0001", 1)
        await bench.link.feed.accept(inspection(part))
        assert bench.link.feed.view.waiting is None
        await until(lambda: bench.line.accepted_part == number)
        later = bench.line.announce("SMH-0001", 1)
        assert later != number
        assert (await announced(bench.link)).sequence == later


async def test_a_part_that_is_given_back_is_offered_again_and_the_part_before_it_shows_as_accepted(kind: str) -> None:
    async with lines(kind) as bench:
        await bench.link.connect()
        before = bench.line.announce("SMH-0001", 1)
        await bench.link.feed.accept(inspection(await announced(bench.link)))
        number = bench.line.announce("SMH-0002", 1)
        part = await announced(bench.link)
        await bench.link.feed.accept(inspection(part))
        await until(lambda: bench.line.accepted_part == number)
        assert bench.link.feed.view.announced == part
        await bench.link.feed.give_back(inspection(part))
        await until(lambda: bench.line.accepted_part == before)
        assert bench.link.feed.view.waiting == part
        await bench.link.feed.give_back(inspection(part))
        await bench.link.feed.accept(inspection(part))
        await until(lambda: bench.line.accepted_part == number)
        assert bench.link.feed.view.waiting is None


async def test_a_look_hears_what_the_line_said_before_it_ends(kind: str) -> None:
    async with lines(kind) as bench:
        await bench.link.connect()
        await until(lambda: bench.link.feed.view.permission)
        for part_id in ("SMH-0001", "SMH-0002", "SMH-0003"):
            number = bench.line.announce(part_id, 1)
            bench.line.permit("withdrawn")
            await bench.link.feed.read_now()
            assert bench.link.feed.view.announced == Announcement(number, part_id, 1)
            assert not bench.link.feed.view.permission
            bench.line.permit("given")
            await bench.link.feed.read_now()
            assert bench.link.feed.view.permission


async def test_a_look_at_a_line_that_is_gone_fails_in_time(kind: str) -> None:
    async with lines(kind) as bench:
        await bench.link.connect()
        bench.line.announce("SMH-0001", 1)
        await announced(bench.link)
        await bench.cut()
        async with asyncio.timeout(10):
            with pytest.raises(PlcError) as caught:
                await bench.link.feed.read_now()
        assert caught.value.code in {"plc.unreachable", "plc.stale"}
        assert bench.link.feed.view.announced is None


async def test_full_bins_are_those_that_the_line_tells_until_they_are_emptied(kind: str) -> None:
    async with lines(kind) as bench:
        await bench.link.connect()
        await until(lambda: bench.link.feed.view.permission)
        assert bench.link.feed.view.full == frozenset()
        for places in (
            {Destination.SECOND_INSPECTION},
            {Destination.BIN_PITS, Destination.BIN_REVIEW},
            set(TABLE.places),
        ):
            bench.line.fill([place.code for place in places])
            await until(lambda wanted=places: bench.link.feed.view.full == wanted)
        change = asyncio.ensure_future(bench.link.feed.changed())
        bench.line.fill(())
        async with asyncio.timeout(10):
            await change
        await until(lambda: not bench.link.feed.view.full)


async def test_full_bins_of_a_line_that_is_gone_are_not_believed(kind: str) -> None:
    async with lines(kind) as bench:
        await bench.link.connect()
        bench.line.fill([Destination.BIN_PITS.code])
        await until(lambda: bench.link.feed.view.full)
        await bench.cut()
        await until(lambda: not bench.link.feed.view.full)


async def test_a_command_waits_until_it_is_answered(kind: str) -> None:
    async with lines(kind) as bench:
        await bench.link.connect()
        await until(lambda: bench.link.feed.view.permission)
        assert bench.link.requests.pending() is None
        for name, code, refused, answer in (
            ("start", 2, None, "taken"),
            ("complete", 10, FAULTS["plc.illegal_command"], "refused"),
        ):
            number = bench.line.command(name)
            await until(bench.link.requests.pending)
            request = bench.link.requests.pending()
            assert request is not None
            assert (request.sequence, request.wish) == (number, CommandWish(code))
            await bench.link.requests.answer(request, refused)
            assert bench.link.requests.pending() is None
            await until(lambda wanted=(number, answer): bench.line.command_answer() == wanted)


async def test_the_line_sees_the_state_that_is_reported(kind: str) -> None:
    async with lines(kind) as bench:
        await bench.link.connect()
        await bench.link.results.report(CellReport(6, 1, None, 70_000, 3))
        await until(lambda: bench.line.state() == "execute")
        await bench.link.results.report(CellReport(5, 1, FAULTS["plc.starved"], 70_000, 3))
        await until(lambda: bench.line.state() == "suspended")


async def test_the_line_sees_the_alarms_in_numbers(kind: str) -> None:
    async with lines(kind) as bench:
        await bench.link.connect()
        await bench.link.results.report(
            CellReport(11, 1, FAULTS["jig.fault"], 0, 0, AlarmSummary(2, 3, FAULTS["jig.fault"]))
        )
        await until(lambda: bench.line.alarms() == (2, 3, 3004))
        await bench.link.results.report(CellReport(6, 1, None, 0, 0))
        await until(lambda: bench.line.alarms() == (0, 0, 0))


async def test_an_acknowledgement_waits_until_it_is_answered(kind: str) -> None:
    async with lines(kind) as bench:
        await bench.link.connect()
        await until(lambda: bench.link.feed.view.permission)
        assert bench.link.requests.pending() is None
        for fault, refused, answer in ((3004, None, "taken"), (7, FAULTS["station.no_such_alarm"], "refused")):
            number = bench.line.acknowledge(fault)
            await until(bench.link.requests.pending)
            request = bench.link.requests.pending()
            assert request is not None
            assert (request.sequence, request.wish) == (number, AcknowledgeWish(fault))
            await bench.link.requests.answer(request, refused)
            assert bench.link.requests.pending() is None
            await until(lambda wanted=(number, answer): bench.line.acknowledgement_answer() == wanted)


async def test_a_result_is_read_once_when_decided_and_once_when_sorted(kind: str) -> None:
    async with lines(kind) as bench:
        await bench.link.connect()
        await until(lambda: bench.link.feed.view.permission)
        bench.line.announce("SMH-0001", 1)
        entered = inspection(await announced(bench.link))
        await bench.link.feed.accept(entered)
        await bench.link.results.publish(Published(entered, decision(Verdict.PITS), 12.5, None))
        await until(lambda: len(bench.results) == 1)
        assert bench.confirmed_bin() == 0
        await bench.link.results.publish(Published(entered, decision(Verdict.PITS), 12.5, Destination.BIN_PITS))
        await until(lambda: len(bench.results) == 2)
        assert bench.confirmed_bin() == Destination.BIN_PITS.code
        numbers = [number for number, _ in bench.results]
        assert [label for _, label in bench.results] == ["pits", "pits"]
        assert numbers[1] == numbers[0] + 1


async def test_where_a_part_lies_is_told_once_and_confirmed_when_the_line_has_read_it(kind: str) -> None:
    async with lines(kind) as bench:
        await bench.link.connect()
        await until(lambda: bench.link.feed.view.permission)
        bench.line.announce("SMH-0001", 1)
        entered = inspection(await announced(bench.link))
        await bench.link.feed.accept(entered)
        place = Published(entered, decision(Verdict.PITS), None, Destination.BIN_PITS)
        await bench.link.results.confirm(place)
        (read,) = bench.results
        await bench.link.results.confirm(place)
        await bench.link.results.publish(Published(entered, decision(Verdict.PITS), 12.5, Destination.BIN_PITS))
        assert bench.results == [read]


async def test_a_line_that_is_gone_is_not_believed(kind: str) -> None:
    async with lines(kind) as bench:
        await bench.link.connect()
        bench.line.announce("SMH-0001", 1)
        await announced(bench.link)
        change = asyncio.ensure_future(bench.link.feed.changed())
        await asyncio.sleep(0)
        await bench.cut()
        async with asyncio.timeout(10):
            await change
        await until(lambda: not bench.link.feed.view.permission)
        fault = bench.link.feed.view.fault
        assert fault is not None
        assert fault.code in {"plc.unreachable", "plc.stale"}
        assert bench.link.feed.view.waiting is None
