"""The exported function block as the line PLC of the whole cell, in virtual time, in both roles.

    seed ─▶ parts, troubles ─▶ cell of tests.year ┬ its PLC's place has tests.plant.line_plc, which runs the block
                                                  └ check: what the block has told, against where the parts truly lie

    python -m tests.plant.virtual_line --role client --parts 5000 --folder FOLDER      so many parts, seed after seed
    python -m tests.plant.virtual_line --role server --seed 17                         one history, line by line

Everything but sockets, threads, disk and time is as in `station run`: see tests/year. A history comes again, byte for
byte, from its seed.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any, Literal, get_args
from unittest.mock import patch

from drivers.modbus.register_map import map_of
from sim.effects import network_effects
from sim.ledger import Entry, Happening
from sim.ledger import Place as Seat
from sim.modbus.tcp_server import TcpServer
from sim.proxy import Mode
from sim.report import Listening
from station.core.settings import Settings
from station.plant.integration.block import block_of
from station.plant.integration.structured_text import structured_text
from tests.plant.line_plc import LinePlc
from tests.plant.served_in_memory import LineLoop, MemoryListener
from tests.year.ground import Base, Parts, Wires, base_for, bundle_in
from tests.year.history import SHARED_MEMORY, TABLE, _made_up
from tests.year.loop import OWNER, StandsStillError, run
from tests.year.misfortunes import Row
from tests.year.network import FOREIGN, TWICE
from tests.year.rules import Rules
from tests.year.shrink import shrink
from tests.year.world import RESTART_S, Chronicle, World

Role = Literal["client", "server"]
"""The station's: as client it asks the PLC, which has the registers; as server it has them."""
GOOD_PLACE = "second_inspection"
PLACES = ["none", GOOD_PLACE, "bin_imprinted", "bin_pits", "bin_roll_marks", "bin_scratches", "bin_review"]
GAP = 1.6
"""Parts between two troubles, on average."""
PART_S, TROUBLE_S = 4.0, 20.0
"""How long a part, and a trouble, may take before the line counts as one that stands."""


class LineRules(Rules):
    """The rules of the cell that do not ask the simulated PLC, which nobody talks with here."""

    def watch(self, running: Any) -> None:
        """Look at the camera and the devices' truth."""
        self._running = running
        self._watch_camera(running)

    def listening(self, ledger: Any) -> Any:
        """As it is."""
        return ledger


class LineWires(Wires):
    """The wires to robot and jig, and to this PLC where it has the registers."""

    def __init__(self, settings: Settings, network: Any, plc: LinePlc | None) -> None:
        super().__init__(settings, network)
        self._plc = plc

    async def serve(self, slaves: Any, scene: str, on_link: Callable[[str, str], None]) -> Listening:
        """Let the devices answer."""
        del on_link
        answering = {"robot": slaves.robot, "jig": slaves.jig} | ({"plc": self._plc} if self._plc else {})
        for name, slave in answering.items():
            link = self._network.links[name]
            await TcpServer(slave, 1).serve(link)  # type: ignore[arg-type]
        for name, link in self._network.links.items():
            self.effects.update(network_effects(name, link))  # type: ignore[arg-type]
        where = {name: ("127.0.0.1", self._network.port_of(name)) for name in self._network.links}
        return Listening(where["robot"], where["jig"], where["plc"], "client", "", scene)


class LineWorld(World):
    """The cell with this PLC.

    Args:
        base, rules, chronicle, parts: As of a `World`.
        plc: Runs the block.
        role: The station's.
    """

    def __init__(self, base: Base, rules: Any, chronicle: Chronicle, parts: Parts, plc: LinePlc, role: Role) -> None:
        super().__init__(base, rules, chronicle, parts)
        self.plc = plc
        self.role = role
        self.ending: list[asyncio.Future[None]] = []
        plc.on_seen = lambda seen: self.tell("block", str(seen))

    def wires(self) -> Wires:
        """To robot and jig, and to the PLC."""
        return LineWires(self.base.settings, self.base.network, self.plc if self.role == "client" else None)

    def cell_settings(self) -> Settings:
        """Of the cell's own PLC, which asks nobody."""
        settings = self.base.settings
        return settings.model_copy(update={"plc": settings.plc.model_copy(update={"role": "client"})})

    def happened(self, entry: Entry) -> None:
        """The sensor at the infeed sees what lies there."""
        if entry.event is Happening.FED:
            self.plc.infeed = str(entry.part_id), 1
        elif entry.event is Happening.PICKED and self.running.cell.part_at(Seat.INFEED) is None:
            self.plc.infeed = None
        super().happened(entry)

    def kill(self, *, power: bool, in_job: bool = False) -> None:
        """The station is killed, or its computer loses the power; its server's connections go with it."""
        life = self.life
        if life is None or life.dead or life.over.is_set():
            return
        life.die(power=power, in_job=in_job)
        link = self.base.network.links["plc"]
        if self.role == "server":
            link.make = None
            for connection in tuple(link._connections):
                if power:
                    connection.there.deaf = True
                else:
                    connection.reset()

    async def _operate(self) -> None:
        """Whoever starts the station again; the cell is the PLC's to command."""
        while True:
            await asyncio.sleep(0.25)
            assert self.life is not None
            if self.life.over.is_set():
                await asyncio.sleep(RESTART_S)
                self.start()

    @property
    def is_done(self) -> bool:
        """Whether all parts are through, and the block has told of all of them."""
        told = {seen.part_id for seen in self.plc.places}
        return super().is_done and told >= set(self.rules.truth.laid)


# ---------------------------------------------------------------------- troubles

Befall = Callable[[LineWorld, Row], None]


def _spoil(mode: str, replies: int | None = None) -> Befall:
    def befall(world: LineWorld, row: Row) -> None:
        link = world.base.network.links["plc"]
        link.switch(mode, replies)
        if replies is None:
            world.base.loop.call_later(row.lasts_s, lambda: link.switch(Mode.PASS) if link.mode == mode else None)

    return befall


def _stand_still(world: LineWorld, row: Row) -> None:
    """The PLC's program stands still, for less or more than the station believes it."""

    def go_on() -> None:
        world.plc.runs = True

    world.plc.runs = False
    world.base.loop.call_later(row.lasts_s, go_on)


def _complement(world: LineWorld, _row: Row) -> None:
    """The next result's complement does not fit, until the block has seen that."""
    world.plc.spoils = True


def _stop(world: LineWorld, _row: Row) -> None:
    """The station is stopped in order."""
    if world.life is not None and not world.life.over.is_set():
        life, token = world.life, OWNER.set(None)
        world.ending.append(asyncio.ensure_future(life.stop()))
        OWNER.reset(token)


def _kill_in_write(*, power: bool) -> Befall:
    def befall(world: LineWorld, row: Row) -> None:
        if world.life is None or world.life.dead or world.life.over.is_set():
            return
        world.base.disk.on_cut = lambda: world.kill(power=power, in_job=True)
        world.base.disk.cut_at = world.base.disk.jobs + 1 + row.steps % 8, power

    return befall


def _slow_disk(world: LineWorld, row: Row) -> None:
    def well() -> None:
        world.base.disk.slow_s = 0.0

    world.base.disk.slow_s = 0.4
    world.base.loop.call_later(row.lasts_s, well)


TROUBLES: dict[str, Befall] = {
    **{f"network {mode}": _spoil(mode) for mode in (*Mode, FOREIGN, TWICE) if mode is not Mode.PASS},
    "network cut": lambda world, _row: world.base.network.links["plc"].cut(),
    "replies lost": _spoil(Mode.DROP_REPLY, 3),
    "a reply lost": _spoil(Mode.DROP_REPLY, 1),
    "PLC restarts, memory kept": lambda world, _row: world.plc.restart(cold=False),
    "PLC restarts, memory lost": lambda world, _row: world.plc.restart(cold=True),
    "PLC stands still": _stand_still,
    "complement wrong": _complement,
    "station restarts": _stop,
    "station is killed": lambda world, _row: world.kill(power=False),
    "station loses power": lambda world, _row: world.kill(power=True),
    "station is killed in a write": _kill_in_write(power=False),
    "station loses power in a write": _kill_in_write(power=True),
    "disk slow": _slow_disk,
}


def draw(seed: int, parts: int) -> list[Row]:
    """The troubles of a history."""
    chance, rows, part = Random(f"{seed} troubles"), [], 0.0  # noqa: S311
    while (part := part + chance.expovariate(1 / GAP)) < parts:
        moment = round(chance.uniform(0, 1.6), 4), chance.randrange(300), round(chance.uniform(0.1, 2.0), 3)
        rows.append(Row(chance.choice(list(TROUBLES)), int(part) + 1, *moment))
    return rows


# ---------------------------------------------------------------------- a history


@dataclass
class Told:
    """What became of a history.

    Attributes:
        seed, role: As given.
        lines: All that happened.
        violations: Rules that were broken, and how; 0 is that the line stands, 11 is what this module checks.
        parts: How many parts lie in their places.
        lives: How often the station was started.
        befell: Which troubles came.
        calls: How often the block was called.
        virtual_s, cpu_s: Its own time, and the processor's.
    """

    seed: int
    role: Role
    lines: list[str] = field(default_factory=list)
    violations: list[tuple[int, str]] = field(default_factory=list)
    parts: int = 0
    lives: int = 0
    befell: list[str] = field(default_factory=list)
    calls: int = 0
    virtual_s: float = 0.0
    cpu_s: float = 0.0


def play(
    seed: int, role: Role, parts: int, rows: Sequence[Row] | None = None, folder: Path | None = None,
    prepare: Callable[[LineWorld], object] = lambda _world: None,
) -> Told:  # fmt: skip
    """Play a history.

    Args:
        seed: Of everything that is drawn.
        role: The station's.
        parts: How many are fed.
        rows: The troubles; None for those that the seed draws.
        folder: Where the network lies that judges; None for a folder of this process.
        prepare: Called before it begins.
    """
    rows = draw(seed, parts) if rows is None else rows
    told, began_s = Told(seed, role), time.process_time()
    root = Path(tempfile.mkdtemp(prefix="station-line-", dir=SHARED_MEMORY if SHARED_MEMORY.is_dir() else None))
    loop = LineLoop()
    try:
        base = base_for(loop, root, bundle_in(folder or Path(_shared().name)), seed, TABLE)
        base = replace(base, settings=_for(base.settings, role))
        plc = LinePlc(exported_block(base.settings), serves=role == "client")
        rules, feed = LineRules(), Parts(parts, Random(f"{seed} parts"))  # noqa: S311
        world = LineWorld(base, rules, Chronicle(root), feed, plc, role)
        prepare(world)
        try:
            with _made_up(world, seed), _served_in_memory():
                run(loop, _played(world, rows))
            for how in violations(world, parts):
                world.broken(11, how)
        except (StandsStillError, ExceptionGroup, AssertionError, IndexError) as error:
            world.broken(0, f"{type(error).__name__}: {error}")
        told.lines, told.violations = world.chronicle.lines, world.chronicle.violations
        told.parts, told.lives, told.befell = sum(rules.truth.laid.values()), world.lives, world.chronicle.befell
        told.calls, told.virtual_s = plc.calls, loop.time()
    finally:
        if not loop.is_closed():
            loop.close()
        shutil.rmtree(root, ignore_errors=True)
    told.cpu_s = time.process_time() - began_s
    return told


def exported_block(settings: Settings) -> str:
    """The function block as it is exported for this line."""
    registers = map_of("plc", settings.inspected, settings.plc.link)
    return structured_text(block_of(registers, settings.inspected))


def _for(settings: Settings, role: Role) -> Settings:
    plc = settings.plc.model_copy(update={"role": role, "defect_list": False})  # this PLC has no registers for the list
    return settings.model_copy(update={"plc": plc})


@contextmanager
def _served_in_memory() -> Iterator[None]:
    with patch("drivers.modbus.server.Listener", MemoryListener):
        yield


@cache
def _shared() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="station-line-")


async def _played(world: LineWorld, rows: Sequence[Row]) -> None:
    loop, plc = world.base.loop, world.plc
    for row in rows:
        come = partial(loop.after_steps, row.steps, partial(befall, world, row))
        world.when_fed(row.part, partial(loop.call_later, row.after_s, come))
    loop.set_exception_handler(lambda _loop, said: _unhandled(world, said))
    port = world.base.network.port_of("plc")
    tasks = [asyncio.ensure_future(plc.cycle())]
    if world.role == "server":
        tasks.append(asyncio.ensure_future(plc.ask("127.0.0.1", port)))
    patience_s = 60 + PART_S * world.parts.count + TROUBLE_S * len(rows)
    try:
        async with world.begun():
            began_s = loop.time()
            while not world.is_done and not world.chronicle.violations:
                if loop.time() - began_s > patience_s:
                    world.broken(0, f"the line stands after {patience_s:.0f} s: {standing(world)}")
                    break
                for task in tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(0.5)
            await asyncio.sleep(1.0)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *world.ending, return_exceptions=True)


def befall(world: LineWorld, row: Row) -> None:
    """Let a trouble come."""
    world.befall(row.name)
    TROUBLES[row.name](world, row)


def _unhandled(world: LineWorld, said: dict[str, Any]) -> None:
    owner = getattr(said.get("task") or said.get("future"), "owner", None)
    if not getattr(owner, "dead", False):
        world.broken(5, f"{said['message']}: {said.get('exception')!r}")


def standing(world: LineWorld) -> str:
    """How all stands, for whoever looks why it does not go on."""
    names = ("ready", "alive", "state", "stopReason", "step", "settling", "announced", "partAccepted", "resultDoubtful")
    block = {name: world.plc.output(name) for name in names}
    view = world.life.desk.view if world.life and world.life.desk else None
    state = (view.state.name, view.reason) if view else None
    return (
        f"station {state}, block {block}, infeed {world.plc.infeed}, {world.plc.places[-2:]}, {world.rules.truth.laid}"
    )


def violations(world: LineWorld, parts: int) -> Iterator[str]:
    """What the block has told, against where the parts truly lie."""
    plc, truth = world.plc, world.rules.truth
    lie = {part: truth.places[part] for part in truth.laid}
    if len(lie) != parts or set(truth.laid.values()) != {1}:
        yield f"{len(lie)} of {parts} parts lie in a place, each once: {truth.laid}"
    yield from (f"{seen} was believed" for seen in plc.told if not seen.complement_fits)
    places = {seen.inspection: seen for seen in plc.places}
    if len(plc.places) - len(places) > plc.cold_restarts:
        yield f"{len(plc.places) - len(places)} places came twice, the memory was lost {plc.cold_restarts} times"
    times = Counter(seen.part_id for seen in places.values())
    for part, place in lie.items():
        if times[part] != 1:
            yield f"{part} was told of {times[part]} times"
        yield from (
            f"{part} lies in {place}, told was {seen}"
            for seen in plc.places
            if seen.part_id == part and (PLACES[seen.place] != place or seen.good != (place == GOOD_PLACE))
        )
    yield from (f"{part} was told of and never laid down" for part in set(times) - set(lie))


# ---------------------------------------------------------------------- many histories


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.plant.virtual_line", description=__doc__.split("\n")[0])
    parser.add_argument("--role", choices=get_args(Role), required=True)
    parser.add_argument("--parts", type=int, default=5000, help="parts in all histories together")
    parser.add_argument("--each", type=int, default=100, help="parts of one history")
    parser.add_argument("--folder", type=Path, help="where a line a history is kept, and gone on from")
    parser.add_argument("--seed", type=int, help="play this one alone, and print it")
    said = parser.parse_args(arguments)
    if said.seed is not None:
        told = play(said.seed, said.role, said.each)
        _say("\n".join(told.lines))
        return 1 if told.violations else 0
    if said.folder is None:
        parser.error("--folder is needed")
    said.folder.mkdir(parents=True, exist_ok=True)
    kept = said.folder / f"line-{said.role}.jsonl"
    done = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()] if kept.exists() else []
    for told in histories(said.role, said.parts - sum(one["parts"] for one in done), said.each, len(done) + 1):
        done.append(_row(told))
        with kept.open("a", encoding="utf-8") as file:
            file.write(json.dumps(done[-1]) + "\n")
        _say(summary(done))
        if told.violations:
            (said.folder / f"line-{said.role}-{told.seed}.txt").write_text("\n".join(told.lines), encoding="utf-8")
            _say(f"seed {told.seed}: {told.violations}, shrunk to {shrunk(told, said.each)}")
    return 1 if any(one["violations"] for one in done) else 0


def histories(role: Role, parts: int, each: int = 100, first: int = 1) -> Iterator[Told]:
    """Seed after seed, until so many parts are through."""
    seed = first
    while parts > 0:
        told = play(seed, role, min(each, parts))
        yield told
        parts -= min(each, parts)
        seed += 1


def shrunk(told: Told, parts: int) -> tuple[int, list[dict[str, Any]]]:
    """The parts and troubles that are needed to break the same rule."""
    rule = told.violations[0][0]

    def fails(fewer: int, rows: Sequence[Row]) -> bool:
        return any(broken == rule for broken, _how in play(told.seed, told.role, fewer, rows).violations)

    found = shrink(parts, draw(told.seed, parts), fails, tries=60)
    return found.parts, [row.as_json() for row in found.rows]


def _row(told: Told) -> dict[str, Any]:
    return {
        "seed": told.seed, "parts": told.parts, "lives": told.lives, "calls": told.calls,
        "virtual_s": round(told.virtual_s), "cpu_s": round(told.cpu_s, 3), "violations": told.violations,
        "befell": dict(Counter(told.befell)),
    }  # fmt: skip


def summary(done: Sequence[dict[str, Any]]) -> str:
    """One line on all histories."""
    parts, cpu_s = sum(one["parts"] for one in done), sum(one["cpu_s"] for one in done)
    befell = Counter[str]()
    for one in done:
        befell.update(one["befell"])
    return (
        f"{parts} parts, {len(done)} histories, {sum(one['lives'] for one in done)} lives of the station, "
        f"{sum(befell.values())} troubles of {len(befell)} kinds, {sum(one['calls'] for one in done)} calls of the "
        f"block, {1000 * cpu_s / max(1, parts):.0f} ms of a processor a part, "
        f"{sum(bool(one['violations']) for one in done)} histories failed"
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
