"""The simulated cell's own ledger: what truly happened to every part, whatever the station believes.

Each entry is one JSON object: `time` (ISO 8601, UTC), `event`, `part_id`, `label` (what the surface really is, or
null) and `place`, where the part is after the event; of a part that fell or was
taken away by hand, where from.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Self

from station.core.clock import Clock
from station.core.errors import ConfigError
from station.core.part import Pixels


class Place(StrEnum):
    """Where a part can be before it is laid away: in exactly one of them, in a configured place, or on the floor."""

    INFEED = "infeed"
    GRIPPER = "gripper"
    JIG = "jig"


class Happening(StrEnum):
    """What can happen to a part."""

    FED = "fed"
    PICKED = "picked"
    PLACED = "placed"
    DROPPED = "dropped"
    REMOVED = "removed"
    COLLISION = "collision"


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One part.

    Attributes:
        part_id: As the PLC announces it.
        type_code: Number of its type, as the PLC announces it.
        label: What its surface really is, or None when nobody knows.
        surface: (lines a turn, sensor width) uint8: what the camera sees of it in one turn, row 0 at the index pulse.
    """

    part_id: str
    type_code: int
    label: str | None
    surface: Pixels


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger; `part_id` and `label` are None where no part was involved."""

    time: datetime
    event: Happening
    part_id: str | None
    label: str | None
    place: str

    def as_json(self) -> dict[str, str | None]:
        """The object that is written."""
        return {
            "time": self.time.isoformat(),
            "event": self.event.value,
            "part_id": self.part_id,
            "label": self.label,
            "place": str(self.place),
        }


Reader = Callable[[Entry], None]


class Ledger:
    """Passes every entry to its readers, in the moment in which it happens."""

    def __init__(self, clock: Clock, readers: Sequence[Reader]) -> None:
        self._clock = clock
        self._readers = readers

    def enter(self, event: Happening, part: Part | None, place: str) -> None:
        """Write down what happened just now."""
        part_id, label = (part.part_id, part.label) if part else (None, None)
        entry = Entry(self._clock.now(), event, part_id, label, place)
        for reader in self._readers:
            reader(entry)


class TruthFile:
    """A ledger's reader that keeps it in a file, one JSON object a line; each line is with the system when written.

    Args:
        path: The file; one that is there is begun anew.

    Raises:
        ConfigError: It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise self._failed(error) from error

    def __call__(self, entry: Entry) -> None:
        """Write one line.

        Raises:
            ConfigError: It cannot be written.
        """
        try:
            self._file.write(json.dumps(entry.as_json()) + "\n")
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> ConfigError:
        return ConfigError("config.file_failed", f"--truth {self._path}: {error.strerror}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
