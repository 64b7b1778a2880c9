"""What the parts that were drawn by lot say of all that lie in the archive: escapes and overkill, with exact limits."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.evaluation.figures.rates import CONFIDENCE, clopper_pearson
from station.core.records import JsonObject
from station.labels.picking.sample import Drawn, Sample, Way
from station.labels.picking.truth import Truth

ALMOST = 1e-9
"""By what sums of weights may miss a whole number."""
FEWEST = 4
"""With fewer parts 3 in so many is no limit."""
WRONG = {Way.PASSED: Truth.DEFECTIVE, Way.STOPPED: Truth.GOOD, Way.REVIEW: Truth.GOOD}
"""What a part is that should not have gone this way."""
CALLED = {
    Way.PASSED: "escapes among what passed",
    Way.STOPPED: "overkill among what was stopped",
    Way.REVIEW: "good parts among those in review",
}


@dataclass(frozen=True, slots=True)
class AuditRate:
    """How many of the parts that went one way should not have.

    Attributes:
        way: Which way.
        archived: So many lie in the archive.
        unclear: Of the sample, what nobody can tell, or people differ on; they count on neither side.
        events: Of the sample, those that should not have gone so.
        trials: Of the sample, those of which it is clear.
        share: Estimate for all that went so and are archived, by weight; None without any.
        lower: Its lower limit, two-sided 95 %.
        upper: Its upper limit.
    """

    way: Way
    archived: int
    unclear: int
    events: int
    trials: int
    share: float | None
    lower: float
    upper: float

    @property
    def called(self) -> str:
        """What is counted."""
        return CALLED[self.way]

    @property
    def told(self) -> str:
        """What it comes to, in words."""
        if not self.archived:
            return "none of them is in the archive; records.archive says which scans are kept"
        if self.events:
            return f"{self.events} found in {self.trials}"
        if self.trials < FEWEST:
            return f"0 found in {self.trials}: too few to say anything"
        most = f"{3 / self.trials:.1%}".replace("%", " %")
        return f"0 found in {self.trials}: at most 3/{self.trials} = {most}, with 95 % confidence"

    def plain(self) -> JsonObject:
        """As plain data, for JSON."""
        names = ("archived", "unclear", "events", "trials", "share", "lower", "upper", "told")
        return {"went": self.way.value, "what": self.called, **{name: getattr(self, name) for name in names}}


def rates(found: Sample) -> list[AuditRate]:
    """A row for each way that a part can go."""
    return [_rate(way, [one for one in found.drawn if one.way is way], found.archived[way]) for way in Way]


def _rate(way: Way, drawn: Sequence[Drawn], archived: int) -> AuditRate:
    clear = [one for one in drawn if one.truth is not Truth.UNCLEAR]
    wrong = [one.weight for one in clear if one.truth is WRONG[way]]
    share, lower, upper = weighted_limits([one.weight for one in clear], wrong)
    return AuditRate(way, archived, len(drawn) - len(clear), len(wrong), len(clear), share, lower, upper)


def weighted_limits(trials: Sequence[float], events: Sequence[float]) -> tuple[float | None, float, float]:
    """A share with its limits of 95 %, from the weights of all parts and of those among them that count.

    With equal weights the limits are the exact ones of Clopper and Pearson; with unequal ones those of as many parts as
    the weighted ones are worth, and what counts of them is rounded away from the estimate.
    Source: E. L. Korn and B. I. Graubard, Confidence intervals for proportions with small expected number of positive
    counts estimated from survey data, Survey Methodology 24 (1998).
    """
    if not trials:
        return None, 0.0, 1.0
    worth = sum(trials) ** 2 / sum(weight**2 for weight in trials)
    share = sum(events) / sum(trials)
    count, found = math.floor(worth + ALMOST), share * worth
    lower, _upper = clopper_pearson(min(math.floor(found + ALMOST), count), count, CONFIDENCE)
    _lower, upper = clopper_pearson(min(math.ceil(found - ALMOST), count), count, CONFIDENCE)
    return share, lower, upper
