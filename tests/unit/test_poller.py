"""How a device is polled, by exact times: who waits gets the next answer, who does not leaves the device alone."""

import asyncio
from collections import deque

import pytest

from drivers.modbus.family import JIG
from drivers.modbus.poller import Pace, Poller
from station.core.errors import BugError, DeviceError
from tests.virtual_time import in_virtual_time

POLL_S, LEISURE_S, READ_S = 1.0, 4.0, 0.25


class Device:
    """Answers with the time at which it was asked."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.failures: deque[Exception] = deque()
        self.outcomes: list[float | DeviceError] = []
        self.left_alone = self.told = 0
        self.afterwards_s = 0.0
        self.broken: Exception | None = None
        self.ended: list[BaseException | None] = []
        self.poller = Poller(JIG, self, Pace(POLL_S, LEISURE_S))

    async def read(self) -> float:
        asked_s = asyncio.get_running_loop().time()
        self.asked.append(asked_s)
        await asyncio.sleep(READ_S)
        if self.failures:
            raise self.failures.popleft()
        return asked_s

    def on_outcome(self, outcome: float | DeviceError) -> None:
        self.outcomes.append(outcome)

    async def afterwards(self) -> None:
        self.told += 1
        await asyncio.sleep(self.afterwards_s)
        if self.broken is not None:
            raise self.broken

    async def at_leisure(self) -> None:
        self.left_alone += 1

    def on_end(self, cause: BaseException | None) -> None:
        self.ended.append(cause)

    def pauses(self) -> list[float]:
        """Between the end of each poll and the next."""
        return [round(after - before - READ_S, 6) for before, after in zip(self.asked, self.asked[1:], strict=False)]


@in_virtual_time
async def test_a_device_for_which_nobody_waits_is_polled_at_leisure() -> None:
    device = Device()
    device.poller.start()
    await asyncio.sleep(60)
    assert set(device.pauses()) == {POLL_S + LEISURE_S}
    assert device.left_alone == len(device.outcomes)
    await device.poller.stop()


@in_virtual_time
async def test_whoever_waits_for_every_poll_has_them_at_the_pace_without_leisure() -> None:
    device = Device()
    device.poller.start()
    for _ in range(10):
        await device.poller.next_poll()
    assert set(device.pauses()) == {POLL_S}
    assert device.left_alone == 0
    await device.poller.stop()


@in_virtual_time
async def test_who_waits_again_after_a_while_ends_the_leisure() -> None:
    loop, device = asyncio.get_running_loop(), Device()
    device.poller.start()
    await asyncio.sleep(READ_S + POLL_S + 1)
    began_s = loop.time()
    assert await device.poller.next_poll() == began_s
    await device.poller.stop()


@in_virtual_time
async def test_a_reading_now_is_asked_after_the_call_even_where_one_is_just_being_answered() -> None:
    loop, device = asyncio.get_running_loop(), Device()
    device.poller.start()
    await asyncio.sleep(0.5 * READ_S)
    called_s = loop.time()
    assert await device.poller.read_now() == called_s + 0.5 * READ_S
    assert await device.poller.read_now() == loop.time() - READ_S, "in the pause it is asked at once"
    await device.poller.stop()


@in_virtual_time
async def test_who_waits_for_a_reading_does_not_wait_for_what_is_done_afterwards() -> None:
    loop, device = asyncio.get_running_loop(), Device()
    device.afterwards_s = 10 * READ_S
    device.poller.start()
    called_s = loop.time()
    assert await device.poller.read_now() == called_s
    assert loop.time() == called_s + READ_S
    await device.poller.stop()


@in_virtual_time
async def test_what_fails_afterwards_the_next_poll_finds_out() -> None:
    device = Device()
    device.broken = JIG.unreachable("cut")
    device.poller.start()
    await device.poller.read_now()
    assert await device.poller.read_now() == device.asked[1]
    assert [outcome for outcome in device.outcomes if isinstance(outcome, DeviceError)] == []
    device.failures.extend([JIG.unreachable("cut"), JIG.unreachable("cut")])
    with pytest.raises(DeviceError, match="cut"):
        await device.poller.read_now()
    assert device.told == 2, "nothing is done after a poll that gave nothing"
    await device.poller.stop()


@in_virtual_time
async def test_one_leisure_is_left_to_whoever_is_about_to_read_and_only_one() -> None:
    loop, device = asyncio.get_running_loop(), Device()
    device.poller.start()
    await device.poller.next_poll()
    device.poller.hush()
    await asyncio.sleep(POLL_S + 0.5 * LEISURE_S)
    assert (len(device.asked), device.left_alone) == (1, 0)
    called_s = loop.time()
    assert await device.poller.read_now() == called_s
    await asyncio.sleep(3 * (READ_S + POLL_S + LEISURE_S))
    assert device.left_alone == 3
    await device.poller.stop()


@in_virtual_time
async def test_a_device_is_polled_again_at_leisure_where_nobody_reads_after_all() -> None:
    device = Device()
    device.poller.start()
    await device.poller.next_poll()
    device.poller.hush()
    await asyncio.sleep(2 * (READ_S + POLL_S + LEISURE_S))
    assert set(device.pauses()) == {POLL_S + LEISURE_S}
    await device.poller.stop()


@in_virtual_time
async def test_a_reading_that_was_asked_for_once_is_made_once() -> None:
    device = Device()
    device.poller.start()
    await device.poller.read_now()
    await asyncio.sleep(POLL_S - 0.01)
    assert len(device.asked) == 1
    await device.poller.stop()


@in_virtual_time
async def test_one_failure_is_nobodys_and_two_are_everybodys_each_with_an_error_of_his_own() -> None:
    device = Device()
    device.failures.append(JIG.unreachable("lost"))
    device.poller.start()
    assert await device.poller.read_now() == device.asked[1], "asked again at once"
    device.failures.extend([JIG.unreachable("lost"), JIG.wrong_map("magic")])
    first, second = await asyncio.gather(device.poller.read_now(), device.poller.read_now(), return_exceptions=True)
    assert isinstance(first, DeviceError)
    assert isinstance(second, DeviceError)
    assert (first.code, second.code, first.detail) == ("jig.wrong_map", "jig.wrong_map", "magic")
    assert first is not second
    assert await device.poller.read_now() == device.asked[-1], "it recovers by itself"
    await device.poller.stop()


@in_virtual_time
async def test_who_waits_when_the_polling_stops_is_told_and_nobody_is_let_wait_afterwards() -> None:
    device = Device()
    device.poller.start()
    waiting = asyncio.ensure_future(device.poller.next_poll())
    await asyncio.sleep(0.5 * READ_S)
    await device.poller.stop()
    for late in (waiting, device.poller.read_now()):
        with pytest.raises(DeviceError, match="not connected") as caught:
            await late
        assert caught.value.code == "jig.unreachable"
    assert device.ended == []


@in_virtual_time
async def test_a_polling_that_ends_by_itself_is_a_bug_that_is_told() -> None:
    device, broken = Device(), RuntimeError("broken")
    device.failures.append(broken)
    device.poller.start()
    with pytest.raises(BugError, match="poller of the jig ended") as caught:
        await device.poller.read_now()
    assert caught.value.__cause__ is broken
    assert device.ended == [broken]
    assert not device.poller.running
    assert device.poller.started
    await device.poller.stop()
