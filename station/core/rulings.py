"""What each rule says of a part's scores, and what every answer is expected to cost: as it is recorded."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Prices:
    """What goes wrong costs, in any currency.

    Attributes:
        escape: A defective part that passes.
        overkill: A good part that is rejected.
        review: A part that people look at.
    """

    escape: float
    overkill: float
    review: float


@dataclass(frozen=True, slots=True)
class Costing:
    """By what the cost rule decides.

    Attributes:
        prices: What goes wrong costs.
        reviews_left: Reviews that this rule may still ask for; None for any number.
    """

    prices: Prices
    reviews_left: int | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What each answer for one part is expected to cost.

    Attributes:
        good: Probability that the part is good.
        passed: Of a pass; None where Algorithm 1 does not pass the part.
        rejected: Of a defect.
        reviewed: Of a review; None where the budget is spent.
    """

    good: float
    passed: float | None
    rejected: float
    reviewed: float | None

    def __str__(self) -> str:
        """What people read of it."""
        passed = "not possible" if self.passed is None else f"{self.passed:.4g}"
        reviewed = "spent" if self.reviewed is None else f"{self.reviewed:.4g}"
        told = f"pass {passed}, defect {self.rejected:.4g}, review {reviewed}"
        return f"good with {self.good:.4f}; expected to cost: {told}"

    @property
    def cheapest(self) -> str:
        """`reviewed`, `rejected` or `passed`; of equal ones the first of these."""
        costs = {"reviewed": self.reviewed, "rejected": self.rejected, "passed": self.passed}
        open_ = {name: cost for name, cost in costs.items() if cost is not None}
        return min(open_, key=open_.__getitem__)


@dataclass(frozen=True, slots=True)
class Rulings:
    """What each rule says of the same scores, as it is recorded.

    Attributes:
        verdicts: Name of the verdict by the rule's name, before the guard.
        expected: What the cost rule's answers were expected to cost; None without prices.
        costing: By what; None without prices.
    """

    verdicts: Mapping[str, str]
    expected: Expected | None = None
    costing: Costing | None = None

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """What plain data tells."""
        expected, costing = told["expected"], told["costing"]
        return cls(
            told["verdicts"],
            Expected(**expected) if expected else None,
            Costing(Prices(**costing["prices"]), costing["reviews_left"]) if costing else None,
        )
