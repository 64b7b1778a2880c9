"""What is promised of a network: how many defective parts pass at the most, and the one sentence that says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self

from station.core.moments import moment

SUSPENDED = "quality.promise_suspended"
"""The fault that stands as long as a promise is suspended, whatever has become of its cause."""

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


@dataclass(frozen=True, slots=True)
class Suspension:
    """Why what is promised of a part type does not hold any more, until the type is calibrated anew.

    Attributes:
        since: When the part was taken on with which it ended, UTC, as `station.core.moments` writes it.
        inspection_id: Of that part.
        because: Codes of the faults that were found, the first one first.
    """

    since: str
    inspection_id: str
    because: tuple[str, ...]

    @classmethod
    def of(cls, recorded: Mapping[str, Any] | None) -> Self | None:
        """The same as a record has it."""
        return None if not recorded else cls(**{**recorded, "because": tuple(recorded["because"])})

    @property
    def words(self) -> str:
        """Since when, why, and how it ends."""
        since = f"{moment(self.since):%Y-%m-%d %H:%M} UTC"
        return f"Suspended since {since} ({', '.join(self.because)}), until calibrated anew"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is promised of a part type's parts that pass, and whether it holds.

    Attributes:
        part_type: The type.
        promise: What was proven; None where nothing was.
        suspension: Why it does not hold any more; None while it does.
    """

    part_type: str
    promise: Promise | None
    suspension: Suspension | None = None

    @property
    def is_suspended(self) -> bool:
        """Whether it does not hold any more."""
        return self.suspension is not None

    @property
    def promised(self) -> str:
        """What was proven, whether it holds now or not."""
        return self.promise.sentence if self.promise else f"{self.part_type}: {NOTHING_PROMISED}"

    @property
    def sentence(self) -> str:
        """What is said of it wherever it is read."""
        return suspended(self.promised, self.suspension)


def suspended(sentence: str, suspension: Suspension | None) -> str:
    """A sentence that promises something, and before it why it does not hold, where it does not."""
    return sentence if suspension is None else f"{suspension.words}: {sentence}"
