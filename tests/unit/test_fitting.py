"""What nobody announced is the type of the nearest width, and refused alike wherever no type has that width."""

from dataclasses import replace

import pytest

from station.core.errors import PartError
from station.core.fitting import nearest_type
from tests.record_samples import PART_TYPE

NARROW, WIDE = (replace(PART_TYPE, name=f"w{width}", width_px=width, width_tolerance_px=8) for width in (400, 416))


@pytest.mark.parametrize(
    ("width", "name"), [(392, "w400"), (400, "w400"), (407, "w400"), (408, "w400"), (409, "w416"), (424, "w416")]
)
def test_the_nearest_type_is_taken_and_of_two_as_near_the_first(width: int, name: str) -> None:
    assert nearest_type([NARROW, WIDE], width).name == name


@pytest.mark.parametrize("width", [391, 425])
def test_a_width_outside_the_tolerance_is_refused_as_the_cell_refuses_a_part(width: int) -> None:
    with pytest.raises(PartError) as refused:
        nearest_type([NARROW, WIDE], width)
    assert refused.value.code == "part.wrong_width"
    assert refused.value.detail == f"{width} px wide; configured are w400 400 ± 8 px, w416 416 ± 8 px"
