"""The records as whoever copies them elsewhere reads them: in order, from where it was left, and none left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from station.core.records import JsonObject, LastTold

BEGINNING = LastTold(0, "", "")
"""Before the first inspection."""


class LastEvent(NamedTuple):
    """The event after which somebody wants to be told more.

    Attributes:
        number: Its number.
        at: When it was: records that were put back from a backup give a number anew.
    """

    number: int
    at: str


NO_EVENT = LastEvent(0, "")
"""Before the first event."""


class LastAlarm(NamedTuple):
    """The alarm after which somebody wants to be told more.

    Attributes:
        number: Its number.
        raised_at: When it came on the list: records that were put back from a backup give a number anew.
    """

    number: int
    raised_at: str


NO_ALARM = LastAlarm(0, "")
"""Before the first alarm."""


@dataclass(frozen=True, slots=True)
class KeptScan:
    """The archived scan of a closed inspection, as the archive has it.

    Attributes:
        told: Which inspection.
        verdict: Its final verdict, or nothing.
        state: `archived`, `failed` (it was not written) or `expired` (its time was over).
        file: Where in the data folder it lies, or lay.
        sha256: Of the file; None where it was never written.
        left_column: The first column of the camera's line that the file shows.
    """

    told: LastTold
    verdict: str
    state: str
    file: str
    sha256: str | None
    left_column: int


class RecordFeed(Protocol):
    """What is copied elsewhere. Blocking; changes nothing, and sees the records as they are at its question.

    What is told last may be in the records no more, for they were put back from a backup or are another computer's.
    Then everything comes after it: what was dated by a wrong clock must not be taken for told, and who copies finds by
    its key what is there already.

    Raises:
        RecordError: From every method: no records, damaged, of a newer version, or the disk failed.
    """

    def closed(self, after: LastTold, limit: int) -> list[JsonObject]:
        """The inspections that ended after this one, at most `limit`, whole, in the order of their numbers.

        One that has not ended holds up those behind it. What the archive makes of the scan later is not in them: see
        `scans`.
        """

    def named(self, inspection_ids: Sequence[str]) -> list[JsonObject]:
        """The closed inspections with these ids, whole, as `closed` gives them."""

    def events(self, after: LastEvent, limit: int) -> list[JsonObject]:
        """What happened after this event, at most `limit`, in order: `number`, `at`, `event`, `detail`."""

    def alarms(self, after: LastAlarm, limit: int) -> list[JsonObject]:
        """The alarms that were raised after this one, at most `limit`, as they stand, in the order of their numbers.

        Each has `number`, `code`, `detail`, `latched`, `count`, `raised_at`, `last_at`, `cleared_at`,
        `acknowledged_at` and `acknowledged_by`. One that is cleared and acknowledged is final.
        """

    def alarms_numbered(self, numbers: Sequence[int]) -> list[JsonObject]:
        """The alarms with these numbers, as they stand now."""

    def scans(self, after: LastTold, limit: int) -> list[KeptScan]:
        """The scans of closed inspections after this one, at most `limit`, in order.

        One that is not written yet holds up those behind it.
        """

    def scans_named(self, inspection_ids: Sequence[str]) -> list[KeptScan]:
        """The scans of the closed inspections with these ids, as far as they are written."""

    def waiting(self, after: LastTold) -> tuple[int, str | None]:
        """How many closed inspections come after this one, and when the first of them was entered."""

    def waiting_scans(self, after: LastTold) -> tuple[int, str | None]:
        """How many scans on the disk come after this inspection's, and when the first of their parts was entered."""

    def months(self) -> dict[str, int]:
        """How many closed inspections were entered in each month, by `2026-05`."""

    def events_by_month(self) -> dict[str, int]:
        """How many events there were in each month, by `2026-05`."""

    def reached(self, told: LastTold) -> int:
        """The number of this inspection; 0 where the records do not have it."""

    def reached_event(self, told: LastEvent) -> int:
        """The number of this event; 0 where the records do not have it."""

    def reached_alarm(self, told: LastAlarm) -> int:
        """The number of this alarm; 0 where the records do not have it."""
