"""The products of these tests: rings and sleeves with one bin for all that is not good, and discs of nine classes."""

from station.core.geometry import Geometry
from tests.cell.products import Kind

HALF_TURN = Geometry(lines_per_turn=1792, lines_per_block=448, patch_px=256, patches_per_strip=2)
RINGS = """
[[places]]
code = 7
name = "good_parts"

[[places]]
code = 3
name = "bin"

[[classes]]
code = 31
name = "stain"
place = "bin"
severity = 1

[[classes]]
code = 11
name = "good"
place = "good_parts"
severity = 0
pass = true

[[classes]]
code = 21
name = "crack"
place = "bin"
severity = 5

[review]
code = 99
place = "bin"
"""
GOOD, STAIN, CRACK = 11, 31, 21
GOOD_PARTS, BIN, REVIEW = 7, 3, 99
RING = Kind("ring", 4, 400, HALF_TURN, "good", {"crack": 190, "good": 150, "stain": 100}, "min_confidence = 0.9")

RINGS_AND_SLEEVES = (
    RINGS
    + """
[[classes]]
code = 41
name = "rust"
place = "bin"
severity = 8

[[classes]]
code = 51
name = "dent"
place = "bin"
severity = 2
"""
)
SLEEVE = Kind(
    "sleeve", 9, 600, Geometry(lines_per_turn=2048, lines_per_block=512, patch_px=128, patches_per_strip=4), "good",
    {"rust": 170, "dent": 210, "good": 90}, 'rule = "most_severe"',
)  # fmt: skip

PLACE = """
[[places]]
code = {code}
name = "p{number}"
"""
CLASS = """
[[classes]]
code = {code}
name = "c{number}"
place = "p{number}"
severity = {severity}
pass = {passes}
"""
NINE_CLASSES = (
    "".join(PLACE.format(code=17 - number, number=number) for number in range(1, 11))
    + "".join(
        CLASS.format(code=100 * number, number=number, severity=abs(number - 5), passes=str(number == 5).lower())
        for number in range(1, 10)
    )
    + """
[review]
code = 65534
place = "p10"
"""
)
DISC = Kind(
    "disc",
    65535,
    300,
    HALF_TURN,
    "c5",
    {f"c{number}": 50 + 20 * number for number in (7, 5, 1, 9, 3, 8, 2, 6, 4)},
    "min_confidence = 0.9",
)
"""Its network answers in another order than that of the table."""
