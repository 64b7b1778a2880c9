"""Step 1, acquire: says where every line of one turn has gone, and whether the scan may be judged.

A turn is valid when eight blocks arrived, numbered 0 to 7 in this order, each with all its 448 lines, and none was
thrown away. Whatever else happened is told in words that name the blocks and how many lines are missing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from station.core.errors import FAULTS, CameraError
from station.core.part import BLOCKS_PER_TURN, LINES_PER_BLOCK, LINES_PER_TURN, Block, LineAccount


class Accountant:
    """Keeps the account of one turn."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []

    def take(self, block: Block) -> None:
        """Enter a block, in order of arrival.

        Raises:
            CameraError: The pixels are not (448, width) uint8, or not as wide as those of the first block.
        """
        pixels = block.pixels
        first = self._blocks[0].pixels if self._blocks else pixels
        agreed = (LINES_PER_BLOCK, first.shape[-1])
        if pixels.shape != agreed or pixels.dtype != np.uint8:
            raise CameraError(
                "camera.bad_image",
                f"block {block.frame_id} is {pixels.shape} {pixels.dtype}, agreed are {agreed} uint8: lines, columns",
            )
        self._blocks.append(block)

    def close(self, discarded_blocks: int) -> LineAccount:
        """The account, when the turn is over.

        Args:
            discarded_blocks: Blocks that the camera's software threw away as incomplete.
        """
        frame_ids = tuple(block.frame_id for block in self._blocks)
        disorder = list(_disorder(frame_ids))
        losses = list(_losses(self._blocks, discarded_blocks))
        fault = FAULTS["scan.out_of_order"] if disorder else FAULTS["scan.incomplete"] if losses else None
        return LineAccount(
            expected_lines=LINES_PER_TURN,
            delivered_lines=sum(block.delivered_lines for block in self._blocks),
            blocks=len(self._blocks),
            frame_ids=frame_ids,
            discarded_blocks=discarded_blocks,
            fault=fault,
            detail="; ".join(disorder + losses) or f"{LINES_PER_TURN} lines in {BLOCKS_PER_TURN} blocks",
        )


def _disorder(frame_ids: Sequence[int]) -> Iterator[str]:
    if foreign := sorted({number for number in frame_ids if not 0 <= number < BLOCKS_PER_TURN}):
        yield f"{_named(foreign)} outside the turn's 0 to {BLOCKS_PER_TURN - 1}"
    if repeated := sorted(number for number, times in Counter(frame_ids).items() if times > 1):
        yield f"{_named(repeated)} arrived more than once"
    if any(later < earlier for earlier, later in pairwise(frame_ids)):
        yield f"order of arrival {', '.join(map(str, frame_ids))}"


def _losses(blocks: Sequence[Block], discarded_blocks: int) -> Iterator[str]:
    arrived = {block.frame_id for block in blocks}
    if missing := [number for number in range(BLOCKS_PER_TURN) if number not in arrived]:
        yield f"{_named(missing)} missing, {len(missing) * LINES_PER_BLOCK} lines"
    for block in blocks:
        if block.delivered_lines != LINES_PER_BLOCK:
            yield f"block {block.frame_id} has {block.delivered_lines} of {LINES_PER_BLOCK} lines"
    if discarded_blocks:
        yield f"{discarded_blocks} {'block' if discarded_blocks == 1 else 'blocks'} thrown away as incomplete"


def _named(numbers: Sequence[int]) -> str:
    return f"{'block' if len(numbers) == 1 else 'blocks'} {', '.join(map(str, numbers))}"
