"""Step 1, acquire: says where every line of one turn has gone, and whether the scan may be judged.

A turn is valid when all its blocks arrived, numbered from 0 in this order, each with all its lines, and none was
thrown away. Whatever else happened is told in words that name the blocks and how many lines are missing.

That says nothing of lines that the camera lost before it numbered its blocks: the later ones move up, and the block
looks whole. Where the camera tells the jig's encoder at a block's first and last line, the encoder must have advanced
by exactly what the lines between take, within each block and from its last line to the next block's first. Where it
tells only the first line's, the same holds from block to block, and the inside of the last block is not proven. Only
differences count, modulo the counter's range, so neither the start nor a wrap matters; that the first line lies at the
index pulse is told by the inputs' levels. Time stamps prove nothing here: they go on while lines are lost.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from station.core.camera_settings import ChunkSettings
from station.core.errors import FAULTS, CameraError
from station.core.geometry import Geometry
from station.core.part import Block, LineAccount, LineMarks

LARGEST_16_BITS = 65535


class Accountant:
    """Keeps the account of one turn.

    Args:
        geometry: How many blocks of how many lines are a turn.
        chunks: What the camera's marks of its lines must come to.
    """

    def __init__(self, geometry: Geometry, chunks: ChunkSettings | None = None) -> None:
        self._geometry = geometry
        self._chunks = chunks or ChunkSettings()
        self._blocks: list[Block] = []

    def take(self, block: Block) -> None:
        """Enter a block, in order of arrival.

        Raises:
            CameraError: The pixels are not (lines a block, width) uint8, or not as wide as those of the first block.
        """
        pixels = block.pixels
        first = self._blocks[0].pixels if self._blocks else pixels
        agreed = (self._geometry.lines_per_block, first.shape[-1])
        if pixels.shape != agreed or pixels.dtype != np.uint8:
            raise CameraError(
                "camera.bad_image",
                f"block {block.frame_id} is {pixels.shape} {pixels.dtype}, agreed are {agreed} uint8: lines, columns",
            )
        self._blocks.append(block)

    @property
    def awaits_last(self) -> bool:
        """Whether all blocks of the turn but one were taken."""
        return len(self._blocks) == self._geometry.blocks_per_turn - 1

    def close(self, discarded_blocks: int) -> LineAccount:
        """The account, when the turn is over.

        Args:
            discarded_blocks: Blocks that the camera's software threw away as incomplete.
        """
        blocks, geometry = self._blocks, self._geometry
        frame_ids = tuple(block.frame_id for block in blocks)
        disorder = list(_disorder(frame_ids, geometry.blocks_per_turn))
        losses = [*_losses(blocks, geometry, discarded_blocks), *_contradictions(blocks, geometry, self._chunks)]
        fault = FAULTS["scan.out_of_order"] if disorder else FAULTS["scan.incomplete"] if losses else None
        return LineAccount(
            expected_lines=geometry.lines_per_turn,
            delivered_lines=sum(block.delivered_lines for block in blocks),
            blocks=len(blocks),
            frame_ids=frame_ids,
            discarded_blocks=discarded_blocks,
            fault=fault,
            detail="; ".join(disorder + losses) or _wholeness(blocks, geometry),
        )


def _disorder(frame_ids: Sequence[int], blocks_per_turn: int) -> Iterator[str]:
    if foreign := sorted({number for number in frame_ids if not 0 <= number < blocks_per_turn}):
        yield f"{_named(foreign)} outside the turn's 0 to {blocks_per_turn - 1}"
    if repeated := sorted(number for number, times in Counter(frame_ids).items() if times > 1):
        yield f"{_named(repeated)} arrived more than once"
    if any(later < earlier for earlier, later in pairwise(frame_ids)):
        yield f"order of arrival {', '.join(map(str, frame_ids))}"


def _losses(blocks: Sequence[Block], geometry: Geometry, discarded_blocks: int) -> Iterator[str]:
    arrived, lines = {block.frame_id for block in blocks}, geometry.lines_per_block
    if missing := [number for number in range(geometry.blocks_per_turn) if number not in arrived]:
        yield f"{_named(missing)} missing, {len(missing) * lines} lines"
    for block in blocks:
        if block.delivered_lines != lines:
            yield f"block {block.frame_id} has {block.delivered_lines} of {lines} lines"
    if discarded_blocks:
        yield f"{discarded_blocks} {'block' if discarded_blocks == 1 else 'blocks'} thrown away as incomplete"


def _named(numbers: Sequence[int]) -> str:
    return f"{'block' if len(numbers) == 1 else 'blocks'} {', '.join(map(str, numbers))}"


def _wholeness(blocks: Sequence[Block], geometry: Geometry) -> str:
    """What a whole turn rests on."""
    counts = [count for block in blocks if block.marks for count in _counts(block.marks)]
    told = f", encoder {counts[0]} to {counts[-1]}" if counts else ""
    return f"{geometry.lines_per_turn} lines in {geometry.blocks_per_turn} blocks{told}"


def _counts(marks: LineMarks) -> list[int]:
    return [count for count in (marks.first_encoder, marks.last_encoder) if count is not None]


# ---------------------------------------------------------------------- what the camera says of its lines


@dataclass(frozen=True, slots=True)
class _Mark:
    """The encoder at a line of the turn; `inside`: the last line of a block, whose first line was marked before it."""

    block: int
    line: int
    count: int
    inside: bool


MarkedBlocks = Sequence[tuple[Block, LineMarks]]
"""The blocks that the camera told something of, in order of arrival."""


def _contradictions(blocks: Sequence[Block], geometry: Geometry, chunks: ChunkSettings) -> Iterator[str]:
    """Where the camera's own marks do not fit the lines that it delivered."""
    marked = [(block, block.marks) for block in blocks if block.marks is not None]
    # A camera sends chunks with every block or with none: a block alone without them is not what it seems.
    if marked and len(marked) < len(blocks):
        yield f"{_named([block.frame_id for block in blocks if block.marks is None])} without any marks"
    yield from _marks_not_told(marked)
    yield from _begins_elsewhere(marked, chunks)
    yield from _numbered_otherwise(marked)
    yield from _jumps(list(_marks(marked, geometry.lines_per_block)), chunks)


def _marks_not_told(marked: MarkedBlocks) -> Iterator[str]:
    for block, marks in marked:
        if marks.absent:
            yield f"block {block.frame_id} came without {', '.join(marks.absent)}"


def _begins_elsewhere(marked: MarkedBlocks, chunks: ChunkSettings) -> Iterator[str]:
    # The inputs are latched at a block's first line; the pulse is over before the second block begins.
    for block, marks in marked:
        if chunks.index_bit is not None and block.frame_id == 0 and not _high(marks.line_status, chunks.index_bit):
            yield "block 0 does not begin at the index pulse"


def _numbered_otherwise(marked: MarkedBlocks) -> Iterator[str]:
    # The producer numbers buffers, the camera numbers frames: one lost between them shifts the two against each other.
    if not _counts_on([(marks.frame_id, block.frame_id) for block, marks in marked if marks.frame_id is not None]):
        yield f"the camera's own numbers are {', '.join(str(marks.frame_id) for _, marks in marked)}"


def _counts_on(numbered: Sequence[tuple[int, int]]) -> bool:
    """Whether the camera's own numbers (first of each pair) go on as the blocks' do, also where 16 bits begin anew.

    After 65535 comes 1, or 0 where a counter shows that it has one.
    """
    own = [number for number, _block in numbered]
    differences = {number - block for number, block in numbered}
    if len(differences) < 2:
        return True
    numbers = LARGEST_16_BITS + (
        0 in own
    )  # how many numbers the counter has; every block must differ by the same, modulo these
    return max(own) <= LARGEST_16_BITS and len({difference % numbers for difference in differences}) == 1


def _high(status: int | None, bit: int) -> bool:
    """Whether this input was high; one that was not told is complained of as absent, if at all."""
    return status is None or bool(status >> bit & 1)


def _marks(marked: MarkedBlocks, lines_per_block: int) -> Iterator[_Mark]:
    for block, marks in marked:
        line = block.frame_id * lines_per_block
        if marks.first_encoder is not None:
            yield _Mark(block.frame_id, line, marks.first_encoder, inside=False)
        if marks.last_encoder is not None:
            last = (
                line + max(block.delivered_lines, 1) - 1
            )  # of a short block the last that came, not the last that should
            yield _Mark(block.frame_id, last, marks.last_encoder, inside=True)


def _jumps(marks: Sequence[_Mark], chunks: ChunkSettings) -> Iterator[str]:
    """Where the encoder has not advanced by what the lines between two marks take."""
    for earlier, later in pairwise(marks):
        lines = later.line - earlier.line
        counts = _signed(later.count - earlier.count - lines * chunks.counts_per_line, chunks.counter_bits)
        surplus = counts / chunks.counts_per_line
        if abs(surplus) > chunks.tolerance_lines:
            where = f"inside block {later.block}" if later.inside else f"from block {earlier.block} to {later.block}"
            kind = "lost" if surplus > 0 else "too many"
            yield f"{abs(surplus):g} lines {kind} {where}, by the encoder"


def _signed(counts: int, bits: int) -> int:
    """A difference of counts whose counter begins anew after so many bits."""
    half = 1 << (bits - 1)  # the nearer way round: forwards up to half of the range, else backwards
    return (counts + half) % (1 << bits) - half
