"""Parts of the camera driver that no producer at hand can put to the test: odd clocks, odd buffers, odd cameras."""

from dataclasses import astuple, dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from genicam import genapi, gentl
from genicam.genapi import EInterfaceType

from drivers.camera import child, link
from drivers.camera.gentl import undetectable_losses
from drivers.camera.process.buffer import GREY_FORMATS, MONO8, copy_lines, read_buffer
from drivers.camera.process.chunks import ChunkReader
from drivers.camera.process.clock import DeviceClock, latch_offset_ns
from drivers.camera.process.device import Acquisition
from drivers.camera.process.features import check_image_format, write_feature
from station.core.camera_settings import ChunkSettings
from station.core.errors import BugError, CameraError
from station.core.part import LineMarks
from tests.lines import BLOCKS_PER_TURN, LINES_PER_BLOCK

# ------------------------------------------------------------------ features that read back differently


class RoundingNode:
    """A feature that takes whatever it is given, and makes something else of it."""

    def __init__(self, kind: int, becomes: Any) -> None:
        self.node = SimpleNamespace(principal_interface_type=kind)
        self.value: Any = None
        self.symbolics = ("On", "Off")
        self._becomes = becomes

    def get_value(self, *verify_and_ignore_cache: bool) -> Any:
        assert verify_and_ignore_cache == (False, True), "a value from the cache is no value that was read back"
        return self._becomes


def nodes_with(**nodes: Any) -> Any:
    return SimpleNamespace(has_node=nodes.__contains__, get_node=nodes.__getitem__)


@pytest.mark.parametrize(
    ("kind", "wanted", "got"),
    [
        (EInterfaceType.intfIInteger, 448, 447),
        (EInterfaceType.intfIFloat, 1000.0, 1001.1),
        (EInterfaceType.intfIFloat, 1000, 998.9),
        (EInterfaceType.intfIEnumeration, "On", "Off"),
        (EInterfaceType.intfIBoolean, True, False),
        (EInterfaceType.intfIString, "/scene", "/scen"),
    ],
)
def test_a_value_that_reads_back_differently_is_refused_with_both(kind: int, wanted: Any, got: Any) -> None:
    with pytest.raises(CameraError) as refused:
        write_feature(nodes_with(Feature=RoundingNode(kind, got)), "Feature", wanted)
    assert refused.value.code == "camera.feature_refused"
    assert f"wanted {float(wanted) if kind == EInterfaceType.intfIFloat else wanted!r}" in refused.value.detail
    assert f"took {got!r}" in refused.value.detail


@pytest.mark.parametrize("got", [1000.0, 1000.9, 999.1])
def test_a_float_may_be_rounded_by_a_thousandth(got: float) -> None:
    write_feature(nodes_with(Rate=RoundingNode(EInterfaceType.intfIFloat, got)), "Rate", 1000.0)


# ------------------------------------------------------------------ the device's clock

SECOND = 1_000_000_000


def test_without_a_stamp_the_arrival_counts() -> None:
    assert DeviceClock(None).monotonic_ns(None, 77) == 77


def test_a_stamp_just_before_its_arrival_is_the_stations_clock() -> None:
    assert DeviceClock(None).monotonic_ns(100 * SECOND, 109 * SECOND) == 100 * SECOND


@pytest.mark.parametrize("origin", [-5000 * SECOND, -30 * SECOND, 4000 * SECOND])
def test_another_clock_is_measured_by_the_fastest_block(origin: int) -> None:
    clock = DeviceClock(None)
    delays = [30, 10, 20, 10]
    told = [
        clock.monotonic_ns(origin + exposed * SECOND, exposed * SECOND + delay)
        for exposed, delay in zip(range(5000, 5004), delays, strict=True)
    ]
    late = [arrival - exposed * SECOND for exposed, arrival in zip(range(5000, 5004), told, strict=True)]
    assert late == [30, 10, 10, 10]  # until a faster one came, the first counts as having arrived at once


def test_a_latched_clock_counts_before_all_else_and_never_runs_ahead() -> None:
    clock = DeviceClock(7 * SECOND)
    assert clock.monotonic_ns(1 * SECOND, 9 * SECOND) == 8 * SECOND
    assert clock.monotonic_ns(3 * SECOND, 9 * SECOND) == 9 * SECOND


class LatchCommand:
    node = SimpleNamespace(principal_interface_type=EInterfaceType.intfICommand)
    executed = False

    def execute(self) -> None:
        self.executed = True

    def is_done(self) -> bool:
        return self.executed


def test_the_clocks_difference_is_latched_where_the_camera_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.camera.process.features.genapi.is_readable", lambda _: True)
    monkeypatch.setattr("drivers.camera.process.clock.time.monotonic_ns", iter((1000, 1010)).__next__)
    command = LatchCommand()
    latched = RoundingNode(EInterfaceType.intfIInteger, 200)
    assert latch_offset_ns(nodes_with(TimestampLatch=command, TimestampLatchValue=latched)) == 805
    assert command.executed
    assert latch_offset_ns(nodes_with(TimestampLatch=command)) is None


# ------------------------------------------------------------------ buffers

WIDTH = 6


@dataclass
class OddBuffer:
    """A raw buffer that knows only what it is told."""

    known: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.known[name]
        except KeyError:
            raise gentl.NotAvailableException from None


def test_a_buffer_that_says_nothing_counts_as_whole() -> None:
    image = read_buffer(OddBuffer(), WIDTH, LINES_PER_BLOCK)
    assert (image.width, image.height, image.delivered_lines) == (WIDTH, LINES_PER_BLOCK, LINES_PER_BLOCK)
    assert image.stamp_ns is None


@pytest.mark.parametrize(
    ("known", "lines"),
    [
        ({"delivered_image_height": 100}, 100),
        ({"size_filled": 100 * WIDTH}, 100),
        ({"size_filled": 100 * WIDTH + 5}, 100),
        ({"size_filled": 0}, 0),
        ({"delivered_image_height": 0}, 0),
        ({"delivered_image_height": 448, "size_filled": 99 * WIDTH}, 99),
        ({"delivered_image_height": 98, "size_filled": 448 * WIDTH}, 98),
        ({"delivered_image_height": 900, "size_filled": 10**6}, LINES_PER_BLOCK),
        ({"padding_x": 2, "size_filled": 448 * 8}, 448),
        ({"padding_x": 2, "size_filled": 448 * 8 - 2}, 448),
        ({"padding_x": 2, "size_filled": 448 * 8 - 3}, 447),
        ({"image_offset": 16, "size_filled": 16 + 3 * WIDTH}, 3),
        ({"image_offset": 16, "size_filled": 8}, 0),
    ],
)
def test_the_lower_of_height_and_size_tells_the_delivered_lines(known: dict[str, int], lines: int) -> None:
    assert read_buffer(OddBuffer(known), WIDTH, LINES_PER_BLOCK).delivered_lines == lines


@pytest.mark.parametrize("known", [{"width": 5}, {"height": 447}, {"pixel_format": 0x01100007}])
def test_another_image_than_agreed_is_refused(known: dict[str, int]) -> None:
    with pytest.raises(CameraError) as refused:
        read_buffer(OddBuffer({"pixel_format": MONO8.code, **known}), WIDTH, LINES_PER_BLOCK)
    assert refused.value.code == "camera.bad_image"


@pytest.mark.parametrize(
    ("known", "stamp_ns"),
    [
        ({"timestamp_ns": 5, "timestamp": 9}, 5),
        ({"timestamp": 9, "parent": SimpleNamespace(parent=SimpleNamespace(timestamp_frequency=1000))}, 9_000_000),
        ({"timestamp": 9, "parent": SimpleNamespace(parent=SimpleNamespace(timestamp_frequency=0))}, None),
        ({"timestamp": 9}, None),
    ],
)
def test_ticks_become_nanoseconds(known: dict[str, Any], stamp_ns: int | None) -> None:
    assert read_buffer(OddBuffer(known), WIDTH, LINES_PER_BLOCK).stamp_ns == stamp_ns


def test_padding_is_left_out_and_missing_lines_are_black() -> None:
    padded = np.arange(LINES_PER_BLOCK * 8, dtype=np.uint32).astype(np.uint8).reshape(LINES_PER_BLOCK, 8)
    raw = bytes(16) + padded.tobytes()
    known = {"padding_x": 2, "image_offset": 16, "delivered_image_height": 40, "size_filled": len(raw)}
    target = np.full((LINES_PER_BLOCK, WIDTH), 255, np.uint8)
    copy_lines(raw, read_buffer(OddBuffer(known), WIDTH, LINES_PER_BLOCK), target)
    np.testing.assert_array_equal(target[:40], padded[:40, :WIDTH])
    assert not target[40:].any()


def wide(name: str, values: list[int], order: str = "<", **told: int) -> Any:
    """What the station keeps of pixels of a two-byte format."""
    grey = GREY_FORMATS[name]
    lines = np.zeros((LINES_PER_BLOCK, WIDTH + 1), f"{order}u2")
    lines[0, : len(values)] = values
    raw = bytes(3) + lines.tobytes()
    known = {"pixel_format": grey.code, "padding_x": 2, "image_offset": 3, "size_filled": len(raw), **told}
    target = np.full((LINES_PER_BLOCK, WIDTH), 255, np.uint8)
    image = read_buffer(OddBuffer(known), WIDTH, LINES_PER_BLOCK, grey)
    assert image.delivered_lines == LINES_PER_BLOCK
    copy_lines(raw, image, target)
    assert not target[1:].any()
    return target[0].tolist()


@pytest.mark.parametrize(
    ("name", "values", "kept"),
    [
        ("Mono10", [0, 3, 4, 0x155, 1022, 1023], [0, 0, 1, 0x55, 255, 255]),
        ("Mono12", [0, 15, 16, 0x5A5, 4080, 4095], [0, 0, 1, 0x5A, 255, 255]),
        ("Mono14", [0, 63, 64, 0x1555, 16320, 16383], [0, 0, 1, 0x55, 255, 255]),
        ("Mono16", [0, 255, 256, 0xA5FF, 65280, 65535], [0, 0, 1, 0xA5, 255, 255]),
    ],
)
def test_of_wider_pixels_the_eight_highest_bits_are_kept(name: str, values: list[int], kept: list[int]) -> None:
    assert wide(name, values) == kept


@pytest.mark.parametrize(("order", "told"), [("<", {}), ("<", {"pixel_endianness": 0}), ("<", {"pixel_endianness": 1}),
                                             (">", {"pixel_endianness": 2})])  # fmt: skip
def test_the_byte_order_is_what_the_buffer_says(order: str, told: dict[str, int]) -> None:
    assert wide("Mono16", [0, 255, 256, 0xA5FF, 65280], order, **told) == [0, 0, 1, 0xA5, 255, 0]


def test_a_byte_order_that_nobody_knows_is_refused_where_it_matters() -> None:
    with pytest.raises(CameraError, match="bytes in an order 7"):
        wide("Mono12", [0], pixel_endianness=7)
    assert read_buffer(OddBuffer({"pixel_endianness": 7}), WIDTH, LINES_PER_BLOCK).delivered_lines == LINES_PER_BLOCK


def numbers(first_id: int | str, *frame_ids: int) -> list[int]:
    """The blocks' numbers in one acquisition, from the producer's."""
    turn = Acquisition(link.Arm(1, (), 8, LINES_PER_BLOCK), None, DeviceClock(None))
    found = []
    for frame_id in frame_ids:
        found.append(turn.number_of(frame_id, first_id))
        turn.note(link.BlockFilled(1, 0, found[-1], LINES_PER_BLOCK, 0))
    return found


@pytest.mark.parametrize(
    ("first_id", "frame_ids", "expected"),
    [
        (1, [1, 2, 3], [0, 1, 2]),
        (0, [0, 1, 2], [0, 1, 2]),
        ("any", [65533, 65534, 65535, 1, 2], [0, 1, 2, 3, 4]),
        ("any", [65535, 1], [0, 1]),
        ("any", [65534, 2, 3], [0, 3, 4]),  # two blocks are missing
        ("any", [65535, 1, 65535, 2], [0, 1, 0, 2]),  # one came again
        ("any", [100, 99], [0, -1]),
        ("any", [65534, 65535, 65536, 65537], [0, 1, 2, 3]),  # a counter of more bits
        ("any", [65535, 0, 1], [0, -65535, -65534]),  # no counter of GigE Vision: refused, not guessed
        (1, [65535, 1], [-1, 0]),
    ],
)
def test_block_numbers_of_16_bits_begin_anew_with_1(
    first_id: int | str, frame_ids: list[int], expected: list[int]
) -> None:
    assert numbers(first_id, *frame_ids) == expected


def test_block_numbers_begin_anew_in_a_long_acquisition_as_often_as_needed() -> None:
    turn = Acquisition(link.Arm(1, (), 200_000, LINES_PER_BLOCK), None, DeviceClock(None))
    for number in range(140_000):
        assert turn.number_of(number % 65535 + 1, 1) == number
        turn.note(link.BlockFilled(1, 0, number, LINES_PER_BLOCK, 0))


@pytest.mark.parametrize("name", ["Mono12", "Mono16"])
def test_half_filled_wide_lines_are_not_delivered(name: str) -> None:
    grey = GREY_FORMATS[name]
    known = {"pixel_format": grey.code, "size_filled": 10 * 2 * WIDTH + 2 * WIDTH - 1}
    assert read_buffer(OddBuffer(known), WIDTH, LINES_PER_BLOCK, grey).delivered_lines == 10


def test_a_buffer_smaller_than_it_claims_is_refused() -> None:
    target = np.zeros((LINES_PER_BLOCK, WIDTH), np.uint8)
    with pytest.raises(CameraError, match="its buffer has only 100 bytes"):
        copy_lines(bytes(100), read_buffer(OddBuffer(), WIDTH, LINES_PER_BLOCK), target)


@pytest.mark.parametrize(
    ("pixel_format", "words"),
    [
        ("Mono12Packed", "packed pixels are not unpacked"),
        ("Mono12p", "packed pixels are not unpacked"),
        ("RGB8", "one of 'Mono8', 'Mono10', 'Mono12', 'Mono14', 'Mono16'"),
    ],
)
def test_a_format_that_the_station_does_not_read_is_refused_in_words(
    pixel_format: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = {"Width": WIDTH, "Height": LINES_PER_BLOCK, "PixelFormat": pixel_format}
    monkeypatch.setattr("drivers.camera.process.features.read_feature", lambda _nodes, name: camera.get(name))
    with pytest.raises(CameraError) as refused:
        check_image_format(nodes_with(), WIDTH, ("Height", (LINES_PER_BLOCK,)), ("AcquisitionFrameCount", (8,)))
    assert refused.value.code == "camera.bad_image"
    assert f"PixelFormat is {pixel_format!r}" in refused.value.detail
    assert words in refused.value.detail


# ------------------------------------------------------------------ chunks

ALL_CHUNKS = (("frame_id", "F"), ("encoder_value", "E"), ("line_selector", "S"), ("line_status", "L"))


class ChunkNode:
    """A chunk feature; `told` is asked at every reading, and raises where the buffer does not hold it."""

    def __init__(self, name: str, told: Any) -> None:
        self.node = SimpleNamespace(name=name)
        self.value = 0
        self._told = told

    def get_value(self, *_verify_and_ignore_cache: bool) -> Any:
        return self._told()


def chunk_nodes(**told: Any) -> Any:
    selector = ChunkNode("S", lambda: selector.value)
    nodes = {"F": ChunkNode("F", lambda: 7), "E": ChunkNode("E", lambda: 1000 + selector.value), "S": selector,
             "L": ChunkNode("L", lambda: 3)}  # fmt: skip
    nodes |= {name: ChunkNode(name, value) for name, value in told.items()}
    return nodes_with(**{name: node for name, node in nodes.items() if name != "ChunkModeActive" or node})


def unreadable() -> int:
    raise genapi.AccessException("Node is not readable.")


def holding(*, chunks: bool = True) -> Any:
    return SimpleNamespace(is_containing_chunk_data=lambda: chunks)


def test_chunks_are_read_at_the_first_and_the_last_line_that_came() -> None:
    reader = ChunkReader(chunk_nodes(), ALL_CHUNKS)
    assert reader.absent == ()
    assert reader.read(holding(), 448) == LineMarks(7, 1000, 1447, 3)
    assert reader.read(holding(), 100) == LineMarks(7, 1000, 1099, 3)
    assert reader.read(holding(), 0) == LineMarks(7, 1000, 1000, 3)


def test_only_what_is_named_is_read() -> None:
    assert ChunkReader(chunk_nodes(), ALL_CHUNKS[1:2]).read(holding(), 448) == LineMarks(None, 1000)
    assert ChunkReader(chunk_nodes(), ()).read(holding(), 448) is None


def test_what_the_camera_does_not_have_is_told_at_start() -> None:
    nodes = nodes_with(F=ChunkNode("F", lambda: 7))
    reader = ChunkReader(nodes, ALL_CHUNKS)
    assert reader.absent == ("E", "S", "L")
    assert reader.read(holding(), 448) == LineMarks(7)


def test_a_camera_whose_chunk_mode_is_off_sends_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.camera.process.chunks.read_feature", lambda _nodes, _name: False)
    reader = ChunkReader(chunk_nodes(), ALL_CHUNKS)
    assert reader.absent == ("F", "E", "S", "L")
    assert reader.read(holding(), 448) is None


def test_a_buffer_without_chunks_is_not_taken_for_the_one_before() -> None:
    reader = ChunkReader(chunk_nodes(), ALL_CHUNKS)
    assert reader.read(holding(chunks=False), 448) == LineMarks(absent=("F", "E", "S", "L"))
    assert reader.read(OddBuffer({"num_chunks": 0}), 448) == LineMarks(absent=("F", "E", "S", "L"))
    assert reader.read(OddBuffer({}), 448) == LineMarks(absent=("F", "E", "S", "L"))
    assert reader.read(OddBuffer({"num_chunks": 3}), 448) == LineMarks(7, 1000, 1447, 3)


def test_a_chunk_that_one_block_lacks_is_named() -> None:
    reader = ChunkReader(chunk_nodes(E=unreadable), ALL_CHUNKS)
    assert reader.read(holding(), 448) == LineMarks(7, None, None, 3, absent=("E",))


@pytest.mark.parametrize(
    ("names", "absent", "words"),
    [
        ({}, (), "inside a block or between two cannot be proven on this camera: camera.chunks does not name"),
        ({"frame_id": "F"}, (), "inside a block or between two"),
        ({"encoder_value": "E"}, (), "last block cannot be proven on this camera: camera.chunks does"),
        ({"encoder_value": "E", "line_selector": "S"}, (), ""),
        ({"encoder_value": "E", "line_selector": "S"}, ("S",), "last block cannot be proven on this camera: the"),
        ({"encoder_value": "E", "line_selector": "S"}, ("E", "S"), "the camera does not send E, S"),
        ({"encoder_value": "E", "line_selector": "S", "frame_id": "F"}, ("F",), ""),
    ],
)  # fmt: skip
def test_which_loss_is_not_proven_is_said_in_words(names: dict[str, str], absent: tuple[str, ...], words: str) -> None:
    told = undetectable_losses(ChunkSettings.model_validate(names), absent)
    assert words in told
    assert bool(told) == bool(words)


# ------------------------------------------------------------------ link


@pytest.mark.parametrize(
    "message",
    [
        link.Connect(
            1,
            ("a.cti",),
            "77",
            512,
            448,
            24,
            9,
            ("Height", (448, 224)),
            ("AcquisitionFrameCount", ()),
            None,
            (("Width", 512), ("Gain", 1.5), ("TriggerMode", "On"), ("On", True)),
            (("encoder_value", "ChunkEncoderValue"),),
        ),
        link.Arm(2, (0, 5, 7), 8, 448),
        link.Lend(2, (1,)),
        link.Prepare(
            3, ("Rate", 1.5), ("Exposure", 2.0), ("Height", 448), ("Frames", 8), (("GainSelector", "Red"), ("Gain", 2))
        ),
        link.Prepare(4, ("Rate", 1.5), ("Exposure", 2.0), ("Height", 448), None, ()),
        link.Leave(),
        link.Done(3, {"Width": 512, "ChunkModeActive": False}),
        link.Done(3, {}, ("ChunkEncoderValue",)),
        link.BlockFilled(4, 5, -1, 448, 2**62),
        link.BlockFilled(4, 5, 0, 448, 1, astuple(LineMarks(1, -(2**63), 2**63 - 1, None, ("ChunkLineStatusAll",)))),
        link.Lost("unplugged"),
    ],
)
def test_a_message_arrives_as_it_was_sent(message: Any) -> None:
    station, process = link.channel_pair()
    with station, process:
        process.send(link.pack(message))
        process.send(link.pack(link.Leave()))
        assert link.unpack(station.recv(link.MAX_PACKET)) == message
        assert link.unpack(station.recv(link.MAX_PACKET)) == link.Leave()


def test_a_message_that_fits_no_packet_is_a_bug() -> None:
    with pytest.raises(BugError):
        link.pack(link.Lost("x" * link.MAX_PACKET))


def test_a_slot_is_free_when_nobody_looks_at_it_any_more() -> None:
    ring = link.BlockRing(256, LINES_PER_BLOCK, BLOCKS_PER_TURN)
    slots = link.map_slots(ring.file, ring.slots, ring.lines, 256)
    ring.close_file()
    first = ring.lease(BLOCKS_PER_TURN)
    views = []
    for number, slot in enumerate(first):
        slots[slot] = number
        views.append(ring.pixels(slot, LINES_PER_BLOCK)[:, 3:7])
    second = ring.lease(BLOCKS_PER_TURN)
    assert set(second).isdisjoint(first)
    more = [ring.pixels(slot, LINES_PER_BLOCK) for slot in second]
    assert set(ring.lease(BLOCKS_PER_TURN)).isdisjoint(first + second)
    assert [int(view[0, 0]) for view in views] == list(range(BLOCKS_PER_TURN))
    del views[2]
    more.clear()
    assert ring.lease(BLOCKS_PER_TURN)[0] == first[2]
    third = [ring.pixels(slot, LINES_PER_BLOCK) for slot in range(ring.slots)]
    with pytest.raises(BugError, match="24 of 24"):
        ring.lease(BLOCKS_PER_TURN)
    third.clear()
    assert len(ring.lease(BLOCKS_PER_TURN)) == BLOCKS_PER_TURN


def test_a_long_acquisition_gets_each_free_slot_once_and_again_when_it_was_read() -> None:
    ring = link.BlockRing(256, LINES_PER_BLOCK, BLOCKS_PER_TURN)
    ring.close_file()
    first = ring.lease(BLOCKS_PER_TURN)
    assert sorted(first + ring.more()) == list(range(ring.slots))
    assert ring.more() == ()
    block = ring.pixels(first[3], LINES_PER_BLOCK)
    assert ring.more() == ()
    del block
    assert ring.more() == (first[3],)
    assert len(ring.lease(BLOCKS_PER_TURN)) == BLOCKS_PER_TURN


def test_the_cameras_process_is_told_the_folder_of_the_packages() -> None:
    assert Path(child.CODE_ROOT, *child.__name__.split(".")).with_suffix(".py").samefile(child.__file__)
