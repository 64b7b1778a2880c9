"""The hand: one commands beside the line PLC, for a time, and it ends whenever anybody or anything else has a say."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from station.cell.hand import MOST_S
from station.cell.packml import Command, State
from station.core.errors import FAULTS, StationError
from station.core.events import HandChanged
from station.host.control import ask
from station.host.hand import GONE, HeldHand, held_hand
from tests.cell.bench import Bench, listening, running, until


@asynccontextmanager
async def taken(folder: Path, seconds: int = 600) -> AsyncIterator[tuple[HeldHand, "asyncio.Task[str]"]]:
    """The hand in Ada's hold, and what will say why it is over."""
    async with held_hand(folder, "Ada", "the belt was changed", seconds) as hand:
        over = asyncio.create_task(hand.listen())
        yield hand, over
        over.cancel()
        await asyncio.gather(over, return_exceptions=True)


def noted(cell: Bench, event: str) -> list[str]:
    return [detail for name, detail in cell.ledger.events if name == event]


async def test_without_the_hand_a_person_stops_and_aborts_and_nothing_else(tmp_path: Path) -> None:
    async with running() as cell, listening(cell.desk, tmp_path):
        await cell.start()
        for word in ("hold", "suspend", "complete", "unhold", "reset", "start", "clear"):
            answer = await ask(tmp_path, f"{word} for Ada")
            assert answer["refused"] == f"{FAULTS['hand.needed'].text} ({word})"
            assert answer["state"] == "EXECUTE"
        assert (await ask(tmp_path, "stop for Ada"))["refused"] is None
        await cell.desk.reached(State.STOPPED)
        assert (await ask(tmp_path, "abort for Ada"))["refused"] is None
        await cell.desk.reached(State.ABORTED)
        await until(lambda: any(one.startswith("abort by Ada (") for one in noted(cell, "command_taken")))


async def test_who_has_the_hand_commands_by_the_same_table_and_it_stands_in_the_journal(tmp_path: Path) -> None:
    async with running() as cell, listening(cell.desk, tmp_path):
        async with taken(tmp_path) as (hand, over):
            assert await hand.command("reset") is None
            await cell.desk.reached(State.IDLE)
            refused = await hand.command("unhold")
            assert refused == f"{FAULTS['station.illegal_command'].text} (UNHOLD in IDLE)"
            assert await hand.command("jump") == "'jump' is no command"
            assert await hand.command("start") is None
            await cell.desk.reached(State.EXECUTE)
            hand.give_back()
            assert await over == "given back"
        await until(lambda: noted(cell, "hand_ended"))
        [began] = noted(cell, "hand_taken")
        assert began.startswith("Ada (")
        assert began.endswith(" for 600 s: the belt was changed")
        assert any(one.startswith("start by Ada (") for one in noted(cell, "command_taken"))
        told = [event.holder for event in cell.events if isinstance(event, HandChanged)]
        assert [holder and holder.why for holder in told] == ["the belt was changed", None]


async def test_of_two_people_one_has_it(tmp_path: Path) -> None:
    async with running() as cell, listening(cell.desk, tmp_path), taken(tmp_path) as (hand, _over):
        with pytest.raises(StationError, match=r"Ada .* has it until .*: the belt was changed") as refused:
            await held_hand(tmp_path, "Bob", "me too", 60).__aenter__()
        assert refused.value.code == "hand.taken"
        assert await hand.command("reset") is None, "and the first has lost nothing"


@pytest.mark.parametrize("seconds", [0, MOST_S + 1])
async def test_it_is_taken_with_a_reason_and_for_a_time(tmp_path: Path, seconds: int) -> None:
    async with running() as cell, listening(cell.desk, tmp_path):
        for why, length in (("", 60), ("the belt", seconds)):
            with pytest.raises(StationError) as refused:
                await held_hand(tmp_path, "Ada", why, length).__aenter__()
            assert refused.value.code == "hand.refused"
        assert noted(cell, "hand_taken") == []


async def test_a_command_of_the_plc_takes_it_back_even_one_that_the_state_refuses(tmp_path: Path) -> None:
    async with running() as cell, listening(cell.desk, tmp_path), taken(tmp_path) as (hand, over):
        cell.line.command("start")
        assert (await over).startswith("start by plc")
        assert (await hand.command("reset") or "").startswith(FAULTS["hand.gone"].text)
        assert cell.desk.view.state is State.STOPPED


async def test_what_was_on_its_way_when_it_was_taken_back_is_not_carried_out(tmp_path: Path) -> None:
    async with running() as cell, listening(cell.desk, tmp_path), taken(tmp_path) as (hand, over):
        sent = asyncio.create_task(hand.command("reset"))
        await asyncio.sleep(0)  # the line is written, and nobody has read it
        with pytest.raises(StationError):
            cell.desk.command(Command.START, "plc")
        assert await sent == f"{FAULTS['hand.gone'].text} (start by plc)"
        assert await over == "start by plc"
        assert noted(cell, "command_taken") == []


async def test_a_stop_by_somebody_else_ends_it_so_that_nobody_starts_what_another_has_stopped(tmp_path: Path) -> None:
    async with running() as cell, listening(cell.desk, tmp_path), taken(tmp_path) as (_hand, over):
        assert (await ask(tmp_path, "abort for Bob"))["refused"] is None
        assert (await over).startswith("abort by Bob")


async def test_its_time_is_over() -> None:
    async with running() as cell:
        grip = cell.desk.take_hand("Ada", "the belt", 1)
        await grip.over()
        assert grip.why == "its time is over"
        with pytest.raises(StationError, match="its time is over"):
            cell.desk.command_in_hand(Command.RESET, grip)
        assert cell.desk.take_hand("Bob", "now I", 1).holder.who == "Bob"


async def test_who_dies_has_it_no_more_and_a_station_that_ends_says_so(tmp_path: Path) -> None:
    async with running() as cell, listening(cell.desk, tmp_path):
        async with taken(tmp_path) as (hand, _over):
            hand._writer.transport.abort()
            await until(lambda: noted(cell, "hand_ended"))
        assert noted(cell, "hand_ended")[0].endswith("who had it is gone")
        async with held_hand(tmp_path, "Ada", "again", 600) as held:
            over = asyncio.create_task(held.listen())
            serving = next(task for task in asyncio.all_tasks() if task.get_name() == "command")
            serving.cancel()
            assert await over == GONE
            assert (await held.command("reset") or "").startswith(FAULTS["hand.gone"].text)
