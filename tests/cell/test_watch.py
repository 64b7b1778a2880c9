"""Who watches over the control socket sees the cell as it is, and costs it nothing."""

import asyncio
import json
import re
import socket
import subprocess
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from station.cell.packml import Command, State
from station.core.alarms import AlarmList
from station.core.errors import FAULTS, ControlError, Reaction
from station.core.events import PartEntered, StateChanged, StripSeen
from station.core.part import Inspection
from station.core.reason import Reason
from station.core.watchers import Watchers
from station.host.control import SILENCE_S, SOCKET, VERSION, ask, watch
from station.host.watch import BEAT_S, LINES_WAITING, WATCHERS, Watch
from station.view.surface import picture_of
from tests.cell.bench import Bench, listening, running
from tests.cell.conftest import TIMEOUT_S, station_command
from tests.housings import GEOMETRY, TABLE, Destination, Verdict
from tests.lines import BLOCKS_PER_TURN
from tests.record_samples import PART_TYPE, part
from tests.virtual_time import START, clock_here, in_virtual_time

HEAD = {"kind", "version", "number", "at"}
SECTIONS = {"cell", "line", "part", "orders", "bins", "alarms", "counters", "hand", "drift"}
PAGE = Path(__file__).parents[2] / "station" / "host" / "watch.md"
MANY = LINES_WAITING + 128
"""More lines of 20 kB, every second one, than wait for a reader and lie on the way to it."""
DOCUMENTED = PAGE.read_text(encoding="utf-8")


def make_watch() -> Watch:
    return Watch("test", TABLE.places, clock_here())


def inspection_of(part_id: str) -> Inspection:
    return Inspection("0001", 1, part(part_id), PART_TYPE, START)


class Watching:
    """One who watches: every line that came, and what they make together."""

    def __init__(self, lines: AsyncIterator[dict[str, Any]]) -> None:
        self._lines = lines
        self.told: list[dict[str, Any]] = []
        self.seen: dict[str, Any] = {}

    async def until(self, holds: Callable[[dict[str, Any]], object]) -> None:
        """Read on until what is seen is so."""
        while not (self.seen and holds(self.seen)):
            line = await anext(self._lines)
            self.told.append(line)
            self.seen |= {name: value for name, value in line.items() if name not in HEAD}

    def changes(self, section: str) -> list[Any]:
        """What a section was, one after the other."""
        return [line[section] for line in self.told if section in line]


@asynccontextmanager
async def one_who_watches(folder: Path, *more: str) -> AsyncIterator[Watching]:
    async with aclosing(watch(folder, SILENCE_S, *more)) as lines:
        yield Watching(lines)


@asynccontextmanager
async def watched_cell(folder: Path) -> AsyncIterator[Bench]:
    """A cell in operation that tells what happens."""
    told = make_watch()
    async with running(watch=told.take) as bench, listening(bench.desk, folder, watch=told):
        yield bench


def ended(seen: dict[str, Any]) -> bool:
    return bool(seen["part"] and seen["part"]["ended"])


async def test_the_whole_way_of_a_part_is_told_as_it_happens(tmp_path: Path) -> None:
    async with watched_cell(tmp_path) as bench, one_who_watches(tmp_path) as watching:
        await watching.until(bool)
        assert watching.told[0]["kind"] == "state"
        assert set(watching.seen) == SECTIONS | {"station"}
        bench.classifier.says = Verdict.PITS
        await bench.start()
        bench.feed("A1")
        await watching.until(ended)
    assert {line["kind"] for line in watching.told[1:]} <= {"change", "beat"}
    numbers = [line["number"] for line in watching.told if line["kind"] == "change"]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "none is missing"
    assert {line["version"] for line in watching.told} == {VERSION}
    states = list(dict.fromkeys(cell["state"] for cell in watching.changes("cell")))
    assert states[-4:] == ["RESETTING", "IDLE", "STARTING", "EXECUTE"]
    parts = [part for part in watching.changes("part") if part]
    steps = list(dict.fromkeys(part["step"] for part in parts if part["step"]))
    assert steps == ["load", "spin", "scan", "decide", "unload"]
    filled = list(dict.fromkeys(sum(patch is not None for patch in part["patches"]) for part in parts))
    assert filled == [GEOMETRY.patches_per_strip * number for number in range(BLOCKS_PER_TURN + 1)]
    last = parts[-1]
    assert (last["id"], set(last["patches"]), last["ended"]) == ("A1", {"pits"}, "sorted")
    assert (last["decision"]["verdict"], last["decision"]["destination"]) == ("pits", "bin_pits")
    assert last["confirmed"] == "bin_pits"
    assert {one["place"]: one["parts"] for one in watching.seen["bins"] if one["parts"]} == {"bin_pits": 1}
    assert watching.seen["counters"] == {"sorted": 1, "lost": 0, "withdrawn": 0, "verdicts": {"pits": 1}}
    orders = [(one["device"], one["verb"], one["done"], one["confirmed"]) for one in watching.seen["orders"]]
    assert orders[-4:] == [
        ("robot", "load", True, None), ("jig", "spin", True, None), ("jig", "stop", True, None),
        ("robot", "unload", True, "bin_pits"),
    ]  # fmt: skip
    given = next(orders for orders in watching.changes("orders") if orders and orders[-1]["verb"] == "unload")
    assert given[-1]["done"] is False, "an order is told before it is done"


async def test_who_comes_late_is_told_what_the_others_have_put_together(tmp_path: Path) -> None:
    async with watched_cell(tmp_path) as bench, one_who_watches(tmp_path) as first:
        await bench.start()
        for number, says in enumerate((Verdict.PITS, Verdict.DEFECT_FREE)):
            bench.classifier.says = says
            bench.feed(f"A{number}")
            await first.until(lambda seen, part=f"A{number}": ended(seen) and seen["part"]["id"] == part)
        bench.give(Command.STOP)
        await bench.desk.reached(State.STOPPED)
        await first.until(lambda seen: seen["cell"]["state"] == "STOPPED")
        async with one_who_watches(tmp_path) as second:
            await second.until(bool)
            assert second.seen == first.seen


async def test_why_the_cell_stands_and_what_ends_that_is_told(tmp_path: Path) -> None:
    async with watched_cell(tmp_path) as bench, one_who_watches(tmp_path) as watching:
        await watching.until(bool)
        assert watching.seen["cell"]["ends"] == "reset"
        await bench.start()
        bench.line.permit("withdrawn")
        await watching.until(lambda seen: not seen["line"]["permission"])
        await watching.until(lambda seen: seen["cell"]["state"] == "SUSPENDED")
        assert (watching.seen["cell"]["reason"]["code"], watching.seen["cell"]["ends"]) == (
            "plc.no_permission", "itself",
        )  # fmt: skip
        bench.line.permit("given")
        await watching.until(lambda seen: seen["line"]["permission"])
        bench.give(Command.HOLD)
        await watching.until(lambda seen: seen["cell"]["state"] == "HELD")
        assert (watching.seen["cell"]["reason"]["code"], watching.seen["cell"]["ends"]) == (
            "station.stopped_by_operator", "unhold",
        )  # fmt: skip


async def test_a_full_bin_and_an_alarm_are_told(tmp_path: Path) -> None:
    async with watched_cell(tmp_path) as bench, one_who_watches(tmp_path) as watching:
        bench.line.fill([Destination.BIN_PITS.code])
        await watching.until(lambda seen: [one["place"] for one in seen["bins"] if one["full"]] == ["bin_pits"])
        bench.built.alarms.warn(FAULTS["record.disk_low"], "planted")
        await watching.until(lambda seen: [one["code"] for one in seen["alarms"]] == ["record.disk_low"])
        assert (await ask(tmp_path, "alarms"))["alarms"] == watching.seen["alarms"]


async def test_the_alarms_that_a_stop_has_left_are_told(tmp_path: Path) -> None:
    told = make_watch()
    left = AlarmList().raise_(FAULTS["robot.part_lost"], Reaction.HOLD, "at the jig", START)
    async with (
        running(watch=told.take, alarms=[left]) as bench, listening(bench.desk, tmp_path, watch=told),
        one_who_watches(tmp_path) as watching,
    ):  # fmt: skip
        await watching.until(bool)
        assert [one["code"] for one in watching.seen["alarms"]] == ["robot.part_lost"]


@in_virtual_time
async def test_nothing_is_silent_for_longer_than_a_beat(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with watched_cell(tmp_path), aclosing(watch(tmp_path)) as lines:
        await anext(lines)
        heard_s = loop.time()
        for _ in range(60):
            line = await anext(lines)
            assert line["kind"] == "beat"
            assert loop.time() - heard_s == pytest.approx(BEAT_S)
            heard_s = loop.time()
    assert 2 * BEAT_S < SILENCE_S, "one beat may come late"


@in_virtual_time
async def test_a_station_that_falls_silent_is_not_waited_for(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    told = Watch("test", TABLE.places, clock_here(), beat_s=3600)
    async with running(watch=told.take) as bench, listening(bench.desk, tmp_path, watch=told):
        lines = watch(tmp_path)
        await anext(lines)
        began_s = loop.time()
        with pytest.raises(ControlError) as caught:
            await anext(lines)
        assert caught.value.code == "control.no_answer"
        assert loop.time() - began_s == pytest.approx(SILENCE_S)


async def test_the_end_of_the_station_is_told_by_an_error(tmp_path: Path) -> None:
    async with running() as bench:
        lines = watch(tmp_path)
        async with listening(bench.desk, tmp_path):
            await anext(lines)
        with pytest.raises(ControlError) as caught:
            await anext(lines)
        assert caught.value.code == "control.no_answer"


async def test_who_does_not_read_is_cut_off_and_nobody_else_suffers(tmp_path: Path) -> None:
    told = make_watch()
    reason = Reason(FAULTS["plc.stale"], "x" * 20_000)
    changes = [StateChanged("IDLE", "EXECUTE", None), StateChanged("EXECUTE", "SUSPENDED", reason)]
    async with running() as bench, listening(bench.desk, tmp_path, watch=told), one_who_watches(tmp_path) as reading:
        await reading.until(bool)
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.setblocking(False)
            await asyncio.get_running_loop().sock_connect(deaf, str(tmp_path / SOCKET))
            deaf.send(b"watch\n")
            await two_sit(told)
            for number in range(1, MANY + 1):
                told.take(changes[number % 2])
                if number % 16 == 0:
                    await reading.until(lambda _seen, last=number: reading.told[-1]["number"] == last)
            heard = await asyncio.to_thread(all_of, deaf)
        await reading.until(lambda _seen: reading.told[-1]["number"] == MANY)
        assert heard.count(b"\n") < MANY
        assert (await ask(tmp_path, "status"))["refused"] is None


async def two_sit(told: Watch) -> None:
    while len(told._seats) < 2:  # noqa: ASYNC110  # a seat is taken in silence
        await asyncio.sleep(0)


def all_of(connection: socket.socket) -> bytes:
    """What the station has told, to the end of the connection."""
    connection.setblocking(True)
    connection.settimeout(20)
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))


async def test_one_too_many_is_told_so_and_has_the_place_of_one_who_leaves(tmp_path: Path) -> None:
    told = make_watch()
    async with running() as bench, listening(bench.desk, tmp_path, watch=told):
        sitting = [watch(tmp_path) for _ in range(WATCHERS)]
        for lines in sitting:
            await anext(lines)
        with pytest.raises(ControlError) as caught:
            async with aclosing(watch(tmp_path)) as late:
                await anext(late)
        assert caught.value.code == "control.too_many_watch"
        assert (await ask(tmp_path, "status"))["refused"] is None, "who commands is not kept out"
        await sitting.pop().aclose()
        while len(told._seats) == WATCHERS:  # noqa: ASYNC110  # a seat is given back in silence
            await asyncio.sleep(0)
        sitting.append(watch(tmp_path))
        assert (await anext(sitting[-1]))["kind"] == "state"
        for lines in sitting:
            await lines.aclose()


async def test_a_station_of_another_version_is_not_misread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.host.watch.VERSION", VERSION + 1)
    async with running() as bench, listening(bench.desk, tmp_path):
        with pytest.raises(ControlError) as caught:
            await anext(watch(tmp_path))
    assert caught.value.code == "control.other_version"
    assert f"version {VERSION + 1}" in caught.value.detail


async def test_changes_from_another_thread_arrive_in_order(tmp_path: Path) -> None:
    told = make_watch()
    states = [state.name for state in State] * (LINES_WAITING // len(State))
    async with running() as bench, listening(bench.desk, tmp_path, watch=told), one_who_watches(tmp_path) as watching:
        await watching.until(bool)
        thread = threading.Thread(target=lambda: [told.take(StateChanged("", state, None)) for state in states])
        thread.start()
        await watching.until(lambda _seen: watching.told[-1]["number"] == len(states))
        await asyncio.to_thread(thread.join)
    assert [cell["state"] for cell in watching.changes("cell")][1:] == states


# ---------------------------------------------------------------------- the surface


def pictured(seen: dict[str, Any]) -> list[int]:
    """Of which strips there are pictures."""
    return sorted(int(name.rpartition(".")[2]) for name in seen if name.startswith("surface."))


async def test_the_surface_is_shown_strip_by_strip_to_who_asks_for_it_and_to_nobody_else(tmp_path: Path) -> None:
    told = make_watch()
    async with (
        running(watch=lambda event: (told.take(event), told.show(event))) as bench,
        listening(bench.desk, tmp_path, watch=told),
        one_who_watches(tmp_path) as watching, one_who_watches(tmp_path, "surface") as looking,
    ):  # fmt: skip
        await watching.until(bool)
        await looking.until(bool)
        assert pictured(looking.seen) == []
        await bench.start()
        bench.feed("A1")
        await looking.until(ended)
        await watching.until(ended)
        assert pictured(looking.seen) == list(range(BLOCKS_PER_TURN))
        first = looking.seen["part"]["inspection"]
        shown = [looking.seen[f"surface.{strip}"] for strip in range(BLOCKS_PER_TURN)]
        assert {one["inspection"] for one in shown} == {first}
        assert len({one["jpeg"] for one in shown}) == BLOCKS_PER_TURN, "each shows its own lines"
        kinds = [line["kind"] for line in looking.told if pictured(line)]
        assert kinds == ["seen"] * BLOCKS_PER_TURN
        assert pictured(watching.seen) == []
        for one in (watching, looking):
            numbers = [line["number"] for line in one.told if line["kind"] == "change"]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "pictures are no changes"
        async with one_who_watches(tmp_path, "surface") as late:
            await late.until(bool)
            assert late.seen == looking.seen
        bench.feed("A2")
        await looking.until(lambda seen: seen["part"]["id"] == "A2" and ended(seen))
        assert {looking.seen[f"surface.{strip}"]["inspection"] for strip in range(BLOCKS_PER_TURN)} == {
            looking.seen["part"]["inspection"]
        }


async def test_pixels_are_asked_for_only_while_somebody_looks(tmp_path: Path) -> None:
    told, watchers = make_watch(), Watchers()
    pixels = np.full((448, 385), 7, np.uint8)
    told.join(watchers)
    async with running() as bench, listening(bench.desk, tmp_path, watch=told), one_who_watches(tmp_path) as watching:
        await watching.until(bool)
        inspection = inspection_of("A")
        watchers.tell(StripSeen(inspection, 0, pixels))
        async with one_who_watches(tmp_path, "surface") as looking:
            await looking.until(bool)
            watchers.tell(StripSeen(inspection, 1, pixels))
            await looking.until(lambda seen: pictured(seen) == [1])
        while told._onlookers:  # noqa: ASYNC110  # a seat is given back in silence
            await asyncio.sleep(0)
        watchers.tell(StripSeen(inspection, 2, pixels))
        await watchers.close()
        async with one_who_watches(tmp_path, "surface") as late:
            await late.until(bool)
            assert pictured(late.seen) == [1]
            told.take(PartEntered(inspection))
            async with one_who_watches(tmp_path, "surface") as later:
                await later.until(bool)
                assert pictured(later.seen) == [], "the pictures of a part go with the next one"


# ---------------------------------------------------------------------- the page of it


def test_the_page_says_what_is_so() -> None:
    assert f"`version` is {VERSION};" in DOCUMENTED
    assert f"At most {WATCHERS} programs watch" in DOCUMENTED
    assert f"when {LINES_WAITING} lines wait" in DOCUMENTED
    assert f"heard nothing for {SILENCE_S:g} s" in DOCUMENTED


async def test_the_page_names_every_section_and_field(tmp_path: Path) -> None:
    async with watched_cell(tmp_path) as bench, one_who_watches(tmp_path) as watching:
        await bench.start()
        bench.feed("A1")
        await watching.until(ended)
    names = set(re.findall(r"`(\w+)`", DOCUMENTED))
    seen = watching.seen
    assert set(seen) | set(picture_of(StripSeen(inspection_of("A1"), 0, np.zeros((448, 385), np.uint8)))) <= names
    assert "`surface.N`" in DOCUMENTED
    rows = [seen["cell"], seen["line"], seen["part"], seen["part"]["decision"], seen["orders"][0], seen["bins"][0]]
    assert {field for row in rows for field in row} | set(seen["counters"]) <= names


# ---------------------------------------------------------------------- a whole station


def test_a_whole_simulated_cell_can_be_watched(
    make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    data = tmp_path / "data"
    arguments = ("--simulate", "--config", make_config(), "--parts", "3", "--data", data, "--json")
    with subprocess.Popen(
        station_command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(PAGE.parents[2])},
    ) as process:  # fmt: skip
        try:
            seen, fills = asyncio.run(_watched_to_the_end(data))
            said, _ = process.communicate(timeout=TIMEOUT_S)
        finally:
            process.kill()
    document = json.loads(said)
    assert process.returncode == 0
    assert seen["counters"]["sorted"] >= 2, "the last part may lie in its bin when nobody is told any more"
    verdicts = Counter(part["verdict"] for part in document["parts"])
    assert Counter(seen["counters"]["verdicts"]) <= verdicts
    confirmed = {part["part_id"]: part["confirmed_bin"] for part in document["parts"]}
    assert seen["part"]["confirmed"] in {None, confirmed[seen["part"]["id"]]}
    assert len(fills) > 3, "the patches fill while the part turns"
    assert not (data / SOCKET).exists()


async def _watched_to_the_end(data: Path) -> tuple[dict[str, Any], set[int]]:
    seen: dict[str, Any] = {}
    fills: set[int] = set()
    async with asyncio.timeout(TIMEOUT_S):
        while not seen:
            try:
                async with aclosing(watch(data)) as lines:
                    async for line in lines:
                        seen |= {name: value for name, value in line.items() if name not in HEAD}
                        if seen["part"]:
                            fills.add(sum(patch is not None for patch in seen["part"]["patches"]))
            except ControlError:
                await asyncio.sleep(0.05)
    return seen, fills
