"""The configuration's `[challenge]`: golden parts, and when they are due."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from station.core.calendar import Calendar
from station.core.challenge import GoldenPart, Plan
from station.core.section import Section

PartId = Annotated[str, StringConstraints(pattern=r"^[!-~]([ -~]{0,14}[!-~])?$")]
"""What a PLC can announce: 1 to 16 printable ASCII characters."""


class GoldenSettings(Section):
    """One golden part."""

    part_id: PartId = Field(..., description="By which the line PLC announces it: 1 to 16 printable characters.")
    part_type: str = Field(..., description="Name of its part type.")
    expected: str = Field(..., description="The verdict that it must get: a class, or review.")


class ChallengeSettings(Section):
    """Golden parts, which the station must judge rightly before it goes on."""

    every_h: float = Field(0.0, ge=0, le=1000, description="Hours after which they are due again; 0 for never.")
    every_shift: bool = Field(default=False, description="Whether they are due when a shift begins; see plant.shifts.")
    golden: list[GoldenSettings] = Field(
        default=[], description="The golden parts; a part type without any is never challenged."
    )

    def plan(self, calendar: Calendar) -> Plan:
        """The same as the values that flow.

        Args:
            calendar: The plant's shifts.
        """
        golden = tuple(GoldenPart(one.part_id, one.part_type, one.expected) for one in self.golden)
        every = timedelta(hours=self.every_h) if self.every_h else None
        return Plan(golden, every, calendar if self.every_shift else None)

    def problems(self, types: set[str], passes: Mapping[str, bool]) -> list[str]:
        """What is wrong with them, in words.

        Args:
            types: Names of the part types.
            passes: The verdicts by name, and whether a part may pass with it.
        """
        ids = [one.part_id for one in self.golden]
        found = [f"challenge.golden: {one} is listed twice" for one in sorted(set(ids)) if ids.count(one) > 1]
        found += [problem for one in self.golden for problem in _misfits(one, types, passes)]
        kinds = sorted({one.part_type for one in self.golden} & types)
        return found + [problem for kind in kinds for problem in self._proves_nothing(kind, passes)]

    def _proves_nothing(self, kind: str, passes: Mapping[str, bool]) -> Iterator[str]:
        if all(passes.get(one.expected, False) for one in self.golden if one.part_type == kind):
            yield f"challenge.golden: type {kind} has no defective part; good ones do not prove that any is found"


def _misfits(golden: GoldenSettings, types: set[str], passes: Mapping[str, bool]) -> Iterator[str]:
    key = f"challenge.golden {golden.part_id}"
    if golden.part_type not in types:
        yield f"{key}: there is no part type {golden.part_type}; there are {', '.join(sorted(types))}"
    if golden.expected not in passes:
        yield f"{key}: {golden.expected} is no verdict; there are {', '.join(passes)}"
