"""What a turn comes to: the judgement of its part, and what the cell itself has to react to. Pure functions."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from station.cell.scan import Scan
from station.core.drift.course import Seen, Watched
from station.core.errors import FAULTS, CameraError, JigError, Reaction, StationError
from station.core.judgement import JudgedBy, Judgement
from station.core.looks import FirstLook, weighed
from station.core.part import Decision, FeatureSnapshot, LineAccount, ScanHealth, ScanRecipe
from station.core.reason import Reason
from station.core.recipe import DecisionRule, Recipe
from station.core.timeline import ScanTimes, load_of
from station.core.verdicts import Verdict
from station.flow.decide import decide

NO_SCORES = np.zeros((0, 0), np.float32)

Watching = Callable[[], Watched | None]
"""Reckons what a scan shows beside its part; None where it shows nothing."""


def nothing() -> None:
    """A scan that shows nothing beside its part."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a part is scanned and judged with.

    Attributes:
        recipe: That of its type.
        features: The camera's features, as read back for this part.
        config_sha256: Hash of the effective configuration.
        exposure_us: What the station itself has chosen for this part; None for what its type has.
    """

    recipe: Recipe
    features: FeatureSnapshot
    config_sha256: str
    exposure_us: float | None = None

    @property
    def scan(self) -> ScanRecipe:
        """What the camera is set to for this part."""
        usual = self.recipe.part_type.recipe
        return usual if self.exposure_us is None else replace(usual, exposure_us=self.exposure_us)

    @property
    def judged_by(self) -> JudgedBy:
        """What judges, as it is recorded."""
        recipe = self.recipe
        return JudgedBy(
            model=recipe.classifier.model,
            classes=recipe.classifier.classes,
            config_sha256=self.config_sha256,
            recipe=recipe.part_type.name,
            recipe_sha256=recipe.sha256,
            rule=recipe.rule.rule,
            archive=recipe.archive,
            least_to_pass=recipe.rule.least_to_pass,
            promise=recipe.rule.promise,
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """A part that was judged.

    Attributes:
        judgement: What was decided, and what that rests on.
        error: The first thing that went wrong with camera, jig, part or network, or None.
        watching: What its scan shows beside it. The record alone needs that, so it is reckoned when the decision is on
            its way.
    """

    judgement: Judgement
    error: StationError | None
    watching: Watching = nothing

    @property
    def scan_again(self) -> Reason | None:
        """Why the part is to be scanned once more, or None."""
        decision = self.judgement.decision
        if decision.fault is None or decision.fault.reaction is not Reaction.RESCAN:
            return None
        return Reason(decision.fault, decision.detail)


def conclude(scan: Scan, error: StationError | None, setup: Setup, now_ns: int) -> Judged:
    """What a scan comes to.

    Args:
        scan: The scan.
        error: The first thing that went wrong, the jig's speed included.
        setup: What the part was scanned and judged with.
        now_ns: The moment of the decision.
    """
    recipe = setup.recipe
    times = scan.times(recipe.part_type, now_ns)
    load = load_of(times, recipe.part_type.block_s)
    late_ms = None if scan.last_line_ns is None else (now_ns - scan.last_line_ns) / 1e6
    reason = _why_invalid(scan.account, error)
    fault, detail = (reason.fault, reason.detail) if reason is not None else (None, "")
    health = ScanHealth(fault, detail, late_ms, str(load) if load.overloaded else "")
    judgement = Judgement(
        decision=decide(scan.scores, health, recipe.rule),
        account=scan.account,
        roi=scan.roi,
        features=setup.features,
        by=setup.judged_by,
        times=times,
        ms_after_last_line=late_ms,
        blocks=scan.blocks,
        light=scan.light,
    )
    return Judged(judgement, error, partial(_watched, scan, judgement.decision, setup))


def spot_checked(judged: Judged, inspection_id: str, setup: Setup) -> Judged:
    """The same part, to be looked at by people where it would pass and is drawn; the draw stays with the decision."""
    decision, recipe = judged.judgement.decision, setup.recipe
    draw = recipe.spot_check.draw(inspection_id) if decision.verdict.passes else None
    if draw is None:
        return judged
    if draw.drawn:
        decision = review(recipe.rule.review, Reason(FAULTS["part.spot_check"], str(draw)), decision)
    return replace(judged, judgement=replace(judged.judgement, decision=replace(decision, spot_check=draw)))


def unscanned(error: StationError, setup: Setup, now_ns: int) -> Judged:
    """What it comes to that the part could not be scanned: REVIEW, to be moved away."""
    judgement = Judgement(
        decision=review(setup.recipe.rule.review, Reason.of(error)),
        account=LineAccount(0, 0, 0, (), 0, error.fault, "the part was not scanned"),
        roi=None,
        features=setup.features,
        by=setup.judged_by,
        times=ScanTimes(None, None, (), now_ns),
        ms_after_last_line=None,
        blocks=(),
    )
    return Judged(judgement, error)


def looked_twice(first: Judged, second: Judged, why: str, rule: DecisionRule) -> Judged:
    """What two looks at one part come to; a second one that failed sends it to people.

    Args:
        first: The unsure judgement; what its scan shows beside the part is what counts of the part.
        second: That of one more turn, with what went wrong in it.
        why: Why the part was turned once more, for people.
        rule: What it is judged by.
    """
    before, after = first.judgement, second.judgement
    decision = weighed(before.decision, after.decision, rule.review, rule.least_to_pass)
    look = FirstLook(before.decision, why, before.ms_after_last_line)
    return Judged(replace(after, decision=decision, first_look=look), second.error, first.watching)


def review(verdict: Verdict, reason: Reason, judged: Decision | None = None) -> Decision:
    """The decision that sends a part to people; what was judged before stays in it.

    Args:
        verdict: REVIEW of the configured table.
        reason: Why.
        judged: What was decided before, or None.
    """
    if judged is None:
        return Decision(verdict, None, reason.fault, reason.detail, 0.0, None, 0, NO_SCORES)
    return replace(judged, verdict=verdict, fault=reason.fault, detail=reason.detail)


def _watched(scan: Scan, decision: Decision, setup: Setup) -> Watched | None:
    """What a valid scan shows beside its part, and how unlike the training a part is that Algorithm 1 passes."""
    beside, kind = scan.look_beside(), setup.recipe.part_type
    if beside is None or not scan.account.valid:
        return None
    per_exposure = kind.exposure_us / setup.scan.exposure_us
    lamp = None if beside.lamp is None else round(beside.lamp * per_exposure, 4)
    counts = decision.algorithm1 is not None and decision.algorithm1.passes and decision.novelty is not None
    score = decision.novelty.score if counts and decision.novelty is not None else None
    return Watched(Seen(lamp, beside.edge_px, beside.streak, score, covered=beside.covered))


def _why_invalid(account: LineAccount, error: StationError | None) -> Reason | None:
    """What makes the scan invalid: a broken camera or jig before missing lines, these before what was seen on them."""
    if account.fault is not None and not isinstance(error, CameraError | JigError):
        return Reason(account.fault, account.detail)
    return Reason.of(error) if error is not None else None
