"""The records, as the cell writes them and people read them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from station.core.alarms import Alarm
from station.core.drift.course import Drift, Watched
from station.core.errors import Fault
from station.core.judgement import Journal, Judgement, Published, Written
from station.core.part import (
    Announcement,
    Device,
    Inspection,
    ModelIdentity,
    Order,
    PartType,
    Receipt,
)
from station.core.period import Period
from station.core.ports.references import ReferenceBook
from station.core.records import EVERY_ALARM, AlarmFilter, JsonObject, LastTold, ListedRecord, RecordFilter
from station.core.sought import FoundPage, Sought
from station.core.spent import Spent
from station.core.timeline import SettleTimes
from station.core.verdicts import Place


@dataclass(frozen=True, slots=True)
class LedgerRoom:
    """What the ledger has of its disk, in bytes.

    Attributes:
        free: What may still be written.
        journal: What was written and not yet brought in where it belongs.
    """

    free: int
    journal: int


class PartLedger(Protocol):
    """The durable book of inspections. Every method returns when its change is on the disk.

    Raises:
        RecordError: From every method: disk full, not writable, damaged.
    """

    @property
    def references(self) -> ReferenceBook:
        """Its book of golden parts and studies."""

    async def enter(self, part: Announcement, part_type: PartType) -> Inspection:
        """Open an inspection."""

    async def order(self, device: Device, verb: str, argument: int, inspection: Inspection | None) -> Order:
        """Give out the device's next order number and write down the intent, before the order goes out."""

    async def adopt_order_number(self, device: Device, last: int) -> None:
        """Go on after the number that the device took last, so that a new order is never mistaken for an old one.

        A ledger that is ahead of the device stays ahead; 0 means that the device has taken none since power-up.
        """

    async def receipt(self, receipt: Receipt) -> None:
        """Write down how an order ended."""

    async def judged(self, inspection: Inspection, judgement: Judgement) -> None:
        """Write down the decision and all it rests on, and archive the scan where the settings say so."""

    async def interrupted(self, inspection: Inspection, fault: Fault, detail: str) -> None:
        """Turn the verdict of an inspection that is not closed into REVIEW, for this reason.

        What was recorded of its judgement, if anything, stays: scores and Algorithm 1's verdict among it.
        """

    async def sorted(self, inspection: Inspection, confirmed: Place, settled: SettleTimes | None = None) -> None:
        """Close an inspection with the place that the robot confirmed, and what is known of the times since then.

        From then on, until `told`, it is one of the `untold`.
        """

    async def told(self, inspection: Inspection) -> None:
        """Write down that the line has acknowledged where the part lies; harmless where that is written."""

    async def untold(self) -> Sequence[Published]:
        """The results, with their confirmed places, that the line has not acknowledged, oldest first.

        One whose place is configured no more is not among them.
        """

    async def lost(self, inspection: Inspection, fault: Fault, detail: str) -> None:
        """Close an inspection whose part could not be brought to a confirmed place."""

    async def withdrawn(self, inspection: Inspection, fault: Fault, detail: str) -> None:
        """Close an inspection whose part the PLC took back before it was loaded: without a verdict, without a place."""

    async def open_inspections(self) -> Sequence[Inspection]:
        """Inspections that are not closed, oldest first: what was in flight at a stop."""

    async def journal(self, inspection: Inspection) -> Journal:
        """What is written of an inspection: how far it came before a stop."""

    async def last_order(self, device: Device) -> Written | None:
        """The order that was given to the device last, or None."""

    async def last_taken_on(self) -> Announcement | None:
        """The announcement that was taken on last and not withdrawn, or None."""

    async def last_model(self) -> ModelIdentity | None:
        """The network that judged the last part, or None before the first."""

    async def drift_history(self, part_type: str) -> tuple[Watched, ...]:
        """What the parts of a type showed, oldest first: at least those that the newest one's figures rest on."""

    async def spent(self, since: datetime) -> Spent:
        """What was spent of budgets: of second looks since a moment, of reviews among the last parts of each type."""

    async def keep_alarm(self, alarm: Alarm) -> None:
        """Write down an alarm as it stands now: raised, raised again, cleared or acknowledged.

        A fault stands on the list once; what went off it stays written.
        """

    async def listed_alarms(self) -> Sequence[Alarm]:
        """The alarms that stand on the list, the one raised last at the end."""

    async def note(self, event: str, detail: str) -> None:
        """Write down an event of the cell: a state change with its reason, a fault, a command."""

    async def answers(self) -> None:
        """Return when what was asked before is done: a sign of life, which writes nothing."""

    async def look(self) -> None:
        """Make sure that what is written lies in its place, also while nothing is to be written."""

    async def prune(self) -> int:
        """Remove archived scans whose time is over, as many as may go today, and return how many; records stay.

        Called every hour or more often.
        """

    async def room(self) -> LedgerRoom:
        """How much room there is on its disk, and how much it has taken for its journal."""

    async def readers(self) -> str:
        """Who else reads it now, so that its journal cannot be brought in; in words, empty where nobody is known."""

    async def close(self) -> None:
        """Finish writing and close the file; harmless when it is closed."""


class RecordReader(Protocol):
    """What the records hold, as plain data: JSON's names and values, moments in UTC. Blocking; changes nothing.

    It sees the records as they are at its question, whatever is written meanwhile.

    Raises:
        RecordError: From every method: no records, damaged, of a newer version, or the disk failed.
    """

    def records(self, chosen: RecordFilter, limit: int) -> list[ListedRecord]:
        """The newest inspections, at most `limit`, newest first; with neither verdict nor reason they are in work.

        Raises:
            ConfigError: A verdict is asked for that is neither configured nor recorded.
        """

    def record(self, inspection_id: str) -> JsonObject:
        """Everything that is recorded of one inspection, with the type and the configuration that it was judged by.

        Args:
            inspection_id: The id, or a beginning that only one id has.

        Raises:
            RecordError: `record.unknown` when no id, or more than one, begins so.
        """

    def search(self, sought: Sought, before: int | None, limit: int) -> FoundPage:
        """A page of the inspections that are sought, at most `limit`, the newest first.

        Args:
            sought: The conditions.
            before: `FoundPage.before` of the page before; None for the first.
            limit: 1 or more.
        """

    def export(self, chosen: RecordFilter, form: Literal["csv", "json"]) -> Iterator[str]:
        """The inspections, oldest first, as pieces of one text: CSV of the flat columns, or JSON of whole records.

        Raises:
            ConfigError: A verdict is asked for that is neither configured nor recorded.
        """

    def archived(self) -> Iterator[JsonObject]:
        """The inspections of production whose scan is archived, oldest first: no golden part, none of a study.

        Each has the flat columns of `export`, `classes`, and `probabilities` with a row a patch and in it a number for
        each class.
        """

    def judged(self, chosen: RecordFilter) -> Iterator[JsonObject]:
        """The inspections that have a verdict, oldest first, with the same columns as those of `archived`.

        Raises:
            ConfigError: A verdict is asked for that is neither configured nor recorded.
        """

    def spot_checks(self, chosen: RecordFilter) -> Iterator[JsonObject]:
        """The inspections whose part would have passed and was drawn to be looked at, oldest first.

        Each has the flat columns of `export`.
        """

    def drifts(self) -> dict[str, Drift]:
        """What the parts of each type have come to with the last one, by its name; of one never watched nothing."""

    def ended(self, after: LastTold | None, limit: int) -> list[JsonObject]:
        """The inspections that ended after this one, at most `limit`, oldest first; after None the newest one alone.

        Each has the flat columns of `export`. They come in the order of their numbers: one that has not ended holds up
        those behind it, so that who asks again after the last one misses none.
        """

    def scan(self, sha256: str) -> str:
        """Where in the data folder the archived scan of this hash lies.

        Raises:
            RecordError: `record.unknown` when there is none.
        """

    def alarms(self) -> list[JsonObject]:
        """The alarms on the list, the newest first."""

    def alarm_history(self, limit: int, chosen: AlarmFilter = EVERY_ALARM) -> list[JsonObject]:
        """All alarms that there ever were, at most `limit`, the newest first."""

    def stops(self, limit: int) -> list[JsonObject]:
        """Every time that the cell left Execute, at most `limit`, the newest first.

        When, for which state, why, and as far as it runs again: `back_at`, `lasted_s`, `ended_by`.
        """

    def events(self, since: str, until: str, limit: int) -> list[JsonObject]:
        """What happened from a moment to another, at most `limit`, the oldest first: `at`, `event`, `detail`."""

    def light(self, limit: int) -> list[JsonObject]:
        """How the parts were lit whose light was seen, at most `limit`, the newest first.

        Each has `entered_at`, `part_type`, `level` (median grey value) and `gain`.
        """

    def period(self, since: str, until: str) -> Period:
        """What is recorded of the time from one moment to before another, as `station.core.moments` writes them."""
