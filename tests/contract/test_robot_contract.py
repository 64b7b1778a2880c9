"""What every sorting robot does: the fake, and the driver on the simulated robot over Modbus TCP."""

from pathlib import Path

import pytest

from station.core.errors import RobotError
from station.core.part import Order
from tests.contract.benches import machines
from tests.housings import TABLE, Destination

pytestmark = pytest.mark.parametrize("kind", ["fake", "simulated"])

PITS = Destination.BIN_PITS


def load(number: int) -> Order:
    return Order("robot", number, "load")


def unload(number: int, to: Destination = PITS) -> Order:
    return Order("robot", number, "unload", to.code)


async def test_a_robot_just_switched_on_rests_in_its_safe_zone(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.robot.connect()
        status = await bench.robot.status()
        assert (status.last_order, status.last_done, status.fault) == (0, 0, 0)
        assert (status.busy, status.in_safe_zone, status.holding) == (False, True, False)


async def test_load_brings_the_part_from_the_infeed_to_the_jig(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.robot.connect()
        bench.feed("A")
        receipt = await bench.robot.load(load(1))
        assert receipt.order == load(1)
        assert receipt.confirmed == 0
        assert 0 < receipt.acknowledged_ns <= receipt.done_ns
        assert bench.where() == {"A": "jig"}
        status = await bench.robot.status()
        assert (status.last_order, status.last_done, status.in_safe_zone) == (1, 1, True)


@pytest.mark.parametrize("destination", TABLE.places)
async def test_unload_lays_the_part_in_the_ordered_place_and_confirms_it(
    kind: str, tmp_path: Path, destination: Destination
) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.robot.connect()
        bench.feed("A")
        await bench.robot.load(load(1))
        receipt = await bench.robot.unload(unload(2, destination))
        assert receipt.confirmed == destination.code
        assert bench.where() == {"A": destination.name}


async def test_a_repeated_order_number_has_no_second_effect(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.robot.connect()
        bench.feed("A")
        await bench.robot.load(load(1))
        await bench.robot.unload(unload(2))
        bench.feed("B")
        await bench.robot.load(load(3))
        bench.feed("C")
        assert (await bench.robot.load(load(3))).order.number == 3
        assert bench.where() == {"A": "bin_pits", "B": "jig", "C": "infeed"}
        await bench.robot.unload(unload(4))
        assert (await bench.robot.unload(unload(4))).confirmed == PITS.code
        assert bench.where() == {"A": "bin_pits", "B": "bin_pits", "C": "infeed"}
        assert (await bench.robot.status()).last_order == 4


async def test_orders_that_cannot_be_are_refused_and_move_nothing(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.robot.connect()
        for impossible in (bench.robot.load(load(1)), bench.robot.unload(unload(2))):
            with pytest.raises(RobotError) as refused:
                await impossible
            assert refused.value.code == "robot.refused"
        bench.feed("A")
        await bench.robot.load(load(3))
        bench.feed("B")
        with pytest.raises(RobotError) as refused:
            await bench.robot.load(load(4))
        assert refused.value.code == "robot.refused"
        assert bench.where() == {"A": "jig", "B": "infeed"}
        assert (await bench.robot.status()).in_safe_zone


async def test_reaching_into_the_turning_jig_is_a_fault(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.robot.connect()
        await bench.jig.connect()
        bench.feed("A")
        await bench.robot.load(load(1))
        await bench.jig.spin(Order("jig", 1, "spin", 3000))
        with pytest.raises(RobotError) as fault:
            await bench.robot.unload(unload(2))
        assert fault.value.code == "robot.fault"
        assert (await bench.robot.status()).fault != 0
        assert bench.where() == {"A": "jig"}


async def test_home_leaves_the_arm_in_its_safe_zone(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.robot.connect()
        receipt = await bench.robot.home(Order("robot", 9, "home"))
        assert receipt.order.number == 9
        status = await bench.robot.status()
        assert (status.in_safe_zone, status.last_done) == (True, 9)


async def test_a_robot_that_does_not_answer_is_unreachable(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.robot.connect()
        await bench.cut()
        with pytest.raises(RobotError) as gone:
            await bench.robot.status()
        assert gone.value.code == "robot.unreachable"
        with pytest.raises(RobotError):
            await bench.robot.load(load(1))
