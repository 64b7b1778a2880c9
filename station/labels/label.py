"""A label: what somebody says that a part, or a place on it, really is.

Nothing here changes: who thinks otherwise says it in a label of its own. Of one person's labels on one subject and
region the latest counts; `station.labels.agreement` says what counts of many.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from station.core.geometry import Geometry
from station.core.verdicts import CANNOT_BE_JUDGED, OTHER_DEFECT, WITHDRAWN

__all__ = [
    "BUILT_IN", "CANNOT_BE_JUDGED", "OTHER_DEFECT", "WITHDRAWN", "Box", "InspectionSubject", "Label", "Mask", "Patch",
    "Region", "ScanSubject", "Source", "Subject", "WholePart",
]  # fmt: skip

BUILT_IN = (OTHER_DEFECT, CANNOT_BE_JUDGED)
"""What a label may say beside the configured classes."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Source(StrEnum):
    """Where a label is from: said here, brought from elsewhere, of a golden part, or of an audit's sample."""

    PERSON = "person"
    IMPORT = "import"
    GOLDEN = "golden"
    AUDIT = "audit"


# ---------------------------------------------------------------------- subjects


@dataclass(frozen=True, slots=True)
class InspectionSubject:
    """An inspection that the records know.

    Attributes:
        inspection_id: The whole id.
    """

    inspection_id: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.inspection_id) <= 26:
            raise ValueError(f"an inspection's id has 1 to 26 characters, not {len(self.inspection_id)}")

    def __str__(self) -> str:
        """As people read it."""
        return self.inspection_id


@dataclass(frozen=True, slots=True)
class ScanSubject:
    """A file with a scan, whatever its name and wherever it lies.

    Attributes:
        sha256: Of its content, in small hexadecimal digits.
        file: Where it lay when it was labelled, or nothing where nobody knows; no part of what it is.
    """

    sha256: str
    file: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        _require_sha256(self.sha256)

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.file or 'scan'} {self.sha256[:12]}".strip()


Subject = InspectionSubject | ScanSubject

# ---------------------------------------------------------------------- regions


@dataclass(frozen=True, slots=True)
class WholePart:
    """The part as a whole."""

    level: ClassVar[str] = "part"

    def __str__(self) -> str:
        """As people read it."""
        return "part"


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch.

    Attributes:
        index: Counted from 0, as in the records; see `Geometry`.
        geometry: How the turn was cut into patches; the same index of another geometry is another place.
    """

    level: ClassVar[str] = "patch"

    index: int
    geometry: Geometry

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.geometry.patches_per_part:
            last = self.geometry.patches_per_part - 1
            raise ValueError(f"there is no patch {self.index}: they are 0 to {last} ({self.geometry})")

    def __str__(self) -> str:
        """As people read it."""
        return f"patch {self.index}"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the scan, in pixels of its file.

    Attributes:
        line: Its first, counted from 0.
        column: Its first, counted from 0 at the file's left edge.
        height: How many lines.
        width: How many columns.
    """

    level: ClassVar[str] = "box"

    line: int
    column: int
    height: int
    width: int

    def __post_init__(self) -> None:
        if min(self.line, self.column) < 0 or min(self.height, self.width) < 1:
            raise ValueError(f"{self}: lines and columns are counted from 0, a box has at least one of each")

    def __str__(self) -> str:
        """As people read it."""
        return f"box {self.line},{self.column},{self.height},{self.width}"


@dataclass(frozen=True, slots=True)
class Mask:
    """The pixels that are not 0 in an image of the scan's size.

    Attributes:
        sha256: Of the file with the mask, in small hexadecimal digits.
    """

    level: ClassVar[str] = "mask"

    sha256: str

    def __post_init__(self) -> None:
        _require_sha256(self.sha256)

    def __str__(self) -> str:
        """As people read it."""
        return f"mask {self.sha256[:12]}"


Region = WholePart | Patch | Box | Mask

# ---------------------------------------------------------------------- the label


@dataclass(frozen=True, slots=True)
class Label:
    """What somebody says.

    Attributes:
        subject: Of which part.
        region: Of all of it, or of which place on it.
        class_name: What it is: a configured class, one of `BUILT_IN`, or `WITHDRAWN`.
        who: The person's name.
        at: When; with its zone. Kept to the millisecond.
        source: Where the label is from.
        note: What else there is to say.

    Raises:
        ValueError: No name of a class, no name of a person, or a time without a zone.
    """

    subject: Subject
    region: Region
    class_name: str
    who: str
    at: datetime
    source: Source = Source.PERSON
    note: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.class_name):
            raise ValueError(f"{self.class_name!r} is no name of a class")
        if not self.who.strip() or not self.who.isprintable():
            raise ValueError(f"{self.who!r} is no name of a person")
        if self.at.tzinfo is None:
            raise ValueError("a label's time has a zone")

    @property
    def is_withdrawal(self) -> bool:
        """Whether it only takes back what the same person has said."""
        return self.class_name == WITHDRAWN


def _require_sha256(text: str) -> None:
    if not _SHA256.fullmatch(text):
        raise ValueError(f"{text!r} is no SHA-256 in small hexadecimal digits")
