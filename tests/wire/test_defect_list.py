"""The list of a part's defects on the line PLC, in both roles: its words, its number, and PLCs that do not know it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pymodbus.client import AsyncModbusTcpClient
from structlog.testing import capture_logs

from drivers.plc.plc import ModbusPlc
from station.core.errors import PlcError
from station.core.judgement import Defect
from station.core.settings import PlcSettings
from tests.housings import line_plc
from tests.wire.plc_peers import ServingPlc, beat, inspection, result, settings

FIRST, COUNT, SEQUENCE = 130, 60, 189
DEFECTS = (
    Defect("scratches", 8, 0.98765, 222.74, 4.81, 0.331, 0.21),
    Defect("pits", 0, 0.6, 359.96, None, None, None),
)
WORDS = [1, 4464, 2, 5, 9, 9876, 2227, 48, 33, 21, 3, 1, 6000, 0, 65535, 65535, 65535]
"""Inspection 70000 in two words, the count, and two defects of seven words each: typed in from the map."""


@pytest.fixture
async def plc() -> AsyncIterator[ServingPlc]:
    plc = ServingPlc()
    await plc.server.start()
    heart = asyncio.ensure_future(beat(plc))
    yield plc
    heart.cancel()
    await asyncio.wait([heart])
    await plc.server.stop()


def client(plc: ServingPlc, *, defect_list: bool) -> PlcSettings:
    quick = settings("client", plc.server.port)
    patient = quick.link.model_copy(update={"request_timeout_s": 5.0})  # a busy computer takes its time
    return quick.model_copy(update={"defect_list": defect_list, "link": patient, "stale_after_s": 10.0})


@pytest.fixture
async def driver(plc: ServingPlc) -> AsyncIterator[ModbusPlc]:
    driver = line_plc(client(plc, defect_list=True))
    yield driver
    await driver.close()


def listed(words: list[int]) -> list[int]:
    """The block without its number and without what is behind the last defect, which must be 0."""
    assert not any(words[len(WORDS) : -1])
    return words[: len(WORDS)]


async def test_the_list_comes_whole_with_a_number_of_its_own(plc: ServingPlc, driver: ModbusPlc) -> None:
    await driver.connect()
    await driver.results.publish(result())
    before = plc.peer.holding[0:67]
    await driver.results.list_defects(inspection(), DEFECTS)
    block = plc.peer.holding[FIRST : FIRST + COUNT]
    assert (listed(block), block[-1]) == (WORDS, 1)
    assert plc.peer.holding[11:67] == before[11:]
    await driver.results.list_defects(inspection(), ())
    assert plc.peer.holding[FIRST : FIRST + COUNT] == [1, 4464, *[0] * 57, 2]


async def test_of_many_defects_the_first_eight_are_shown_and_all_are_counted(
    plc: ServingPlc, driver: ModbusPlc
) -> None:
    await driver.connect()
    await driver.results.list_defects(inspection(), DEFECTS[:1] * 11)
    assert plc.peer.holding[132] == 11
    assert plc.peer.holding[133:189] == WORDS[3:10] * 8


async def test_the_number_goes_on_after_a_restart_of_the_station(plc: ServingPlc, driver: ModbusPlc) -> None:
    plc.peer.holding[SEQUENCE] = 65534
    await driver.connect()
    assert plc.peer.holding[SEQUENCE] == 65534, "the last list stays until there is a new one"
    for number in (65535, 1):
        await driver.results.list_defects(inspection(), DEFECTS)
        assert plc.peer.holding[SEQUENCE] == number


async def test_a_plc_that_was_away_gets_the_list_when_it_is_back(plc: ServingPlc, driver: ModbusPlc) -> None:
    await driver.connect()
    await plc.server.stop()
    await driver.results.list_defects(inspection(), DEFECTS)
    plc.peer.holding[FIRST : FIRST + COUNT] = [0] * COUNT
    await plc.server.start()
    async with asyncio.timeout(10):
        while plc.peer.holding[SEQUENCE] != 1:  # noqa: ASYNC110  # the PLC has no event to wait for
            await asyncio.sleep(0.01)
    assert listed(plc.peer.holding[FIRST : FIRST + COUNT]) == WORDS


async def test_a_plc_of_the_map_as_it_was_is_neither_asked_nor_told(plc: ServingPlc) -> None:
    plc.peer.holding[FIRST : FIRST + COUNT] = [7] * COUNT
    driver = line_plc(client(plc, defect_list=False))
    await driver.connect()
    await driver.results.publish(result())
    await driver.results.list_defects(inspection(), DEFECTS)
    await driver.close()
    assert plc.peer.holding[FIRST : FIRST + COUNT] == [7] * COUNT


async def test_the_stations_server_has_the_list_for_whoever_reads_it() -> None:
    server = line_plc(settings("server", 0))
    await server.connect()
    master = AsyncModbusTcpClient("127.0.0.1", port=server.port, retries=0, reconnect_delay=0, timeout=5)
    assert await master.connect()
    await server.results.list_defects(inspection(), DEFECTS)
    block = list((await master.read_holding_registers(FIRST, count=COUNT)).registers)
    assert (listed(block), block[-1]) == (WORDS, 1)
    assert (await master.write_register(SEQUENCE, 9)).isError()
    master.close()
    await server.close()


async def test_a_plc_that_refuses_the_list_is_told_of_once_and_stops_nothing(
    plc: ServingPlc, driver: ModbusPlc
) -> None:
    await driver.connect()
    plc.peer.absent = set(range(FIRST, FIRST + COUNT))
    with capture_logs() as logs:
        for _part in range(3):
            await driver.results.publish(result())
            plc.peer.holding[104] = plc.peer.holding[50]
            await driver.results.list_defects(inspection(), DEFECTS)
    assert [line["event"] for line in logs].count("defects_not_listed") == 1
    assert driver.feed.view.fault is None


async def test_a_plc_without_the_registers_that_the_configuration_promises_is_of_the_wrong_map(
    plc: ServingPlc, driver: ModbusPlc
) -> None:
    plc.peer.absent = set(range(FIRST, FIRST + COUNT))
    with pytest.raises(PlcError) as refused:
        await driver.connect()
    assert refused.value.code == "plc.wrong_map"
    assert "189" in refused.value.detail
