"""The simulated cell's truth: what cannot happen does not, and what happens is in the ledger."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pytest

from sim.cell import ArmPosition, Cell, CollisionError, ImpossibleError
from sim.ledger import Entry, Happening, Ledger, Part, Place
from sim.spindle import Spindle
from station.core.part import Pixels

TURN_NS = 200_000_000


class Time:
    def __init__(self) -> None:
        self.ns = 0

    def monotonic_ns(self) -> int:
        return self.ns

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Seen:
    """What the camera sees."""

    image: Pixels | None = None
    turning: tuple[int, int] | None = None
    shown: list[Pixels | None] = field(default_factory=list)

    def show(self, image: Pixels | None) -> None:
        self.image = image
        self.shown.append(image)

    def turn(self, period_ns: int, epoch_ns: int) -> None:
        self.turning = (period_ns, epoch_ns)

    def stand_still(self) -> None:
        self.turning = None


@dataclass
class World:
    time: Time
    seen: Seen
    entries: list[Entry]
    cell: Cell

    def happened(self) -> list[tuple[str, str | None, str]]:
        return [(entry.event.value, entry.part_id, entry.place) for entry in self.entries]

    def seat(self, part: Part) -> None:
        self.cell.feed(part)
        self.cell.move_arm(ArmPosition.WORKSPACE)
        self.cell.pick(Place.INFEED)
        self.cell.move_arm(ArmPosition.IN_JIG)
        self.cell.put_on_jig()
        self.cell.move_arm(ArmPosition.SAFE_ZONE)

    def turn(self) -> None:
        self.cell.spin(TURN_NS, 0.0)
        self.cell.reach_speed()


@pytest.fixture
def world() -> World:
    time, seen, entries = Time(), Seen(), list[Entry]()
    return World(time, seen, entries, Cell(Spindle(time.monotonic_ns), seen, Ledger(time, [entries.append])))


def part(part_id: str = "A") -> Part:
    return Part(part_id, 1, "pits", np.zeros((2, 2), np.uint8))


def test_a_part_is_in_one_place_all_the_way(world: World) -> None:
    housing = part()
    world.seat(housing)
    assert world.cell.part_at(Place.JIG) is housing
    assert world.cell.part_at(Place.GRIPPER) is world.cell.part_at(Place.INFEED) is None
    world.cell.move_arm(ArmPosition.IN_JIG)
    world.cell.pick(Place.JIG)
    world.cell.move_arm(ArmPosition.WORKSPACE)
    world.cell.lay_down("bin_pits")
    assert world.happened() == [
        ("fed", "A", "infeed"),
        ("picked", "A", "gripper"),
        ("placed", "A", "jig"),
        ("picked", "A", "gripper"),
        ("placed", "A", "bin_pits"),
    ]
    assert world.cell.sorted_parts == {"bin_pits": 1}
    assert world.entries[0].as_json() == {
        "time": "2026-01-01T00:00:00+00:00",
        "event": "fed",
        "part_id": "A",
        "label": "pits",
        "place": "infeed",
    }


def test_a_part_that_a_hand_takes_away_leaves_its_place_free(world: World) -> None:
    with pytest.raises(ImpossibleError):
        world.cell.take_back()
    world.cell.feed(part("A"))
    assert world.cell.take_back().part_id == "A"
    assert world.cell.infeed_free.is_set()
    world.cell.feed(part("B"))
    assert not world.cell.infeed_free.is_set()
    assert world.happened() == [("fed", "A", "infeed"), ("removed", "A", "infeed"), ("fed", "B", "infeed")]


def test_the_camera_sees_what_sits_on_the_jig_and_nothing_else(world: World) -> None:
    housing = part()
    world.cell.feed(housing)
    world.cell.move_arm(ArmPosition.WORKSPACE)
    world.cell.pick(Place.INFEED)
    world.cell.move_arm(ArmPosition.IN_JIG)
    assert world.seen.image is None
    world.cell.put_on_jig()
    assert world.seen.image is housing.surface
    world.cell.pick(Place.JIG)
    assert world.seen.image is None


def test_index_pulses_come_at_constant_speed_only(world: World) -> None:
    world.cell.spin(TURN_NS, 0.3)
    assert world.seen.turning is None
    with pytest.raises(ImpossibleError):
        world.cell.reach_speed()
    assert world.seen.turning is None
    world.time.ns += 300_000_000
    world.cell.reach_speed()
    assert world.cell.at_speed
    assert world.seen.turning is not None
    assert world.seen.turning[0] == TURN_NS
    world.cell.brake(0.3)
    assert world.seen.turning is None
    assert not world.cell.at_speed
    assert not world.cell.spindle.standstill


def feed_twice(world: World) -> None:
    world.cell.feed(part("A"))
    world.cell.feed(part("B"))


def pick_nothing(world: World) -> None:
    world.cell.move_arm(ArmPosition.WORKSPACE)
    world.cell.pick(Place.INFEED)


def pick_from_the_safe_zone(world: World) -> None:
    world.cell.feed(part())
    world.cell.pick(Place.INFEED)


def pick_with_a_full_gripper(world: World) -> None:
    world.cell.feed(part("A"))
    world.cell.move_arm(ArmPosition.WORKSPACE)
    world.cell.pick(Place.INFEED)
    world.cell.feed(part("B"))
    world.cell.pick(Place.INFEED)


def unload_an_empty_jig(world: World) -> None:
    world.cell.move_arm(ArmPosition.IN_JIG)
    world.cell.pick(Place.JIG)


def seat_on_an_occupied_jig(world: World) -> None:
    world.seat(part("A"))
    world.seat(part("B"))


def seat_nothing(world: World) -> None:
    world.cell.move_arm(ArmPosition.IN_JIG)
    world.cell.put_on_jig()


def lay_down_nothing(world: World) -> None:
    world.cell.move_arm(ArmPosition.WORKSPACE)
    world.cell.lay_down("bin_review")


def drop_nothing(world: World) -> None:
    world.cell.drop()


def spin_with_the_arm_outside_its_safe_zone(world: World) -> None:
    world.cell.move_arm(ArmPosition.WORKSPACE)
    world.cell.spin(TURN_NS, 0.0)


@pytest.mark.parametrize(
    "attempt",
    [
        feed_twice,
        pick_nothing,
        pick_from_the_safe_zone,
        pick_with_a_full_gripper,
        unload_an_empty_jig,
        seat_on_an_occupied_jig,
        seat_nothing,
        lay_down_nothing,
        drop_nothing,
        spin_with_the_arm_outside_its_safe_zone,
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_lost(world: World, attempt: Callable[[World], None]) -> None:
    with pytest.raises(ImpossibleError):
        attempt(world)
    fed = sum(entry.event is Happening.FED for entry in world.entries)
    there = [place for place in Place if world.cell.part_at(place)]
    assert len(there) == fed
    assert world.cell.spindle.standstill


def test_an_arm_that_reaches_into_the_turning_jig_collides(world: World) -> None:
    world.turn()
    world.cell.feed(part())
    world.cell.move_arm(ArmPosition.WORKSPACE)
    world.cell.pick(Place.INFEED)
    with pytest.raises(CollisionError):
        world.cell.move_arm(ArmPosition.IN_JIG)
    assert world.happened()[-2:] == [("collision", "A", "jig"), ("dropped", "A", "gripper")]
    assert world.cell.stalled
    assert world.cell.spindle.standstill
    assert world.seen.turning is None
    assert world.cell.part_at(Place.GRIPPER) is None
    world.cell.move_arm(ArmPosition.SAFE_ZONE)
    with pytest.raises(ImpossibleError):
        world.cell.spin(TURN_NS, 0.0)
    world.cell.brake(0.0)
    world.cell.spin(TURN_NS, 0.0)
