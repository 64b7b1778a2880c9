"""Why something does not run, or is not as it should be: a fault of the table, and what was seen, for people."""

from dataclasses import dataclass
from typing import Self

from station.core.errors import Fault, StationError


@dataclass(frozen=True, slots=True)
class Reason:
    """A fault and its detail, which belong together and are handed on as one.

    Attributes:
        fault: Row of the fault table.
        detail: What was seen, in words; empty where the fault says all.
    """

    fault: Fault
    detail: str = ""

    @classmethod
    def of(cls, error: StationError) -> Self:
        """What this error is the reason of."""
        return cls(error.fault, error.detail)

    @property
    def words(self) -> str:
        """What people read: the fault's text, and the detail behind it."""
        return f"{self.fault.text} ({self.detail})" if self.detail else self.fault.text
