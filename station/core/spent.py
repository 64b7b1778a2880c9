"""What was spent before a stop of that which there is only so much of in a shift, or of so many parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Spent:
    """What a start takes over.

    Attributes:
        second_looks: When parts were looked at again, UTC, the oldest first.
        reviews: By part type, of its last parts, the oldest first, whether the cost rule sent them to review.
    """

    second_looks: tuple[datetime, ...] = ()
    reviews: Mapping[str, tuple[bool, ...]] = field(default_factory=dict)
