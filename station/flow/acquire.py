"""Step 1, acquire: says where every line of one turn has gone, and whether the scan may be judged.

A turn is valid when eight blocks arrived, numbered 0 to 7 in this order, each with all its 448 lines, and none was
thrown away. Whatever else happened is told in words that name the blocks and how many lines are missing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from station.core.errors import FAULTS, CameraError
from station.core.part import BLOCKS_PER_TURN, LINES_PER_BLOCK, LINES_PER_TURN, Block, LineAccount


def check_format(block: Block, width_px: int) -> None:
    """Refuse a block whose pixels are not (448, width_px) uint8.

    Raises:
        CameraError: The camera delivers another format than agreed.
    """
    expected, pixels = (LINES_PER_BLOCK, width_px), block.pixels
    if pixels.shape != expected or pixels.dtype != np.uint8:
        raise CameraError(
            "camera.bad_image",
            f"block {block.frame_id} is {_size(pixels.shape)} {pixels.dtype}, agreed is {_size(expected)} uint8",
        )


def account_lines(blocks: Sequence[Block], discarded_blocks: int) -> LineAccount:
    """The account of one turn that is over.

    Args:
        blocks: Everything that arrived, in order of arrival.
        discarded_blocks: Blocks that the camera's software threw away as incomplete.
    """
    frame_ids = tuple(block.frame_id for block in blocks)
    disorder = list(_disorder(frame_ids))
    losses = list(_losses(blocks, discarded_blocks))
    fault = FAULTS["scan.out_of_order"] if disorder else FAULTS["scan.incomplete"] if losses else None
    return LineAccount(
        expected_lines=LINES_PER_TURN,
        delivered_lines=sum(block.delivered_lines for block in blocks),
        blocks=len(blocks),
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
    if any(later < earlier for earlier, later in zip(frame_ids, frame_ids[1:], strict=False)):
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


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
