"""Spot checks: of the parts that would pass one in so many is drawn by lot, and people look at it instead.

What they say of a sample that no property of the part has chosen is all that it takes to bound the share of defective
parts among those that pass; no defect has to exist for it.
"""

from dataclasses import dataclass

from station.core.lot import lot_of


@dataclass(frozen=True, slots=True)
class Draw:
    """A draw that was made for a part that would pass.

    Attributes:
        lot: From 0 to below 1.
        one_in: One part in so many is drawn.
        seed: Of the lot; with the inspection's id it gives the same lot again.
    """

    lot: float
    one_in: int
    seed: int

    @property
    def drawn(self) -> bool:
        """Whether the part is one that people look at."""
        return self.lot * self.one_in < 1

    def __str__(self) -> str:
        """What people read of it."""
        return f"one in {self.one_in} that would pass is looked at; lot {self.lot:.6f}, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """How many of the parts that would pass are looked at.

    Attributes:
        one_in: One in so many; 0 for none.
        seed: Of the lots.
    """

    one_in: int = 0
    seed: int = 1

    def draw(self, inspection_id: str) -> Draw | None:
        """The draw for a part that would pass; None where none is made."""
        return Draw(lot_of(inspection_id, self.seed), self.one_in, self.seed) if self.one_in else None


NO_SPOT_CHECK = SpotCheck()
