"""A bet that parts are no longer like those before them: whoever bets against a fair order cannot get rich.

Each part's p-value says how unlike it is among the calibrated parts *and* all parts since. While the order of the
parts means nothing, these p-values are independent and even, whatever the scores are; then the wealth that begins at 1
reaches 1/a with a chance of a at the most, however long one looks (Ville's inequality).

Each part a little of the wealth that is kept back is bet anew, so that a change is found late as well as early: the
wealth is a mixture over the part with which a bet begins, weighted by 1/(n(n + 1)), which sums to 1.
Source: V. Vovk, I. Petej, I. Nouretdinov, E. Ahlberg, L. Carlsson and A. Gammerman, "Retrain or not retrain: conformal
test martingales for change-point detection", COPA 2021 (the simple jumper); J. Ville, "Étude critique de la notion de
collectif", 1939; the mixture over beginnings is this station's.
"""

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass

SLOPES = (-1.0, 0.0, 1.0)
"""What is bet on: small p-values, nothing, large ones. A bet pays 1 + slope (p - 1/2)."""
JUMP = 0.01
"""The share of what is bet that changes its slope with each part."""


@dataclass(frozen=True, slots=True)
class Wealth:
    """What the bets have come to.

    Attributes:
        parts: How many parts were bet on.
        stakes: What is bet, by slope.
    """

    parts: int = 0
    stakes: tuple[float, ...] = (0.0,) * len(SLOPES)

    @property
    def total(self) -> float:
        """All of it, with what is kept back for bets to come; 1 before the first part."""
        return sum(self.stakes) + 1 / (self.parts + 1)

    @property
    def log10(self) -> float:
        """Its decimal logarithm."""
        return math.log10(self.total)

    def after(self, p_value: float) -> "Wealth":
        """What it comes to with a part's p-value, 0 to 1."""
        parts = self.parts + 1
        fresh = 1 / (parts * (parts + 1) * len(SLOPES))
        stakes = [stake + fresh for stake in self.stakes]
        moved = JUMP * sum(stakes) / len(SLOPES)
        bets = ((1 - JUMP) * stake + moved for stake in stakes)
        return Wealth(
            parts, tuple(bet * (1 + slope * (p_value - 0.5)) for bet, slope in zip(bets, SLOPES, strict=True))
        )


class Order:
    """The scores of all parts so far, in which each new one has a place.

    Args:
        scores: Of the calibrated parts.
    """

    def __init__(self, scores: Iterable[float]) -> None:
        self._scores = sorted(scores)

    def p_value(self, score: float, lot: float) -> float:
        """How unlike a part is among all so far and itself, which counts from now on.

        Args:
            score: How unlike the training it is.
            lot: Its own random number, 0 to 1: where it stands among those that are exactly as unlike.
        """
        greater = len(self._scores) - bisect_right(self._scores, score)
        equal = len(self._scores) - greater - bisect_left(self._scores, score)
        insort(self._scores, score)
        return (greater + lot * (equal + 1)) / len(self._scores)
