"""What holds for all folders that one data set is made of, and what of them is not taken."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from models.dataset.scans import marks_of
from models.errors import DatasetError
from station.core.geometry import Geometry
from station.core.settings import Settings
from station.core.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the records is asked for; None or nothing for all.

    Attributes:
        since: Entered at this moment or later, as `station.core.moments` writes it.
        until: Entered before this moment.
        verdicts: With one of these final verdicts.
        part_types: Of one of these types.
        classes: On which somebody saw one of these classes.
        as_of: Labels that were said up to this moment.
        trusted: Verdicts that are taken for labels where nobody said anything.
        scans: Where scans lie that the archive does not have, or None.
        masks: Where the masks of labels lie, or None.
    """

    since: str | None = None
    until: str | None = None
    verdicts: tuple[str, ...] = ()
    part_types: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    as_of: str | None = None
    trusted: tuple[str, ...] = ()
    scans: Path | None = None
    masks: Path | None = None

    @property
    def told(self) -> dict[str, str]:
        """The same by the names of the options, for the manifest."""
        every = {
            "since": self.since, "until": self.until, "verdict": ", ".join(self.verdicts),
            "part-type": ", ".join(self.part_types), "class": ", ".join(self.classes),
            "as-of": self.as_of, "trust-verdicts": ", ".join(self.trusted),
            "scans": self.scans and self.scans.name, "masks": self.masks and self.masks.name,
        }  # fmt: skip
        return {name: value for name, value in every.items() if value}

    @property
    def of_inspections(self) -> bool:
        """Whether only an inspection can be what is asked for."""
        return bool(self.since or self.until or self.verdicts or self.part_types)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all folders.

    Attributes:
        settings: Part types, classes, and how a part is found on a scan.
        geometry: How a turn becomes patches.
        kind: Patches or whole scans.
        asked: What of the records is asked for.
    """

    settings: Settings
    geometry: Geometry
    kind: Literal["patches", "whole"] = "patches"
    asked: Asked = field(default_factory=Asked)

    @property
    def surfaces(self) -> tuple[Verdict, ...]:
        """The classes by their numbers: what passes is 0."""
        return marks_of(self.settings.table)

    def number(self, name: str) -> int | None:
        """The number of a class, or None where the configuration does not have it."""
        return next((number for number, surface in enumerate(self.surfaces) if surface.name == name), None)

    def name(self, number: int) -> str:
        """The name of a class."""
        return self.surfaces[number].name


class NotLearntError(ValueError):
    """Says why nobody can learn from a scan, or a place on it.

    Args:
        reason: One of a few, to be counted.
        detail: What exactly.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}{f' ({detail})' if detail else ''}")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is not taken.

    Attributes:
        told: Each, with the reason.
        counts: How many scans or pictures, by the reason.
    """

    told: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def leave(self, name: str, reason: str, detail: str = "") -> None:
        """Note a scan that is not taken, and why."""
        self.counts[reason] += 1
        self.told.append(f"{name}: {reason}{f': {detail}' if detail else ''}")

    @contextmanager
    def noting(self, name: str) -> Iterator[None]:
        """While in this context a scan that nobody can learn from ends it, and is noted."""
        try:
            yield
        except NotLearntError as error:
            self.leave(name, error.reason, error.detail)

    def warn(self, name: str, told: str) -> None:
        """Note something that is said of a scan and not learnt from, while the scan is taken."""
        self.told.append(f"{name}: {told}")


def geometry_of(settings: Settings, part_types: Sequence[str]) -> Geometry:
    """How a turn becomes patches: by the part types that are asked for; without one by `[geometry]`.

    Raises:
        DatasetError: There is no such type, or they have different geometries.
    """
    kinds = {kind.name: kind for kind in settings.known_types}
    if unknown := [name for name in part_types if name not in kinds]:
        told = f"--part-type {', '.join(unknown)}: part_types has {', '.join(kinds)}"
        raise DatasetError("dataset.bad_choice", told)
    found = {kinds[name].geometry for name in part_types} or {settings.geometry.value()}
    if len(found) > 1:
        told = "; ".join(f"{name} has {kinds[name].geometry}" for name in part_types)
        raise DatasetError("dataset.bad_choice", f"one data set holds patches of one geometry: {told}")
    return found.pop()
