"""The table and geometry of housings, as the tests of networks and data sets use them."""

from enum import StrEnum

from models.manifest import ScanGeometry
from models.meaning import meaning_of
from station.core.table import default_geometry, housings
from station.core.verdicts import Verdict

TABLE = housings()
GEOMETRY = default_geometry().value()
SCAN_GEOMETRY = ScanGeometry.of(GEOMETRY)
LINES = GEOMETRY.lines_per_turn


class Surface(StrEnum):
    """Names of the classes, in the order of the shipped network's columns and of the numbers in masks."""

    DEFECT_FREE = "defect_free"
    IMPRINTED = "imprinted"
    PITS = "pits"
    ROLL_MARKS = "roll_marks"
    SCRATCHES = "scratches"

    @property
    def number(self) -> int:
        """In masks."""
        return list(Surface).index(self)

    @property
    def verdict(self) -> Verdict:
        """The row of the table."""
        return TABLE.named(self)


S = Surface
CLASSES = tuple(surface.value for surface in Surface)
MEANING = meaning_of(CLASSES, TABLE, "the network")
