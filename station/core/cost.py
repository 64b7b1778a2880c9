"""What a decision costs: prices for an escape, overkill and a review, and which answer is expected to be cheapest.

A part is good when every patch is; the patches' probabilities are multiplied, as if they were independent. With the
calibrated probabilities of a bundle that is what is expected; where patches err together, it is too pessimistic.

    pass    escape x (1 - good), and only where Algorithm 1 passes
    defect  overkill x good
    review  the price of a review, while the budget lasts
"""

from collections import deque
from collections.abc import Mapping

import numpy as np

from station.core.algorithm1 import RULES, Outcome, RuleName
from station.core.part import Probabilities
from station.core.rulings import Costing, Expected, Rulings
from station.core.verdicts import Outputs, Verdict

WINDOW = 100
"""Parts that a budget of reviews is counted over."""


def good(probabilities: Probabilities, outputs: Outputs) -> float:
    """The probability that every patch is of the class that passes.

    Args:
        probabilities: (patches, classes) finite, at least one patch.
        outputs: What the columns mean.
    """
    return float(np.prod(probabilities[:, outputs.passing].astype(np.float64)))


def expected(probabilities: Probabilities, outputs: Outputs, costing: Costing) -> Expected:
    """What each answer is expected to cost; a pass only where Algorithm 1 passes."""
    prices, chance = costing.prices, good(probabilities, outputs)
    passes = RULES["algorithm1"](probabilities, outputs).verdict.passes
    may_review = costing.reviews_left is None or costing.reviews_left > 0
    return Expected(
        good=chance,
        passed=prices.escape * (1 - chance) if passes else None,
        rejected=prices.overkill * chance,
        reviewed=prices.review if may_review else None,
    )


def cheapest(probabilities: Probabilities, outputs: Outputs, review: Verdict, costing: Costing) -> Outcome:
    """The cheapest answer, which may be `review`; never a pass where Algorithm 1 does not pass.

    Args:
        probabilities: As for `good`.
        outputs: As for `good`.
        review: The table's verdict for people.
        costing: Prices and budget.
    """
    ruled = RULES["algorithm1"](probabilities, outputs)
    chosen = expected(probabilities, outputs, costing)
    if chosen.cheapest == "reviewed":
        return ruled._replace(verdict=review)
    if chosen.cheapest == "passed" or not ruled.verdict.passes:
        return ruled
    return _rejected(probabilities, outputs, 1 - chosen.good)


def outcomes(
    probabilities: Probabilities, outputs: Outputs, review: Verdict, costing: Costing | None
) -> dict[RuleName, Outcome]:
    """What every rule says of the same scores, by its name; the cost rule only where there are prices.

    Args:
        probabilities: As for `good`.
        outputs: As for `good`.
        review: The table's verdict for people.
        costing: Prices and budget, or None.
    """
    said = {name: rule(probabilities, outputs) for name, rule in RULES.items()}
    if costing is not None:
        said["cost"] = cheapest(probabilities, outputs, review, costing)
    return said


def rulings(
    said: Mapping[RuleName, Outcome], probabilities: Probabilities, outputs: Outputs, costing: Costing | None
) -> Rulings:
    """The same as it is recorded, with what each answer is expected to cost where there are prices.

    Args:
        said: What every rule says.
        probabilities: As for `good`.
        outputs: As for `good`.
        costing: Prices and budget, or None.
    """
    verdicts = {str(name): outcome.verdict.name for name, outcome in said.items()}
    if costing is None:
        return Rulings(verdicts)
    return Rulings(verdicts, expected(probabilities, outputs, costing), costing)


def _rejected(probabilities: Probabilities, outputs: Outputs, confidence: float) -> Outcome:
    """A part that Algorithm 1 would pass, rejected: as the defect that any of its patches shows most."""
    defects = np.delete(np.arange(len(outputs)), outputs.passing)
    patch, column = np.unravel_index(probabilities[:, defects].argmax(), (len(probabilities), len(defects)))
    return Outcome(outputs.surfaces[int(defects[column])], confidence, int(patch), 0)


class ReviewBudget:
    """How many reviews the cost rule has asked for among the last parts of a type."""

    def __init__(self) -> None:
        self._last: deque[bool] = deque(maxlen=WINDOW - 1)

    def left(self, reviews: int) -> int:
        """How many of so many in a hundred the next part may use."""
        return max(0, reviews - sum(self._last))

    def take(self, *, reviewed: bool) -> None:
        """A part was decided, by the cost rule with a review or otherwise."""
        self._last.append(reviewed)
