"""Where golden parts and studies are kept, as the cell needs it; it belongs to the ledger, and fails as that does."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from station.core.challenge import Step
from station.core.part import Announcement, Decision, Inspection
from station.core.records import JsonObject
from station.core.study import Study


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a start takes over from before.

    Attributes:
        steps: Of the challenges, the oldest first, from each type's last passed one on.
        study: The study that is under way, or None.
        last: The part that was taken on last, or None.
    """

    steps: Sequence[Step] = ()
    study: Study | None = None
    last: Announcement | None = None


NOTHING_REMEMBERED = Remembered()
"""At the first start."""


class ReferenceBook(Protocol):
    """The durable book of challenges and studies. Every method returns when its change is on the disk.

    Raises:
        RecordError: From every method: disk full, not writable, damaged.
    """

    async def remembered(self) -> Remembered:
        """What is taken over at a start."""

    async def keep(self, steps: Sequence[Step]) -> None:
        """Write down what happened to challenges, all of it or nothing."""

    async def begin(self, study: Study) -> None:
        """Write down that a study is under way; harmless where it is."""

    async def end(self, study: Study) -> None:
        """Write down that a study has ended; harmless where it has."""

    async def keep_trial(self, study: Study, inspection: Inspection, trial: int, decision: Decision) -> None:
        """Write down what one turn of a part was judged to be; the study is begun where it was not."""

    async def trials(self, study: Study, part_id: str) -> int:
        """How many trials a part has had in a study."""


class ReferenceReader(Protocol):
    """What the records hold of challenges and studies, as plain data: JSON's names and values, moments in UTC.

    Blocking; changes nothing.

    Raises:
        RecordError: From every method: no records, damaged, of a newer version, or the disk failed.
    """

    def challenges(self, limit: int) -> list[JsonObject]:
        """What happened to challenges, at most `limit` steps, the newest first."""

    def suspects(self, number: int | None) -> JsonObject | None:
        """The parts that a failed challenge has made suspect, with it and the passed one before.

        Args:
            number: Of the failed challenge; None for the newest one.

        Returns:
            `failed`, `passed` (None where none was passed before) and `parts`, the oldest first; None where there is no
            such failed challenge.
        """

    def studies(self) -> list[JsonObject]:
        """All studies, the newest first."""

    def trials(self, name: str) -> list[JsonObject]:
        """The trials of a study, the oldest first; of more than the study asks for, a part's first ones."""
