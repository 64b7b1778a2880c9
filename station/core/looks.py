"""The second look: which judgements are unsure enough for one more turn, and what two looks come to. Pure functions.

    first look ─ unsure? ─▶ one more turn ─▶ second look ─ weighed against the first ─▶ decision

A second look may only add reasons. It passes a part where it would have passed it alone, the first look named no
defect, and the mean of both confidences is one with which a part may pass: looked at often enough, an unsure part is
above the limit once by chance, and both looks together tell what there is to tell. It names a defect that the first
look named, too. In every other case people look at the part.
"""

from dataclasses import dataclass, replace

from station.core.errors import FAULTS
from station.core.part import Decision
from station.core.reason import Reason
from station.core.verdicts import Verdict

UNSURE = frozenset({"part.low_confidence", "part.unknown"})
"""Why a part goes to REVIEW that another turn may tell more of."""


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What the first look came to, of a part that was turned once more.

    Attributes:
        decision: What it would have decided alone.
        why: Why the part was turned once more, for people.
        ms_after_last_line: From its last line to its decision, or None.
    """

    decision: Decision
    why: str
    ms_after_last_line: float | None


def unsure(decision: Decision) -> str | None:
    """Why a part is worth one more turn, in words; None where it is not."""
    if decision.fault is not None:
        return f"{decision.fault.code}: {decision.detail}" if decision.fault.code in UNSURE else None
    other = decision.algorithm1
    if other is None or other == decision.verdict:
        return None
    return f"the rule says {decision.verdict.name}, Algorithm 1 says {other.name}"


def weighed(first: Decision, second: Decision, review: Verdict, least: float) -> Decision:
    """What becomes of a part that was looked at twice; the scores, and what else was measured, are the second look's.

    Args:
        first: What the first look decided alone; an unsure one.
        second: What the second look decided alone.
        review: The verdict that sends a part to people.
        least: The least confidence with which a part passes.
    """
    reason = _against(first, second, least)
    if reason is None:
        return second
    return replace(second, verdict=review, fault=reason.fault, detail=reason.detail)


def _against(first: Decision, second: Decision, least: float) -> Reason | None:
    """Why the second look's decision does not stand; None where it does."""
    if second.fault is not None:
        return Reason(second.fault, f"second look: {second.detail}; first look: {_said(first)}")
    if first.novelty is not None and first.novelty.unknown:
        return Reason(FAULTS["part.unknown"], f"first look: {first.novelty}; second look: {_said(second)}")
    if second.verdict.passes and names_no_defect(first) and names_no_defect(second):
        return _too_unsure(first, second, least)
    if second.verdict.is_defect and second.verdict.name in named(first):
        return None
    return Reason(FAULTS["part.looks_differ"], f"first look: {_said(first)}; second look: {_said(second)}")


def _too_unsure(first: Decision, second: Decision, least: float) -> Reason | None:
    """Both looks together are too unsure to pass the part, or None."""
    mean = (first.confidence + second.confidence) / 2
    if mean >= least:
        return None
    seen = f"{mean:.3f} of both looks together, the minimum is {least:g}"
    return Reason(FAULTS["part.low_confidence"], f"{seen}; first look: {_said(first)}; second look: {_said(second)}")


def names_no_defect(decision: Decision) -> bool:
    """Whether all patches were judged, and neither the rule nor Algorithm 1 nor any patch names a defect."""
    judged = decision.algorithm1 is not None and decision.algorithm1.passes
    return judged and decision.defect_patches == 0 and not decision.verdict.is_defect


def named(decision: Decision) -> set[str]:
    """The defects that the rule and Algorithm 1 name, by name."""
    said = (decision.verdict, decision.algorithm1)
    return {verdict.name for verdict in said if verdict is not None and verdict.is_defect}


def _said(decision: Decision) -> str:
    seen = decision.algorithm1.name if decision.algorithm1 is not None else "not judged"
    why = f", {decision.fault.code}" if decision.fault is not None else ""
    return f"{decision.verdict.name} (Algorithm 1: {seen}, confidence {decision.confidence:.3f}{why})"
