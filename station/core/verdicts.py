"""What a network may answer, what a part may be called, and where it may go: the configured table as values.

A `Verdict` is one row of `[[classes]]`, or REVIEW, which no network answers. Nothing here knows a class by name but
REVIEW: what is inspected is up to the configuration and the network's bundle. What holds for every table: exactly one
verdict passes; codes are never 0, so that nothing read as nothing is a verdict; a code or name that is not in the table
is REVIEW; no defect and no REVIEW shares the place of what passes. `station.core.settings` refuses any other table.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

REVIEW = "review"
"""Name of the verdict on what was not judged, or not surely enough."""
WITHDRAWN = "withdrawn"
"""What a person says who takes back what they said of a part; no class, so that it is never mistaken for one."""
UNKNOWN = "unknown"
"""What the truth beside a scan calls a part of none of the classes: it belongs into review, and must never pass."""
UNKNOWN_MARK = 255
"""What a mask says where such a part shows what it has."""
OTHER_DEFECT = "other_defect"
"""What a person says of a defect that is none of the configured classes."""
CANNOT_BE_JUDGED = "cannot_be_judged"
"""What a person says who has looked, and cannot tell."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the robot may lay a part.

    Attributes:
        code: Its number on the robot and the PLC, 1 to 16; 0 there means none.
        name: In JSON and CSV, for example `bin_review`.
        label: For people.
    """

    code: int
    name: str
    label: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a part may be called; all but REVIEW are what the network tells of a patch, too.

    Attributes:
        code: The decision code on the PLC, 1 to 65534; 0 there means none.
        name: In recordings, JSON and CSV, for example `review`.
        label: For people.
        place: The only place for such a part.
        colour: Of a patch or part in pictures and on screens, as `#rrggbb`.
        severity: Which of several defects is the worst: the highest; 0 of what passes.
        passes: Whether it is the one verdict with which a part is good.
    """

    code: int
    name: str
    label: str
    place: Place
    colour: str
    severity: int
    passes: bool = False

    @property
    def is_review(self) -> bool:
        """Whether people must look at the part."""
        return self.name == REVIEW

    @property
    def is_defect(self) -> bool:
        """Whether the network called it a defect: neither good nor up to people."""
        return not self.passes and not self.is_review

    @property
    def bgr(self) -> tuple[int, int, int]:
        """The colour as OpenCV takes it: blue, green, red, 0 to 255."""
        red, green, blue = bytes.fromhex(self.colour[1:])
        return blue, green, red


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the columns of one network's answers mean.

    Attributes:
        surfaces: One row of the table a column, in the network's own order.
    """

    surfaces: tuple[Verdict, ...]

    def __len__(self) -> int:
        return len(self.surfaces)

    @property
    def passing(self) -> int:
        """The column of the class that passes."""
        return next(column for column, surface in enumerate(self.surfaces) if surface.passes)

    @property
    def names(self) -> tuple[str, ...]:
        """The classes' names in the network's own order."""
        return tuple(surface.name for surface in self.surfaces)


@dataclass(frozen=True)
class Classes:
    """The whole table.

    Attributes:
        surfaces: The classes, in the order of the configuration.
        review: What becomes of what was not judged.
        places: All places, by code.
    """

    surfaces: tuple[Verdict, ...]
    review: Verdict
    places: tuple[Place, ...]

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """Everything that a part may be called, by code."""
        return tuple(sorted((*self.surfaces, self.review), key=lambda verdict: verdict.code))

    @cached_property
    def passing(self) -> Verdict:
        """The one verdict with which a part is good."""
        return next(surface for surface in self.surfaces if surface.passes)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The classes' names, in the order of the configuration."""
        return tuple(surface.name for surface in self.surfaces)

    @cached_property
    def unlisted(self) -> Verdict:
        """What a part of none of the classes is, in the truth alone: nobody answers it, and REVIEW is right for it."""
        return replace(self.review, name=UNKNOWN, label=UNKNOWN)

    def of_code(self, code: int) -> Verdict:
        """The verdict with this code on the PLC; REVIEW for a code that nobody knows."""
        return next((verdict for verdict in self.verdicts if verdict.code == code), self.review)

    def named(self, name: str) -> Verdict:
        """The verdict with this name; REVIEW for a name that nobody knows, as of a table that has changed since."""
        return next((verdict for verdict in self.verdicts if verdict.name == name), self.review)

    def place_of(self, code: int) -> Place | None:
        """The place with this code, or None."""
        return next((place for place in self.places if place.code == code), None)

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Names of classes that the table does not have, in their order."""
        return [name for name in names if name not in self.names]

    def outputs(self, names: Sequence[str]) -> Outputs:
        """What the columns of a network with these classes mean.

        Raises:
            KeyError: A class that the table does not have; ask `unknown` first.
        """
        known = {surface.name: surface for surface in self.surfaces}
        return Outputs(tuple(known[name] for name in names))


@dataclass(frozen=True, slots=True)
class Inspected:
    """What numbers in registers and documents stand for.

    Attributes:
        table: Verdicts and places.
        patches: The most patches that a part of any type has.
    """

    table: Classes
    patches: int
