"""Where a profile lays a map, typed in from the devices' documents, and what profile and own map may get wrong."""

from pathlib import Path

import pytest

from config import bundled
from drivers.modbus.listing import list_registers
from drivers.modbus.profile import PROFILE_NAMES, Profile, load_profile
from drivers.modbus.register_map import Run, laid, load_map, map_of
from station.core.errors import ConfigError
from station.core.settings import TcpLink
from tests.housings import INSPECTED

LINK = TcpLink(kind="tcp", host="192.168.0.10")


def link(**keys: object) -> TcpLink:
    return LINK.model_copy(update=keys)


def written(folder: Path, text: str) -> str:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def profile(**keys: object) -> Profile:
    return Profile.model_validate({"description": "a device", **keys})


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_every_shipped_profile_lays_the_maps_that_it_is_for(name: str) -> None:
    shipped = load_profile(name)
    for one in shipped.maps:
        registers = map_of(one, INSPECTED, link(profile=name))
        assert registers.profile == shipped
        assert [row.name for row in load_map(one, INSPECTED)] == sorted(
            (row.name for row in registers), key=[row.name for row in load_map(one, INSPECTED)].index
        )


def test_the_default_profile_leaves_every_map_as_it_is() -> None:
    for name in ("robot", "jig", "plc"):
        assert map_of(name, INSPECTED, LINK).registers == load_map(name, INSPECTED).registers


def test_on_a_universal_robot_all_lies_in_the_free_holding_registers() -> None:
    robot = map_of("robot", INSPECTED, link(profile="universal_robots"))
    places = {row.name: (row.kind, row.address) for row in robot}
    assert {kind for kind, _ in places.values()} == {"holding"}
    assert (min(row.address for row in robot), max(row.end for row in robot) - 1) == (128, 183)
    assert [places[name][1] for name in ("order_verb", "order_place", "order_number", "station_heartbeat")] == [
        128, 129, 130, 138,
    ]  # fmt: skip
    assert [places[name][1] for name in ("map_version", "magic", "heartbeat", "order_done", "confirmed_place")] == [
        160, 161, 170, 181, 183,
    ]  # fmt: skip
    assert robot.encode_block({"order_verb": "unload", "order_place": 6, "order_number": 9}) == [
        Run("holding", 128, [2, 6, 9])
    ]


def test_siemens_manuals_count_from_40001_and_have_the_high_word_first() -> None:
    plc = map_of("plc", INSPECTED, link(profile="siemens_s7"))
    rows = list_registers(plc, "csv", LINK).splitlines()
    assert rows[0] == "name,address_0,address_1,address_device,kind,type,scale,unit,access,meaning"
    assert any(row.startswith("result_acknowledged,104,105,40105,holding,u16,") for row in rows)
    assert plc["check_f32"].encode(123456.0) == [0x47F1, 0x2000]
    robot = list_registers(map_of("robot", INSPECTED, link(profile="siemens_s7")), "csv", LINK)
    assert "\norder_done,21,22,30022,input,u16," in robot


def test_a_device_with_the_low_word_first_has_every_32_bit_value_so() -> None:
    plc = laid(load_map("plc", INSPECTED), profile(word_order="low_first"))
    assert plc["check_f32"].encode(123456.0) == [0x2000, 0x47F1]
    assert plc["check_u32"].encode(0x12345678) == [0x5678, 0x1234]
    assert plc["check_u32"].decode([0x5678, 0x1234]) == 0x12345678
    assert plc["check_f32"].decode([0x2000, 0x47F1]) == 123456.0
    assert plc["check_text"].encode("ABCD") == [0x4142, 0x4344], "text has no words to turn"
    lines = list_registers(plc, "mbpoll", LINK).splitlines()
    (line,) = [line for line in lines if line.endswith("# check_f32")]
    assert "-B" not in line.split()


def test_requests_keep_to_the_longest_block_and_leave_gaps_out_where_they_must() -> None:
    rows = [row for row in load_map("plc", INSPECTED) if row.access == "write" and not row.section]
    assert profile().requests(rows, gaps=True) == [(0, 66)]
    assert profile(read_most=30).requests(rows, gaps=True) == [(0, 27), (30, 51), (60, 66)]
    apart = [(0, 8), (10, 18), (20, 21), (24, 27), (30, 51), (60, 63), (64, 66)]
    assert profile().requests(rows, gaps=False) == apart
    assert profile(read_most=16).requests(rows, gaps=False)[4:6] == [(30, 46), (46, 51)], "a run is cut"


@pytest.mark.parametrize(
    ("keys", "name", "wrong"),
    [
        ({"kinds": "holding"}, "robot", "order_verb and map_version would both lie on holding 0"),
        ({"kinds": "holding", "input_base": 3}, "robot", "each half must lie apart"),
        ({"first": 128, "last": 255}, "robot", "order_verb would be holding 0, but the device has 128 to 255"),
        (
            {"holding_base": 128, "last": 255},
            "plc",
            "would be holding .*, but the device has 0 to 255",
        ),
        ({"holding_base": 65500}, "plc", "but the device has 0 to 65535"),
        ({"maps": ["robot"]}, "plc", "it is for the maps robot, not for plc"),
    ],
)
def test_a_profile_that_no_device_can_hold_is_refused(keys: dict[str, object], name: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong) as caught:
        laid(load_map(name, INSPECTED), profile(**keys), "plc.link.profile = own.toml")
    assert caught.value.code == "config.bad_map"
    assert "own.toml" in caught.value.detail


GOOD = '[profile]\ndescription = "mine"\n'


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (GOOD + "read_most = 126\n", "read_most: Input should be less than or equal to 125"),
        (GOOD + "read_most = 8\n", "read_most: Input should be greater than or equal to 16"),
        (GOOD + "write_most = 124\n", "write_most"),
        (GOOD + "first = 200\nlast = 100\n", "last = 100 comes before first = 200"),
        (GOOD + 'word_order = "middle_first"\n', "word_order: Input should be 'high_first' or 'low_first'"),
        (GOOD + "colour = 1\n", "colour: Extra inputs"),
        (GOOD + "maps = []\n", "maps: List should have at least 1 item"),
        ("[profile]\n", "description: Field required"),
        (GOOD + "[more]\n", "it has more, profile; a profile is one table"),
        ("", "it has nothing; a profile is one table"),
        ("[profile", "own.toml: "),
    ],
)
def test_a_bad_profile_is_refused_with_file_and_key(tmp_path: Path, text: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=wrong) as caught:
        load_profile(written(tmp_path, text))
    assert caught.value.code == "config.bad_map"
    assert "own.toml" in caught.value.detail


def test_an_unknown_profile_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match=r"the profile fanuc: No such file.*default, universal_robots, siemens_s7"):
        map_of("robot", INSPECTED, link(profile="fanuc"))


def shipped(name: str) -> str:
    return bundled(f"registers/{name}.toml").read_text(encoding="utf-8")


def test_a_map_of_ones_own_lies_where_it_says(tmp_path: Path) -> None:
    text = shipped("jig")
    for name, address in (("order_verb", 0), ("order_speed", 1), ("order_number", 2), ("station_heartbeat", 10)):
        old = f'name = "{name}"\nkind = "holding"\naddress = {address}\n'
        assert old in text
        text = text.replace(old, f'name = "{name}"\nkind = "holding"\naddress = {address + 4000}\n')
    jig = map_of("jig", INSPECTED, link(map_file=written(tmp_path, text)))
    assert jig.encode_block({"order_verb": "spin", "order_speed": 60.0, "order_number": 7}) == [
        Run("holding", 4000, [1, 600, 7])
    ]
    assert jig["heartbeat"].address == 10


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ('name = "busy"', 'name = "bussy"', "it lacks busy; nobody knows bussy"),
        ("version = 1\n", "version = 2\n", "version 2"),
        ('name = "robot"', 'name = "robots"', "it is the map robots, version 1, not robot, version 1"),
        (
            'name = "fault"\nkind = "input"\naddress = 14\ntype = "u16"',
            'name = "fault"\nkind = "input"\naddress = 14\ntype = "i16"',
            "fault has another type",
        ),
        (
            'name = "order_number"\nkind = "holding"\naddress = 2\n',
            'name = "order_number"\nkind = "holding"\naddress = 5\n',
            "order_number must come directly after order_place",
        ),
        (
            'name = "station_heartbeat"\nkind = "holding"\naddress = 10\n',
            'name = "station_heartbeat"\nkind = "holding"\naddress = 3\n',
            "",
        ),
    ],
)
def test_a_map_of_ones_own_has_the_same_registers(tmp_path: Path, old: str, new: str, wrong: str) -> None:
    text = shipped("robot")
    assert old in text
    own = link(map_file=written(tmp_path, text.replace(old, new, 1).replace("constant = 1\n", _version(new), 1)))
    if not wrong:
        assert map_of("robot", INSPECTED, own)["station_heartbeat"].address == 3
        return
    with pytest.raises(ConfigError, match=wrong) as caught:
        map_of("robot", INSPECTED, own)
    assert "own.toml" in caught.value.detail


def test_what_is_written_last_stays_last(tmp_path: Path) -> None:
    text = shipped("robot")
    for name, address in (("order_verb", 0), ("order_place", 1), ("order_number", 2)):
        text = text.replace(
            f'name = "{name}"\nkind = "holding"\naddress = {address}\n',
            f'name = "{name}"\nkind = "holding"\naddress = {address + 20}\n',
        )
    with pytest.raises(ConfigError, match="station_heartbeat must come after order_number"):
        map_of("robot", INSPECTED, link(map_file=written(tmp_path, text)))


def _version(new: str) -> str:
    return "constant = 2\n" if new == "version = 2\n" else "constant = 1\n"
