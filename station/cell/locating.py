"""Where a judged part's defects lie: its strips are cut once more, those that show a defect, and looked at."""

from collections.abc import Sequence

from station.core.judgement import Defect
from station.core.part import Block, Crop, Decision, Pixels, Roi
from station.core.recipe import Recipe
from station.flow.locate import defective_strips, locate
from station.flow.patch import StripRoom, make_strip


def find_defects(
    decision: Decision, blocks: Sequence[Block], roi: Roi | None, recipe: Recipe, mm_per_px: float | None
) -> tuple[Defect, ...]:
    """The defects of a part, the severest first; blocking, for the compute thread.

    Args:
        decision: What was decided; of a part that was not judged whole no defects can be told.
        blocks: The blocks of its turn.
        roi: Its columns, or None where they were not found.
        recipe: What it was judged by.
        mm_per_px: What one column is along the axis, or None.
    """
    if decision.algorithm1 is None or roi is None:
        return ()
    geometry, outputs = recipe.rule.geometry, recipe.rule.outputs

    def patches(number: int) -> Pixels:
        columns = blocks[number].pixels[:, roi.left : roi.right]
        return make_strip(Crop(number, roi, columns), StripRoom(geometry)).patches

    strips = {number: patches(number) for number in defective_strips(decision, outputs, geometry)}
    return locate(decision, outputs, recipe.part_type, roi, mm_per_px, strips)
