"""The composition root of labelling: the one place that knows what keeps the labels."""

from pathlib import Path

from station.core.settings import Settings, data_dir
from station.labels.picking.draws import Draws
from station.labels.sqlite import SqliteLabels
from station.labels.store import LabelStore


def open_labels(settings: Settings, data: Path | None) -> LabelStore:
    """The labels beside the records of a station, which may be at work.

    Args:
        settings: The station's configuration.
        data: The data folder, or None for the configured one.
    """
    return SqliteLabels(data_dir(settings, data), settings.records.reserve_bytes)


def open_draws(settings: Settings, data: Path | None) -> Draws:
    """The samples that were drawn of a station's archive.

    Args:
        settings: The station's configuration.
        data: The data folder, or None for the configured one.
    """
    return Draws(data_dir(settings, data), settings.records.reserve_bytes)
