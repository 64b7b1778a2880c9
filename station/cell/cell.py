"""The cell: gets ready, takes one part after the other through, and clears itself of what a stop has left in it."""

import asyncio
from dataclasses import dataclass, replace
from typing import Self

from station.cell.announcement import Intake
from station.cell.budget import ReviewBudgets
from station.cell.compute import ComputeThread
from station.cell.concluding import Judged, Setup
from station.cell.counters import Counters, FailedTurns
from station.cell.delivery import LineResults
from station.cell.drift_watch import DriftWatch
from station.cell.exposure import ExposureControl
from station.cell.inspector import Demands, Inspector
from station.cell.journey import Journey, Posts
from station.cell.locating import Locator
from station.cell.motion import Motion
from station.cell.overload import OverloadWatch
from station.cell.recovery import Recovery
from station.cell.references import References
from station.cell.scan import Scanner
from station.cell.second_looks import SHIFT, SecondLooks
from station.cell.sorting import Sorting
from station.cell.stage import Resumed, Stage
from station.core.broadcast import Broadcast
from station.core.camera_settings import ChunkSettings
from station.core.clock import Clock
from station.core.errors import BugError, PartError, Reaction
from station.core.part import Announcement, Inspection
from station.core.ports.camera import LineCamera
from station.core.ports.line import PartFeed
from station.core.ports.records import PartLedger
from station.core.recipe import Recipe, Recipes
from station.core.settings import Settings
from station.core.verdicts import Classes

GOES_ON = frozenset({Reaction.RESCAN, Reaction.REVIEW})
"""What a part's error may ask for without the cell having to react to it."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """Everything that the cell works with; real or simulated, it cannot tell."""

    camera: LineCamera
    motion: Motion
    feed: PartFeed
    recipes: Recipes
    ledger: PartLedger
    compute: ComputeThread
    clock: Clock
    references: References


@dataclass(frozen=True, slots=True)
class CellSettings:
    """What the cell takes of the configuration.

    Attributes:
        demands: What is demanded of a scan.
        chunks: What the camera's marks of its lines must come to.
        failed_turns: After so many turns in a row without a whole scan the cell is Held.
        mm_per_px: What one column is along the part's axis, or None.
        keep_awake: Whether the cores are kept awake while a part turns.
        second_look: How many parts may be looked at again in eight hours.
        table: Which verdicts and places there are.
        sha256: Hash of the effective configuration.
    """

    demands: Demands
    chunks: ChunkSettings
    failed_turns: int
    mm_per_px: float | None
    keep_awake: bool
    second_look: int
    table: Classes
    sha256: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """What it takes of this configuration."""
        return cls(
            demands=Demands(settings.crop, settings.turn, settings.drift.reference_px),
            chunks=settings.camera.chunks,
            failed_turns=settings.camera.failed_turns,
            mm_per_px=settings.camera.mm_per_px,
            keep_awake=settings.model.keep_awake,
            second_look=settings.decision.second_look,
            table=settings.table,
            sha256=settings.sha256,
        )


class Cell:
    """What the cell can do: get ready, take the next part through, and clear itself.

    Args:
        equipment: Devices, network, records.
        results: What the line is told of parts.
        counters: Where they are counted.
        settings: What it takes of the configuration.
        broadcast: Tells of every step.
        drift: Looks at whether things are as they were.
    """

    def __init__(
        self,
        equipment: Equipment,
        results: LineResults,
        counters: Counters,
        settings: CellSettings,
        broadcast: Broadcast,
        drift: DriftWatch,
    ) -> None:
        self._equipment = equipment
        self._config_sha256 = settings.sha256
        self._failed_turns = FailedTurns(settings.failed_turns)
        self._resumed: Resumed | None = None
        self._drift = drift
        self._exposure = ExposureControl(equipment.ledger)
        self._budgets = ReviewBudgets()
        self._has_gone_on = False
        motion, ledger, clock = equipment.motion, equipment.ledger, equipment.clock
        locator = Locator(equipment.compute, settings.mm_per_px)
        scanner = Scanner(equipment.camera, equipment.compute, clock, broadcast, settings.chunks)
        self._looks = SecondLooks(settings.second_look, clock)
        sorting = Sorting(motion, ledger, results, locator, counters, clock, broadcast, settings.table)
        self._posts = Posts(
            Intake(equipment.feed, results, motion, ledger, sorting, broadcast),
            Inspector(equipment.camera, scanner, motion, ledger, clock, broadcast, settings.demands, self._looks),
            sorting,
            equipment.references,
            OverloadWatch(ledger, counters, broadcast),
            drift,
            clock,
            broadcast,
            settings.keep_awake,
        )
        self._recovery = Recovery(motion, ledger, sorting, equipment.recipes, settings.table)

    # ------------------------------------------------------------------ one part after the other

    async def inspect(self, part: Announcement) -> None:
        """Take one announced part through the whole cell; one that is withdrawn before it is loaded stays where it is.

        Raises:
            StationError: Something that the cell, not only this part, has to react to; wherever the part can still be
                moved it lies in REVIEW and its record is closed.
        """
        recipe = self._equipment.recipes.of_code(part.type_code)
        if recipe is None:
            raise PartError("part.unknown_type", f"part {part.part_id} has type code {part.type_code}")
        setup = await self._prepare(recipe)
        await self._equipment.references.challenge.take_on(recipe)
        inspection = await self._equipment.ledger.enter(part, recipe.part_type)
        await self._take_through(inspection, Stage.LOAD, setup)

    async def resume(self) -> bool:
        """Take up the inspection that was in flight before the cell was cleared; False when there is none.

        Raises:
            StationError: As for `inspect`.
        """
        if (resumed := self._resumed) is None:
            return False
        recipe = self._equipment.recipes.named(resumed.inspection.part_type.name)
        if recipe is None:
            raise BugError("station.bug", f"resumed without a recipe for {resumed.inspection.part_type.name}")
        inspection = replace(resumed.inspection, part_type=recipe.part_type)  # as it is scanned now
        setup = await self._prepare(recipe)
        self._resumed = None
        await self._take_through(inspection, resumed.stage, setup)
        return True

    async def _prepare(self, recipe: Recipe) -> Setup:
        recipe = self._drift.ruled(self._budgets.granted(recipe))
        setup = Setup(recipe, {}, self._config_sha256, self._exposure.exposure_us(recipe))
        return replace(setup, features=await self._equipment.camera.prepare(setup.scan))

    async def _take_through(self, inspection: Inspection, stage: Stage, setup: Setup) -> None:
        judged = await Journey(inspection, stage, setup, self._posts).run()
        if judged is not None:
            await self._exposure.learn(setup, judged.judgement)
            self._budgets.take(setup.recipe, judged.judgement.decision)
            self._react(judged)
            self._equipment.references.challenge.check(inspection)

    def _react(self, judged: Judged) -> None:
        """Raise what the cell, not only the part, has to react to.

        A camera that failed in a turn is left to the next `prepare`, which brings it back or fails itself; only when
        turn after turn gives no complete scan, the cell is Held.
        """
        if judged.error is not None and judged.error.fault.reaction not in GOES_ON:
            raise judged.error
        self._failed_turns.take(judged.judgement.account, judged.error)

    # ------------------------------------------------------------------ getting ready, and clearing

    async def get_ready(self) -> None:
        """Connect robot, jig and camera, warm the networks up, and clear the cell of what a stop has left in it.

        Raises:
            StationError: A device or a network is not ready, or a part that nobody knows is in the cell.
        """
        await self._go_on()
        for classifier in self._equipment.recipes.classifiers:
            await self._equipment.compute.submit(classifier.warm_up)
        await self._equipment.motion.connect()
        await self._equipment.camera.open()
        await self.clear()

    async def _go_on(self) -> None:
        """Take up where the records stand; once, however often the cell gets ready.

        Raises:
            RecordError: They cannot be read.
        """
        await self._drift.begin(self._equipment.recipes)
        if not self._has_gone_on:
            spent = await self._equipment.ledger.spent(self._equipment.clock.now() - SHIFT)
            self._looks.go_on(spent.second_looks)
            self._budgets.go_on(spent.reviews)
            self._has_gone_on = True

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
        await self._equipment.motion.stand_still()

    async def stop_jig(self) -> None:
        """Order the jig to stop, whatever it does.

        Raises:
            StationError: The jig cannot be reached or does not stop.
        """
        await self._equipment.motion.stop(None)

    async def close(self) -> None:
        """Let camera, robot and jig go."""
        await asyncio.gather(self._equipment.camera.close(), self._equipment.motion.close())
