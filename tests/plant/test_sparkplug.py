"""The station as an edge node at Debian's mosquitto, seen by a host over npm's mqtt and sparkplug-payload."""

import asyncio
import json
import time
import tomllib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from config import bundled
from station.cell.packml import State
from station.core.clock import SystemClock
from station.core.records import LastTold
from station.core.settings import Settings, parse_settings
from station.plant.sparkplug.serving import published
from station.records.ended import read_ended
from tests.free_port import free_port
from tests.housings import Verdict
from tests.plant.cells import WITHIN_S, cell_at_work
from tests.plant.peers import Broker, Json, Peer, package_of, peer

pytestmark = [pytest.mark.plant, pytest.mark.timeout(240)]

GROUP, NODE = "plant", "cell 1"
RETRY_S = 0.1


@pytest.fixture(autouse=True)
def packages() -> None:
    package_of("mqtt")
    package_of("sparkplug-payload")


@pytest.fixture
def broker(tmp_path: Path) -> Broker:
    return Broker(tmp_path, free_port())


def topic(verb: str) -> str:
    return f"spBv1.0/{GROUP}/{verb}/{NODE}"


def configured(port: int, **changes: object) -> Settings:
    document = tomllib.loads(bundled("simulate.toml").read_text(encoding="utf-8"))
    document["sparkplug"] = {"port": port, "group": GROUP, "node": NODE, "keepalive_s": 2, **changes}
    return parse_settings(document, "test")


@asynccontextmanager
async def node(folder: Path, port: int, **changes: object) -> AsyncIterator["asyncio.Task[None]"]:
    """The edge node, while in this context."""
    async with published(configured(port, **changes), folder, SystemClock(), lambda _line: None, RETRY_S) as publishing:
        yield publishing


@asynccontextmanager
async def hosted(broker: Broker) -> AsyncIterator[Peer]:
    async with peer("sparkplug_host.js", f"mqtt://127.0.0.1:{broker.port}") as host:
        await host.next("ready")
        yield host


def values(message: Json) -> dict[str, Any]:
    """The metrics of a message by name; null is not there at all in what the decoder gives."""
    return {metric["name"]: metric.get("value") for metric in message["payload"]["metrics"]}


def known(host: Peer) -> dict[str, Any]:
    """The node as the host knows it: what was born, and what has changed since."""
    found: dict[str, Any] = {}
    for said in host.said:
        if said.get("topic") in {topic("NBIRTH"), topic("NDATA")}:
            late = [metric.get("isHistorical") for metric in said["payload"]["metrics"]]
            found |= values(said) if not any(late) else {}
    return found


def _wanted(wanted: dict[str, object]) -> dict[str, object]:
    """Metrics by their names: in a keyword `/` is written `__`, and a blank `_`."""
    return {name.replace("__", "/").replace("_", " "): value for name, value in wanted.items()}


def say_state(host: Peer, *, online: bool, at_ms: int) -> None:
    """The host says whether it is there, as a host application does."""
    raw = json.dumps({"online": online, "timestamp": at_ms}).encode().hex()
    host.tell({"topic": "spBv1.0/STATE/scada", "raw": raw, "retain": True})


async def becomes(host: Peer, **wanted: object) -> None:
    """Return when the host knows these values of the node."""
    while not _wanted(wanted).items() <= known(host).items():
        await host.next("message")


async def until(host: Peer, verb: str, **wanted: object) -> Json:
    """The next message of this kind in which these metrics have these values."""
    while True:
        said = await host.next("message", topic=topic(verb))
        found = values(said)
        if _wanted(wanted).items() <= found.items():
            return said


async def test_a_host_sees_the_birth_every_change_every_part_and_the_death(tmp_path: Path, broker: Broker) -> None:
    with broker.up():
        async with cell_at_work(tmp_path) as cell, hosted(broker) as host:
            async with node(tmp_path, broker.port):
                birth = await until(host, "NBIRTH")
                cell.classifier.says = Verdict.SCRATCHES
                await becomes(host, Cell__State="STOPPED")
                await cell.start()
                await becomes(host, Cell__State="EXECUTE", Cell__State_Number=6)
                cell.feed("A1")
                part = await until(host, "NDATA", Result__Part="A1")
            death = await until(host, "NDEATH")
    assert (birth["qos"], birth["retain"]) == (0, False)
    metrics = {metric["name"]: metric for metric in birth["payload"]["metrics"]}
    assert len(metrics) == len(birth["payload"]["metrics"]), "a name stands once"
    assert metrics["bdSeq"] | {"timestamp": 0} == {"name": "bdSeq", "type": "Int64", "value": 0, "timestamp": 0}
    assert metrics["Node Control/Rebirth"]["value"] is False
    assert birth["payload"]["seq"] == 0
    told = [said["payload"] for said in host.said if said.get("topic") == topic("NDATA")]
    assert [payload["seq"] for payload in told] == [number % 256 for number in range(1, len(told) + 1)]
    assert {metric["name"] for payload in told for metric in payload["metrics"]} <= metrics.keys()
    for payload in (birth["payload"], *told):
        assert payload["timestamp"] > 1_700_000_000_000
        for metric in payload["metrics"]:
            assert metric["type"] == metrics[metric["name"]]["type"] in {
                "Int32", "Int64", "UInt64", "Double", "Boolean", "String", "DateTime",
            }  # fmt: skip
    result = values(part)
    assert (result["Result/Verdict"], result["Result/Confirmed"]) == ("scratches", "bin_scratches")
    assert result["Result/Ended"] == "sorted"
    counted = {name: value for said in told for name, value in values({"payload": said}).items()}
    assert counted["Counters/Sorted"] == counted["Counters/Verdicts/scratches"] == 1, "a count is no null"
    assert (death["qos"], death["retain"], death["payload"].get("seq")) == (1, False, None)
    assert values(death) == {"bdSeq": 0}


async def test_a_rebirth_tells_every_metric_anew_with_the_same_number(tmp_path: Path, broker: Broker) -> None:
    with broker.up():
        async with cell_at_work(tmp_path), hosted(broker) as host, node(tmp_path, broker.port):
            birth = await until(host, "NBIRTH")
            await becomes(host, Station__Heard=True)
            host.tell({"topic": topic("NCMD"), "metrics": [
                {"name": "Node Control/Rebirth", "type": "Boolean", "value": True},
            ]})  # fmt: skip
            again = await until(host, "NBIRTH")
    assert again["payload"]["seq"] == 0
    assert values(again)["bdSeq"] == values(birth)["bdSeq"]
    assert values(again).keys() == values(birth).keys()
    assert values(again)["Cell/State"] == "STOPPED"
    assert not any(said.get("topic") == topic("NDEATH") for said in host.said), "no death before a rebirth"


async def test_what_ended_while_the_broker_was_away_comes_once_it_is_back(tmp_path: Path, broker: Broker) -> None:
    parts = [f"A{number}" for number in range(7)]
    async with cell_at_work(tmp_path) as cell:
        async with AsyncExitStack() as first:
            first.enter_context(broker.up())
            host = await first.enter_async_context(hosted(broker))
            await first.enter_async_context(node(tmp_path, broker.port))
            await until(host, "NBIRTH")
            await cell.start()
            cell.feed(parts[0])
            await until(host, "NDATA", Result__Part=parts[0])
        # Neither node nor broker is there, and the cell goes on.
        for number, part in enumerate(parts[1:4], 2):
            cell.feed(part)
            await _sorted(tmp_path, number)
        async with node(tmp_path, broker.port, primary_host="scada") as publishing:
            for number, part in enumerate(parts[4:6], 5):
                cell.feed(part)
                await _sorted(tmp_path, number)
            assert not publishing.done()
            with broker.up():
                async with hosted(broker) as host:
                    say_state(host, online=True, at_ms=1000)
                    late = await _until_part(host, parts[5])
                    cell.feed(parts[6])
                    live = await _until_part(host, parts[6])
    told = [values(said)["Result/Part"] for said in host.said if "Result/Part" in values_of_data(said)]
    assert [part for part in dict.fromkeys(told) if part in parts[1:]] == parts[1:], "none is missing, and in order"
    assert {metric.get("isHistorical") for metric in late["payload"]["metrics"]} == {True}
    assert {metric.get("isHistorical") for metric in live["payload"]["metrics"]} <= {None, False}


def values_of_data(said: Json) -> dict[str, Any]:
    return values(said) if said.get("topic") == topic("NDATA") else {}


async def _until_part(host: Peer, part: str) -> Json:
    return await until(host, "NDATA", Result__Part=part)


async def _sorted(folder: Path, number: int) -> None:
    """Return when so many parts are recorded as sorted."""
    await asyncio.to_thread(_await_ended, folder, number)


def _await_ended(folder: Path, number: int) -> None:
    while len(read_ended(folder, LastTold(0, "", ""), 100)) < number:
        time.sleep(0.02)


async def test_each_connection_has_the_next_number_and_a_node_that_is_killed_is_declared_dead(
    tmp_path: Path, broker: Broker
) -> None:
    with broker.up():
        async with hosted(broker) as host:
            for number in range(2):
                async with node(tmp_path, broker.port) as publishing:
                    birth = await until(host, "NBIRTH")
                    assert values(birth)["bdSeq"] == number
                    assert values(birth)["Station/Heard"] is False
                    assert values(birth)["Cell/State"] is None, "what is not heard is not known"
                    publishing.cancel()
                    assert values(await until(host, "NDEATH"))["bdSeq"] == number


async def test_commands_go_to_the_desk_where_they_are_listed_and_nowhere_else(tmp_path: Path, broker: Broker) -> None:
    def give(host: Peer, name: str, **more: object) -> None:
        metric = {"name": name, "type": "Boolean", "value": True, **more}
        host.tell({"topic": topic("NCMD"), "metrics": [metric], "retain": more.get("retain")})

    with broker.up():
        async with AsyncExitStack() as stack:
            cell = await stack.enter_async_context(cell_at_work(tmp_path))
            host = await stack.enter_async_context(hosted(broker))
            give(host, "Command/Stop", retain=True)  # rubbish that somebody has left
            await host.next("published")
            await stack.enter_async_context(node(tmp_path, broker.port, commands=["stop", "start", "reset"]))
            birth = values(await until(host, "NBIRTH"))
            assert [name for name in birth if birth[name] is False and name.startswith("Command/")] == [
                "Command/Stop", "Command/Start", "Command/Reset",
            ]  # fmt: skip
            await becomes(host, Command__Ignored=1)
            give(host, "Command/Reset")
            await becomes(host, Command__Taken="reset")
            assert await cell.desk.reached(State.IDLE) is State.IDLE
            give(host, "Command/Reset")
            await becomes(host, Command__Taken=None)
            assert "RESET in IDLE" in known(host)["Command/Refused"]
            for number, (name, value, kind) in enumerate(
                [("Command/Abort", True, "Boolean"), ("Command/Stop", False, "Boolean"), ("Command/Stop", 1, "Int32"),
                 ("Counters/Sorted", 0, "UInt64"), ("Node Control/Rebirth", False, "Boolean")], 2
            ):  # fmt: skip
                give(host, name, value=value, type=kind)
                await becomes(host, Command__Ignored=number)
            for number, rubbish in enumerate(("", "ff", "0a00", "12ff", "00" * 64), 7):
                host.tell({"topic": topic("NCMD"), "raw": rubbish})
                await becomes(host, Command__Ignored=number)
            assert cell.desk.view.state is State.IDLE
            give(host, "Command/Stop")
            await becomes(host, Command__Taken="stop")
            assert await cell.desk.reached(State.STOPPED) is State.STOPPED


async def test_nothing_is_published_before_the_primary_host_is_online_and_all_of_it_after(
    tmp_path: Path, broker: Broker
) -> None:
    with broker.up():
        async with hosted(broker) as host, node(tmp_path, broker.port, primary_host="scada"):
            say_state(host, online=False, at_ms=1000)
            say_state(host, online=True, at_ms=999)  # of before, as a will that comes late
            host.tell({"topic": "spBv1.0/STATE/scada", "raw": b"ONLINE".hex()})
            for _ in range(3):
                await host.next("published")
            say_state(host, online=True, at_ms=2000)
            birth = await until(host, "NBIRTH")
            say_state(host, online=False, at_ms=3000)
            death = await until(host, "NDEATH")
            assert values(death)["bdSeq"] == values(birth)["bdSeq"]
            say_state(host, online=True, at_ms=4000)
            assert values(await until(host, "NBIRTH"))["bdSeq"] == values(birth)["bdSeq"] + 1
    said = [said["topic"] for said in host.said if "topic" in said]
    assert said[:4] == ["spBv1.0/STATE/scada"] * 4, "nothing before the host was online"


async def test_a_broker_that_refuses_is_told_once_and_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    strict = Broker(tmp_path, free_port(), "allow_anonymous false")
    with strict.up():
        async with node(tmp_path, strict.port) as publishing:
            await asyncio.wait_for(asyncio.to_thread(_await_refusals, tmp_path, 3), WITHIN_S)
            assert not publishing.done()
            assert (tmp_path / "sparkplug.json").exists()


def _await_refusals(folder: Path, number: int) -> None:
    """Return when the broker has refused so often."""
    while (folder / "mosquitto.log").read_text(encoding="utf-8").count("not authorised") < number:
        time.sleep(0.05)


async def test_state_changes_that_nobody_was_told_of_come_late_with_their_own_time(
    tmp_path: Path, broker: Broker
) -> None:
    async with cell_at_work(tmp_path) as cell:
        with broker.up():
            async with hosted(broker) as host, node(tmp_path, broker.port):
                await becomes(host, Station__Heard=True)
        await cell.start()
        with broker.up():
            async with hosted(broker) as host, node(tmp_path, broker.port):
                missed: list[str] = []
                while missed[-4:] != ["RESETTING", "IDLE", "STARTING", "EXECUTE"]:
                    said = await until(host, "NDATA")
                    if "Cell/State" in values(said) and said["payload"]["metrics"][0].get("isHistorical"):
                        missed.append(values(said)["Cell/State"])
                assert known(host)["Cell/State"] == "EXECUTE"


def test_a_configuration_says_nothing_in_the_clear() -> None:
    mqtt = configured(1883).sparkplug
    for wrong in (
        {"host": "10.0.0.9", "username": "cell", "password_file": "/p"}, {"group": "a/b"}, {"node": ""},
        {"tls_ca": "/ca.pem"}, {"tls_certificate": "/c.pem", "tls": True}, {"password_file": "/p"},
        {"commands": ["dance"]}, {"keepalive_s": 0},
    ):  # fmt: skip
        with pytest.raises(Exception, match="sparkplug"):
            configured(1883, **wrong)
    assert mqtt.commands == []
