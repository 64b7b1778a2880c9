"""The list of a part's defects on the line PLC: the severest eight, in a block and with a number of its own.

It comes after the part's result and names its inspection. Block and number go in one request, the number last, as those
of a result; a list stands until the next one, and a part without a defect has an empty list.
"""

from collections.abc import Sequence

from drivers.modbus.register_map import RegisterMap, Run, Value
from station.core.judgement import Defect
from station.core.part import Inspection
from station.core.verdicts import Classes

LISTED = 8
"""Defects that the PLC gets of one part."""
SECTION = "defects"
UNKNOWN_AXIAL_MM, UNKNOWN_MM = 6553.5, 655.35
"""What is written where nothing was measured: all bits of the register."""


class DefectList:
    """The list's registers as the PLC should have them.

    Args:
        registers: The PLC's map.
        table: The codes of the classes.
    """

    def __init__(self, registers: RegisterMap, table: Classes) -> None:
        self._registers = registers
        self._table = table
        rows = registers.select("write", SECTION)
        self.first, count = registers.span(row.name for row in rows)
        self._words = [0] * count
        self._number = 0

    @property
    def words(self) -> list[int]:
        """The whole block, from `first` on."""
        return list(self._words)

    def runs(self) -> list[Run]:
        """The block as it is written, in one request; nothing before the first list, so that the PLC keeps its own."""
        return [Run("holding", self.first, self.words)] if any(self._words) else []

    def put(self, inspection: Inspection, defects: Sequence[Defect]) -> list[Run]:
        """Take the defects of a part, the severest first, and return the words to write.

        Raises:
            BugError: A value does not fit its register; nothing was set.
        """
        number = self._number % 0xFFFF + 1
        values: dict[str, Value] = {"defects_inspection": inspection.number, "defects_count": len(defects)}
        for place in range(LISTED):
            values |= self._values(place + 1, defects[place] if place < len(defects) else None)
        words = [0] * len(self._words)
        for run in self._registers.encode_block(values | {"defects_sequence": number}):
            words[run.address - self.first : run.address - self.first + len(run.words)] = run.words
        self._words, self._number = words, number
        return self.runs()

    def resume(self, number: int) -> None:
        """Count on from the number that the PLC holds from before the station's start."""
        self._number = self._number or number

    def _values(self, place: int, defect: Defect | None) -> dict[str, Value]:
        name = f"defect_{place}_"
        if defect is None:
            return {name + key: 0 for key in ("class", "patch", "confidence", "angle", "axial", "along", "across")}
        return {
            name + "class": self._table.named(defect.surface).code,
            name + "patch": defect.patch + 1,
            name + "confidence": defect.confidence,
            name + "angle": 0.0 if defect.angle_deg is None else round(defect.angle_deg, 1) % 360,
            name + "axial": _length(defect.axial_mm, UNKNOWN_AXIAL_MM),
            name + "along": _length(defect.along_mm, UNKNOWN_MM),
            name + "across": _length(defect.across_mm, UNKNOWN_MM),
        }


def _length(measured_mm: float | None, unknown_mm: float) -> float:
    return unknown_mm if measured_mm is None else min(max(measured_mm, 0.0), unknown_mm)
