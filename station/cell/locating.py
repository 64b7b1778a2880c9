"""Where a judged part's defects lie: its strips are cut once more, those that show a defect, and looked at."""

from collections.abc import Sequence

from station.cell.compute import ComputeThread
from station.core.judgement import Defect, Judgement
from station.core.part import Block, Crop, Decision, Pixels, Roi
from station.core.recipe import Recipe
from station.flow.locate import defective_strips, locate
from station.flow.patch import StripRoom, make_strip


class Locator:
    """Finds defects beside the event loop.

    Args:
        compute: The one compute thread.
        mm_per_px: What one column is along the axis, or None.
    """

    def __init__(self, compute: ComputeThread, mm_per_px: float | None) -> None:
        self._compute = compute
        self._mm_per_px = mm_per_px

    async def find(self, judgement: Judgement, recipe: Recipe) -> tuple[Defect, ...]:
        """The defects of a part that was judged by this recipe, the severest first.

        Raises:
            ModelError: The compute thread hangs.
        """
        return await self._compute.submit(
            find_defects, judgement.decision, judgement.blocks, judgement.roi, recipe, self._mm_per_px
        )


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
