"""One part's journey through the cell, top to bottom.

waiting at the infeed → taken on → on the jig → turning, scanned, judged → published, recorded, jig at rest → in its bin
"""

from dataclasses import dataclass, replace

import structlog

from station.cell.announcement import Intake
from station.cell.concluding import Judged, Setup, review, spot_checked
from station.cell.drift_watch import DriftWatch
from station.cell.inspector import Inspector
from station.cell.overload import OverloadWatch
from station.cell.references import References
from station.cell.sorting import Recorded, Sorting
from station.cell.stage import Stage
from station.core.broadcast import Broadcast
from station.core.clock import Clock
from station.core.events import PartDecided, PartEntered, ScanJudged
from station.core.part import Inspection
from station.core.study import Study
from station.core.wakefulness import cores_awake


@dataclass(frozen=True, slots=True)
class Posts:
    """Where a part is worked on along its way, and who tells of it.

    Attributes:
        intake: Takes it on and loads it.
        inspector: Turns, scans and judges it.
        sorting: Publishes, records, and brings it to its place.
        references: Says which parts go back to people whatever they are judged to be.
        overload: Looks at whether the network kept up.
        drift: Looks at whether things are as they were.
        clock: Monotonic time.
        broadcast: Tells of its steps.
        keep_awake: Whether the cores are kept awake from loading until the jig rests.
    """

    intake: Intake
    inspector: Inspector
    sorting: Sorting
    references: References
    overload: OverloadWatch
    drift: DriftWatch
    clock: Clock
    broadcast: Broadcast
    keep_awake: bool


class Journey:
    """The way of one part from post to post.

    Args:
        inspection: Its inspection.
        stage: Where it begins or goes on.
        setup: What the part is scanned and judged with.
        posts: Where it is worked on.
    """

    def __init__(self, inspection: Inspection, stage: Stage, setup: Setup, posts: Posts) -> None:
        self._inspection = inspection
        self._stage = stage
        self._setup = setup
        self._posts = posts

    async def run(self) -> Judged | None:
        """Take the part through; how it was judged, or None where it was withdrawn before it was loaded.

        Raises:
            StationError: Something that the cell, not only this part, has to react to; wherever the part can still be
                moved it lies in REVIEW and its record is closed.
        """
        inspection, posts = self._inspection, self._posts
        with structlog.contextvars.bound_contextvars(
            part_id=inspection.part.part_id, inspection=inspection.inspection_id
        ):
            started_ns = posts.clock.monotonic_ns()
            posts.broadcast.tell(PartEntered(inspection))
            with cores_awake(wanted=posts.keep_awake):
                if self._stage is not Stage.SCAN and not await posts.intake.take_on(inspection, self._stage):
                    return None
                recorded = await self._judge_and_record()
            self._tell(recorded)
            await posts.drift.tell(inspection, recorded.judged.judgement.watched)
            await posts.sorting.list_defects(inspection, recorded)
            await posts.overload.check(inspection, recorded.judged.judgement.times)
            await posts.sorting.unload(inspection, recorded, started_ns)
            return recorded.judged

    async def _judge_and_record(self) -> Recorded:
        """Judge the part on the jig; the decision is published and recorded, the jig at rest."""
        inspection, posts = self._inspection, self._posts
        studied = posts.references.study.study
        trials = await posts.references.study.trials_left(studied, inspection)
        setup = self._setup
        for trial in trials[:-1]:
            setup = await self._try(setup, studied, trial)
        inspector = posts.inspector
        looking = inspector.judged if studied is None else inspector.tried
        async with looking(inspection, setup) as judged:
            shown = self._shown(judged, studied)
            recorded = await posts.sorting.publish_and_record(inspection, shown, setup.recipe)
        await self._note(judged, studied, trials[-1:])
        return recorded

    async def _try(self, setup: Setup, studied: Study | None, trial: int) -> Setup:
        """Turn and judge a part of a study once, to be turned again; with what it is scanned then."""
        posts = self._posts
        async with posts.inspector.tried(self._inspection, setup) as judged:
            posts.broadcast.release()
            await self._note(judged, studied, range(trial, trial + 1))
        return await posts.inspector.ready_again(setup)

    def _shown(self, judged: Judged, studied: Study | None) -> Judged:
        """The part as it is published and recorded: a spot check by lot, or a part that goes back to people anyway."""
        judgement = judged.judgement
        reason = self._posts.references.withheld(self._inspection, judgement, studied)
        if reason is None:
            drawn = spot_checked(judged, self._inspection.inspection_id, self._setup)
            return replace(drawn, watching=lambda: self._posts.drift.take(self._inspection, drawn.watching()))
        withheld = review(self._setup.recipe.rule.review, reason, judgement.decision)
        return replace(judged, judgement=replace(judgement, decision=withheld))

    async def _note(self, judged: Judged, studied: Study | None, trials: range) -> None:
        """Write down what a part that tries the station was judged to be."""
        references, judgement = self._posts.references, judged.judgement
        if studied is None:
            await references.challenge.judged(self._inspection, judgement, self._setup.recipe)
            return
        for trial in trials:
            await references.study.keep(studied, self._inspection, judgement, trial)

    def _tell(self, recorded: Recorded) -> None:
        judgement = recorded.judged.judgement
        decision, late_ms = judgement.decision, judgement.ms_after_last_line
        self._posts.broadcast.tell(ScanJudged(self._inspection, judgement))
        self._posts.broadcast.tell(PartDecided(self._inspection, decision, late_ms, judgement.times, recorded.settled))
