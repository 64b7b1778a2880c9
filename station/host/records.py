"""The composition root of what only reads: the one place that knows what reads the records."""

from pathlib import Path

from station.core.ports.feed import RecordFeed
from station.core.ports.records import RecordReader
from station.core.ports.references import ReferenceReader
from station.core.settings import Settings, data_dir
from station.core.tally import RecordTally
from station.records.feed import SqliteFeed
from station.records.reader import SqliteReader
from station.records.tally import SqliteTally
from station.records.tried import SqliteReferenceReader


def read_records(settings: Settings, data: Path | None) -> RecordReader:
    """What reads the records of a station, which may be at work.

    Args:
        settings: The station's configuration.
        data: The data folder, or None for the configured one.
    """
    return SqliteReader(data_dir(settings, data), settings.table)


def read_references(settings: Settings, data: Path | None) -> ReferenceReader:
    """What reads the golden parts and studies of a station, which may be at work.

    Args:
        settings: The station's configuration.
        data: The data folder, or None for the configured one.
    """
    return SqliteReferenceReader(data_dir(settings, data))


def count_records(settings: Settings, data: Path | None) -> RecordTally:
    """What counts the records of a station, which may be at work.

    Args:
        settings: The station's configuration.
        data: The data folder, or None for the configured one.
    """
    return SqliteTally(data_dir(settings, data))


def feed_records(settings: Settings, data: Path | None) -> RecordFeed:
    """What the records of a station, which may be at work, are copied elsewhere from.

    Args:
        settings: The station's configuration.
        data: The data folder, or None for the configured one.
    """
    return SqliteFeed(data_dir(settings, data))
