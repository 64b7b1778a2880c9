"""Suspended, by what is true now: the reason that the PLC and people read, its alarm, and a part in work that waits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from station.cell.packml import COMMANDS, Command, State
from station.core.errors import FAULTS, PlcError, StationError
from station.core.events import StateChanged
from station.core.reason import Reason
from tests.cell import plc_words as plc
from tests.cell.bench import Bench, running, settings, until
from tests.cell.reason_codes import REASON_CODE
from tests.cell.wired_bench import PERMISSION, WiredBench, patiently, wired
from tests.housings import Destination, Verdict
from tests.virtual_time import in_virtual_time

HOUR_S = 3600.0
OPERATOR = FAULTS["station.stopped_by_operator"]


@asynccontextmanager
async def suspended(code: str, **changes: dict[str, object]) -> AsyncIterator[WiredBench]:
    """A wired cell that no part comes to, and the PLC reads why it is Suspended."""
    async with wired(settings(plc={"starved_after_s": 0.01}, **changes)) as bench:
        assert await bench.command(Command.RESET, State.IDLE, State.STOPPED) is State.IDLE
        bench.cell.give(Command.START)
        await reads(bench, code)
        yield bench


async def reads(bench: WiredBench, code: str) -> None:
    """The PLC reads Suspended and this reason; a person who asks, and whoever watches, is told the same."""
    wanted = (plc.SUSPENDED, REASON_CODE[code])
    await patiently(lambda: bench.cell.fault is FAULTS[code])
    await bench.seen(lambda words: (words[plc.STATE_CURRENT], words[plc.STOP_REASON]) == wanted)
    last = [event for event in bench.cell.events if isinstance(event, StateChanged)][-1]
    assert (last.after, last.reason and last.reason.fault) == ("SUSPENDED", FAULTS[code])


async def test_the_reason_is_the_one_that_holds_now_and_each_trouble_is_an_alarm_of_its_own() -> None:
    async with suspended("plc.starved", alarms={"suspended_after_s": 0.05}) as bench:

        async def told(code: str, *over: str) -> None:
            await reads(bench, code)
            await bench.seen(lambda words: words[plc.ALARM_CODE] == REASON_CODE[code])
            standing = {alarm.fault.code: alarm.active for alarm in bench.cell.desk.view.alarms}
            assert standing == {code: True, **dict.fromkeys(over, False)}

        bench.line.announce_words(b"A\x07" + b"\0" * 14, 1)
        await told("part.bad_id")
        bench.line.announce("A1", 99)
        await told("part.unknown_type", "part.bad_id")
        assert bench.cell.desk.view.reason.detail == "part A1 has type code 99"
        bench.line.say(PERMISSION, 0)
        await told("plc.no_permission", "part.unknown_type", "part.bad_id")
        bench.line.beats = False
        await told("plc.stale", "plc.no_permission", "part.unknown_type", "part.bad_id")
        bench.line.beats = True
        await reads(bench, "plc.no_permission")
        bench.line.say(PERMISSION, 1)
        await bench.passes("A1")
        assert not any(alarm.active for alarm in bench.cell.desk.view.alarms)
        codes = [detail.split()[1] for event, detail in bench.cell.ledger.events if event == "reason_changed"]
        assert codes[:4] == ["part.bad_id", "part.unknown_type", "plc.no_permission", "plc.stale"]


async def test_a_trouble_that_ends_leaves_the_cell_starved_and_no_alarm() -> None:
    async with suspended("plc.starved", alarms={"suspended_after_s": 0.05}) as bench:
        bench.line.say(PERMISSION, 0)
        await reads(bench, "plc.no_permission")
        await bench.seen(lambda words: words[plc.ALARM_COUNT] == 1)
        bench.line.say(PERMISSION, 1)
        await reads(bench, "plc.starved")
        await bench.seen(lambda words: words[plc.ALARM_COUNT] == 0)


# ---- a part in work that waits ----


@asynccontextmanager
async def waiting_for_a_bin() -> AsyncIterator[Bench]:
    """A1 is judged and lies on the jig, its bin is full."""
    async with running() as bench:
        bench.classifier.says = Verdict.PITS
        bench.line.fill([Destination.BIN_PITS.code])
        bench.feed("A1")  # before the start, so that the cell is never starved
        await bench.start()
        await bench.desk.reached(State.SUSPENDED)
        assert bench.desk.view.reason == Reason(FAULTS["plc.bin_full"], "bin_pits")
        yield bench


def states(bench: Bench) -> list[str]:
    """The states after the first Execute."""
    seen = [event.after for event in bench.events if isinstance(event, StateChanged) and event.after != event.before]
    return seen[seen.index("EXECUTE") :]


async def test_a_cell_whose_part_waits_for_a_bin_is_suspended_and_runs_again_when_there_is_room() -> None:
    async with waiting_for_a_bin() as bench:
        await until(lambda: bench.line.state() == "suspended")
        assert (bench.floor.jig, bench.floor.turning) == ("A1", False)
        bench.line.fill([])
        await bench.sorted(1)
        assert states(bench) == ["EXECUTE", "SUSPENDING", "SUSPENDED", "UNSUSPENDING", "EXECUTE"]
        assert bench.floor.sorted_parts == [("A1", "bin_pits")]
        assert bench.desk.view.reason is None


ENDS_IN = {
    Command.STOP: State.STOPPED,
    Command.ABORT: State.ABORTED,
    Command.HOLD: State.HELD,
    Command.COMPLETE: State.COMPLETING,
    Command.UNSUSPEND: State.SUSPENDED,
}


@pytest.mark.parametrize("command", list(Command))
async def test_every_command_works_while_a_part_waits_as_the_table_says(command: Command) -> None:
    async with waiting_for_a_bin() as bench:
        if State.SUSPENDED not in COMMANDS[command]:
            with pytest.raises(StationError, match=r"station|state"):
                bench.give(command)
            assert bench.desk.view.reason == Reason(FAULTS["plc.bin_full"], "bin_pits")
            return
        bench.give(command)
        assert bench.desk.view.state is COMMANDS[command][State.SUSPENDED]
        await bench.desk.reached(ENDS_IN[command])
        assert (bench.floor.jig, bench.floor.sorted_parts) == ("A1", [])


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ((Command.STOP, Command.RESET), State.IDLE),
        ((Command.ABORT, Command.CLEAR, Command.RESET), State.IDLE),
        ((Command.HOLD, Command.UNHOLD), State.EXECUTE),
    ],
)
async def test_a_part_whose_wait_was_given_up_goes_to_review(words: tuple[Command, ...], state: State) -> None:
    resting = {Command.STOP: State.STOPPED, Command.ABORT: State.ABORTED, Command.CLEAR: State.STOPPED}
    async with waiting_for_a_bin() as bench:
        for word in words:
            bench.give(word)
            await bench.desk.reached(resting.get(word, State.HELD if word is Command.HOLD else state))
        assert bench.floor.sorted_parts == [("A1", "bin_review")]
        assert bench.desk.view.reason is None


@in_virtual_time
async def test_a_held_cell_moves_nothing_when_the_bin_is_emptied() -> None:
    async with waiting_for_a_bin() as bench:
        bench.give(Command.HOLD)
        await bench.desk.reached(State.HELD)
        bench.line.fill([])
        await asyncio.sleep(HOUR_S)
        assert bench.floor.sorted_parts == []
        assert bench.desk.view.reason == Reason(OPERATOR)


async def test_complete_finishes_the_part_that_waits_and_says_meanwhile_why_it_takes_so_long() -> None:
    async with waiting_for_a_bin() as bench:
        bench.give(Command.COMPLETE)
        await until(lambda: bench.desk.view.reason == Reason(FAULTS["plc.bin_full"], "bin_pits"))
        assert bench.desk.view.state is State.COMPLETING
        bench.line.fill([])
        await bench.desk.reached(State.COMPLETE)
        assert bench.floor.sorted_parts == [("A1", "bin_pits")]
        assert bench.desk.view.reason is None


@in_virtual_time
async def test_a_part_waits_for_the_operator_too_who_has_suspended_the_cell() -> None:
    async with running() as bench:
        bench.classifier.says = Verdict.PITS
        bench.line.fill([Destination.BIN_PITS.code])
        await bench.start()
        bench.feed("A1")
        await until(lambda: bench.ledger.entries)
        bench.give(Command.SUSPEND)
        await bench.desk.reached(State.SUSPENDED)
        assert bench.desk.view.reason == Reason(OPERATOR)
        bench.line.fill([])
        await asyncio.sleep(HOUR_S)
        assert (bench.desk.view.state, bench.floor.sorted_parts) == (State.SUSPENDED, [])
        bench.give(Command.UNSUSPEND)
        await bench.sorted(1)
        assert bench.floor.sorted_parts == [("A1", "bin_pits")]
        assert bench.desk.view.state is State.EXECUTE


async def test_a_plc_that_is_not_believed_any_more_does_not_say_that_a_bin_has_room() -> None:
    async with wired(settings()) as bench:
        bench.cell.classifier.says = Verdict.PITS
        bench.line.fill([plc.BIN_REVIEW, Destination.BIN_PITS.code])
        await bench.command(Command.RESET, State.IDLE)
        await bench.command(Command.START, State.EXECUTE)
        bench.feed("A1")
        await reads(bench, "plc.bin_full")
        bench.line.beats = False
        await reads(bench, "plc.stale")
        assert bench.cell.plc.feed.view.full == frozenset()
        assert bench.place_of("A1") == []
        bench.line.beats = True
        await reads(bench, "plc.bin_full")
        bench.line.fill([])
        await patiently(lambda: bench.place_of("A1") == ["bin_pits"])
        await bench.seen(lambda words: words[plc.STATE_CURRENT] == plc.EXECUTE)


async def test_a_cell_whose_result_is_not_acknowledged_is_suspended_until_it_is() -> None:
    async with wired(settings()) as bench:
        await bench.command(Command.RESET, State.IDLE)
        await bench.command(Command.START, State.EXECUTE)
        bench.line.acknowledges = False
        bench.feed("A1")
        await reads(bench, "plc.result_not_taken")
        assert bench.place_of("A1") == ["second_inspection"], "only its confirmation waits"
        bench.line.acknowledges = True
        bench.line.acknowledge_result()
        await bench.passes("A2")
        assert bench.records_of("A1") == ["sorted"]


async def test_a_stop_ends_the_wait_for_an_acknowledgement() -> None:
    async with wired(settings()) as bench:
        await bench.command(Command.RESET, State.IDLE)
        await bench.command(Command.START, State.EXECUTE)
        bench.line.acknowledges = False
        bench.feed("A1")
        await reads(bench, "plc.result_not_taken")
        await bench.command(Command.STOP, State.STOPPED)
        assert bench.cell.desk.view.reason == Reason(OPERATOR)


@in_virtual_time
async def test_the_cell_is_not_called_suspended_before_the_jig_stands_still() -> None:
    async with running() as bench:
        await bench.start()
        stop, gate = bench.jig.stop, asyncio.Event()

        async def slow(order: object) -> object:
            await gate.wait()
            return await stop(order)  # type: ignore[arg-type]

        bench.jig.stop = slow  # type: ignore[method-assign, assignment]
        publish = bench.plc.results.publish

        async def lost(_result: object) -> object:
            bench.line.disconnect()
            bench.plc.results.publish = publish
            raise PlcError("plc.unreachable", "planted")

        bench.plc.results.publish = lost
        bench.feed("A1")
        await bench.desk.reached(State.SUSPENDING)
        await asyncio.sleep(HOUR_S)
        assert (bench.desk.view.state, bench.floor.turning) == (State.SUSPENDING, True)
        gate.set()
        await bench.desk.reached(State.SUSPENDED)
        assert not bench.floor.turning
        assert bench.desk.view.reason == Reason(FAULTS["plc.unreachable"], "planted")
        bench.line.cut = False
        bench.line.notice()
        await bench.sorted(1)
        assert bench.floor.sorted_parts == [("A1", "second_inspection")]


async def test_a_wrong_announcement_does_not_keep_the_part_in_work_waiting() -> None:
    async with running() as bench:
        await bench.start()
        accept = bench.plc.feed.accept

        async def once(inspection: object) -> None:
            bench.plc.feed.accept = accept
            raise PlcError("plc.unreachable", "planted")

        bench.plc.feed.accept = once
        bench.feed("A1")
        await until(lambda: bench.ledger.entries)
        bench.line.fault = FAULTS["part.bad_id"]
        await bench.sorted(1)
        await bench.desk.reached(State.SUSPENDED)
        assert bench.fault is FAULTS["part.bad_id"]


async def test_a_line_whose_driver_is_broken_is_not_waited_for() -> None:
    async with waiting_for_a_bin() as bench:
        bench.line.fault = FAULTS["station.bug"]
        bench.line.notice()
        await bench.desk.reached(State.ABORTED)
        assert bench.fault is FAULTS["station.bug"]


# ---- commands, their answers, and what they leave of a reason ----


async def test_a_refused_command_leaves_reason_and_detail_as_they_were() -> None:
    async with waiting_for_a_bin() as bench:
        with pytest.raises(StationError):
            bench.give(Command.START)
        refused = bench.line.command("clear")
        await until(lambda: bench.line.command_answer() == (refused, "refused"))
        assert bench.desk.view.reason == Reason(FAULTS["plc.bin_full"], "bin_pits")


async def test_a_command_of_the_plc_carries_no_detail_of_another_reason() -> None:
    async with waiting_for_a_bin() as bench:
        taken = bench.line.command("stop")
        await until(lambda: bench.line.command_answer() == (taken, "taken"))
        await bench.desk.reached(State.STOPPED)
        assert bench.desk.view.reason == Reason(OPERATOR)


@in_virtual_time
async def test_a_line_that_goes_while_a_stop_is_answered_does_not_end_the_station() -> None:
    async with running() as bench:
        await bench.start()
        answer = bench.plc.requests.answer

        async def lost(command: object, refused: object) -> None:
            bench.line.disconnect()
            await answer(command, refused)  # type: ignore[arg-type]

        bench.plc.requests.answer = lost
        taken = bench.line.command("stop")
        await bench.desk.reached(State.STOPPED)
        await until(lambda: bench.line.cut)
        bench.plc.requests.answer = answer
        await asyncio.sleep(HOUR_S)
        bench.line.cut = False
        bench.line.notice()
        await until(lambda: bench.line.command_answer() == (taken, "taken"))
        bench.give(Command.RESET)
        await bench.desk.reached(State.IDLE)


@in_virtual_time
async def test_a_book_that_cannot_keep_up_costs_notes_and_not_the_cell() -> None:
    async with running() as bench:
        gate = asyncio.Event()

        async def slow(_event: str, _detail: str) -> None:
            await gate.wait()

        bench.ledger.note = slow  # type: ignore[method-assign]
        await bench.start()
        await bench.desk.reached(State.SUSPENDED)
        for _ in range(600):
            for permission in ("withdrawn", "given"):
                bench.line.permit(permission)
                code = "plc.starved" if permission == "given" else "plc.no_permission"
                await until(lambda wanted=FAULTS[code]: bench.fault is wanted)
        gate.set()
        assert bench.desk.view.state is State.SUSPENDED
