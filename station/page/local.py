"""Moments as people at the plant read them: in its time zone, whatever the records and the browser count in."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from station.core.moments import moment

NONE = "-"
SECONDS, MILLISECONDS = "seconds", "milliseconds"


@dataclass(frozen=True, slots=True)
class PlantTime:
    """The plant's clock.

    Attributes:
        zone: Its time zone.
    """

    zone: tzinfo

    def told(self, at: str | datetime | None, precision: str = SECONDS) -> str:
        """A moment as `2026-05-01 08:00:00`; a dash where there is none, and as it is written what is no moment.

        Args:
            at: As `station.core.moments` writes it, or a date with its zone.
            precision: `seconds`, or `milliseconds`.
        """
        if not at:
            return NONE
        try:
            known = moment(at) if isinstance(at, str) else at
        except ValueError:
            return str(at)
        return known.astimezone(self.zone).replace(tzinfo=None).isoformat(" ", precision)
