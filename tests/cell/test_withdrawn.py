"""A part that the PLC takes back before it is loaded: nothing moves, one record says so, and the cell goes on.

On fakes, so that every moment between announcement and load can be hit.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from station.cell.packml import Command, State
from station.core.errors import FAULTS, PlcError, RobotError
from station.core.part import Announcement
from tests.cell.bench import Bench, running, until

Change = Callable[[Bench], None]


def show(bench: Bench, part: Announcement | None) -> None:
    """The PLC shows this from now on."""
    bench.line.part = part
    bench.line.notice()


def swap(bench: Bench) -> None:
    bench.feed("B")


def rename(bench: Bench) -> None:
    bench.floor.infeed = "B"
    show(bench, Announcement(bench.line.part.sequence, "B", 1))


def retype(bench: Bench) -> None:
    show(bench, Announcement(bench.line.part.sequence, "A", 2))


def renumber(bench: Bench) -> None:
    show(bench, Announcement(4711, "A", 1))


def clear(bench: Bench) -> None:
    show(bench, None)


def forbid(bench: Bench) -> None:
    bench.line.permit("withdrawn")


CHANGES = [swap, rename, retype, renumber, clear, forbid]


def blocked(owner: object, method: str, *, after: bool = False) -> tuple[asyncio.Event, asyncio.Event]:
    """A coroutine of the owner waits, before or after what it does: (it waits, it may go on)."""
    waits, may_go_on, sound = asyncio.Event(), asyncio.Event(), getattr(owner, method)

    async def slow(*arguments: Any) -> Any:
        done = await sound(*arguments) if after else None
        setattr(owner, method, sound)
        waits.set()
        await may_go_on.wait()
        return done if after else await sound(*arguments)

    setattr(owner, method, slow)
    return waits, may_go_on


def states(bench: Bench) -> list[tuple[str, str, str | None]]:
    """(part id, state, reason) of every record, oldest first."""
    entries = bench.ledger.entries.values()
    return [(one.inspection.part.part_id, one.state, one.reason.code if one.reason else None) for one in entries]


def loads(bench: Bench) -> int:
    return [order.verb for order, _inspection in bench.ledger.orders].count("load")


async def closed_as_withdrawn(bench: Bench) -> None:
    await until(lambda: states(bench) and states(bench)[0] == ("A", "withdrawn", "part.withdrawn"))
    assert next(iter(bench.ledger.entries.values())).verdict is None


async def goes_on_with_what_is_announced(bench: Bench, change: Change, met_before: str = "") -> None:
    """Nothing was moved; the part that is announced then is taken on under an inspection of its own.

    A cell that was suspended before, for the reason `met_before`, may still tell that one.
    """
    if change is clear:
        assert bench.floor.infeed == "A"
        bench.feed("B")
    elif change is forbid:
        await bench.desk.reached(State.SUSPENDED)
        reason = bench.desk.view.reason
        assert reason is not None
        assert reason.fault.code in {"plc.no_permission", met_before}
        assert bench.floor.infeed == "A"
        bench.line.permit("given")
    await bench.sorted(1)
    again = "B" if change in (swap, rename, clear) else "A"
    assert states(bench) == [("A", "withdrawn", "part.withdrawn"), (again, "sorted", states(bench)[1][2])]
    assert [part_id for part_id, _place in bench.floor.sorted_parts] == [again]
    assert bench.line.accepted_part == bench.line.part.sequence


@pytest.mark.parametrize("change", CHANGES)
async def test_what_changes_while_the_camera_gets_ready_is_not_accepted(change: Change) -> None:
    async with running() as bench:
        await bench.start()
        waits, may_go_on = blocked(bench.camera, "prepare")
        bench.feed("A")
        await waits.wait()
        change(bench)
        accepted: list[object] = []
        accept = bench.plc.feed.accept
        bench.plc.feed.accept = lambda one: accepted.append(one) or accept(one)
        may_go_on.set()
        await closed_as_withdrawn(bench)
        assert [one.part.part_id for one in accepted if one.number == 1] == []  # type: ignore[attr-defined]
        await goes_on_with_what_is_announced(bench, change)


@pytest.mark.parametrize("change", CHANGES)
async def test_what_changes_after_the_acceptance_is_given_back_and_not_loaded(change: Change) -> None:
    async with running() as bench:
        await bench.start()
        waits, may_go_on = blocked(bench.plc.feed, "accept", after=True)
        bench.feed("A")
        await waits.wait()
        assert bench.line.accepted_part == 1
        change(bench)
        may_go_on.set()
        await closed_as_withdrawn(bench)
        await goes_on_with_what_is_announced(bench, change)


@pytest.mark.parametrize("change", CHANGES)
async def test_the_last_look_is_later_than_the_written_intent(change: Change) -> None:
    async with running() as bench:
        await bench.start()
        order, waits, may_go_on = bench.ledger.order, asyncio.Event(), asyncio.Event()

        async def slow_disk(device: Any, verb: str, argument: int, inspection: Any) -> Any:
            written = await order(device, verb, argument, inspection)
            if verb == "load" and not waits.is_set():
                waits.set()
                await may_go_on.wait()
            return written

        bench.ledger.order = slow_disk  # type: ignore[method-assign]
        bench.feed("A")
        await waits.wait()
        change(bench)
        may_go_on.set()
        await closed_as_withdrawn(bench)
        await goes_on_with_what_is_announced(bench, change)
        assert loads(bench) == 2, "the first intent stands written, its order never went out"


@pytest.mark.parametrize("moment", ["accept", "read_now"])
@pytest.mark.parametrize("change", [None, *CHANGES])
async def test_what_a_plc_shows_when_it_is_back_decides(moment: str, change: Change | None) -> None:
    async with running() as bench:
        await bench.start()
        waits, may_go_on = blocked(bench.plc.feed, moment)
        bench.feed("A")
        await waits.wait()
        bench.line.disconnect()
        may_go_on.set()
        await bench.desk.reached(State.SUSPENDED)
        if change is not None:
            change(bench)
        assert bench.floor.jig is None
        bench.line.cut = False
        bench.line.notice()
        if change is None:
            await bench.sorted(1)
            assert states(bench) == [("A", "sorted", None)]
            assert bench.floor.sorted_parts == [("A", "second_inspection")]
            return
        await closed_as_withdrawn(bench)
        await goes_on_with_what_is_announced(bench, change, met_before="plc.unreachable")


async def test_a_wrong_announcement_that_replaced_the_part_withdraws_it_and_is_the_reason_of_the_suspension() -> None:
    async with running() as bench:
        await bench.start()
        waits, may_go_on = blocked(bench.camera, "prepare")
        bench.feed("A")
        await waits.wait()
        show(bench, Announcement(2, "B", 99))
        may_go_on.set()
        await closed_as_withdrawn(bench)
        await bench.desk.reached(State.SUSPENDED)
        reason = bench.desk.view.reason
        assert reason is not None
        assert reason.fault.code == "part.unknown_type"


async def test_a_stop_while_the_plc_is_away_leaves_the_part_for_the_next_start() -> None:
    async with running() as bench:
        await bench.start()
        waits, may_go_on = blocked(bench.plc.feed, "read_now")
        bench.feed("A")
        await waits.wait()
        bench.line.disconnect()
        may_go_on.set()
        await bench.desk.reached(State.SUSPENDED)
        bench.give(Command.STOP)
        await bench.desk.reached(State.STOPPED)
        assert states(bench) == [("A", "open", None)]
        bench.give(Command.RESET)
        await bench.desk.reached(State.IDLE)
        assert states(bench) == [("A", "open", None)], "a PLC that is away has withdrawn nothing"
        bench.line.cut = False
        bench.give(Command.START)
        await bench.sorted(1)
        assert states(bench) == [("A", "sorted", None)]


# ---- taken up again


async def aborted_before_the_load(bench: Bench) -> None:
    """The part is accepted, its order not given, and the cell at rest."""
    await bench.start()
    waits, _never = blocked(bench.plc.feed, "accept", after=True)
    bench.feed("A")
    await waits.wait()
    await rest(bench)


async def rest(bench: Bench) -> None:
    bench.give(Command.ABORT)
    await bench.desk.reached(State.ABORTED)
    bench.give(Command.CLEAR)
    await bench.desk.reached(State.STOPPED)


async def start_again(bench: Bench) -> None:
    bench.give(Command.RESET)
    await bench.desk.reached(State.IDLE)
    bench.give(Command.START)


async def test_an_inspection_that_was_not_loaded_goes_on_if_its_part_is_still_announced() -> None:
    async with running() as bench:
        await aborted_before_the_load(bench)
        await start_again(bench)
        await bench.sorted(1)
        assert states(bench) == [("A", "sorted", None)]


@pytest.mark.parametrize("change", CHANGES)
async def test_an_inspection_that_was_not_loaded_is_withdrawn_if_its_part_is_not_announced_any_more(
    change: Change,
) -> None:
    async with running() as bench:
        await aborted_before_the_load(bench)
        change(bench)
        await start_again(bench)
        await closed_as_withdrawn(bench)
        assert [order for order, of in bench.ledger.orders if of is not None and of.number == 1] == []
        await goes_on_with_what_is_announced(bench, change)


@pytest.mark.parametrize("change", CHANGES)
async def test_a_part_whose_order_went_out_is_not_withdrawn_though_its_answer_was_lost(change: Change) -> None:
    async with running() as bench:
        await bench.start()
        load = bench.robot.load

        async def answer_lost(order: Any) -> Any:
            await load(order)
            bench.robot.load = load  # type: ignore[method-assign]
            raise RobotError("robot.unreachable", "planted")

        bench.robot.load = answer_lost  # type: ignore[method-assign]
        bench.feed("A")
        await bench.desk.reached(State.HELD)
        change(bench)
        bench.give(Command.UNHOLD)
        await bench.sorted(1)
        assert states(bench)[0] == ("A", "sorted", None)
        assert bench.floor.sorted_parts[0] == ("A", "second_inspection")


async def deaf_robot(bench: Bench) -> None:
    """The robot was given the load order and never took it; the cell is Held."""
    await bench.start()
    load = bench.robot.load

    async def deaf(_order: Any) -> Any:
        bench.robot.load = load  # type: ignore[method-assign]
        raise RobotError("robot.no_acknowledge", "planted")

    bench.robot.load = deaf  # type: ignore[method-assign]
    bench.feed("A")
    await bench.desk.reached(State.HELD)


async def test_an_order_that_the_robot_never_took_leaves_the_part_to_be_withdrawn() -> None:
    async with running() as bench:
        await deaf_robot(bench)
        swap(bench)
        bench.give(Command.UNHOLD)
        await closed_as_withdrawn(bench)
        await goes_on_with_what_is_announced(bench, swap)


async def test_a_robot_that_began_anew_may_have_taken_the_part_so_that_it_is_lost_and_not_withdrawn() -> None:
    async with running() as bench:
        await deaf_robot(bench)
        bench.robot._last, bench.robot._last_number = None, 0
        swap(bench)
        bench.give(Command.UNHOLD)
        await bench.sorted(1)
        assert states(bench) == [("A", "lost", "part.interrupted"), ("B", "sorted", None)]


async def test_after_a_robot_that_began_anew_a_part_that_is_announced_and_not_permitted_is_not_lost() -> None:
    async with running() as bench:
        await deaf_robot(bench)
        bench.robot._last, bench.robot._last_number = None, 0
        forbid(bench)
        bench.give(Command.UNHOLD)
        await closed_as_withdrawn(bench)
        await goes_on_with_what_is_announced(bench, forbid)


async def test_after_a_robot_that_began_anew_a_part_that_is_still_announced_is_loaded() -> None:
    async with running() as bench:
        await deaf_robot(bench)
        bench.robot._last, bench.robot._last_number = None, 0
        bench.give(Command.UNHOLD)
        await bench.sorted(1)
        assert states(bench) == [("A", "sorted", None)]


async def test_an_order_from_before_another_one_may_have_been_taken() -> None:
    async with running() as bench:
        await deaf_robot(bench)
        home, jig_status, homed = bench.robot.home, bench.jig.status, asyncio.Event()

        async def watched_home(order: Any) -> Any:
            done = await home(order)
            homed.set()
            return done

        async def failing_once() -> Any:
            if homed.is_set():
                bench.jig.status = jig_status  # type: ignore[method-assign]
                raise RobotError("robot.unreachable", "planted")
            return await jig_status()

        bench.robot.home, bench.jig.status = watched_home, failing_once  # type: ignore[method-assign]
        bench.give(Command.UNHOLD)
        await bench.desk.reached(State.STOPPED)
        assert homed.is_set()
        swap(bench)
        await start_again(bench)
        await bench.sorted(1)
        assert states(bench) == [("A", "lost", "part.interrupted"), ("B", "sorted", None)]


async def test_a_result_is_delivered_though_a_wrong_part_is_announced_next() -> None:
    async with running() as bench:
        await bench.start()
        publish = bench.plc.results.publish

        async def cut_once(_result: Any) -> Any:
            bench.plc.results.publish = publish
            bench.line.fault = FAULTS["part.bad_id"]
            raise PlcError("plc.unreachable", "planted")

        bench.plc.results.publish = cut_once
        bench.feed("A")
        await bench.sorted(1)
        assert states(bench) == [("A", "sorted", None)]
        assert len(bench.line.results) == 2
