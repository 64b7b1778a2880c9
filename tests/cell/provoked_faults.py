"""How each fault is provoked in a cell on fakes, for those that no named fault of the simulated cell stands for.

A mischief breaks something of a running bench and returns what mends it.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from station.cell.scan import ArmedTurn, Scan
from station.core import spot_check
from station.core.clock import SystemClock
from station.core.errors import CameraError, JigError, ModelError, PartError, RecordError, RobotError, StationError
from station.core.judgement import Published
from station.core.timeline import Delivery
from tests.cell.wired_bench import MAGIC, PLC_MAGIC, WiredBench
from tests.contract.fake_camera import Misfortune, Mishap
from tests.housings import Verdict

ALWAYS = 1_000_000
LATE_NS = 60_000_000_000
FAMILY: dict[str, type[StationError]] = {
    "camera": CameraError, "part": PartError, "jig": JigError, "robot": RobotError, "model": ModelError,
    "record": RecordError,
}  # fmt: skip

Mend = Callable[[], object]
Mischief = Callable[[WiredBench, int], Mend]
"""Breaks something for so many times; returns what mends it."""


@dataclass(frozen=True)
class Provoked:
    """One fault, how it comes about, and the configuration that it needs."""

    code: str
    mischief: Mischief
    settings: dict[str, dict[str, object]] = field(default_factory=dict)


class SlowClock(SystemClock):
    """A monotonic clock that a test can put forward."""

    def __init__(self) -> None:
        self.forward_ns = 0

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self.forward_ns


def error(code: str) -> StationError:
    """The error that a driver, or the part of the station that it is of, raises for this code."""
    return FAMILY.get(code.split(".", maxsplit=1)[0], StationError)(code, "planted")


def raising(owner: str, method: str, fault: str | Exception) -> Mischief:
    """A coroutine of `cell.OWNER` raises for the next times that it is called."""

    def break_it(bench: WiredBench, times: int) -> Mend:
        device: Any = _find(bench, owner)
        left, sound = [times], getattr(device, method)

        async def broken(*arguments: Any) -> Any:
            left[0] -= 1
            if left[0] >= 0:
                raise error(fault) if isinstance(fault, str) else fault
            return await sound(*arguments)

        setattr(device, method, broken)
        return lambda: setattr(device, method, sound)

    return break_it


def turn_fails(code: str) -> Mischief:
    """The camera fails in the next turns."""

    def break_it(bench: WiredBench, times: int) -> Mend:
        camera, left = bench.cell.camera, [times]
        sound = camera.turn

        @asynccontextmanager
        async def broken() -> AsyncIterator[Any]:
            left[0] -= 1
            if left[0] >= 0:
                raise error(code)
            async with sound() as turn:
                yield turn

        camera.turn = broken  # type: ignore[method-assign]
        return lambda: setattr(camera, "turn", sound)

    return break_it


def block_lost(bench: WiredBench, times: int) -> Mend:
    """A block of the next turns is lost."""
    bench.cell.camera._misfortunes[:] = [Misfortune(Mishap.LOST, 3)] * times
    return bench.cell.camera._misfortunes.clear


def block_repeated(bench: WiredBench, times: int) -> Mend:
    """The camera gives a block of the next turns the number of the one before."""
    camera, left = bench.cell.camera, [times]
    sound = camera.block

    def broken(index: int, frame_id: int, lines: int) -> Any:
        block = sound(index, frame_id, lines)
        if frame_id != 3:
            return block
        left[0] -= 1
        return replace(block, frame_id=2) if left[0] >= 0 else block

    camera.block = broken  # type: ignore[method-assign]
    return lambda: setattr(camera, "block", sound)


def jig_too_fast(bench: WiredBench, times: int) -> Mend:
    """The jig is found to turn too fast in the next turns."""
    jig, left = bench.cell.jig, [times]
    sound, spin = jig.status, jig.spin

    async def counted(order: Any) -> Any:
        left[0] -= 1
        return await spin(order)

    async def broken() -> Any:
        status = await sound()
        return replace(status, speed_rpm=status.speed_rpm * 1.1) if left[0] >= 0 else status

    jig.status, jig.spin = broken, counted  # type: ignore[method-assign]
    return lambda: setattr(jig, "status", sound)


def clock_late(bench: WiredBench, _times: int) -> Mend:
    """A minute passes unseen in every judgement."""
    clock: Any = bench.cell.clock
    clock.forward_ns = LATE_NS
    return lambda: setattr(clock, "forward_ns", 0)


def scan_without_a_strip(bench: WiredBench, _times: int) -> Mend:
    """The last strip's scores get lost."""
    sound = ArmedTurn.finish

    async def broken(turn: ArmedTurn, beside: Any) -> Scan:
        scan = await sound(turn, beside)
        return replace(scan, answers=[*scan.answers[:-1], LookupError()])

    ArmedTurn.finish = broken  # type: ignore[method-assign]
    return lambda: setattr(ArmedTurn, "finish", sound)


def lamp_aged(bench: WiredBench, _times: int) -> Mend:
    """The lamp gives half of its light."""
    camera = bench.cell.camera
    sound, camera.image = camera.image, camera.image // 2
    return lambda: setattr(camera, "image", sound)


def network_unsure(bench: WiredBench, _times: int) -> Mend:
    """The network is unsure."""
    bench.cell.classifier.probability = 0.4
    return lambda: setattr(bench.cell.classifier, "probability", 0.96)


def network_not_sure_enough(bench: WiredBench, _times: int) -> Mend:
    """The network is sure enough for the configuration, and not for what is promised of it."""
    bench.cell.classifier.probability = 0.55
    return lambda: setattr(bench.cell.classifier, "probability", 0.96)


def lot_falls_on_it(_bench: WiredBench, _times: int) -> Mend:
    """Every part is drawn to be looked at."""
    fair = spot_check.lot_of
    spot_check.lot_of = lambda _name, _seed: 0.0
    return lambda: setattr(spot_check, "lot_of", fair)


def network_changes_its_mind(bench: WiredBench, _times: int) -> Mend:
    """The network takes every part for a good one, unsurely, and in the next turn for a defective one."""
    jig, classifier, turns = bench.cell.jig, bench.cell.classifier, [0]
    sound = jig.spin

    async def turning(order: Any) -> Any:
        again = turns[0] % 2 == 1
        turns[0] += 1
        classifier.says, classifier.probability = (Verdict.PITS, 0.96) if again else (Verdict.DEFECT_FREE, 0.4)
        return await sound(order)

    def mend() -> None:
        jig.spin = sound  # type: ignore[method-assign]
        classifier.says, classifier.probability = Verdict.DEFECT_FREE, 0.96

    jig.spin = turning  # type: ignore[method-assign]
    return mend


def network_never_saw_it(bench: WiredBench, _times: int) -> Mend:
    """The part is unlike all that the network was trained on."""
    bench.cell.classifier.known.score = 2.0
    return lambda: setattr(bench.cell.classifier.known, "score", 0.5)


def network_answers_nan(bench: WiredBench, _times: int) -> Mend:
    """The network's answers are no numbers."""
    classifier = bench.cell.classifier
    sound = classifier.score
    classifier.score = lambda patches: np.full((len(patches), 5), np.nan, np.float32)  # type: ignore[method-assign]
    return lambda: setattr(classifier, "score", sound)


def network_fails(bench: WiredBench, _times: int) -> Mend:
    """The engine fails."""
    bench.cell.classifier.failure = error("model.engine_failed")
    return lambda: setattr(bench.cell.classifier, "failure", None)


def line_of_another_map(bench: WiredBench, _times: int) -> Mend:
    """The PLC's constant is wrong."""
    bench.line.say(PLC_MAGIC, 0)
    return lambda: bench.line.say(PLC_MAGIC, MAGIC)


def result_out_of_range(bench: WiredBench, times: int) -> Mend:
    """The next result has a confidence that no register can hold."""
    sink: Any = bench.cell.plc.results
    left, sound = [times], sink.publish

    async def broken(result: Published) -> Delivery:
        left[0] -= 1
        wild = replace(result, decision=replace(result.decision, confidence=99.0))
        return await sound(wild if left[0] >= 0 else result)

    sink.publish = broken
    return lambda: setattr(sink, "publish", sound)


def stranger_on_the_jig(bench: WiredBench, _times: int) -> Mend:
    """A part that nobody knows lies on the jig."""
    bench.cell.floor.jig = "stranger"
    return lambda: setattr(bench.cell.floor, "jig", None)


def _find(bench: WiredBench, path: str) -> Any:
    found: Any = bench.cell
    for name in path.split("."):
        found = getattr(found, name)
    return found


RESCANNED = (
    Provoked("camera.lost", turn_fails("camera.lost")),
    Provoked("camera.timeout", turn_fails("camera.timeout")),
    Provoked("camera.process_died", turn_fails("camera.process_died")),
    Provoked("scan.incomplete", block_lost),
    Provoked("scan.out_of_order", block_repeated),
    Provoked("jig.slipped", jig_too_fast),
)
"""Strike one scan: the part is scanned again. Strike both: it goes to review, with the code as its reason."""

REVIEWED = (
    Provoked("scan.late", clock_late, {"decision": {"deadline_ms": 5000.0}}),
    Provoked("scan.judged_in_part", scan_without_a_strip),
    Provoked("part.low_confidence", network_unsure),
    Provoked("scan.wrong_light", lamp_aged, {"light": {"reference": 155.0, "max_gain": 1.0}}),
    Provoked("part.unknown", network_never_saw_it),
    Provoked("part.looks_differ", network_changes_its_mind, {"decision": {"second_look": 100}}),
    Provoked("part.spot_check", lot_falls_on_it, {"decision": {"spot_check": 1_000_000}}),
    Provoked("part.not_promised", network_not_sure_enough),
)
"""The part goes to review with the code as its reason, and the cell runs on by itself."""

HELD_WITH_REVIEW = (
    Provoked("camera.bad_image", turn_fails("camera.bad_image")),
    Provoked("jig.refused", raising("jig", "spin", "jig.refused")),
    Provoked("model.bad_scores", network_answers_nan),
    Provoked("model.engine_failed", network_fails),
)
"""The part goes to review with the code as its reason, and the cell is Held for the same one."""

HELD = (
    Provoked("camera.not_found", raising("camera", "prepare", "camera.not_found")),
    Provoked("camera.feature_refused", raising("camera", "prepare", "camera.feature_refused")),
    Provoked("camera.not_back", raising("camera", "prepare", "camera.not_back")),
    Provoked("scan.failing", turn_fails("camera.timeout"), {"camera": {"failed_turns": 1}}),
    Provoked("robot.refused", raising("robot", "unload", "robot.refused")),
    Provoked("plc.wrong_map", line_of_another_map),
    Provoked("record.disk_failed", raising("ledger", "judged", "record.disk_failed")),
    Provoked("record.locked", raising("ledger", "judged", "record.locked")),
    Provoked("record.database_damaged", raising("ledger", "enter", "record.database_damaged")),
)
"""The cell is Held; the part stays where it is, or goes to review."""

NOT_READY = (
    Provoked("camera.no_producer", raising("camera", "open", "camera.no_producer")),
    Provoked("camera.not_found", raising("camera", "open", "camera.not_found")),
    Provoked("jig.wrong_map", raising("jig", "connect", "jig.wrong_map")),
    Provoked("robot.wrong_map", raising("robot", "connect", "robot.wrong_map")),
    Provoked("part.unexpected", stranger_on_the_jig),
)
"""Reset ends in Stopped, and ends well once the cause is mended."""

ABORTED = (
    Provoked("station.bug", raising("built.motion", "spin", RuntimeError("planted"))),
    Provoked("station.value_out_of_range", result_out_of_range),
)
"""The cell is Aborted with the part in it, which goes to review after Clear and Reset."""
