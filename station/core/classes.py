"""What a surface may show, what a part may be called, and where it may go."""

from enum import IntEnum


class SurfaceClass(IntEnum):
    """What the network tells of a patch, in the order of its outputs."""

    DEFECT_FREE = 0
    IMPRINTED = 1
    PITS = 2
    ROLL_MARKS = 3
    SCRATCHES = 4

    @property
    def label(self) -> str:
        """The name in recordings, JSON and CSV, for example `roll_marks`."""
        return self.name.lower()


class Verdict(IntEnum):
    """What the station decides about a part; the value is the decision code on the PLC, where 0 means none."""

    DEFECT_FREE = 1
    IMPRINTED = 2
    PITS = 3
    ROLL_MARKS = 4
    SCRATCHES = 5
    REVIEW = 6

    @property
    def label(self) -> str:
        """The name in recordings, JSON and CSV, for example `roll_marks`."""
        return self.name.lower()

    @classmethod
    def of(cls, surface: SurfaceClass) -> "Verdict":
        """The verdict that a part of this class gets."""
        return cls[surface.name]


class Destination(IntEnum):
    """Where the robot lays a part; the value is the place code on the robot and the PLC, where 0 means none."""

    SECOND_INSPECTION = 1
    BIN_IMPRINTED = 2
    BIN_PITS = 3
    BIN_ROLL_MARKS = 4
    BIN_SCRATCHES = 5
    BIN_REVIEW = 6

    @property
    def label(self) -> str:
        """The name in JSON and CSV, for example `bin_pits`."""
        return self.name.lower()

    @classmethod
    def of(cls, verdict: Verdict) -> "Destination":
        """The only place for a part with this verdict."""
        return cls(verdict.value)
