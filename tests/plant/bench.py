"""How soon a change of the cell is known above the line PLC, and what all of that costs a decision.

    python -m tests.plant.bench latency [--changes N]        state told ─▶ at an OPC UA client, at an MQTT subscriber
    python -m tests.plant.bench crowd                        200 subscriptions of 50 items: latency and memory
    python -m tests.plant.bench pairs [--pairs N]            decision with page, OPC UA, Sparkplug, broker, and without

Each prints one JSON object. `pairs` runs `station bench --only stream` in turns, and gives the median of the ratios
with a 95 % interval by bootstrap.
"""

import argparse
import asyncio
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from aiomqtt import Client as Mqtt
from asyncua import Client

from config import bundled
from station.core.clock import SystemClock
from station.core.events import StateChanged
from station.core.settings import Settings, parse_settings
from station.host.watch import Watch
from station.page.passwords import Passwords
from station.plant.opcua.serving import served
from station.plant.sparkplug.node import Topics
from station.plant.sparkplug.payload import decode
from station.plant.sparkplug.serving import published
from tests.cell.bench import listening, running
from tests.cell.conftest import station_command
from tests.free_port import free_port
from tests.housings import TABLE
from tests.page_bench import QUICK
from tests.plant.peers import Broker

STATE = "ns=2;s=Cell/State"
STATES = ("HELD", "EXECUTE")
SUBSCRIPTIONS, ITEMS = 200, 50
PAUSE_S = 0.05


def configured(port: int) -> Settings:
    """The simulation's configuration, with OPC UA for anybody on this computer and a broker at this port."""
    document = tomllib.loads(bundled("simulate.toml").read_text(encoding="utf-8"))
    document["opcua"] = {"port": 0, "security": "none", "anonymous": True, "max_sessions": 100}
    document["sparkplug"] |= {"port": port}
    return parse_settings(document, "bench")


class Arrivals:
    """When each change of state was made, and when it was known; asyncua calls `datachange_notification`."""

    def __init__(self) -> None:
        self.made: dict[str, float] = {}
        self.ms: list[float] = []
        self.known = asyncio.Event()

    def made_now(self, state: str) -> None:
        """The cell is in this state from now on."""
        self.made = {state: time.perf_counter()}
        self.known.clear()

    def arrived(self, state: object) -> None:
        """This state is known."""
        if isinstance(state, str) and state in self.made:
            self.ms.append(1000 * (time.perf_counter() - self.made.pop(state)))
            self.known.set()

    def datachange_notification(self, _node: object, value: object, _data: object) -> None:
        """As asyncua tells it."""
        self.arrived(value)


def quantiles(ms: Sequence[float]) -> dict[str, float]:
    """Median, 99th percentile and maximum."""
    ordered = sorted(ms)
    at_99 = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return {"n": len(ordered), "p50_ms": round(statistics.median(ordered), 1), "p99_ms": round(at_99, 1),
            "max_ms": round(ordered[-1], 1)}  # fmt: skip


@asynccontextmanager
async def plant(folder: Path) -> AsyncIterator[tuple[Watch, str, int]]:
    """A cell that is told to change, an OPC UA server and a Sparkplug node beside it; where both are."""
    broker, told = Broker(folder, free_port()), Watch("bench", TABLE.places, SystemClock())
    settings, data = configured(broker.port), folder / "data"
    data.mkdir()
    with broker.up():
        async with (
            running(watch=told.take, within_s=3600) as cell, listening(cell.desk, data, watch=told),
            served(settings, data, SystemClock(), lambda _line: None, Passwords(QUICK)) as server,
            published(settings, data, SystemClock(), lambda _line: None),
        ):  # fmt: skip
            yield told, server.address, broker.port


async def change(told: Watch, number: int, *arrivals: Arrivals) -> None:
    """Have the cell change its state, and wait until everybody knows."""
    state = STATES[number % 2]
    for one in arrivals:
        one.made_now(state)
    told.take(StateChanged(STATES[1 - number % 2], state, None))
    async with asyncio.timeout(30):
        for one in arrivals:
            await one.known.wait()
    await asyncio.sleep(PAUSE_S)


async def latency(changes: int) -> dict[str, Any]:
    """How soon a change of state is known."""
    opcua, mqtt = Arrivals(), Arrivals()
    with tempfile.TemporaryDirectory() as folder:
        async with plant(Path(folder)) as (told, address, port), Client(address) as client:
            subscription = await client.create_subscription(10, opcua)
            await subscription.subscribe_data_change(client.get_node(STATE))
            async with Mqtt("127.0.0.1", port) as subscriber:
                topic = Topics("inspection", "simulated-cell")
                await subscriber.subscribe(topic.of("NDATA"))
                reading = asyncio.create_task(_read(subscriber, mqtt))
                await asyncio.sleep(2)
                for number in range(changes):
                    await change(told, number, opcua, mqtt)
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)
    return {"opcua": quantiles(opcua.ms), "mqtt": quantiles(mqtt.ms)}


async def _read(subscriber: Mqtt, mqtt: Arrivals) -> None:
    async for message in subscriber.messages:
        for metric in decode(bytes(message.payload)).metrics:  # type: ignore[arg-type]
            if metric.name == "Cell/State":
                mqtt.arrived(metric.value)


async def crowd(changes: int) -> dict[str, Any]:
    """200 subscriptions of 50 items each, over ten clients, while the state changes."""
    opcua = Arrivals()
    with tempfile.TemporaryDirectory() as folder:
        async with plant(Path(folder)) as (told, address, _port):
            clients = [Client(address) for _ in range(10)]
            for one in clients:
                await one.connect()
            names = [STATE, *(f"ns=2;s=Places/{place.name}/Parts" for place in TABLE.places)]
            for number in range(SUBSCRIPTIONS):
                one = clients[number % len(clients)]
                subscription = await one.create_subscription(100, opcua if number == 0 else Arrivals())
                nodes = [one.get_node(names[item % len(names)]) for item in range(ITEMS)]
                await subscription.subscribe_data_change(nodes)
            before = _memory_mb()
            for number in range(changes):
                await change(told, number, opcua)
            after = _memory_mb()
            for one in clients:
                await one.disconnect()
    return {
        "subscriptions": SUBSCRIPTIONS,
        "items": ITEMS,
        "opcua": quantiles(opcua.ms),
        "mb_before": before,
        "mb_after": after,
    }


def _memory_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def pairs(number: int) -> dict[str, Any]:
    """The decision after the last line, with everything above the line PLC running and without, in turns."""
    ratios = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        data, broker = Path(folder) / "data", Broker(Path(folder), free_port())
        config = Path(folder) / "line.toml"
        text = bundled("simulate.toml").read_text(encoding="utf-8")
        for old in ("port = 8480", "port = 4840"):
            text = text.replace(old, "port = 0")
        config.write_text(text.replace("port = 1883", f"port = {broker.port}"), encoding="utf-8")
        stack.enter_context(broker.up())
        for turn in range(number):
            with_all, without = (
                _decision_ms(config, data, beside) for beside in ((True, False)[:: 1 - 2 * (turn % 2)])
            )
            ratios.append(with_all / without if turn % 2 == 0 else without / with_all)
    drawn = sorted(statistics.median(random.choices(ratios, k=len(ratios))) for _ in range(10_000))  # noqa: S311
    return {"pairs": number, "median": statistics.median(ratios), "low": drawn[250], "high": drawn[9749]}


def _decision_ms(config: Path, data: Path, beside: bool) -> float:  # noqa: FBT001
    """The median from the last line to the decision."""
    children = []
    if beside:
        for word in ("page", "opcua", "sparkplug"):
            command = station_command(word, "--config", config, "--data", data)
            children.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT))
        time.sleep(20)
    try:
        command = station_command("bench", "--only", "stream", "--parts", "40", "--json", "--config", config)
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return float(found["stream"]["decision_ms_after_last_line"]["p50"])
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait()


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("latency", "crowd", "pairs"))
    parser.add_argument("--changes", type=int, default=500)
    parser.add_argument("--pairs", type=int, default=40)
    asked = parser.parse_args()
    if asked.what == "pairs":
        found = pairs(asked.pairs)
    else:
        found = asyncio.run((latency if asked.what == "latency" else crowd)(asked.changes))
    json.dump(found, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
