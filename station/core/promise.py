"""What is promised of a network: how many defective parts pass at the most, and the one sentence that says so."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

PartsKind = Literal["real", "rendered"]
"""Parts of a line, or parts that were drawn: what is proven on these says nothing of those."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What was proven of one part type's network on defective parts that it was not trained on.

    Attributes:
        part_type: Of which type.
        model: Name of the network's bundle.
        target: The share of defective parts that may pass.
        confidence: With which it is proven that no more do.
        threshold: The least confidence with which a part may pass; None where nothing is proven.
        parts: Defective parts on which it rests.
        escapes: Of them passed at this threshold, or at the safest where nothing is proven.
        missing: So many more defective parts are needed, without a further escape; 0 where it is proven.
        kind: What the parts are.
        made: When they were judged.
        measured_by: Engine and precision.
    """

    part_type: str
    model: str
    target: float
    confidence: float
    threshold: float | None
    parts: int
    escapes: int
    missing: int
    kind: PartsKind
    made: datetime
    measured_by: str

    @property
    def least(self) -> float:
        """The least confidence with which a part may pass; 0 where nothing is proven."""
        return self.threshold or 0.0

    @property
    def sentence(self) -> str:
        """What card, gate, report, page and command line say."""
        claim = f"At most {self.target:.2%} of defective parts of {self.part_type} pass"
        seen = f"{self.escapes:,} of {self.parts:,} {self.kind} defective parts passed"
        judged = f"{self.model}, {self.measured_by}, {self.made:%Y-%m-%d}"
        if self.threshold is None:
            lacks = f"{self.missing:,} more defective parts are needed"
            return f"{claim}: not provable with n = {self.parts:,} {self.kind} defective parts ({judged}); {lacks}."
        return f"{claim}, with {self.confidence:.0%} confidence: {seen} from {self.threshold:g} on ({judged})."


NOTHING_PROMISED = "Nothing is promised of how many defective parts pass; `station model promise` proves what can be."


def said_of(promise: Promise | None, part_type: str) -> str:
    """The sentence of a promise, or that there is none."""
    return promise.sentence if promise else f"{part_type}: {NOTHING_PROMISED}"
