"""A measurement system analysis at work: each part is turned and judged several times, and none of them passes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Study:
    """A study that is under way.

    Attributes:
        name: What it is called in the records.
        trials: How often each part is judged, 2 to 20.
    """

    name: str
    trials: int

    def __str__(self) -> str:
        """What people read of it."""
        return f"{self.name}, {self.trials} trials a part"
