"""Which type a part is of that nobody announced: the one of the nearest width, refused as the cell refuses a part."""

from collections.abc import Sequence

from station.core.errors import PartError
from station.core.part import PartType


def nearest_type(types: Sequence[PartType], width_px: int) -> PartType:
    """The type of the nearest width; of two as near the first.

    Args:
        types: At least one.
        width_px: What was measured.

    Raises:
        PartError: `part.wrong_width`: that is outside the type's tolerance.
    """
    nearest = min(types, key=lambda kind: abs(kind.width_px - width_px))
    if abs(nearest.width_px - width_px) > nearest.width_tolerance_px:
        known = ", ".join(f"{kind.name} {kind.width_px} ± {kind.width_tolerance_px} px" for kind in types)
        raise PartError("part.wrong_width", f"{width_px} px wide; configured are {known}")
    return nearest
