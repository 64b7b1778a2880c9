"""What every benchmark is given."""

from collections.abc import Callable
from dataclasses import dataclass

from station.core.settings import Settings


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """How to measure.

    Attributes:
        settings: The configuration; its camera must be the simulated one.
        seconds: How long each measurement takes that can be of any length.
        say: Told, in words, what is being done.
    """

    settings: Settings
    seconds: float
    say: Callable[[str], None]
