"""Named faults: their table, when they strike and how they end; and what a flawed picture is to the station."""

import asyncio

import numpy as np
import pytest

from sim.breakage import Breakage, Effect
from sim.faults import NAMED_FAULTS, ONCE, UNTIL_CLEARED, Moment, Wish, listing, named_fault, wishes
from sim.flaws import FLAWS, FlawedView
from station.core.errors import FAULTS, ConfigError, PartError
from station.core.part import Block, PartType, Pixels
from station.core.settings import CropSettings, TurnSettings
from station.flow.crop import check_width, crop_block, find_part
from station.flow.turn.witness import TurnWitness
from tests.turned import GEOMETRY, turned
from tests.virtual_time import in_virtual_time

KIND = PartType("smh_385", 1, 385, 8, 6, 18.0, 320.0, 20.0, GEOMETRY)
BLOCKS = 8


def test_the_codes_are_those_of_the_stations_table() -> None:
    assert [row.name for row in NAMED_FAULTS.values() if row.code and row.code not in FAULTS] == []


def test_the_listing_names_every_fault_once_and_says_when_and_how_it_ends() -> None:
    lines = listing().splitlines()
    assert [line.split()[0] for line in lines] == list(NAMED_FAULTS)
    deaf = next(line for line in lines if line.startswith("robot-deaf"))
    for word in ("when the robot gets the order to take it away", "strikes once", "robot.no_acknowledge"):
        assert word in deaf
    assert any("lasts until it is cleared" in line for line in lines)
    assert any("lasts 1.5 s" in line for line in lines)


def test_a_command_line_names_faults_and_the_parts_that_they_are_meant_for() -> None:
    assert wishes(["robot-deaf@2, jig-slips", "plc-stale@SMH-0003"]) == (
        Wish(named_fault("robot-deaf"), "2"),
        Wish(named_fault("jig-slips")),
        Wish(named_fault("plc-stale"), "SMH-0003"),
    )


@pytest.mark.parametrize("text", ["robot-dead", "", "robot-deaf@", "robot-deaf,,jig-slips", "robot-deaf@1 jig-slips"])
def test_what_is_no_fault_is_refused(text: str) -> None:
    if text == "robot-deaf@1 jig-slips":
        assert wishes([text])[0].part == "1 jig-slips", "ids may have spaces"
        return
    with pytest.raises(ConfigError):
        wishes([text])


def test_an_unknown_name_is_refused_with_all_that_are_known() -> None:
    with pytest.raises(ConfigError, match=r"there is no fault 'foo'; there are camera-cable-out, .*plc-net-garbage"):
        named_fault("foo")


# ---- when they strike, and how they end ----


class Told:
    def __init__(self) -> None:
        self.struck: list[tuple[str, str | None]] = []
        self.broken = Breakage(lambda name, part_id: self.struck.append((name, part_id)))

    def arm(self, *texts: str) -> None:
        self.broken.arm(wishes(list(texts)))


async def test_a_fault_waits_for_its_part_by_number_or_by_id() -> None:
    told = Told()
    told.arm("robot-deaf@2", "robot-fault@C")
    for part_id in "ABC":
        told.broken.fed(part_id)
    told.broken.reach(Moment.UNLOAD, "A")
    told.broken.reach(Moment.LOAD, "B")
    assert told.struck == []
    told.broken.reach(Moment.UNLOAD, "B")
    told.broken.reach(Moment.UNLOAD, "C")
    assert told.struck == [("robot-deaf", "B"), ("robot-fault", "C")]
    assert told.broken.armed == ()


async def test_a_part_that_is_fed_a_second_time_is_counted_a_second_time() -> None:
    told = Told()
    told.arm("robot-deaf@3")
    for part_id in "ABA":
        told.broken.fed(part_id)
    told.broken.reach(Moment.UNLOAD, "B")
    told.broken.reach(Moment.UNLOAD, "A")
    assert told.struck == [("robot-deaf", "A")]


async def test_one_that_strikes_once_and_waits_for_no_part_strikes_the_next() -> None:
    told = Told()
    told.arm("robot-deaf")
    assert told.broken.armed == ("robot-deaf",)
    told.broken.reach(Moment.UNLOAD, None)
    assert told.struck == []
    told.broken.reach(Moment.UNLOAD, "A")
    assert told.struck == [("robot-deaf", "A")]
    assert told.broken.take("robot-deaf")
    assert not told.broken.take("robot-deaf")


async def test_taking_one_up_leaves_the_next_of_the_same_name_armed() -> None:
    told = Told()
    told.arm("robot-deaf@A", "robot-deaf@B")
    told.broken.reach(Moment.UNLOAD, "A")
    assert told.broken.take("robot-deaf")
    assert told.broken.armed == ("robot-deaf@B",)


async def test_one_that_lasts_and_waits_for_no_part_begins_at_once_and_ends_when_it_is_cleared() -> None:
    told = Told()
    assert named_fault("robot-stuck").lasts_s == UNTIL_CLEARED
    told.arm("robot-stuck")
    assert told.struck == [("robot-stuck", None)]
    waiting = asyncio.ensure_future(told.broken.ended("robot-stuck"))
    await asyncio.sleep(0)
    assert not waiting.done()
    told.broken.clear("robot-stuck")
    await waiting
    assert not told.broken.present("robot-stuck")


@in_virtual_time
async def test_one_with_a_time_ends_by_itself() -> None:
    told, loop = Told(), asyncio.get_running_loop()
    began_s = loop.time()
    told.arm("robot-net-refused")
    assert told.broken.struck == ("robot-net-refused",)
    await told.broken.ended("robot-net-refused")
    assert loop.time() == began_s + named_fault("robot-net-refused").lasts_s
    assert told.broken.struck == ()


async def test_an_effect_follows_its_fault_and_is_undone() -> None:
    told, done = Told(), list[str]()
    told.broken.bind({"plc-bins-full": Effect(lambda: done.append("full"), lambda: done.append("empty"))})
    told.broken.bind({"robot-net-reset": Effect(lambda: done.append("reset"))})
    told.arm("plc-bins-full", "plc-bins-full", "robot-net-reset@A")
    told.broken.reach(Moment.UNLOAD, "A")
    assert done == ["full", "reset"]
    assert told.broken.struck == ("plc-bins-full",), "what strikes once and has an effect is over"
    told.broken.close()
    assert done == ["full", "reset", "empty"]


async def test_clearing_disarms_too_and_is_harmless_otherwise() -> None:
    told = Told()
    told.arm("robot-deaf@A", "robot-fault@A")
    told.broken.clear("robot-deaf")
    told.broken.clear("jig-slips")
    told.broken.reach(Moment.UNLOAD, "A")
    assert told.struck == [("robot-fault", "A")]


async def test_a_name_that_is_not_in_the_table_cannot_be_asked_for() -> None:
    with pytest.raises(ConfigError):
        Breakage().present("robot-def")


# ---- what the camera sees ----


def housing(grey: int) -> Pixels:
    image = np.random.default_rng(1).integers(2, 11, (BLOCKS * 448, 1024), np.uint8)
    image[:, 300:685] = turned(2, 385, grey)
    return image


def judged(image: Pixels) -> str | None:
    """What the station finds wrong with the picture."""
    settings, witness = CropSettings(), TurnWitness(TurnSettings(), GEOMETRY)
    try:
        roi = find_part(image[:448], settings)
        check_width(roi, KIND)
        for index in range(BLOCKS):
            block = Block(index, index, image[index * 448 : (index + 1) * 448], 448, 0, 0)
            witness.take(block, roi)
            crop_block(block, roi, KIND, settings)
    except PartError as error:
        return error.code
    return witness.doubt.code if witness.doubt else None


class Shown:
    def __init__(self) -> None:
        self.image: Pixels | None = None

    def show(self, image: Pixels | None) -> None:
        self.image = image

    def turn(self, period_ns: int, epoch_ns: int) -> None: ...

    def stand_still(self) -> None: ...


@pytest.mark.parametrize("grey", [90, 150, 210])
@pytest.mark.parametrize("name", [name for name in FLAWS if not named_fault(name).judged])
async def test_the_station_finds_what_is_wrong_with_the_picture(name: str, grey: int) -> None:
    shown, told = Shown(), Told()
    view = FlawedView(shown, told.broken)
    before = housing(grey)
    kept = before.copy()
    told.arm(f"{name}@A")
    told.broken.reach(Moment.SEATED, "A")
    view.show(before)
    assert shown.image is not None
    assert (shown.image.shape, shown.image.dtype) == (before.shape, np.uint8)
    assert judged(shown.image) == named_fault(name).code
    assert np.array_equal(before, kept), "the part itself is not changed"
    view.show(before)
    assert shown.image is before
    assert judged(before) is None
    assert named_fault(name).lasts_s == ONCE


@pytest.mark.parametrize("name", [name for name in FLAWS if named_fault(name).judged])
def test_the_station_finds_nothing_wrong_with_the_picture_of_what_its_network_has_to_judge(name: str) -> None:
    before = housing(120)
    seen = FLAWS[name](before)
    assert judged(seen) in ({None, "part.too_dark"} if name == "lamp-at-40" else {None})
    assert (seen[:, :250] == before[:, :250]).mean() > 0.99 or name.startswith("lamp-at")
    part, usual = (image[:, 320:660].astype(np.float32) for image in (seen, before))
    assert np.abs(part - usual).max() > 8, "more than the noise of another exposure"


def test_what_is_judged_shows_no_fault_of_the_station_and_the_listing_says_who_decides() -> None:
    rows = [row for row in NAMED_FAULTS.values() if row.judged]
    assert {row.code for row in rows} == {None}
    assert {row.name for row in rows} <= set(FLAWS)
    lines = [line for line in listing().splitlines() if "what the network says" in line]
    assert [line.split()[0] for line in lines] == [row.name for row in rows]


async def test_a_part_that_is_spoiled_on_the_jig_truly_is_another_from_then_on() -> None:
    told = Told()
    told.arm("part-label@A", "lamp-at-60@B", "robot-deaf@C")
    assert told.broken.makes is None
    told.broken.reach(Moment.SEATED, "A")
    assert told.broken.makes == "unknown"
    assert told.broken.take("part-label")
    told.broken.reach(Moment.SEATED, "B")
    assert told.broken.makes is None
