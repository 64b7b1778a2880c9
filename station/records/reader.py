"""The reading side of the records: what a data folder's database holds, whether a station writes it or not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from station.core.drift.course import Drift
from station.core.errors import ConfigError
from station.core.period import Period
from station.core.records import EVERY_ALARM, AlarmFilter, JsonObject, LastTold, ListedRecord, RecordFilter
from station.core.sought import FoundPage, Sought
from station.core.verdicts import Classes
from station.records import alarms, drifts, ended, events, light, query, search
from station.records.period import read_period
from station.records.spans import Spans


class SqliteReader:
    """The records of a data folder; changes nothing there. Every method blocks.

    Args:
        folder: The data folder.
        table: The configured verdicts, which may be asked for before any part has got them.

    Raises:
        RecordError: From every method: no database, damaged, of a newer version, or the disk failed.
    """

    def __init__(self, folder: Path, table: Classes) -> None:
        self._folder = folder
        self._table = table
        self._spans = Spans()

    def records(self, chosen: RecordFilter, limit: int) -> list[ListedRecord]:
        """The newest inspections, newest first; with neither verdict nor reason they are still in work."""
        self._require_known(chosen)
        return query.list_records(self._folder, chosen, limit)

    def record(self, inspection_id: str) -> JsonObject:
        """Everything that is recorded of the one inspection whose id begins so."""
        return query.show_record(self._folder, inspection_id)

    def search(self, sought: Sought, before: int | None, limit: int) -> FoundPage:
        """A page of the inspections that are sought, the newest first."""
        return search.search(self._folder, sought, before, limit, self._spans)

    def export(self, chosen: RecordFilter, form: Literal["csv", "json"]) -> Iterator[str]:
        """The inspections, oldest first, as pieces of one text."""
        self._require_known(chosen)
        return query.export_records(self._folder, chosen, form)

    def archived(self) -> Iterator[JsonObject]:
        """The inspections of production whose scan is archived, oldest first, each with its scores."""
        return query.archived_records(self._folder)

    def judged(self, chosen: RecordFilter) -> Iterator[JsonObject]:
        """The inspections that have a verdict, oldest first, each with its scores."""
        self._require_known(chosen)
        return query.judged_records(self._folder, chosen)

    def spot_checks(self, chosen: RecordFilter) -> Iterator[JsonObject]:
        """The inspections whose part was drawn to be looked at, oldest first, with the flat columns."""
        return query.spot_checked_records(self._folder, chosen)

    def drifts(self) -> dict[str, Drift]:
        """What the parts of each type have come to, by its name."""
        return drifts.newest(self._folder)

    def ended(self, after: LastTold | None, limit: int) -> list[JsonObject]:
        """The inspections that ended after this one, oldest first, with the flat columns."""
        return ended.read_ended(self._folder, after, limit)

    def scan(self, sha256: str) -> str:
        """Where in the data folder the archived scan of this hash lies."""
        return query.find_scan(self._folder, sha256)

    def alarms(self) -> list[JsonObject]:
        """The alarms on the list, the newest first."""
        return alarms.read_listed(self._folder)

    def alarm_history(self, limit: int, chosen: AlarmFilter = EVERY_ALARM) -> list[JsonObject]:
        """All alarms that there ever were, the newest first."""
        return alarms.read_history(self._folder, limit, chosen)

    def stops(self, limit: int) -> list[JsonObject]:
        """Every time that the cell left Execute, the newest first: when, for which state, why, and how it ended."""
        return events.read_stops(self._folder, limit)

    def events(self, since: str, until: str, limit: int) -> list[JsonObject]:
        """What happened from a moment to another, at most `limit`, the oldest first."""
        return events.read_events(self._folder, since, until, limit)

    def light(self, limit: int) -> list[JsonObject]:
        """How the parts were lit whose light was seen, at most `limit`, the newest first."""
        return light.read_light(self._folder, limit)

    def period(self, since: str, until: str) -> Period:
        """What is recorded of the time from one moment to before another."""
        return read_period(self._folder, since, until)

    def _require_known(self, chosen: RecordFilter) -> None:
        configured = [verdict.name for verdict in self._table.verdicts]
        if set(chosen.verdicts) <= set(configured):
            return
        recorded = query.recorded_verdicts(self._folder)
        if unknown := [name for name in chosen.verdicts if name not in {*configured, *recorded}]:
            raise ConfigError(
                "config.bad_option",
                f"no verdict: {', '.join(unknown)}; configured are {', '.join(configured)}; "
                f"recorded are {', '.join(recorded) or 'none'}",
            )
