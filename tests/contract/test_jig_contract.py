"""What every spin jig does: the fake, and the driver on the simulated jig over Modbus RTU."""

from pathlib import Path

import pytest

from station.core.errors import JigError
from station.core.part import Order
from tests.contract.benches import machines, until
from tests.housings import Destination

pytestmark = pytest.mark.parametrize("kind", ["fake", "simulated"])


def spin(number: int, tenths_rpm: int = 3000) -> Order:
    return Order("jig", number, "spin", tenths_rpm)


def stop(number: int) -> Order:
    return Order("jig", number, "stop")


async def test_a_jig_just_switched_on_stands_still_and_empty(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.jig.connect()
        status = await bench.jig.status()
        assert (status.last_order, status.drive_fault, status.speed_rpm) == (0, 0, 0.0)
        assert (status.standstill, status.at_speed, status.part_seated) == (True, False, False)


async def test_spin_returns_at_speed_and_stop_at_standstill(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.jig.connect()
        receipt = await bench.jig.spin(spin(1, 3395))
        assert receipt.order == spin(1, 3395)
        assert 0 < receipt.acknowledged_ns <= receipt.done_ns
        assert bench.turning()
        status = await bench.jig.status()
        assert (status.at_speed, status.standstill, status.last_order) == (True, False, 1)
        assert status.speed_rpm == pytest.approx(339.5, abs=0.1)
        await bench.jig.stop(stop(2))
        assert not bench.turning()
        status = await bench.jig.status()
        assert (status.at_speed, status.standstill, status.last_order) == (False, True, 2)


async def test_index_pulses_go_on_while_it_turns(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.jig.connect()
        await bench.jig.spin(spin(1, 6000))
        before = (await bench.jig.status()).index_pulses
        while (await bench.jig.status()).index_pulses == before:
            assert bench.turning()


async def test_a_repeated_order_number_has_no_second_effect(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.jig.connect()
        await bench.jig.spin(spin(1))
        assert (await bench.jig.spin(spin(1, 1000))).order.number == 1
        assert (await bench.jig.status()).speed_rpm == pytest.approx(300.0, abs=0.1)
        await bench.jig.stop(stop(2))
        assert (await bench.jig.stop(stop(2))).order.number == 2
        assert (await bench.jig.status()).standstill


async def test_a_part_is_scanned_only_on_the_turning_jig(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.robot.connect()
        await bench.jig.connect()
        bench.feed("A")
        await bench.jig.spin(spin(1))
        assert bench.seen() is None
        await bench.jig.stop(stop(2))
        await bench.robot.load(Order("robot", 1, "load"))
        assert (await bench.jig.status()).part_seated
        assert bench.seen() is None
        await bench.jig.spin(spin(3))
        assert bench.seen() == "A"
        await bench.jig.stop(stop(4))
        assert bench.seen() is None
        await bench.robot.unload(Order("robot", 2, "unload", Destination.BIN_PITS.code))
        assert not (await bench.jig.status()).part_seated


async def test_the_jig_refuses_to_turn_while_the_arm_is_out(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.jig.connect()
        bench.hold_arm_out()
        with pytest.raises(JigError) as refused:
            await bench.jig.spin(spin(1))
        assert refused.value.code == "jig.refused"
        assert not bench.turning()


async def test_a_jig_without_its_master_stops_by_itself(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.jig.connect()
        await bench.jig.spin(spin(1))
        await bench.jig.close()
        await until(lambda: not bench.turning(), timeout_s=3.0)


async def test_a_jig_that_does_not_answer_is_unreachable(kind: str, tmp_path: Path) -> None:
    async with machines(kind, tmp_path) as bench:
        await bench.jig.connect()
        await bench.cut()
        with pytest.raises(JigError) as gone:
            await bench.jig.status()
        assert gone.value.code == "jig.unreachable"
