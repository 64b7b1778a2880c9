"""Step 5, decide: the scores and the health of the scan become one decision. Pure functions.

The part type's rule (`station.core.algorithm1`) looks at the scores alone. The guard here then turns its verdict into
REVIEW unless the scan is valid, all patches were judged, in time, and with confidence; nothing else can pass. Both
results are kept, and beside them always what Algorithm 1 says, and how unlike the network's training the part is.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from station.core.algorithm1 import Outcome
from station.core.cost import expected, outcomes, rulings
from station.core.errors import FAULTS, Fault
from station.core.novelty.conformal import Novelty
from station.core.part import Decision, Probabilities, ScanHealth, Scores
from station.core.probabilities import problem_of
from station.core.recipe import DecisionRule


def decide(scores: Sequence[Scores], health: ScanHealth, rule: DecisionRule) -> Decision:
    """What is to become of the part; whatever could not be judged goes to REVIEW.

    The first reason found is given, in this order: the scan's own fault, scores that are no probabilities, patches
    that were not judged, lateness, a surface that the network does not know, low confidence, less confidence than what
    is promised of the parts that pass takes, a review that is expected to be cheaper.

    Args:
        scores: One entry a strip, in any order.
        health: The scan's fault and the time that the judgement took.
        rule: What the scores mean, what they come to, and when they are believed.
    """
    ordered = sorted(scores, key=lambda strip: strip.index)
    rows = [strip.probabilities for strip in ordered]
    whole = _is_whole(ordered, rule)
    probabilities = _joined(rows, rule)
    problem = problem_of(probabilities)
    judged = whole and problem is None
    said = outcomes(probabilities, rule.outputs, rule.review, rule.costing) if judged else {}
    outcome = said[rule.rule] if judged else None
    novelty = _novelty(ordered, rule) if judged else None
    reason = next(_reasons(ordered, problem, probabilities, outcome, novelty, health, rule), None)
    return Decision(
        verdict=rule.review if reason or outcome is None else outcome.verdict,
        algorithm1=said["algorithm1"].verdict if judged else None,
        fault=reason[0] if reason else None,
        detail=reason[1] if reason else "",
        confidence=outcome.confidence if outcome else 0.0,
        deciding_patch=outcome.deciding_patch if outcome else None,
        defect_patches=outcome.defect_patches if outcome else 0,
        probabilities=probabilities,
        novelty=novelty,
        rulings=rulings(said, probabilities, rule.outputs, rule.costing) if judged else None,
        screened=_screened(ordered) if whole else None,
    )


def _joined(rows: Sequence[Probabilities], rule: DecisionRule) -> Probabilities:
    """All answers, one row a patch; those of another width, which no rule can read, are left out."""
    fitting = [row for row in rows if row.ndim == 2 and row.shape[1] == len(rule.outputs)]
    return np.concatenate(fitting) if fitting else np.zeros((0, len(rule.outputs)), np.float32)


def _reasons(
    scores: Sequence[Scores],
    problem: str | None,
    probabilities: Probabilities,
    outcome: Outcome | None,
    novelty: Novelty | None,
    health: ScanHealth,
    rule: DecisionRule,
) -> Iterator[tuple[Fault, str]]:
    if health.fault is not None:
        yield health.fault, health.detail
    if problem is not None:
        yield FAULTS["model.bad_scores"], problem
    if not _is_whole(scores, rule):
        judged = ", ".join(str(strip.index) for strip in scores) or "none"
        last = rule.geometry.blocks_per_turn - 1
        yield FAULTS["scan.judged_in_part"], f"strips judged: {judged}; needed is each of 0 to {last} once"
    if late := _lateness(health.ms_after_last_line, rule.deadline_ms):
        yield FAULTS["scan.late"], f"{late}; {health.cause}" if health.cause else late
    if novelty is not None and novelty.unknown:
        yield FAULTS["part.unknown"], str(novelty)
    if outcome is not None and not outcome.is_sure(rule.min_confidence):
        seen = f"{outcome.verdict.name} in patch {outcome.deciding_patch} with {outcome.confidence:.3f}"
        yield FAULTS["part.low_confidence"], f"{seen}, the minimum is {rule.min_confidence:g}"
    if outcome is not None and outcome.verdict.passes and not outcome.is_sure(rule.least_to_pass):
        seen = f"{outcome.confidence:.4f} in patch {outcome.deciding_patch}"
        yield FAULTS["part.not_promised"], f"{seen}, a pass takes {rule.least_to_pass:g}"
    if outcome is not None and outcome.verdict.is_review and rule.costing is not None:
        yield FAULTS["part.review_cheaper"], str(expected(probabilities, rule.outputs, rule.costing))


def _novelty(scores: Sequence[Scores], rule: DecisionRule) -> Novelty | None:
    """How unlike the training the part is, by its worst patch; None unless every strip tells it."""
    rows = [strip.novelty for strip in scores if strip.novelty is not None]
    if rule.novelty is None or len(rows) < len(scores):
        return None
    return rule.novelty.judge(np.concatenate(rows).tolist())


def _screened(scores: Sequence[Scores]) -> tuple[int, ...] | None:
    """The patches that a screener judged alone; None where one of the strips knows of no screener."""
    rows = [strip.screened for strip in scores if strip.screened is not None]
    return tuple(np.flatnonzero(np.concatenate(rows)).tolist()) if len(rows) == len(scores) else None


def _is_whole(scores: Sequence[Scores], rule: DecisionRule) -> bool:
    shape = (rule.geometry.patches_per_strip, len(rule.outputs))
    return [strip.index for strip in scores] == list(range(rule.geometry.blocks_per_turn)) and all(
        strip.probabilities.shape == shape for strip in scores
    )


def _lateness(ms_after_last_line: float | None, deadline_ms: float) -> str | None:
    if ms_after_last_line is None:
        return "the scan has no last line"
    if 0 <= ms_after_last_line <= deadline_ms:
        return None
    return f"{ms_after_last_line:.1f} ms after the last line, allowed are 0 to {deadline_ms:g} ms"
