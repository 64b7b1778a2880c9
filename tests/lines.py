"""The geometry of housings in numbers, as it is in `config/housings.toml`."""

LINES_PER_TURN = 3584
BLOCKS_PER_TURN = 8
LINES_PER_BLOCK = 448
PATCH_PX = 256
PATCHES_PER_PART = 16
