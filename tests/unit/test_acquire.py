"""The account of a turn's lines: only eight whole blocks in order make a valid scan."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from station.core.camera_settings import ChunkSettings
from station.core.errors import CameraError
from station.core.part import Block, LineAccount, LineMarks
from station.flow.acquire import Accountant
from tests.lines import LINES_PER_BLOCK
from tests.turned import GEOMETRY

WHOLE = tuple(range(8))
PIXELS = np.zeros((448, 64), np.uint8)


def block(index: int, frame_id: int, lines: int = LINES_PER_BLOCK, pixels: np.ndarray = PIXELS) -> Block:
    return Block(index, frame_id, pixels, lines, 0, 0)


def account(frame_ids: tuple[int, ...], discarded: int = 0, short: dict[int, int] | None = None) -> LineAccount:
    accountant = Accountant(GEOMETRY)
    for index, frame_id in enumerate(frame_ids):
        accountant.take(block(index, frame_id, (short or {}).get(index, LINES_PER_BLOCK)))
    return accountant.close(discarded)


def test_eight_whole_blocks_in_order_are_valid() -> None:
    found = account(WHOLE)
    assert found.valid
    assert (found.expected_lines, found.delivered_lines, found.blocks) == (3584, 3584, 8)
    assert found.frame_ids == WHOLE
    assert found.detail == "3584 lines in 8 blocks"


@pytest.mark.parametrize(
    ("frame_ids", "code", "detail"),
    [
        ((), "scan.incomplete", "blocks 0, 1, 2, 3, 4, 5, 6, 7 missing, 3584 lines"),
        ((0, 1, 2, 3, 4, 5, 6), "scan.incomplete", "block 7 missing, 448 lines"),
        ((0, 1, 2, 4, 5, 6, 7), "scan.incomplete", "block 3 missing, 448 lines"),
        ((1, 2, 3, 4, 5, 6, 7), "scan.incomplete", "block 0 missing, 448 lines"),
        ((0, 2, 4, 5, 6, 7), "scan.incomplete", "blocks 1, 3 missing, 896 lines"),
        ((0, 1, 1, 2, 3, 4, 5, 6), "scan.out_of_order", "block 1 arrived more than once; block 7 missing, 448 lines"),
        ((0, 1, 1, 2, 3, 4, 5, 6, 7), "scan.out_of_order", "block 1 arrived more than once"),
        ((0, 2, 1, 3, 4, 5, 6, 7), "scan.out_of_order", "order of arrival 0, 2, 1, 3, 4, 5, 6, 7"),
        (
            (1, 2, 3, 4, 5, 6, 7, 8),
            "scan.out_of_order",
            "block 8 outside the turn's 0 to 7; block 0 missing, 448 lines",
        ),
        ((0, 1, 2, 3, 4, 5, 6, 7, 8), "scan.out_of_order", "block 8 outside the turn's 0 to 7"),
        ((-1, 0, 1, 2, 3, 4, 5, 6, 7), "scan.out_of_order", "block -1 outside the turn's 0 to 7"),
    ],
)
def test_gaps_repeats_and_disorder_are_named(frame_ids: tuple[int, ...], code: str, detail: str) -> None:
    found = account(frame_ids)
    assert found.fault is not None
    assert found.fault.code == code
    assert found.detail == detail
    assert not found.valid


@pytest.mark.parametrize("lines", [0, 447, 449])
def test_a_block_without_exactly_its_lines_makes_the_scan_incomplete(lines: int) -> None:
    found = account(WHOLE, short={5: lines})
    assert found.fault is not None
    assert found.fault.code == "scan.incomplete"
    assert found.detail == f"block 5 has {lines} of 448 lines"
    assert found.delivered_lines == 7 * 448 + lines


@pytest.mark.parametrize(("discarded", "words"), [(1, "1 block thrown away"), (2, "2 blocks thrown away")])
def test_a_discarded_block_makes_even_a_whole_turn_incomplete(discarded: int, words: str) -> None:
    found = account(WHOLE, discarded)
    assert found.fault is not None
    assert found.fault.code == "scan.incomplete"
    assert found.detail == f"{words} as incomplete"
    assert found.discarded_blocks == discarded


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((447, 64), np.uint8),
        np.zeros((448, 64), np.uint16),
        np.zeros((448, 64, 3), np.uint8),
        np.zeros(448, np.uint8),
        np.zeros((448, 65), np.uint8),
    ],
    ids=["a line less", "16 bit", "colour", "one line", "another width than the first"],
)
def test_a_foreign_image_format_is_the_cameras_fault(pixels: np.ndarray) -> None:
    accountant = Accountant(GEOMETRY)
    accountant.take(block(0, 0))
    with pytest.raises(CameraError, match=r"block 1 is .* agreed are") as refused:
        accountant.take(block(1, 1, pixels=pixels))
    assert refused.value.code == "camera.bad_image"
    assert accountant.close(0).blocks == 1


def test_a_first_block_without_columns_is_refused() -> None:
    with pytest.raises(CameraError):
        Accountant(GEOMETRY).take(block(0, 0, pixels=np.zeros(448, np.uint8)))


# ---------------------------------------------------------------------- what the camera says of its lines

NAMES = {"frame_id": "F", "encoder_value": "E", "line_selector": "S", "line_status": "L"}
EXACT = ChunkSettings.model_validate(NAMES | {"counter_bits": 32, "index_bit": 0})


def whole_turn(start: int = 5000, step: int = 1, bits: int = 32, first_number: int = 1) -> list[LineMarks]:
    """The marks of a turn without loss: the encoder stands at `start` at the first line."""

    def count(line: int) -> int:
        return (start + step * line) % (1 << bits)

    return [
        LineMarks(first_number + number, count(448 * number), count(448 * number + 447), int(number == 0))
        for number in WHOLE
    ]


def told_by(marks: list[LineMarks | None], chunks: ChunkSettings = EXACT) -> LineAccount:
    accountant = Accountant(GEOMETRY, chunks)
    for index, mark in enumerate(marks):
        accountant.take(replace(block(index, index), marks=mark))
    return accountant.close(0)


def later_by(marks: list[LineMarks], lines: int, block_number: int, *, inside: bool) -> list[LineMarks]:
    """As if the camera had lost lines within a block, or before it."""

    def moved(number: int, mark: LineMarks) -> LineMarks:
        if number < block_number:
            return mark
        first = lines if number > block_number or not inside else 0
        assert mark.first_encoder is not None
        assert mark.last_encoder is not None
        return replace(mark, first_encoder=mark.first_encoder + first, last_encoder=mark.last_encoder + lines)

    return [moved(number, mark) for number, mark in enumerate(marks)]


@pytest.mark.parametrize("start", [0, 5000, 2**32 - 1, 2**32 - 448, 2**32 - 2000])
def test_a_turn_whose_encoder_advances_line_by_line_is_valid_wherever_it_starts(start: int) -> None:
    found = told_by([*whole_turn(start)])
    assert found.valid, found.detail
    assert found.detail == f"3584 lines in 8 blocks, encoder {start} to {(start + 3583) % 2**32}"


@pytest.mark.parametrize(("step", "bits"), [(1, 16), (4, 32), (-1, 32), (-4, 16), (1, 64), (100, 32)])
def test_divider_direction_and_wrap_make_no_difference(step: int, bits: int) -> None:
    chunks = ChunkSettings.model_validate(NAMES | {"counts_per_line": step, "counter_bits": bits})
    assert told_by([*whole_turn(7, step, bits)], chunks).valid
    lost = whole_turn(7, step, bits)
    for number in range(4, 8):
        first, last = lost[number].first_encoder, lost[number].last_encoder
        assert first is not None
        assert last is not None
        lost[number] = replace(lost[number], first_encoder=first + step, last_encoder=last + step)
    assert told_by([*lost], chunks).detail == "1 lines lost from block 3 to 4, by the encoder"


def test_a_signed_counter_may_pass_through_nought() -> None:
    marks = [
        replace(mark, first_encoder=mark.first_encoder - 1000, last_encoder=mark.last_encoder - 1000)
        for mark in whole_turn(0)
        if mark.first_encoder is not None and mark.last_encoder is not None
    ]
    assert told_by([*marks]).valid


@pytest.mark.parametrize("lines", [1, 40, 448])
@pytest.mark.parametrize("number", WHOLE)
def test_lines_lost_inside_any_block_make_the_scan_incomplete(number: int, lines: int) -> None:
    found = told_by([*later_by(whole_turn(), lines, number, inside=True)])
    assert found.fault is not None
    assert found.fault.code == "scan.incomplete"
    assert found.detail == f"{lines} lines lost inside block {number}, by the encoder"


@pytest.mark.parametrize("number", WHOLE[1:])
def test_lines_lost_between_blocks_make_the_scan_incomplete(number: int) -> None:
    found = told_by([*later_by(whole_turn(), 3, number, inside=False)])
    assert found.fault is not None
    assert found.detail == f"3 lines lost from block {number - 1} to {number}, by the encoder"


def test_lines_that_show_a_place_twice_are_told_too() -> None:
    found = told_by([*later_by(whole_turn(), -2, 5, inside=True)])
    assert not found.valid
    assert found.detail == "2 lines too many inside block 5, by the encoder"


def test_with_the_first_lines_encoder_alone_the_inside_of_the_last_block_is_not_proven() -> None:
    def seen(number: int) -> LineAccount:
        marks = later_by(whole_turn(), 3, number, inside=True)
        return told_by([replace(mark, last_encoder=None) for mark in marks])

    assert [seen(number).valid for number in WHOLE] == [False] * 7 + [True]
    assert seen(2).detail == "3 lines lost from block 2 to 3, by the encoder"


def test_within_the_tolerance_the_drives_speed_may_be_off() -> None:
    loose = EXACT.model_copy(update={"tolerance_lines": 5.0})
    faster = [
        replace(mark, first_encoder=round(448 * number * 1.01), last_encoder=round((448 * number + 447) * 1.01))
        for number, mark in enumerate(whole_turn(0))
    ]
    assert told_by([*faster], loose).valid
    assert not told_by([*faster]).valid
    assert not told_by([*later_by(faster, 10, 3, inside=True)], loose).valid


def test_a_block_that_is_missing_is_told_once_and_not_by_the_encoder() -> None:
    accountant = Accountant(GEOMETRY, EXACT)
    for index, number in enumerate((0, 1, 2, 4, 5, 6, 7)):
        accountant.take(replace(block(index, number), marks=whole_turn()[number]))
    assert accountant.close(0).detail == "block 3 missing, 448 lines"


def test_a_short_block_is_told_once_and_not_by_the_encoder() -> None:
    accountant = Accountant(GEOMETRY, EXACT)
    for index, mark in enumerate(whole_turn()):
        short = replace(mark, last_encoder=(mark.first_encoder or 0) + 99) if index == 3 else mark
        accountant.take(replace(block(index, index, 100 if index == 3 else 448), marks=short))
    assert accountant.close(0).detail == "block 3 has 100 of 448 lines"


def test_a_turn_that_does_not_begin_at_the_index_is_incomplete() -> None:
    marks = whole_turn()
    marks[0] = replace(marks[0], line_status=0b10)
    found = told_by([*marks])
    assert found.fault is not None
    assert (found.fault.code, found.detail) == ("scan.incomplete", "block 0 does not begin at the index pulse")
    assert told_by([*marks], EXACT.model_copy(update={"index_bit": 1})).valid
    assert told_by([*marks], EXACT.model_copy(update={"index_bit": None})).valid


def test_a_block_without_a_mark_that_the_camera_sends_proves_nothing() -> None:
    marks: list[LineMarks | None] = [*whole_turn()]
    marks[2] = LineMarks(absent=("ChunkEncoderValue", "ChunkFrameID"))
    found = told_by(marks)
    assert found.fault is not None
    assert (found.fault.code, found.detail) == (
        "scan.incomplete",
        "block 2 came without ChunkEncoderValue, ChunkFrameID",
    )
    marks[2] = None
    assert told_by(marks).detail == "block 2 without any marks"


def test_numbers_of_the_camera_that_skip_one_are_told() -> None:
    marks = whole_turn(first_number=77)
    assert told_by([*marks]).valid
    marks[5:] = [replace(mark, frame_id=(mark.frame_id or 0) + 1) for mark in marks[5:]]
    found = told_by([*marks])
    assert found.fault is not None
    assert found.detail == "the camera's own numbers are 77, 78, 79, 80, 81, 83, 84, 85"


@pytest.mark.parametrize(
    ("numbers", "valid"),
    [
        ([65532, 65533, 65534, 65535, 1, 2, 3, 4], True),
        ([65533, 65534, 65535, 0, 1, 2, 3, 4], True),
        ([65532, 65533, 65534, 65535, 65536, 65537, 65538, 65539], True),
        ([65532, 65533, 65534, 65535, 2, 3, 4, 5], False),
        ([65533, 65534, 65535, 1, 0, 2, 3, 4], False),
        ([70000, 70001, 70002, 70003, 4469, 4470, 4471, 4472], False),
    ],
)
def test_numbers_of_the_camera_of_16_bits_begin_anew(numbers: list[int], *, valid: bool) -> None:
    marks = [replace(mark, frame_id=number) for mark, number in zip(whole_turn(), numbers, strict=True)]
    assert told_by([*marks]).valid is valid


def test_a_camera_that_says_nothing_of_its_lines_is_believed() -> None:
    assert told_by([None] * 8).valid
    assert told_by([LineMarks()] * 8).valid


@pytest.mark.parametrize(
    "document", [{"counts_per_line": 0}, {"line_selector": "S"}, {"index_bit": 0}, {"encoder_value": 5}]
)
def test_chunk_settings_that_contradict_themselves_are_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ChunkSettings.model_validate(document)
