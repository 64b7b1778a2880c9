"""The codec: golden words typed in from the maps' documents, round trips, and everything that a map may get wrong."""

import math
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.register_map import (
    MAP_NAMES,
    IllegalWordsError,
    Register,
    RegisterMap,
    Run,
    load_map,
    map_version,
    read_map,
)
from drivers.modbus.words import word_type
from station.core.errors import BugError, ConfigError
from tests.housings import INSPECTED, TABLE

CHECK_WORDS = [1, 0xA55A, 0x47F1, 0x2000, 0x1234, 0x5678]  # version, magic, 123456.0, 0x12345678: high words first


def register(**keys: Any) -> Register:
    row = {"name": "x", "kind": "holding", "address": 0, "type": "u16", "access": "write", "meaning": "Some value."}
    return Register(**{**row, **keys})


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        ({"type": "u16"}, 65535, [0xFFFF]),
        ({"type": "i16"}, -2, [0xFFFE]),
        ({"type": "u32"}, 0x12345678, [0x1234, 0x5678]),
        ({"type": "i32"}, -2, [0xFFFF, 0xFFFE]),
        ({"type": "f32"}, 1.5, [0x3FC0, 0x0000]),
        ({"type": "f32"}, -123456, [0xC7F1, 0x2000]),
        ({"type": "bool"}, True, [1]),
        ({"type": "bool"}, False, [0]),
        ({"type": "ascii[4]"}, "SMH", [0x534D, 0x4800]),
        ({"type": "ascii[4]"}, "", [0, 0]),
        ({"scale": 0.1, "unit": "rpm"}, 339.5, [3395]),
        ({"scale": 0.0001}, 0.9876, [9876]),
        ({"scale": 1}, 17, [17]),
        ({"type": "i16", "scale": 0.5}, -1.5, [0xFFFD]),
        ({"values": {"0": "none", "7": "seven"}}, 7, [7]),
    ],
)
def test_a_value_has_exactly_these_words_and_comes_back_from_them(
    keys: dict[str, Any], value: Any, words: list[int]
) -> None:
    row = register(**keys)
    assert row.encode(value) == words
    back = row.decode(words)
    assert back == value
    assert isinstance(back, bool) == isinstance(value, bool)


@pytest.mark.parametrize(("value", "count"), [(1.24, 12), (1.26, 13), (1.25, 12), (1.35, 14), (3, 30)])
def test_a_scaled_value_is_rounded_to_the_count_with_halves_to_even(value: float, count: int) -> None:
    assert register(scale=0.1).encode(value) == [count]


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        ({"type": "u16"}, 65536),
        ({"type": "u16"}, -1),
        ({"type": "u16"}, True),
        ({"type": "u16"}, 1.0),
        ({"type": "u16"}, "1"),
        ({"type": "i16"}, 32768),
        ({"type": "i16"}, -32769),
        ({"type": "u32"}, 2**32),
        ({"type": "i32"}, -(2**31) - 1),
        ({"type": "f32"}, 1e39),
        ({"type": "f32"}, math.nan),
        ({"type": "f32"}, math.inf),
        ({"type": "f32"}, "1.0"),
        ({"type": "f32"}, True),
        ({"type": "bool"}, 1),
        ({"type": "bool"}, "true"),
        ({"type": "ascii[4]"}, "ABCDE"),
        ({"type": "ascii[4]"}, "é"),
        ({"type": "ascii[4]"}, "A\0"),
        ({"type": "ascii[4]"}, 12),
        ({"scale": 0.1}, 6553.6),
        ({"scale": 0.1}, -0.06),
        ({"scale": 0.1}, math.nan),
        ({"scale": 0.1}, math.inf),
        ({"scale": 0.1}, "fast"),
        ({"scale": 0.1}, True),
        ({"values": {"0": "none"}}, 1),
        ({"values": {"1": "one"}}, True),
        ({"values": {"0": "none"}}, "some"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_never_wrapped_or_clamped(keys: dict[str, Any], value: Any) -> None:
    with pytest.raises(BugError, match="x: ") as caught:
        register(**keys).encode(value)
    assert caught.value.code == "station.value_out_of_range"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"type": "bool"}, [0xFFFF]),
        ({"type": "bool"}, [2]),
        ({"type": "f32"}, [0x7FC0, 0]),
        ({"type": "f32"}, [0xFFFF, 0xFFFF]),
        ({"type": "ascii[4]"}, [0xFFFF, 0xFFFF]),
        ({"type": "ascii[4]"}, [0x4100, 0x4200]),
        ({"values": {"0": "none"}}, [1]),
        ({"type": "u32"}, [1]),
        ({"type": "u16"}, []),
    ],
)
def test_words_that_are_no_value_of_their_register_are_refused(keys: dict[str, Any], words: list[int]) -> None:
    with pytest.raises(IllegalWordsError, match="x: "):
        register(**keys).decode(words)


def test_codes_and_their_names_stand_for_each_other() -> None:
    row = register(values={"1": "spin", "2": "stop"})
    assert row.encode("stop") == [2]
    assert row.code("spin") == 1
    assert row.label(2) == "stop"
    assert row.label(9) == "9"
    with pytest.raises(BugError, match="'fly' is none of 1 spin, 2 stop"):
        row.code("fly")


SIZES = {"u16": (0, 2**16 - 1), "i16": (-(2**15), 2**15 - 1), "u32": (0, 2**32 - 1), "i32": (-(2**31), 2**31 - 1)}


@given(st.sampled_from(sorted(SIZES)).flatmap(lambda kind: st.tuples(st.just(kind), st.integers(*SIZES[kind]))))
def test_every_integer_comes_back(sample: tuple[str, int]) -> None:
    kind, value = sample
    assert word_type(kind).decode(word_type(kind).encode(value)) == value


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_every_single_precision_number_comes_back(value: float) -> None:
    assert word_type("f32").decode(word_type("f32").encode(value)) == value


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=16))
def test_every_printable_text_comes_back_without_the_blanks_at_its_end(text: str) -> None:
    assert word_type("ascii[16]").decode(word_type("ascii[16]").encode(text)) == text.rstrip(" ")


@given(st.integers(0, 65535), st.sampled_from([0.1, 0.0001, 0.25, 3.0]))
def test_every_count_of_a_scaled_register_comes_back(count: int, scale: float) -> None:
    row = register(scale=scale)
    assert row.encode(row.decode([count])) == [count]


@given(st.lists(st.integers(0, 65535), min_size=8, max_size=8))
def test_words_of_a_text_are_refused_or_come_back_but_for_what_fills_them(words: list[int]) -> None:
    kind = word_type("ascii[16]")
    try:
        text = kind.decode(words)
    except ValueError:
        return
    filler = b"".join(word.to_bytes(2, "big") for word in words)[len(text) :]
    assert kind.encode(text)[: len(text) // 2] == words[: len(text) // 2]
    assert set(filler) <= set(b" \0")


@pytest.mark.parametrize(
    "filled", [b"AB-1234\0\0\0\0\0\0\0\0\0", b"AB-1234         ", b"AB-1234 \0\0\0\0\0\0\0\0", b"AB-1234\0        "]
)
def test_a_text_ends_where_it_is_filled_with_zero_bytes_or_blanks(filled: bytes) -> None:
    assert word_type("ascii[16]").decode(struct.unpack(">8H", filled)) == "AB-1234"


def test_blanks_before_and_inside_a_text_are_part_of_it() -> None:
    assert word_type("ascii[16]").decode(struct.unpack(">8H", b" AB 1234        ")) == " AB 1234"


# ---------------------------------------------------------------------- maps


@pytest.mark.parametrize("name", ["robot", "jig"])
def test_a_device_begins_with_version_magic_and_the_two_check_constants(name: str) -> None:
    registers = load_map(name, INSPECTED)
    assert registers.span(row.name for row in registers.constants) == (0, 6)
    assert registers.image("input", "read")[:6] == CHECK_WORDS
    assert not any(registers.image("input", "read")[6:])


def test_the_plc_has_the_same_constants_in_its_holding_registers_and_its_own_at_98() -> None:
    plc = load_map("plc", INSPECTED)
    assert plc.image("holding", "write")[:8] == [*CHECK_WORDS, 0x4142, 0x4344]
    assert not any(plc.image("holding", "write")[8:])
    assert plc.image("holding", "read")[98:100] == [1, 0xA55A]
    assert sum(map(bool, plc.image("holding", "read"))) == 2
    assert plc.extent("holding") == (0, 190)
    assert plc.extent("input") == (0, 0)


def test_the_result_block_lies_where_the_document_says() -> None:
    plc = load_map("plc", INSPECTED)
    values = {"part_id": "SMH-0042", "decision": "pits", "decision_complement": 65532, "result_sequence": 258}
    assert plc.encode_block(values) == [
        Run("holding", 32, [0x534D, 0x482D, 0x3030, 0x3432, 0, 0, 0, 0]),
        Run("holding", 41, [3, 0xFFFC]),
        Run("holding", 50, [258]),
    ]


def test_an_order_is_one_run_of_neighbours() -> None:
    values = {"order_number": 7, "order_speed": 60.0, "order_verb": "spin"}
    assert load_map("jig", INSPECTED).encode_block(values) == [Run("holding", 0, [1, 600, 7])]


def test_a_block_gives_the_values_that_lie_wholly_inside_it() -> None:
    plc = load_map("plc", INSPECTED)
    words = [0x4142, *[0] * 7, 3, 9]  # next_part_id "AB", next_part_type 3, part_sequence 9
    values = plc.decode_block("holding", 110, words)
    assert values == {"next_part_id": "AB", "next_part_type": 3, "part_sequence": 9}
    assert plc.decode_block("holding", 111, words[1:]) == {"next_part_type": 3, "part_sequence": 9}
    assert plc.decode_block("input", 110, words) == {}
    with pytest.raises(IllegalWordsError, match="next_part_id"):
        plc.decode_block("holding", 110, [0xFFFF] * 8)


def test_registers_are_found_by_name_access_and_place() -> None:
    plc = load_map("plc", INSPECTED)
    assert plc["decision"].address == 41
    assert [row.name for row in plc.touched("holding", 33, 9)] == ["part_id", "part_type", "decision"]
    assert plc.touched("holding", 8, 2) == ()
    assert {row.access for row in plc.select("read")} == {"read"}
    assert len(list(plc)) == len(plc.registers)
    with pytest.raises(BugError, match="no register 'desicion'"):
        _ = plc["desicion"]
    with pytest.raises(BugError, match="one kind"):
        load_map("jig", INSPECTED).span(["order_verb", "standstill"])


def test_every_shipped_map_can_be_used_and_an_unknown_one_is_refused() -> None:
    assert [load_map(name, INSPECTED).name for name in MAP_NAMES] == ["robot", "jig", "plc"]
    with pytest.raises(ConfigError, match=r"no map 'camera'.*robot, jig, plc"):
        load_map("camera", INSPECTED)
    assert [map_version(name) for name in MAP_NAMES] == [load_map(name, INSPECTED).version for name in MAP_NAMES]


def test_the_names_in_the_map_are_those_of_the_types_that_flow() -> None:

    plc, robot = load_map("plc", INSPECTED), load_map("robot", INSPECTED)
    assert plc["decision"].codes == {0: "none"} | {verdict.code: verdict.name for verdict in TABLE.verdicts}
    places = {0: "none"} | {place.code: place.name for place in TABLE.places}
    assert plc["destination"].codes == plc["confirmed_bin"].codes == places
    assert robot["order_place"].codes == robot["confirmed_place"].codes == places


GOOD = """
[map]
name = "robot"
version = 1
peer = "robot"
description = "A robot"
[[register]]
name = "map_version"
kind = "input"
address = 0
type = "u16"
access = "read"
constant = 1
meaning = "Version."
[[register]]
name = "speed"
kind = "holding"
address = 0
type = "u16"
access = "write"
meaning = "Speed."
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "map.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_good_file_is_read(tmp_path: Path) -> None:
    registers = read_map(written(tmp_path, GOOD), INSPECTED)
    assert isinstance(registers, RegisterMap)
    assert [row.name for row in registers] == ["speed", "map_version"]


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ('type = "u16"\naccess = "write"', 'type = "u17"\naccess = "write"', "register speed: 'u17' is none of u16"),
        ('type = "u16"\naccess = "write"', 'type = "ascii[3]"\naccess = "write"', "speed: 'ascii.3.' is none of"),
        ('type = "u16"\naccess = "write"', 'type = "ascii[0]"\naccess = "write"', "speed: 'ascii.0.' is none of"),
        ('meaning = "Speed."', 'meaning = ""', "register speed.meaning: String should have at least 1"),
        ('meaning = "Speed."', 'meaning = "Speed."\nscal = 1', "register speed.scal: Extra inputs"),
        (
            'meaning = "Speed."',
            'meaning = "Speed."\nscale = -1',
            "register speed.scale: Input should be greater than 0",
        ),
        ('meaning = "Speed."', 'meaning = "Speed."\nscale = nan', "register speed.scale"),
        ('name = "speed"', 'name = "Speed"', "register Speed.name: String should match"),
        ('name = "speed"\n', "", "register number 2.name: Field required"),
        ('name = "speed"', 'name = "map_version"', "the name map_version appears twice"),
        ('kind = "holding"', 'kind = "input"', "register speed: an input register cannot be written"),
        ('kind = "holding"\naddress = 0', 'kind = "coil"\naddress = 0', "register speed.kind: Input should be"),
        ('kind = "holding"\naddress = 0', 'kind = "holding"\naddress = 65536', "register speed.address"),
        (
            'address = 0\ntype = "u16"\naccess = "write"',
            'address = 65535\ntype = "u32"\naccess = "write"',
            "beyond 65535",
        ),
        (
            'address = 0\ntype = "u16"\naccess = "write"',
            'address = "0"\ntype = "u16"\naccess = "write"',
            "speed.address",
        ),
        ("constant = 1", "constant = 2", "map_version has the constant 2, map.version is 1"),
        ("constant = 1", "constant = 65536", "register map_version: 65536 does not fit 16 bits"),
        ("constant = 1", 'constant = "one"', "register map_version: 'one' is no integer"),
        (
            'meaning = "Speed."',
            'meaning = "Speed."\nvalues = { "x" = "a" }',
            "speed: values: codes are decimal numbers",
        ),
        ('meaning = "Speed."', 'meaning = "Speed."\nvalues = { "70000" = "a" }', "speed: 70000 does not fit 16 bits"),
        ('meaning = "Speed."', 'meaning = "Speed."\nvalues = { "1" = "a", "01" = "b" }', "appears twice"),
        ('meaning = "Speed."', 'meaning = "Speed."\nvalues = { "1" = "a", "2" = "a" }', "appears twice"),
        ('meaning = "Speed."', 'meaning = "Speed."\nscale = 1\nvalues = { "1" = "a" }', "exclude each other"),
        ('meaning = "Speed."', 'meaning = "Speed."\nconstant = 3\nvalues = { "1" = "a" }', "speed: 3 is none of 1 a"),
        (
            'type = "u16"\naccess = "write"',
            'type = "f32"\naccess = "write"\nscale = 2',
            "need an integer type, not f32",
        ),
        ('type = "u16"\naccess = "write"', 'type = "bool"\naccess = "write"\nvalues = { "1" = "a" }', "integer type"),
        ("version = 1\n", "version = 0\n", "map.version: Input should be greater than or equal to 1"),
        ("version = 1\n", "version = 1\ncolour = 2\n", "map.colour: Extra inputs"),
        ("[map]", "[[map]]", "map: Input should be"),
        ("[map]", "[map", "map.toml: "),
        (GOOD, "register = 1\n" + GOOD.partition("[[register]]")[0], "register: Input should be a valid list"),
        (GOOD, "register = [1]\n" + GOOD.partition("[[register]]")[0], "register number 1: Input should be"),
        (GOOD, GOOD.partition("[[register]]")[0], "register: Field required"),
    ],
)
def test_a_bad_map_is_refused_with_file_register_and_what_is_wrong(
    tmp_path: Path, old: str, new: str, wrong: str
) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError, match=wrong) as caught:
        read_map(written(tmp_path, GOOD.replace(old, new)), INSPECTED)
    assert caught.value.code == "config.bad_map"
    assert "map.toml" in caught.value.detail


def test_overlapping_registers_are_refused_with_both_names_and_the_address(tmp_path: Path) -> None:
    more = GOOD.partition('[[register]]\nname = "speed"')[2].replace("address = 0", "address = 1").lstrip()
    text = GOOD.replace('address = 0\ntype = "u16"\naccess = "write"', 'address = 0\ntype = "u32"\naccess = "write"')
    with pytest.raises(ConfigError, match="speed and other overlap at holding address 1"):
        read_map(written(tmp_path, text + '[[register]]\nname = "other"\n' + more), INSPECTED)


def test_a_file_that_is_missing_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_map(tmp_path / "none.toml", INSPECTED)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"bytes\.toml"):
        read_map(tmp_path / "bytes.toml", INSPECTED)
