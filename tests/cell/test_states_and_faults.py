"""What the cell does in its states, and how it reacts to faults: above the ports, on fakes."""

import asyncio
from dataclasses import replace

import pytest

from station.cell.packml import Command, State
from station.core.errors import FAULTS, CameraError, ModelError, StationError
from station.core.reason import Reason
from tests.cell.bench import running, settings, surface, until
from tests.contract.fake_camera import Misfortune, Mishap
from tests.housings import OUTPUTS, Destination, Verdict
from tests.virtual_time import in_virtual_time


async def test_a_good_part_reaches_the_second_inspection_and_its_record_says_so() -> None:
    async with running() as bench:
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        entry = next(iter(bench.ledger.entries.values()))
        assert (entry.verdict, entry.confirmed) == (Verdict.DEFECT_FREE, Destination.SECOND_INSPECTION)
        assert bench.floor.sorted_parts == [("A1", "second_inspection")]
        assert [order.verb for order, _ in bench.ledger.orders] == ["home", "load", "spin", "stop", "unload"]
        assert not bench.floor.turning


@pytest.mark.parametrize("surface_class", OUTPUTS.surfaces[1:])
async def test_a_defect_goes_to_its_bin(surface_class: Verdict) -> None:
    async with running() as bench:
        bench.classifier.says = surface_class
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        assert bench.floor.sorted_parts == [("A1", f"bin_{surface_class.name}")]


BROKEN = [
    (Mishap.LOST, "scan.incomplete"),
    (Mishap.SHORT, "scan.incomplete"),
    (Mishap.INCOMPLETE, "scan.incomplete"),
]


@pytest.mark.parametrize(("mishap", "reason"), BROKEN)
async def test_a_part_whose_scan_broke_is_scanned_again_and_judged_on_the_whole_scan(
    mishap: Mishap, reason: str
) -> None:
    async with running(misfortunes=[Misfortune(mishap, 3)]) as bench:
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        (entry,) = bench.ledger.entries.values()
        assert (entry.verdict, entry.reason) == (Verdict.DEFECT_FREE, None)
        assert [order.verb for order, _ in bench.ledger.orders].count("spin") == 2
        assert [reason in detail for event, detail in bench.ledger.events if event == "part_rescanned"] == [True]


@pytest.mark.parametrize(("mishap", "reason"), BROKEN)
async def test_a_part_whose_scan_broke_twice_goes_to_review_and_the_cell_goes_on(mishap: Mishap, reason: str) -> None:
    async with running(misfortunes=[Misfortune(mishap, 3)] * 2) as bench:
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        bench.feed("A2")
        await bench.sorted(2)
        first, second = bench.ledger.entries.values()
        assert first.reason is not None
        assert first.reason.code == reason
        assert second.reason is None
        assert bench.floor.sorted_parts == [("A1", "bin_review"), ("A2", "second_inspection")]
        assert bench.desk.view.state is State.EXECUTE


async def test_a_jig_that_does_not_keep_its_speed_sends_the_part_to_review() -> None:
    async with running() as bench:
        await bench.start()
        status = bench.jig.status

        async def slipping() -> object:
            return replace(await status(), speed_rpm=300.0)

        bench.jig.status = slipping  # type: ignore[method-assign, assignment]
        bench.feed("A1")
        await bench.sorted(1)
        (entry,) = bench.ledger.entries.values()
        assert entry.reason is not None
        assert entry.reason.code == "jig.slipped"
        assert bench.floor.sorted_parts == [("A1", "bin_review")]


async def test_a_drive_that_errs_is_found_by_the_index_pulse() -> None:
    async with running() as bench:
        await bench.start()
        status = bench.jig.status

        async def creeping() -> object:
            seen = await status()
            return replace(seen, index_period_ms=seen.index_period_ms * 1.25)

        bench.jig.status = creeping  # type: ignore[method-assign, assignment]
        bench.feed("A1")
        await bench.sorted(1)
        (entry,) = bench.ledger.entries.values()
        assert entry.reason is not None
        assert entry.reason.code == "jig.slipped"
        assert bench.floor.sorted_parts == [("A1", "bin_review")]


@pytest.mark.parametrize(
    ("width", "left", "reason"),
    [(0, 300, "part.jig_empty"), (500, 300, "part.wrong_width"), (385, 0, "part.at_sensor_edge")],
)
async def test_a_part_that_is_not_what_or_where_it_should_be_goes_to_review(width: int, left: int, reason: str) -> None:
    async with running() as bench:
        bench.camera.image = surface(width, left)
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        entry = next(iter(bench.ledger.entries.values()))
        assert entry.reason is not None
        assert entry.reason.code == reason
        assert bench.floor.sorted_parts == [("A1", "bin_review")]


async def test_an_unsure_pass_goes_to_review_with_algorithm_1_beside_it() -> None:
    async with running() as bench:
        bench.classifier.probability = 0.4
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        decision = next(iter(bench.ledger.entries.values())).judgement.decision  # type: ignore[union-attr]
        assert (decision.verdict, decision.algorithm1) == (Verdict.REVIEW, Verdict.DEFECT_FREE)
        assert decision.fault is not None
        assert decision.fault.code == "part.low_confidence"


async def test_a_late_judgement_goes_to_review() -> None:
    async with running(settings(decision={"deadline_ms": 0.000001})) as bench:
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        assert bench.floor.sorted_parts == [("A1", "bin_review")]


async def test_a_network_that_fails_sends_the_part_to_review_and_holds_the_cell() -> None:
    async with running() as bench:
        bench.classifier.failure = ModelError("model.engine_failed", "planted")
        await bench.start()
        bench.feed("A1")
        assert await bench.desk.reached(State.HELD) is State.HELD
        assert bench.floor.sorted_parts == [("A1", "bin_review")]
        reason = bench.desk.view.reason
        assert reason is not None
        assert (reason.fault.code, reason.detail) == ("model.engine_failed", "planted")


async def test_an_operator_brings_a_held_cell_back_to_work() -> None:
    async with running() as bench:
        bench.classifier.failure = ModelError("model.engine_failed", "planted")
        await bench.start()
        bench.feed("A1")
        await bench.desk.reached(State.HELD)
        bench.classifier.failure = None
        bench.give(Command.UNHOLD)
        await bench.desk.reached(State.EXECUTE)
        assert bench.desk.view.reason is None
        bench.feed("A2")
        await bench.sorted(2)
        assert bench.floor.sorted_parts[-1] == ("A2", "second_inspection")


async def test_abort_stops_the_jig_in_mid_part_and_the_part_ends_in_review() -> None:
    async with running() as bench:
        await bench.start()
        bench.classifier.failure = None
        gate = asyncio.Event()
        unload = bench.robot.unload

        async def blocked(order: object) -> object:
            await gate.wait()
            return await unload(order)  # type: ignore[arg-type]

        bench.robot.unload = blocked  # type: ignore[method-assign, assignment]
        bench.feed("A1")
        await until(lambda: any(order.verb == "unload" for order, _ in bench.ledger.orders))
        bench.give(Command.ABORT)
        await bench.desk.reached(State.ABORTED)
        assert not bench.floor.turning
        assert bench.floor.sorted_parts == []
        gate.set()
        bench.robot.unload = unload  # type: ignore[method-assign]
        bench.give(Command.CLEAR)
        await bench.desk.reached(State.STOPPED)
        bench.give(Command.RESET)
        await bench.desk.reached(State.IDLE)
        assert bench.floor.sorted_parts == [("A1", "bin_review")]
        entry = next(iter(bench.ledger.entries.values()))
        assert (entry.state, entry.verdict, entry.confirmed) == ("sorted", Verdict.REVIEW, Destination.BIN_REVIEW)


async def test_a_stop_in_mid_part_finishes_the_part_first() -> None:
    async with running() as bench:
        await bench.start()
        bench.feed("A1")
        await until(lambda: bench.ledger.entries)
        bench.give(Command.STOP)
        await bench.desk.reached(State.STOPPED)
        assert bench.floor.sorted_parts == [("A1", "second_inspection")]


async def test_a_part_that_nobody_knows_is_not_moved() -> None:
    async with running() as bench:
        bench.floor.jig = "stranger"
        bench.give(Command.RESET)
        assert await bench.desk.reached(State.STOPPED, State.IDLE) is State.STOPPED
        assert bench.floor.jig == "stranger"
        reason = bench.desk.view.reason
        assert reason is not None
        assert reason.fault.code == "part.unexpected"


@in_virtual_time
async def test_a_starved_cell_suspends_and_goes_on_by_itself() -> None:
    configuration, loop = settings(), asyncio.get_running_loop()
    async with running(configuration) as bench:
        await bench.start()
        began_s = loop.time()
        await bench.desk.reached(State.SUSPENDED)
        assert loop.time() - began_s == configuration.plc.starved_after_s
        assert bench.desk.view.reason is not None
        assert bench.desk.view.reason.fault.code == "plc.starved"
        bench.feed("A1")
        await bench.sorted(1)


@pytest.mark.parametrize("case", ["permission", "cut", "type"])
async def test_the_line_can_suspend_the_cell_and_give_it_back(case: str) -> None:
    async with running() as bench:
        await bench.start()
        if case == "permission":
            bench.line.permit("withdrawn")
        elif case == "cut":
            bench.line.disconnect()
        else:
            bench.feed("A1", type_code=99)
        await bench.desk.reached(State.SUSPENDED)
        assert bench.ledger.entries == {}
        bench.line.cut = False
        bench.line.permit("given")
        bench.feed("A2")
        await bench.sorted(1)
        assert bench.floor.sorted_parts == [("A2", "second_inspection")]


async def test_a_line_that_is_cut_in_mid_part_gets_the_decision_when_it_is_back_and_only_then_the_part_moves() -> None:
    async with running() as bench:
        await bench.start()
        bench.classifier.score = _cutting(bench)  # type: ignore[method-assign]
        bench.feed("A1")
        await bench.desk.reached(State.SUSPENDING)
        assert bench.floor.sorted_parts == []
        bench.line.cut = False
        bench.line.notice()
        await bench.sorted(1)
        assert [label for _, label in bench.line.results] == ["defect_free", "defect_free"]
        assert bench.floor.sorted_parts == [("A1", "second_inspection")]


def _cutting(bench: object) -> object:
    score = bench.classifier.score  # type: ignore[attr-defined]

    def cut_and_score(patches: object) -> object:
        bench.line.cut = True  # type: ignore[attr-defined]
        return score(patches)

    return cut_and_score


async def test_a_full_bin_keeps_the_part_on_the_jig_until_there_is_room() -> None:
    async with running() as bench:
        bench.classifier.says = Verdict.PITS
        bench.line.full = frozenset({Destination.BIN_PITS})
        await bench.start()
        bench.feed("A1")
        await bench.desk.reached(State.SUSPENDED)
        assert bench.desk.view.reason == Reason(FAULTS["plc.bin_full"], "bin_pits")
        assert bench.floor.jig == "A1"
        assert not bench.floor.turning
        bench.line.full = frozenset()
        bench.line.notice()
        await bench.sorted(1)
        assert bench.floor.sorted_parts == [("A1", "bin_pits")]


async def test_a_stop_while_the_bin_is_full_sends_the_part_to_review_at_the_next_reset() -> None:
    async with running() as bench:
        bench.classifier.says = Verdict.PITS
        bench.line.full = frozenset({Destination.BIN_PITS})
        await bench.start()
        bench.feed("A1")
        await bench.desk.reached(State.SUSPENDED)
        bench.give(Command.STOP)
        await bench.desk.reached(State.STOPPED)
        assert bench.floor.jig == "A1"
        bench.give(Command.RESET)
        await bench.desk.reached(State.IDLE)
        assert bench.floor.sorted_parts == [("A1", "bin_review")]


async def test_commands_of_the_plc_are_taken_or_refused_with_a_word() -> None:
    async with running() as bench:
        await bench.start()
        refused = bench.line.command("start")
        await until(lambda: bench.line.command_answer()[0] == refused)
        assert bench.line.command_answer() == (refused, "refused")
        taken = bench.line.command("hold")
        await bench.desk.reached(State.HELD)
        await until(lambda: bench.line.command_answer()[0] == taken)
        assert bench.line.command_answer() == (taken, "taken")
        await until(lambda: bench.line.state() == "held")


async def test_the_wrong_bin_is_recorded_as_it_is_and_holds_the_cell() -> None:
    async with running() as bench:
        await bench.start()
        unload = bench.robot._unload
        bench.robot._unload = lambda order: unload(order) * 0 + 2  # type: ignore[method-assign]
        bench.feed("A1")
        await bench.desk.reached(State.HELD)
        entry = next(iter(bench.ledger.entries.values()))
        assert entry.confirmed == Destination.BIN_IMPRINTED
        assert bench.desk.view.reason is not None
        assert bench.desk.view.reason.fault.code == "robot.wrong_bin"


async def test_a_robot_that_confirms_no_place_holds_the_cell_and_the_record_stays_open() -> None:
    async with running() as bench:
        await bench.start()
        unload = bench.robot._unload
        bench.robot._unload = lambda order: unload(order) * 0  # type: ignore[method-assign]
        bench.feed("A1")
        await bench.desk.reached(State.HELD)
        (entry,) = bench.ledger.entries.values()
        assert (entry.state, entry.confirmed) == ("judged", None)
        assert bench.desk.view.reason is not None
        assert bench.desk.view.reason.fault.code == "robot.wrong_bin"


async def test_the_cell_completes_after_the_parts_it_was_asked_for() -> None:
    async with running(parts=2) as bench:
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        bench.feed("A2")
        await bench.desk.reached(State.COMPLETE)
        assert len(bench.floor.sorted_parts) == 2


async def test_the_jig_does_not_turn_while_the_robot_is_out_of_its_safe_zone() -> None:
    async with running() as bench:
        await bench.start()
        spin = bench.jig.spin
        turned = []

        async def watched(order: object) -> object:
            turned.append(order)
            return await spin(order)  # type: ignore[arg-type]

        bench.jig.spin = watched  # type: ignore[method-assign, assignment]
        load = bench.robot._load

        def load_and_stay(order: object) -> int:
            bench.floor.arm_out = True
            return load(order)  # type: ignore[arg-type]

        bench.robot._load = load_and_stay  # type: ignore[method-assign]
        bench.feed("A1")
        await bench.desk.reached(State.HELD)
        assert turned == []
        assert bench.desk.view.reason is not None
        assert bench.desk.view.reason.fault.code == "robot.not_in_safe_zone"


async def test_the_robot_is_not_ordered_in_while_the_jig_turns() -> None:
    async with running() as bench:
        await bench.start()
        bench.floor.turning = True
        bench.floor.jig = "A1"
        part = bench.line.announce("A1", 1)
        assert part
        await bench.desk.reached(State.ABORTED)
        assert bench.floor.jig == "A1"
        assert not bench.floor.turning
        assert bench.desk.view.reason is not None
        assert bench.desk.view.reason.fault.code == "jig.not_stopped"


async def test_nothing_moves_in_a_state_that_does_not_allow_it() -> None:
    async with running() as bench:
        with pytest.raises(StationError, match="must not be moved"):
            await bench.built.motion.home()
        assert bench.ledger.orders == []


async def test_an_unplugged_camera_costs_that_scan() -> None:
    async with running(misfortunes=[Misfortune(Mishap.UNPLUGGED, 2)]) as bench:
        await bench.start()
        bench.feed("A1")
        await bench.sorted(1)
        entry = next(iter(bench.ledger.entries.values()))
        assert entry.reason is not None
        assert entry.reason.code == "camera.lost"
        assert bench.floor.sorted_parts == [("A1", "bin_review")]


async def test_a_camera_that_is_gone_before_the_part_is_taken_leaves_the_part_at_the_infeed() -> None:
    async with running() as bench:
        await bench.start()
        bench.camera.lost = True
        bench.feed("A1")
        await bench.desk.reached(State.HELD)
        assert bench.floor.infeed == "A1"
        assert bench.ledger.entries == {}
        assert isinstance(CameraError(bench.desk.view.reason.fault.code), CameraError)  # type: ignore[union-attr]
