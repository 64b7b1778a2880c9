"""How one turn of a part becomes blocks, strips and patches.

    turn ─▶ blocks, one after the other ─ each resized ─▶ a strip a block ─ cut ─▶ patches, left to right

A block resized alone must be, bit for bit, its part of the whole turn resized at once, because a network may judge
block by block while the part turns. That holds where the factor from lines to rows is an exact binary fraction, where
OpenCV's arithmetic comes to it exactly, and where lines are put together and never spread: `Geometry` takes no other.
OpenCV takes the factor as the reciprocal of rows by lines, which is rounded: of one geometry in ten it misses the
factor by a last bit, and the first row of a block then begins one line too early, in the block before it.
"""

from dataclasses import dataclass

MAX_BLOCKS, MAX_PATCHES = 64, 256


@dataclass(frozen=True, slots=True)
class Geometry:
    """The geometry of a network's input, and of the scan that it is cut from.

    Patch k of a part is patch `k % patches_per_strip` (from the left) of strip `k // patches_per_strip`.

    Attributes:
        lines_per_turn: Lines of one turn.
        lines_per_block: Lines that come as one block and become one strip.
        patch_px: Height and width of a patch.
        patches_per_strip: Patches side by side, along the axis of the part.

    Raises:
        ValueError: A turn that is no whole number of blocks, or a block that makes no whole rows of a patch, or whose
            rows would depend on the blocks before it.
    """

    lines_per_turn: int
    lines_per_block: int
    patch_px: int
    patches_per_strip: int

    def __post_init__(self) -> None:
        if problem := _problem(self):
            raise ValueError(problem)

    @property
    def blocks_per_turn(self) -> int:
        """Blocks, and strips, of one turn."""
        return self.lines_per_turn // self.lines_per_block

    @property
    def strip_shape(self) -> tuple[int, int]:
        """Rows and columns of a strip."""
        return self.patch_px, self.patches_per_strip * self.patch_px

    @property
    def patches_shape(self) -> tuple[int, int, int]:
        """Shape of one strip's patches, as the network takes them."""
        return self.patches_per_strip, self.patch_px, self.patch_px

    @property
    def patches_per_part(self) -> int:
        """Patches of one turn."""
        return self.blocks_per_turn * self.patches_per_strip

    def __str__(self) -> str:
        """As people read it."""
        return (
            f"{self.lines_per_turn} lines a turn, {self.lines_per_block} a block, "
            f"{self.patches_per_strip} patches of {self.patch_px} px a strip"
        )


def _problem(geometry: Geometry) -> str | None:
    lines, block, patch = geometry.lines_per_turn, geometry.lines_per_block, geometry.patch_px
    if min(lines, block, patch, geometry.patches_per_strip) < 1:
        return "lines and patches are counted from 1"
    if lines % block:
        return f"{lines} lines a turn are no whole number of blocks of {block} lines"
    if lines // block > MAX_BLOCKS or lines // block * geometry.patches_per_strip > MAX_PATCHES:
        return f"more than {MAX_BLOCKS} blocks or {MAX_PATCHES} patches a part"
    odd = patch // (patch & -patch)
    if block < patch or block % odd:
        return (
            f"a block of {block} lines makes no whole rows of a patch of {patch} px: it must have at least {patch} "
            f"lines" + (f", and a multiple of {odd}" if odd > 1 else "")
        )
    if 1 / (patch / block) != block / patch:
        return (
            f"blocks of {block} lines cannot be resized one by one to patches of {patch} px: the factor is not exact "
            "in floating point; take a few lines more or less"
        )
    return None
