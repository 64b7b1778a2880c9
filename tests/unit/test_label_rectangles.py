"""Edges as others write them, and the whole pixels that a label has of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.labels.formats.rectangle import PictureSize, Rectangle, Share
from station.labels.label import Box

SIDES = st.integers(1, 16384)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[Box, PictureSize]:
    size = PictureSize(draw(SIDES), draw(SIDES))
    line, column = draw(st.integers(0, size.lines - 1)), draw(st.integers(0, size.columns - 1))
    height, width = draw(st.integers(1, size.lines - line)), draw(st.integers(1, size.columns - column))
    return Box(line, column, height, width), size


@given(boxes(), st.integers(6, 9))
def test_shares_with_six_digits_are_the_same_pixels(sample: tuple[Box, PictureSize], digits: int) -> None:
    box, size = sample
    edges = Share.of(box, size).shares
    across, down = (round((one + other) / 2, digits) for one, other in (
        (edges.left, edges.right), (edges.top, edges.bottom)))  # fmt: skip
    wide, high = round(edges.width, digits), round(edges.height, digits)
    told = Rectangle(across - wide / 2, down - high / 2, across + wide / 2, down + high / 2)
    assert Share(told).box(size) == box


@pytest.mark.parametrize(
    ("edges", "box"),
    [
        ((2, 3, 7, 9), Box(3, 2, 6, 5)),
        ((2.04, 2.96, 7.04, 8.96), Box(3, 2, 6, 5)),
        ((2.06, 3.5, 6.94, 8.06), Box(3, 2, 6, 5)),
        ((-0.04, -0.04, 48.04, 64.04), Box(0, 0, 64, 48)),
        ((5.2, 5.2, 5.4, 5.4), Box(5, 5, 1, 1)),
    ],
)
def test_an_edge_between_is_moved_outwards(edges: tuple[float, ...], box: Box) -> None:
    assert Rectangle(*edges).box(PictureSize(64, 48)) == box


@pytest.mark.parametrize(
    ("edges", "told"),
    [
        ((-1, 0, 5, 5), "is not within the picture of 64 lines of 48 px"),
        ((0, -0.06, 5, 5), "is not within"),
        ((0, 0, 49, 5), "is not within"),
        ((0, 0, 5, 64.1), "is not within"),
        ((5, 5, 5, 9), "has no area"),
        ((5, 9, 7, 5), "has no area"),
        ((4.96, 4, 5.04, 9), "is no pixel wide or high"),
        ((float("nan"), 4, 5, 9), "no number"),
        ((0, 0, float("inf"), 9), "no number"),
    ],
)
def test_what_is_no_box_of_the_picture_is_refused(edges: tuple[float, ...], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Rectangle(*edges).box(PictureSize(64, 48))
