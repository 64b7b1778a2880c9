"""The classes of surface that a rendered housing can have."""

from enum import IntEnum


class SurfaceClass(IntEnum):
    """What is drawn; the value is the number in masks, the label the name in the configuration's table."""

    DEFECT_FREE = 0
    IMPRINTED = 1
    PITS = 2
    ROLL_MARKS = 3
    SCRATCHES = 4

    @property
    def label(self) -> str:
        """The name in recordings, JSON and CSV, for example `roll_marks`."""
        return self.name.lower()
