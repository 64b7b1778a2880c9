"""The cell and one part's journey through it, top to bottom.

waiting at the infeed → taken on → on the jig → turning, scanned, judged → published, recorded, jig at rest → in its bin
"""

import asyncio
from dataclasses import dataclass, replace
from functools import partial

import structlog

from station.cell.announcement import Intake
from station.cell.compute import ComputeThread
from station.cell.judging import SurfaceJudge
from station.cell.line import Line
from station.cell.locating import find_defects
from station.cell.motion import Motion
from station.cell.recovery import Closed, Recovery, Resumed, Stage, review
from station.cell.scan import Scan, Scanner
from station.core.clock import Clock
from station.core.errors import FAULTS, BugError, CameraError, Fault, JigError, PartError, Reaction, StationError
from station.core.events import (
    NetworkOverloaded,
    PartDecided,
    PartEntered,
    PartLost,
    PartSorted,
    PartWithdrawn,
    ScanJudged,
    StepStarted,
    Watcher,
)
from station.core.judgement import Defect, JudgedBy, Judgement, Published
from station.core.part import Announcement, FeatureSnapshot, Inspection, LineAccount, PartType, ScanHealth
from station.core.ports.camera import LineCamera
from station.core.ports.line import LinePlc
from station.core.ports.records import PartLedger
from station.core.recipe import Recipe, Recipes
from station.core.settings import Settings
from station.core.timeline import Delivery, ScanTimes, load_of
from station.core.verdicts import Place
from station.core.wakefulness import cores_awake
from station.flow.decide import decide
from station.flow.sort import check_place, lay_away, settle

log = structlog.get_logger()
GOES_ON = frozenset({Reaction.RESCAN, Reaction.REVIEW})


@dataclass(frozen=True, slots=True)
class Equipment:
    """Everything that the cell works with; real or simulated, it cannot tell."""

    camera: LineCamera
    motion: Motion
    plc: LinePlc
    recipes: Recipes
    ledger: PartLedger
    compute: ComputeThread
    clock: Clock


class Cell:
    """What the cell can do: get ready, take the next part through, and clear itself.

    Args:
        equipment: Devices, network, records.
        line: The talk with the PLC.
        settings: The configuration.
        watch: Told of every step, for a live view.
    """

    def __init__(self, equipment: Equipment, line: Line, settings: Settings, watch: Watcher) -> None:
        self._camera = equipment.camera
        self._motion = equipment.motion
        self._plc = equipment.plc
        self._recipes = equipment.recipes
        self._table = settings.table
        self._ledger = equipment.ledger
        self._compute = equipment.compute
        self._clock = equipment.clock
        self._line = line
        self._settings = settings
        self._watch = watch
        self._scanner = Scanner(equipment.camera, equipment.compute, equipment.clock, watch, settings.camera.chunks)
        self._intake = Intake(equipment.plc, line, equipment.motion)
        self._recovery = Recovery(
            equipment.motion, equipment.ledger, self._publish, line.room_for, self._closed, settings.table, self._judges
        )
        self._resumed: Resumed | None = None
        self._config_sha256 = settings.sha256
        self._failed_turns = 0
        self._kept_up = True
        self.processed = 0
        self.defective = 0
        self.overloaded = 0

    # ------------------------------------------------------------------ the way of one part

    async def inspect(self, part: Announcement) -> None:
        """Take one announced part through the whole cell; one that is withdrawn before it is loaded stays where it is.

        Raises:
            StationError: Something that the cell, not only this part, has to react to; wherever the part can still be
                moved it lies in REVIEW and its record is closed.
        """
        recipe = self._recipe_of(part)
        features = await self._prepare(recipe.part_type)
        inspection = await self._ledger.enter(part, recipe.part_type)
        await self._take_through(Resumed(inspection, Stage.LOAD), recipe, features)

    async def resume(self) -> bool:
        """Take up the inspection that was in flight before the cell was cleared; False when there is none.

        Raises:
            StationError: As for `inspect`.
        """
        if (resumed := self._resumed) is None:
            return False
        recipe = self._recipes.named(resumed.inspection.part_type.name)
        if recipe is None:
            raise BugError("station.bug", f"resumed without a recipe for {resumed.inspection.part_type.name}")
        inspection = replace(resumed.inspection, part_type=recipe.part_type)  # as it is scanned now
        features = await self._prepare(recipe.part_type)
        self._resumed = None
        await self._take_through(Resumed(inspection, resumed.stage), recipe, features)
        return True

    async def _take_through(self, taken: Resumed, recipe: Recipe, features: FeatureSnapshot) -> None:
        inspection, started_ns = taken.inspection, self._clock.monotonic_ns()
        names = {"part_id": inspection.part.part_id, "inspection": inspection.inspection_id}
        with structlog.contextvars.bound_contextvars(**names):
            self._watch(PartEntered(inspection))
            with cores_awake(wanted=self._settings.model.keep_awake):
                if taken.stage is not Stage.SCAN and not await self._loaded(taken):
                    return
                try:
                    judgement, trouble = await self._look_twice(inspection, recipe, features)
                    judgement, settled = await settle(
                        inspection,
                        judgement,
                        self._motion,
                        self._publish,
                        partial(self._locate, recipe),
                        self._ledger,
                        self._clock,
                    )
                finally:
                    await self._scanner.disarm()
            self._watch(ScanJudged(inspection, judgement))
            decided = PartDecided(
                inspection, judgement.decision, judgement.ms_after_last_line, judgement.times, settled
            )
            self._watch(decided)
            await self._plc.list_defects(inspection, judgement.defects)
            await self._check_load(inspection, judgement.times)
            await self._line.room_for(judgement.decision.destination)
            self._step(inspection, "unload")
            confirmed = await lay_away(
                inspection, judgement, self._motion, self._publish, self._ledger, settled, self._table
            )
            self._count(inspection, judgement, confirmed, started_ns)
            check_place(judgement.decision.destination, confirmed)
            self._react(trouble, judgement.account)

    async def _loaded(self, taken: Resumed) -> bool:
        """Accept the part and have it loaded; False where it was withdrawn: its inspection is closed."""
        try:
            await self._intake.accept(taken.inspection)
            self._step(taken.inspection, "load")
            await self._intake.load(taken.inspection)
        except PartError as error:
            await self._close_unloaded(taken, error)
            return False
        return True

    async def _close_unloaded(self, taken: Resumed, error: PartError) -> None:
        """Close what is not to be loaded any more.

        The part counts as lost where the robot may have it all the same, and the PLC does not show it as waiting. The
        PLC has it back first: after a power loss between the two it is looked at once more, and not forgotten.
        """
        inspection = taken.inspection
        await self._plc.give_back(inspection)
        if taken.stage is Stage.LOAD_IN_DOUBT and self._plc.announced() != inspection.part:
            await self._recovery.lose(inspection, f"the robot may have taken it before it began anew; {error.detail}")
            return
        await self._ledger.withdrawn(inspection, error.fault, error.detail)
        self._watch(PartWithdrawn(inspection, error.fault, error.detail))
        log.warning("part_withdrawn", fault=error.code, detail=error.detail)

    def _react(self, trouble: StationError | None, account: LineAccount) -> None:
        """Raise what the cell, not only the part, has to react to.

        A camera that failed in a turn is left to the next `prepare`, which brings it back or fails itself; only when
        turn after turn gives no complete scan, the cell is Held.
        """
        if trouble is not None and trouble.fault.reaction not in GOES_ON:
            raise trouble
        self._failed_turns = 0 if account.fault is None else self._failed_turns + 1
        if account.fault is not None and self._failed_turns >= self._settings.camera.failed_turns:
            failed, self._failed_turns = self._failed_turns, 0
            last = trouble or PartError(account.fault.code, account.detail)
            detail = f"{failed} parts in a row had no whole scan, the last one {last.code}: {last.detail}"
            raise PartError("scan.failing", detail)

    async def _prepare(self, part_type: PartType) -> FeatureSnapshot:
        return await self._camera.prepare(part_type.recipe)

    async def _look_twice(
        self, inspection: Inspection, recipe: Recipe, features: FeatureSnapshot
    ) -> tuple[Judgement, StationError | None]:
        """Look at the part, and once more where the fault's reaction is to scan again."""
        judgement, trouble = await self._look_at(inspection, recipe, features)
        fault = judgement.decision.fault
        if fault is None or fault.reaction is not Reaction.RESCAN:
            return judgement, trouble
        log.warning("part_rescanned", fault=fault.code, detail=judgement.decision.detail)
        await self._ledger.note(
            "part_rescanned", f"{inspection.inspection_id} {fault.code}: {judgement.decision.detail}"
        )
        try:
            await self._scanner.disarm()
            features = await self._prepare(inspection.part_type)
        except CameraError as error:
            return judgement, error
        return await self._look_at(inspection, recipe, features)

    def _recipe_of(self, part: Announcement) -> Recipe:
        recipe = self._recipes.of_code(part.type_code)
        if recipe is None:
            raise PartError("part.unknown_type", f"part {part.part_id} has type code {part.type_code}")
        return recipe

    def _judges(self, part_type: str) -> bool:
        return self._recipes.named(part_type) is not None

    async def _look_at(
        self, inspection: Inspection, recipe: Recipe, features: FeatureSnapshot
    ) -> tuple[Judgement, StationError | None]:
        """Turn, scan and judge the part on the jig; a device that fails here makes it a REVIEW, to be moved away."""
        judge = SurfaceJudge(recipe.part_type, self._settings.crop, recipe.classifier, self._settings.turn)
        self._step(inspection, "spin")
        try:
            await self._motion.spin(inspection, inspection.part_type)
        except JigError as error:
            return self._unscanned(recipe, error, features), error
        self._step(inspection, "scan")
        async with self._motion.speed_watched(inspection.part_type) as speed:

            async def at_last_line() -> None:
                self._step(inspection, "decide")
                await speed.look_back()

            scan = await self._scanner.scan(inspection, judge, recipe.rule.outputs, at_last_line)
        trouble = scan.trouble or speed.trouble
        return self._conclude(recipe, scan, judge, features, trouble), trouble

    def _conclude(
        self,
        recipe: Recipe,
        scan: Scan,
        judge: SurfaceJudge,
        features: FeatureSnapshot,
        trouble: StationError | None,
    ) -> Judgement:
        now_ns = self._clock.monotonic_ns()
        times = scan.times(recipe.part_type, now_ns)
        load = load_of(times, recipe.part_type.block_s)
        late_ms = None if scan.last_line_ns is None else (now_ns - scan.last_line_ns) / 1e6
        health = ScanHealth(*_first_fault(scan.account, trouble), late_ms, str(load) if load.overloaded else "")
        return Judgement(
            decision=decide(scan.scores, health, recipe.rule),
            account=scan.account,
            roi=judge.roi,
            features=features,
            by=self._judged_by(recipe),
            times=times,
            ms_after_last_line=late_ms,
            blocks=scan.blocks,
        )

    def _unscanned(self, recipe: Recipe, error: StationError, features: FeatureSnapshot) -> Judgement:
        return Judgement(
            decision=review(self._table.review, error.fault, error.detail),
            account=LineAccount(0, 0, 0, (), 0, error.fault, "the part was not scanned"),
            roi=None,
            features=features,
            by=self._judged_by(recipe),
            times=ScanTimes(None, None, (), self._clock.monotonic_ns()),
            ms_after_last_line=None,
            blocks=(),
        )

    def _judged_by(self, recipe: Recipe) -> JudgedBy:
        return JudgedBy(
            model=recipe.classifier.model,
            classes=recipe.classifier.classes,
            config_sha256=self._config_sha256,
            recipe=recipe.part_type.name,
            recipe_sha256=recipe.sha256,
            rule=recipe.rule.rule,
            archive=recipe.archive,
        )

    async def _locate(self, recipe: Recipe, judgement: Judgement) -> tuple[Defect, ...]:
        mm_per_px = self._settings.camera.mm_per_px
        return await self._compute.submit(
            find_defects, judgement.decision, judgement.blocks, judgement.roi, recipe, mm_per_px
        )

    async def _publish(self, result: Published) -> Delivery:
        return await self._line.deliver(lambda: self._plc.publish(result))

    async def _check_load(self, inspection: Inspection, times: ScanTimes) -> None:
        """Tell that the network was slower than the line in this turn; the first of such turns in a row is noted."""
        load = load_of(times, inspection.part_type.block_s)
        kept_up, self._kept_up = self._kept_up, not load.overloaded
        if not load.overloaded:
            return
        self.overloaded += 1
        log.warning(
            "network_overloaded",
            strip_ms=round(load.strip_ms, 1),
            block_ms=round(load.block_ms, 1),
            waiting=load.waiting,
            parts=self.overloaded,
        )
        self._watch(NetworkOverloaded(inspection, load))
        if kept_up:
            await self._ledger.note("network_overloaded", f"{inspection.inspection_id} {load}")

    def _count(self, inspection: Inspection, judgement: Judgement, confirmed: Place, started_ns: int) -> None:
        decision = judgement.decision
        self.processed += 1
        self.defective += not decision.verdict.passes
        cycle_ms = (self._clock.monotonic_ns() - started_ns) / 1e6
        valid = judgement.account.valid
        late_ms, defects = judgement.ms_after_last_line, judgement.defects
        self._watch(PartSorted(inspection, decision, confirmed, late_ms, valid, cycle_ms, defects))
        log.info(
            "part_sorted",
            verdict=decision.verdict.name,
            algorithm1=decision.algorithm1 and decision.algorithm1.name,
            reason=decision.fault and decision.fault.code,
            confidence=round(decision.confidence, 4),
            bin=confirmed.name,
            model=judgement.by.model.sha256[:12],
            decision_ms=judgement.ms_after_last_line and round(judgement.ms_after_last_line, 1),
            cycle_ms=round(cycle_ms),
        )

    def _step(self, inspection: Inspection, step: str) -> None:
        self._watch(StepStarted(inspection, step))

    # ------------------------------------------------------------------ getting ready, and clearing

    async def get_ready(self) -> None:
        """Connect robot, jig and camera, warm the network up, and clear the cell of what a stop has left in it.

        Raises:
            StationError: A device or the network is not ready, or a part that nobody knows is in the cell.
        """
        for classifier in self._recipes.classifiers:
            await self._compute.submit(classifier.warm_up)
        await self._motion.connect()
        await self._camera.open()
        await self.clear()

    async def clear(self) -> None:
        """Bring jig and robot to rest and end, or prepare to take up, what was in flight.

        Raises:
            StationError: A device failed, or a part that nobody knows is in the cell.
        """
        self._resumed = await self._recovery.clear()

    async def stand_still(self) -> None:
        """Bring the jig to a standstill, if it turns.

        Raises:
            StationError: The jig cannot be reached or does not stop.
        """
        await self._motion.stand_still()

    async def stop_jig(self) -> None:
        """Order the jig to stop, whatever it does.

        Raises:
            StationError: The jig cannot be reached or does not stop.
        """
        await self._motion.stop(None)

    async def let_go(self) -> None:
        """Close camera, robot, jig and PLC."""
        await asyncio.gather(self._camera.close(), self._motion.close(), self._plc.close())

    def _closed(self, closed: Closed) -> None:
        """Count and show what recovery has closed."""
        inspection, decision = closed.inspection, closed.decision
        if closed.confirmed is None:
            self._watch(PartLost(inspection, FAULTS["part.interrupted"], decision.detail))
            return
        self.processed += 1
        self.defective += not decision.verdict.passes
        self._watch(PartSorted(inspection, decision, closed.confirmed, None, decision.fault is None, 0.0))


def _first_fault(account: LineAccount, trouble: StationError | None) -> tuple[Fault | None, str]:
    """What makes the scan invalid: a broken camera or jig before missing lines, these before what was seen on them."""
    if not account.valid and not isinstance(trouble, CameraError | JigError):
        return account.fault, account.detail
    return (trouble.fault, trouble.detail) if trouble is not None else (None, "")
