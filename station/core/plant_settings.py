"""The configuration's `[plant]`: its time zone, and when its shifts begin."""

from datetime import UTC, time, tzinfo
from itertools import pairwise
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from station.core.calendar import Calendar
from station.core.section import Section


def _is_zone(text: str) -> str:
    if text != "UTC":
        try:
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, OSError, ValueError) as error:
            raise ValueError(f"{text!r} is no time zone of this computer; write it as Europe/Berlin") from error
    return text


ZoneName = Annotated[str, AfterValidator(_is_zone)]
"""A time zone of the IANA's database, which this computer must have."""
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""An hour and a minute of the plant's day."""


class PlantSettings(Section):
    """The plant's day, as the page, the commands and the golden parts go by it."""

    time_zone: ZoneName = Field(
        "UTC", description="The plant's time zone, for example Europe/Berlin; shifts and searches are in it."
    )
    shifts: list[TimeOfDay] = Field(
        ["06:00", "14:00", "22:00"],
        min_length=1,
        max_length=24,
        description="When each shift begins, the earliest first.",
    )

    @property
    def zone(self) -> tzinfo:
        """The plant's time zone."""
        return UTC if self.time_zone == "UTC" else ZoneInfo(self.time_zone)

    @property
    def calendar(self) -> Calendar:
        """The plant's shifts."""
        return Calendar(tuple(map(time.fromisoformat, self.shifts)), self.zone)

    @model_validator(mode="after")
    def _shifts_follow_each_other(self) -> Self:
        if any(later <= earlier for earlier, later in pairwise(self.shifts)):
            raise ValueError(f"shifts begin one after the other: {', '.join(self.shifts)} do not")
        return self
