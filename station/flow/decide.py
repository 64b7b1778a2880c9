"""Step 5, decide: 16 scores and the health of the scan become one decision. Pure functions.

`station.core.algorithm1` looks at the scores alone. The guard here then turns its verdict into REVIEW unless the scan
is valid, all 16 patches were judged, in time, and with confidence; nothing else can become DEFECT_FREE. Both results
are kept.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from station.core.algorithm1 import Outcome, algorithm1
from station.core.classes import SurfaceClass, Verdict
from station.core.errors import FAULTS, Fault
from station.core.geometry import BLOCKS_PER_TURN, PATCHES_PER_STRIP
from station.core.part import Decision, Probabilities, ScanHealth, Scores
from station.core.settings import DecisionSettings


def decide(scores: Sequence[Scores], health: ScanHealth, settings: DecisionSettings) -> Decision:
    """What is to become of the part; whatever could not be judged goes to REVIEW.

    The first reason found is given, in this order: the scan's own fault, scores that are no probabilities, patches
    that were not judged, lateness, low confidence.

    Args:
        scores: One entry a strip, in any order.
        health: The scan's fault and the time that the judgement took.
        settings: Lowest confidence and deadline.
    """
    ordered = sorted(scores, key=lambda strip: strip.index)
    rows = [strip.probabilities for strip in ordered]
    probabilities = np.concatenate(rows) if rows else np.zeros((0, len(SurfaceClass)), np.float32)
    judged_whole = _is_whole(ordered) and _are_probabilities(probabilities)
    outcome = algorithm1(probabilities) if judged_whole else None
    reason = next(_reasons(ordered, probabilities, outcome, health, settings), None)
    return Decision(
        verdict=Verdict.REVIEW if reason or outcome is None else outcome.verdict,
        algorithm1=outcome.verdict if outcome else None,
        fault=reason[0] if reason else None,
        detail=reason[1] if reason else "",
        confidence=outcome.confidence if outcome else 0.0,
        deciding_patch=outcome.deciding_patch if outcome else None,
        defect_patches=outcome.defect_patches if outcome else 0,
        probabilities=probabilities,
    )


def _reasons(
    scores: Sequence[Scores],
    probabilities: Probabilities,
    outcome: Outcome | None,
    health: ScanHealth,
    settings: DecisionSettings,
) -> Iterator[tuple[Fault, str]]:
    if health.fault is not None:
        yield health.fault, health.detail
    if not _are_probabilities(probabilities):
        yield FAULTS["model.bad_scores"], "a score is not a number from 0 to 1"
    if not _is_whole(scores):
        judged = ", ".join(str(strip.index) for strip in scores) or "none"
        yield (
            FAULTS["scan.judged_in_part"],
            f"strips judged: {judged}; needed is each of 0 to {BLOCKS_PER_TURN - 1} once",
        )
    if late := _lateness(health.ms_after_last_line, settings.deadline_ms):
        yield FAULTS["scan.late"], f"{late}; {health.cause}" if health.cause else late
    if outcome is not None and outcome.confidence < settings.min_confidence:
        seen = f"{outcome.verdict.label} in patch {outcome.deciding_patch} with {outcome.confidence:.3f}"
        yield FAULTS["part.low_confidence"], f"{seen}, the minimum is {settings.min_confidence:g}"


def _is_whole(scores: Sequence[Scores]) -> bool:
    shape = (PATCHES_PER_STRIP, len(SurfaceClass))
    return [strip.index for strip in scores] == list(range(BLOCKS_PER_TURN)) and all(
        strip.probabilities.shape == shape for strip in scores
    )


def _are_probabilities(values: Probabilities) -> bool:
    return bool(((values >= 0) & (values <= 1.001)).all())


def _lateness(ms_after_last_line: float | None, deadline_ms: float) -> str | None:
    if ms_after_last_line is None:
        return "the scan has no last line"
    if 0 <= ms_after_last_line <= deadline_ms:
        return None
    return f"{ms_after_last_line:.1f} ms after the last line, allowed are 0 to {deadline_ms:g} ms"
