"""Two networks on the same parts: whether the parts that only one of them judges rightly speak for a difference.

Source: Q. McNemar, Note on the sampling error of the difference between correlated proportions or percentages,
Psychometrika 12 (1947); exact, by the binomial.
"""

from collections.abc import Iterable

from pydantic import Field

from models.evaluation.figures.rates import binomial_tail, rate
from station.core.section import Section


class Paired(Section):
    """How often two disagree on the same parts."""

    what: str = Field(..., description="What is compared.")
    only_new: int = Field(..., ge=0, description="Parts that only the new one has right.")
    only_present: int = Field(..., ge=0, description="Parts that only the present one has right.")
    p: float = Field(..., ge=0, le=1, description="Chance of so unequal a pair if both were as good; two-sided, exact.")


def compare_paired(what: str, pairs: Iterable[tuple[bool, bool]]) -> Paired:
    """Compare two networks, part by part.

    Args:
        what: What is compared, for people.
        pairs: Of each part, whether the new one has it right, and whether the present one has.
    """
    judged = list(pairs)
    only_new = sum(new and not present for new, present in judged)
    only_present = sum(present and not new for new, present in judged)
    return Paired(what=what, only_new=only_new, only_present=only_present, p=mcnemar(only_new, only_present))


def gain_within(won: int, lost: int, judged: int) -> tuple[float, float, float]:
    """By which share more is right with one of two than with the other, and its limits of 95 %.

    Of those that only one has right the share that it is has exact limits, which are carried over to all that were
    judged: wide where few differ, and never beyond what differs.

    Args:
        won: What only this one has right.
        lost: What only the other has.
        judged: All that both judged.
    """
    differing = won + lost
    if not differing:
        return 0.0, 0.0, 0.0
    share = rate(won, differing)
    lower, upper = ((2 * limit - 1) * differing / judged for limit in (share.lower, share.upper))
    return (won - lost) / judged, lower, upper


def mcnemar(one: int, other: int) -> float:
    """Chance of parting `one + other` disagreements at least so unequally, if both sides were as likely; 1 of none."""
    return min(1.0, 2 * binomial_tail(min(one, other), one + other, 0.5)) if one + other else 1.0
