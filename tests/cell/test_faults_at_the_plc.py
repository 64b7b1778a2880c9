"""Each fault is provoked in a cell, and the line PLC reads of it in its own registers, over a real socket.

After each: the cell has reacted as the fault's table says, the PLC's words have the code, the part was recorded once
and never passed unjudged, and the cell runs on without a restart.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from station.cell.packml import Command, State
from station.core.clock import Clock
from station.core.errors import FAULTS, Reaction, StationError
from station.core.settings import PlcSettings, Settings
from tests.cell import plc_words as plc
from tests.cell.bench import running, settings
from tests.cell.provoked_faults import (
    ABORTED,
    ALWAYS,
    HELD,
    HELD_WITH_REVIEW,
    NOT_READY,
    RESCANNED,
    REVIEWED,
    Provoked,
    SlowClock,
    error,
)
from tests.cell.reason_codes import REASON_CODE
from tests.cell.wired_bench import WiredBench, patiently, wired
from tests.housings import TABLE, line_plc
from tests.wire.raw_modbus import master

BIN = {"second_inspection": plc.SECOND_INSPECTION, "bin_review": plc.BIN_REVIEW}


def each(rows: Sequence[Provoked]) -> Any:
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.code)


async def start(bench: WiredBench) -> None:
    assert await bench.command(Command.RESET, State.IDLE, State.STOPPED) is State.IDLE, bench.cell.desk.view.reason
    await bench.command(Command.START, State.EXECUTE)
    await bench.seen(lambda words: words[plc.STATE_CURRENT] == plc.EXECUTE)


@asynccontextmanager
async def started(configuration: Settings | None = None, clock: Clock | None = None) -> AsyncIterator[WiredBench]:
    """A wired cell in Execute, and the PLC sees it."""
    async with wired(configuration, clock=clock) as bench:
        await start(bench)
        yield bench


def recorded_once(bench: WiredBench, part_id: str, place: str) -> None:
    """One record, one place, and the PLC has the same: decided first, then with the place that the robot confirmed."""
    assert bench.records_of(part_id) == ["sorted"]
    assert bench.place_of(part_id) == [place]
    last = bench.words.results_of(part_id)[-1]
    assert (last.destination, last.confirmed) == (BIN[place], BIN[place])
    assert last.complement == 65535 - last.decision


def reviewed(bench: WiredBench, part_id: str, code: str) -> None:
    """It lies in review, and every result that the PLC got of it says so, and why."""
    recorded_once(bench, part_id, "bin_review")
    results = bench.words.results_of(part_id)
    assert {(result.decision, result.reason) for result in results} == {(plc.REVIEW, REASON_CODE[code])}
    assert [result.confirmed for result in results] == [0, plc.BIN_REVIEW]


def last_place(bench: WiredBench, part_id: str) -> str:
    """Where the last decision that the PLC got wants the part: only one that was judged whole may be passed."""
    last = bench.words.results_of(part_id)[-1]
    (entry,) = [one for one in bench.cell.ledger.entries.values() if one.inspection.part.part_id == part_id]
    whole = entry.judgement is not None and len(entry.judgement.decision.probabilities) == 16 and entry.reason is None
    assert (last.decision == plc.DEFECT_FREE) is whole
    return "second_inspection" if whole else "bin_review"


async def sorted_(bench: WiredBench, part_id: str) -> None:
    await patiently(lambda: bench.records_of(part_id) == ["sorted"])
    await bench.seen(lambda words: words.results_of(part_id) and words.results_of(part_id)[-1].confirmed)


async def held(bench: WiredBench, code: str) -> None:
    """The PLC reads that the cell is Held, for what reason, and of an alarm."""
    assert FAULTS[code].reaction is Reaction.HOLD
    await bench.seen(lambda words: words[plc.STATE_CURRENT] == plc.HELD)
    await bench.seen(lambda words: words[plc.ALARM_CODE] == REASON_CODE[code])
    assert bench.words[plc.STOP_REASON] == REASON_CODE[code]


async def line_is_well(bench: WiredBench) -> None:
    """The station has read the PLC since it was mended: what it read before would hold the cell once more."""
    await patiently(lambda: bench.cell.plc.feed.view.fault is None)


@each(RESCANNED)
async def test_a_scan_that_broke_once_is_made_again_and_the_part_is_judged_on_the_whole_one(row: Provoked) -> None:
    async with started() as bench:
        row.mischief(bench, 1)
        bench.feed("A1")
        await sorted_(bench, "A1")
        recorded_once(bench, "A1", "second_inspection")
        assert {result.reason for result in bench.words.results_of("A1")} == {0}
        assert [row.code in detail for event, detail in bench.cell.ledger.events if event == "part_rescanned"] == [True]
        assert bench.words[plc.STOP_REASON] == 0


@each(RESCANNED)
async def test_a_scan_that_broke_twice_sends_the_part_to_review_and_the_plc_reads_why(row: Provoked) -> None:
    assert FAULTS[row.code].reaction is Reaction.RESCAN
    async with started() as bench:
        row.mischief(bench, 2)
        bench.feed("A1")
        await sorted_(bench, "A1")
        reviewed(bench, "A1", row.code)
        await bench.passes("A2")
        assert {reason for _state, reason in bench.words.reports} == {0}, "the cell never left Execute"


@each(REVIEWED)
async def test_a_part_that_cannot_be_judged_goes_to_review_and_the_plc_reads_why(row: Provoked) -> None:
    assert FAULTS[row.code].reaction is Reaction.REVIEW
    async with started(settings(**row.settings), clock=SlowClock()) as bench:
        mend = row.mischief(bench, ALWAYS)
        bench.feed("A1")
        await sorted_(bench, "A1")
        reviewed(bench, "A1", row.code)
        mend()
        await bench.passes("A2")
        assert {reason for _state, reason in bench.words.reports} == {0}, "the cell never left Execute"


@each(HELD_WITH_REVIEW)
async def test_a_fault_in_the_scan_sends_the_part_to_review_and_holds_the_cell_and_the_plc_reads_why(
    row: Provoked,
) -> None:
    async with started(settings(**row.settings)) as bench:
        mend = row.mischief(bench, ALWAYS)
        bench.feed("A1")
        await held(bench, row.code)
        reviewed(bench, "A1", row.code)
        mend()
        await line_is_well(bench)
        await bench.command(Command.UNHOLD, State.EXECUTE)
        await bench.passes("A2")
        recorded_once(bench, "A1", "bin_review")


@each(HELD)
async def test_a_fault_that_holds_the_cell_is_read_by_the_plc_and_the_part_is_not_passed_unjudged(
    row: Provoked,
) -> None:
    async with started(settings(**row.settings)) as bench:
        mend = row.mischief(bench, ALWAYS)
        bench.feed("A1")
        await held(bench, row.code)
        assert bench.place_of("A1") in ([], ["bin_review"])
        mend()
        await line_is_well(bench)
        await bench.command(Command.UNHOLD, State.EXECUTE)
        await patiently(lambda: bench.place_of("A1"))
        await sorted_(bench, "A1")
        recorded_once(bench, "A1", last_place(bench, "A1"))
        await bench.passes("A2")


@each(NOT_READY)
async def test_what_is_not_ready_stops_the_reset_and_the_plc_reads_why(row: Provoked) -> None:
    async with wired() as bench:
        mend = row.mischief(bench, ALWAYS)
        bench.cell.give(Command.RESET)
        await bench.seen(lambda words: words[plc.STOP_REASON] == REASON_CODE[row.code])
        await bench.seen(lambda words: words[plc.STATE_CURRENT] == plc.STOPPED)
        await bench.seen(lambda words: words[plc.ALARM_CODE] == REASON_CODE[row.code])
        assert bench.cell.floor.sorted_parts == []
        assert not bench.cell.floor.turning
        mend()
        await start(bench)
        await bench.passes("A1")


@each(ABORTED)
async def test_a_fault_of_the_stations_own_aborts_the_cell_and_the_part_goes_to_review_after_the_reset(
    row: Provoked,
) -> None:
    assert FAULTS[row.code].reaction is Reaction.ABORT
    async with started() as bench:
        mend = row.mischief(bench, 1)
        bench.feed("A1")
        await bench.seen(lambda words: words[plc.STATE_CURRENT] == plc.ABORTED)
        assert bench.words[plc.STOP_REASON] == REASON_CODE[row.code]
        await bench.seen(lambda words: words[plc.ALARM_CODE] == REASON_CODE[row.code])
        assert not bench.cell.floor.turning
        assert bench.place_of("A1") == []
        mend()
        await bench.command(Command.CLEAR, State.STOPPED)
        await start(bench)
        await sorted_(bench, "A1")
        recorded_once(bench, "A1", last_place(bench, "A1"))
        await bench.passes("A2")


# ---- what the line itself is the reason of ----


async def suspended(bench: WiredBench, code: str) -> None:
    assert FAULTS[code].reaction is Reaction.SUSPEND
    await bench.seen(lambda words: words[plc.STATE_CURRENT] == plc.SUSPENDED)
    assert bench.words[plc.STOP_REASON] == REASON_CODE[code]
    assert bench.cell.ledger.entries == {}


async def test_an_unknown_type_suspends_the_cell() -> None:
    async with started() as bench:
        bench.line.announce("A1", 99)
        await suspended(bench, "part.unknown_type")
        await bench.passes("A1")
        recorded_once(bench, "A1", "second_inspection")


async def test_an_id_of_other_than_printable_characters_suspends_the_cell() -> None:
    async with started() as bench:
        bench.line.announce_words(b"A\x07" + b"\0" * 14, 1)
        await suspended(bench, "part.bad_id")
        await bench.passes("A1")
        recorded_once(bench, "A1", "second_inspection")


@asynccontextmanager
async def starved() -> AsyncIterator[WiredBench]:
    """A wired cell that no part comes to: in Execute so shortly that the PLC need not see it."""
    async with wired(settings(plc={"starved_after_s": 0.01})) as bench:
        assert await bench.command(Command.RESET, State.IDLE, State.STOPPED) is State.IDLE
        bench.cell.give(Command.START)
        yield bench


async def test_a_cell_without_parts_is_suspended() -> None:
    async with starved() as bench:
        await suspended(bench, "plc.starved")
        bench.feed("A1")
        await sorted_(bench, "A1")
        recorded_once(bench, "A1", "second_inspection")
        assert plc.EXECUTE in [state for state, _reason in bench.words.reports[2:]]


async def test_a_wrong_map_that_shows_while_the_cell_is_suspended_holds_it_too() -> None:
    async with starved() as bench:
        await suspended(bench, "plc.starved")
        bench.line.say(99, 0)
        await held(bench, "plc.wrong_map")
        bench.line.say(99, 0xA55A)
        await line_is_well(bench)
        await bench.command(Command.UNHOLD, State.EXECUTE, State.SUSPENDED)
        bench.feed("A1")
        await sorted_(bench, "A1")
        recorded_once(bench, "A1", "second_inspection")


async def test_two_masters_suspend_the_cell_and_the_record_names_who_commanded() -> None:
    server = line_plc(
        PlcSettings.model_validate(
            {
                "role": "server",
                "link": {"kind": "tcp", "port": 0},
                "stale_after_s": 1.0,
                "heartbeat_s": 0.1,
                "commanders": ["127.0.0.1", "127.0.0.2"],
            }
        )
    )
    async with running(plc=server) as bench:
        await patiently(lambda: server.port)
        async with master(server.port) as first, master(server.port, "127.0.0.2") as second:
            await first.beat(2)
            for number, command, state in ((1, Command.RESET, State.IDLE), (2, Command.START, State.EXECUTE)):
                await first.command(command, number)
                while bench.desk.view.state is not state:
                    await first.beat()
            await second.beat()
            await first.beat()
            assert server.feed.view.fault is FAULTS["plc.two_masters"]
            await bench.desk.reached(State.SUSPENDED)
            assert bench.fault == FAULTS["plc.two_masters"]
            reason = REASON_CODE["plc.two_masters"].to_bytes(2)
            while (await first.raw.ask(b"\x03\x00\x0d\x00\x01"))[2:] != reason:
                pass
            while bench.fault is FAULTS["plc.two_masters"]:
                await first.beat()
            await second.beat()
            await second.command(Command.START, 8)
            await second.command(99, 9)
            await second.command(Command.STOP, 10)
            await bench.desk.reached(State.STOPPED)
        await patiently(lambda: any("stop" in detail for _event, detail in bench.ledger.events))
    commands = [(event, detail) for event, detail in bench.ledger.events if event.startswith("command_")]
    assert [(event, detail.partition(":")[0]) for event, detail in commands] == [
        ("command_taken", "reset by plc 127.0.0.1"),
        ("command_taken", "start by plc 127.0.0.1"),
        ("command_refused", "start by plc 127.0.0.2"),
        ("command_refused", "command 99 by plc 127.0.0.2"),
        ("command_taken", "stop by plc 127.0.0.2"),
    ]
    numbers = [detail.partition(", ")[2].partition(":")[0] for _event, detail in commands]
    assert numbers == ["number 1", "number 2", "number 8", "number 9", "number 10"]


# ---- what is refused, and changes nothing ----


async def test_a_command_of_the_plc_that_the_state_does_not_accept_is_refused_with_its_code() -> None:
    async with started() as bench:
        sent = bench.line.command(2)
        await bench.seen(lambda words: words[plc.ANSWERED_COMMAND] == sent)
        assert (bench.words[plc.COMMAND_RESULT], bench.words[plc.COMMAND_REASON]) == (
            plc.REFUSED, REASON_CODE["plc.illegal_command"],
        )  # fmt: skip
        assert (bench.words[plc.STATE_CURRENT], bench.words[plc.STOP_REASON]) == (plc.EXECUTE, 0)
        await bench.passes("A1")


async def test_a_command_of_an_operator_that_the_state_does_not_accept_is_refused_and_the_plc_sees_no_change() -> None:
    async with started() as bench:
        with pytest.raises(StationError) as refused:
            bench.cell.give(Command.UNHOLD)
        assert refused.value.fault.number == REASON_CODE["station.illegal_command"]
        await bench.passes("A1")
        assert {reason for _state, reason in bench.words.reports} == {0}


async def test_an_acknowledgement_of_no_alarm_is_refused() -> None:
    async with wired() as bench:
        with pytest.raises(StationError) as refused:
            bench.cell.desk.acknowledge("jig.fault", "anna")
        assert refused.value.fault.number == REASON_CODE["station.no_such_alarm"]
        sent = bench.line.acknowledge(REASON_CODE["jig.fault"])
        await bench.seen(lambda words: words[plc.ALARM_ACK_ANSWERED] == sent)
        assert bench.words[plc.ALARM_ACK_RESULT] == plc.REFUSED
        await start(bench)
        await bench.passes("A1")


async def test_an_operators_stop_is_the_reason_that_the_plc_reads() -> None:
    async with started() as bench:
        await bench.command(Command.STOP, State.STOPPED)
        await bench.seen(lambda words: words[plc.STATE_CURRENT] == plc.STOPPED)
        assert bench.words[plc.STOP_REASON] == REASON_CODE["station.stopped_by_operator"]
        assert bench.words[plc.ALARM_CODE] == 0
        await start(bench)
        await bench.passes("A1")


# ---- parts that are interrupted or lost ----


async def aborted_with_a_judged_part(bench: WiredBench) -> None:
    """A1 is judged good and published, and lies on the jig when the cell is aborted."""
    bench.line.fill([TABLE.passing.place.code])
    bench.feed("A1")
    await bench.seen(lambda words: words.results_of("A1"))
    await patiently(lambda: bench.records_of("A1") == ["judged"])
    await bench.command(Command.ABORT, State.ABORTED)
    bench.line.fill([])
    await bench.command(Command.CLEAR, State.STOPPED)


async def test_an_interrupted_part_goes_to_review_though_it_was_judged_good_and_the_plc_reads_why() -> None:
    async with started() as bench:
        await aborted_with_a_judged_part(bench)
        await start(bench)
        await sorted_(bench, "A1")
        first, *later = bench.words.results_of("A1")
        assert (first.decision, first.confirmed) == (plc.DEFECT_FREE, 0)
        assert {(r.decision, r.reason) for r in later} == {(plc.REVIEW, REASON_CODE["part.interrupted"])}
        recorded_once(bench, "A1", "bin_review")
        await bench.passes("A2")


async def test_recovery_waits_for_room_in_review_and_says_so_when_it_lasts() -> None:
    async with started(settings(alarms={"suspended_after_s": 0.05})) as bench:
        await aborted_with_a_judged_part(bench)
        bench.line.fill([plc.BIN_REVIEW])
        await patiently(lambda: [place.code for place in bench.cell.plc.feed.view.full] == [plc.BIN_REVIEW])
        bench.cell.give(Command.RESET)
        await bench.seen(lambda words: words[plc.ALARM_CODE] == REASON_CODE["plc.bin_full"])
        assert bench.place_of("A1") == []
        bench.line.fill([])
        await bench.cell.desk.reached(State.IDLE)
        await sorted_(bench, "A1")
        recorded_once(bench, "A1", "bin_review")
        await bench.command(Command.START, State.EXECUTE)
        await bench.passes("A2")


async def test_a_stop_ends_the_wait_for_room_and_the_next_reset_goes_on() -> None:
    async with started() as bench:
        await aborted_with_a_judged_part(bench)
        bench.line.fill([plc.BIN_REVIEW])
        await patiently(lambda: [place.code for place in bench.cell.plc.feed.view.full] == [plc.BIN_REVIEW])
        await bench.command(Command.RESET, State.RESETTING)
        await patiently(lambda: bench.words.results_of("A1")[-1].reason)
        await bench.command(Command.STOP, State.STOPPED)
        assert bench.place_of("A1") == []
        bench.line.fill([])
        await patiently(lambda: not bench.cell.plc.feed.view.full)
        await start(bench)
        await sorted_(bench, "A1")
        recorded_once(bench, "A1", "bin_review")


async def test_a_part_that_the_chuck_does_not_see_after_its_load_is_lost_and_the_jig_never_turns() -> None:
    async with started() as bench:
        jig: Any = bench.cell.jig
        sound = jig.status

        async def sees_none() -> Any:
            return replace(await sound(), part_seated=False)

        jig.status = sees_none
        bench.feed("A1")
        await held(bench, "robot.part_lost")
        assert [order.verb for order, _ in bench.cell.ledger.orders if order.device == "jig"] == []
        bench.cell.floor.jig = None  # a person has found it
        jig.status = sound
        await bench.command(Command.UNHOLD, State.EXECUTE)
        assert bench.records_of("A1") == ["lost"]
        await bench.passes("A2")
        assert bench.place_of("A1") == []


def test_every_row_stands_under_the_reaction_of_the_table() -> None:
    for row in (*HELD, *HELD_WITH_REVIEW):
        assert FAULTS[row.code].reaction is Reaction.HOLD
        assert error(row.code).fault.number == REASON_CODE[row.code]
