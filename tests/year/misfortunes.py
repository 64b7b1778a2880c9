"""Everything that can befall the cell, as rows that are drawn: what, after which part, and when.

seed ─▶ rows ─▶ JSON ─▶ the same rows: a history is played again from them, and shrunk by leaving some out
"""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from sim.camera_fault import CameraFault
from sim.faults import NAMED_FAULTS, UNTIL_CLEARED, Wish
from sim.ledger import Place
from sim.proxy import Mode
from station.cell.packml import Command
from station.core.drift.limits import FIRST_PARTS, LAST_PARTS
from station.core.errors import ModelError, StationError
from station.core.study import Study
from station.records.folder import LOCK
from tests.year.camera import MISCHIEFS
from tests.year.disk import DATABASE, INDEX, LOG, image_of, restore
from tests.year.network import FOREIGN, TWICE

AWAY = "moved-away"
GAP = 9
"""Parts between two misfortunes, on average."""
WORN = FIRST_PARTS + LAST_PARTS
"""What wears does so for this many parts in each of a row's seconds: as many as tell how it was, and how it is."""
OTHER = 77
"""A version of a map that the station does not know."""


@dataclass(frozen=True)
class Row:
    """One misfortune.

    Attributes:
        name: What.
        part: Number of the fed part that it comes after, from 1.
        after_s: How long after it.
        steps: How many steps of the loop after that.
        lasts_s: How long, for what lasts; of what wears and of a camera that fails, the more parts the longer.
    """

    name: str
    part: int
    after_s: float = 0.0
    steps: int = 0
    lasts_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)


Befall = Callable[[Any, Row], None]
"""Does it to a world."""


def _kill(*, power: bool, in_job: bool) -> Befall:
    def befall(world: Any, row: Row) -> None:
        life = world.life
        if life is None or life.dead or life.over.is_set():
            return
        if not in_job:
            life.die(power=power)
            return
        world.base.disk.on_cut = lambda: life.die(power=power, in_job=True)
        world.base.disk.cut_at = world.base.disk.jobs + 1 + row.steps % 8, power

    return befall


def _command(command: Command) -> Befall:
    def befall(world: Any, _row: Row) -> None:
        if world.life and world.life.desk:
            try:
                world.life.desk.command(command, "a person")
            except StationError as error:
                world.tell("person", f"{command.name} refused: {error.code}")
                world.rules.codes.add(error.code)

    return befall


def _plc_command(command: str) -> Befall:
    return lambda world, _row: world.running.plc.command(command) and None


def _link(name: str, mode: str, replies: int | None = None) -> Befall:
    def befall(world: Any, row: Row) -> None:
        link = world.base.network.links[name]
        link.switch(mode, replies)
        if replies is None:
            world.base.loop.call_later(row.lasts_s, lambda: link.switch(Mode.PASS) if link.mode == mode else None)

    return befall


def _effect(name: str) -> Befall:
    """A named fault at any moment, instead of at its own."""

    def befall(world: Any, row: Row) -> None:
        broken, fault = world.running.broken, NAMED_FAULTS[name]
        if name in broken.struck:
            return
        broken._begin(fault, world.running.cell.part_id_at(*_SEATS))
        if fault.lasts_s == UNTIL_CLEARED:
            world.base.loop.call_later(row.lasts_s, broken.clear, name)

    return befall


def _storm(world: Any, row: Row) -> None:
    weather = world.base.network.weather
    before = weather.torn, weather.broken, weather.slow
    weather.torn, weather.broken, weather.slow = 0.3, 0.03, 0.2

    def calm() -> None:
        weather.torn, weather.broken, weather.slow = before

    world.base.loop.call_later(row.lasts_s, calm)


def _mischief(name: str) -> Befall:
    return lambda world, _row: world.base.scene.mischief.add(name)


def _unplug(world: Any, row: Row) -> None:
    world.base.scene.unplug(row.lasts_s)


def _taken_away(world: Any, what: str, put_back: Callable[[], None]) -> None:
    """Something that the station writes to is not in its place, until a person puts it back."""
    disk = world.base.disk
    disk.away_since_s = world.base.loop.time()
    world.tell("person", f"{what} is taken away")

    def mend() -> None:
        put_back()
        disk.away_since_s = None
        world.tell("person", f"{what} is put back")

    world.on_held.append(mend)


def _database_moved(*, replaced: bool) -> Befall:
    """The database is moved away; a copy may lie in its place, as after a backup that was brought back."""

    def befall(world: Any, _row: Row) -> None:
        disk = world.base.disk
        there, away = disk.folder / DATABASE, disk.folder / AWAY
        if disk.away_since_s is not None or not there.exists():
            return
        there.rename(away)
        if replaced:
            shutil.copyfile(away, there)
        _taken_away(world, "the database", lambda: _put(disk.folder / AWAY, disk.folder / DATABASE))

    return befall


def _put(away: Path, there: Path) -> None:
    if away.exists():
        away.replace(there)


def _folder_moved(world: Any, _row: Row) -> None:
    """The data folder is moved away as a whole; who put it back finds there what a next life may have begun."""
    disk = world.base.disk
    there, away = disk.folder, disk.folder.with_name(AWAY)
    if disk.away_since_s is not None or not (there / DATABASE).exists():
        return
    there.rename(away)

    def put_back() -> None:
        if disk.folder == there and not there.exists():
            away.rename(there)
        else:
            restore(image_of(away), disk.folder)
            shutil.rmtree(away)

    _taken_away(world, "the data folder", put_back)


def _log_removed(world: Any, _row: Row) -> None:
    """Somebody brings the log into the database and throws it away, as who makes room for other things."""
    disk = world.base.disk
    log = disk.folder / LOG
    if disk.away_since_s is not None or not log.exists():
        return
    with closing(sqlite3.connect(disk.folder / DATABASE, timeout=0, isolation_level=None)) as other:
        busy, *_ = other.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
        if not busy:
            log.unlink()
            (disk.folder / INDEX).unlink(missing_ok=True)
            world.tell("stranger", "removes the log")


def _lock_removed(world: Any, _row: Row) -> None:
    (world.base.disk.folder / LOCK).unlink(missing_ok=True)


def _locked(world: Any, row: Row) -> None:
    path = world.base.disk.folder / "records.sqlite"
    if not path.exists():
        return
    other = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
    except sqlite3.Error:
        other.close()
        return

    def let_go() -> None:
        other.close()

    world.tell("stranger", "locks the database")
    world.base.loop.call_later(row.lasts_s, let_go)
    world.at_end.append(let_go)


def _slow_disk(world: Any, row: Row) -> None:
    world.base.disk.slow_s = 12.0 if row.steps % 4 == 0 else 0.4

    def well() -> None:
        world.base.disk.slow_s = 0.0

    world.base.loop.call_later(row.lasts_s, well)


def _full_disk(world: Any, row: Row) -> None:
    """The database may not grow any more: SQLite says what it says of a full disk."""
    life = world.life
    database = getattr(getattr(life.ledger, "_writer", None), "_database", None) if life and life.ledger else None
    connection = database._connection if database else None
    if connection is None or life.dead:
        return
    try:
        connection.execute("PRAGMA max_page_count = 1")
    except sqlite3.Error:
        return
    world.tell("disk", "is full")

    def room() -> None:
        if not life.dead and database._connection is connection:
            connection.execute("PRAGMA max_page_count = 1073741823")

    world.base.loop.call_later(row.lasts_s, room)
    world.on_held.append(room)


def _clock(seconds: float) -> Befall:
    return lambda world, _row: world.base.clock.step(seconds)


def _unsynchronised(world: Any, row: Row) -> None:
    world.base.clock.is_synchronised = False


def _observer_raises(world: Any, _row: Row) -> None:
    def raises(_event: Any) -> None:
        raise RuntimeError("an observer fails")

    if world.life:
        world.life.observer = raises


def _compute_slow(world: Any, row: Row) -> None:
    life = world.life
    if life is None:
        return
    life.compute_s = 0.7

    def quick() -> None:
        life.compute_s = 0.0

    world.base.loop.call_later(row.lasts_s, quick)


def _compute_hangs(world: Any, _row: Row) -> None:
    if world.life:
        world.life.hangs = True


def _engine_fails(world: Any, _row: Row) -> None:
    world.base.judging.trouble = ModelError("model.engine_failed", "the engine fails")


def _bad_scores(world: Any, _row: Row) -> None:
    world.base.judging.nonsense = True


def _bug(world: Any, _row: Row) -> None:
    world.base.judging.trouble = ZeroDivisionError("a bug")
    world.rules.bugs_expected += 1


def _lasting(fault: CameraFault, time_s: float = 0.0) -> Befall:
    """The camera has a fault that lasts for some parts, so that it is found that scan after scan fails."""

    def befall(world: Any, row: Row) -> None:
        scene = world.base.scene
        scene.fault(fault, time_s=time_s)
        mine = scene.order

        def mended() -> None:
            if scene.order is mine:
                scene.order = None

        world.when_fed(world.fed + 2 + round(2 * row.lasts_s), mended)

    return befall


def _refuses(device: str) -> Befall:
    return lambda world, _row: world.rules.refusing.add(device)


def _other_map(device: str) -> Befall:
    """The device shows another version of its map for a while, and its connection breaks: at a new one that is seen."""
    version = "plc_map_version" if device == "plc" else "map_version"  # the PLC has the station's beside its own

    def befall(world: Any, row: Row) -> None:
        bank = getattr(world.running, device)._bank
        bank.publish({version: OTHER})
        world.base.network.links[device].cut()

        def mended() -> None:
            if bank.count(version) == OTHER:  # its program may have begun anew since, or stand
                bank.switch_on()

        world.base.loop.call_later(row.lasts_s, mended)

    return befall


def _study(world: Any, row: Row) -> None:
    """A person begins a study, and ends it after a while."""
    if world.life is None or world.life.desk is None:
        return
    name = f"study {row.part}"
    with suppress(StationError):
        world.life.desk.begin_study(Study(name, 2), "a person")

    def end() -> None:
        if world.life is not None and world.life.desk is not None:
            with suppress(StationError):
                world.life.desk.end_study("a person")
        world.base.loop.call_later(1.0, end) if world.life and world.life.desk is None else None

    world.base.loop.call_later(2 * row.lasts_s, end)


def _acknowledge(world: Any, row: Row) -> None:
    """A person, and the line PLC, acknowledge an alarm that nobody raised."""
    world.running.plc.acknowledge(row.steps)
    if world.life and world.life.desk:
        try:
            world.life.desk.acknowledge("part.golden", "a person")
        except StationError as error:
            world.rules.codes.add(error.code)


def _low_disk(world: Any, row: Row) -> None:
    world.base.disk.free = 1_500_000_000

    def room() -> None:
        world.base.disk.free = 1 << 40

    world.base.loop.call_later(4 * row.lasts_s + 6.0, room)


_SEATS = tuple(Place)

WORLDLY: dict[str, Befall] = {
    "kill": _kill(power=False, in_job=False),
    "kill-in-write": _kill(power=False, in_job=True),
    "power": _kill(power=True, in_job=False),
    "power-in-write": _kill(power=True, in_job=True),
    **{f"person-{one.name.lower()}": _command(one) for one in Command if one is not Command.COMPLETE},
    **{
        f"plc-{one}": _plc_command(one)
        for one in ("stop", "hold", "abort", "suspend", "unsuspend", "reset", "start", "clear", "unhold")
    },
    "robot-answers-under-another-number": _link("robot", FOREIGN, 1),
    "plc-answers-under-another-number": _link("plc", FOREIGN, 1),
    "jig-answers-under-another-number": _link("jig", FOREIGN, 1),
    "robot-hears-twice": _link("robot", TWICE, 1),
    "jig-hears-twice": _link("jig", TWICE, 1),
    "plc-hears-twice": _link("plc", TWICE, 1),
    "jig-answer-lost": _link("jig", Mode.DROP_REPLY, 1),
    "plc-answer-lost": _link("plc", Mode.DROP_REPLY, 1),
    "jig-answer-repeated": _link("jig", Mode.REPEAT_REPLY, 1),
    "plc-answer-repeated": _link("plc", Mode.REPEAT_REPLY, 1),
    "jig-garbage": _link("jig", Mode.GARBAGE),
    "jig-late": _link("jig", Mode.DELAY),
    "jig-refused": _link("jig", Mode.REFUSE),
    "jig-reset": lambda world, _row: world.base.network.links["jig"].cut(),
    "storm": _storm,
    **{name: _mischief(name) for name in MISCHIEFS},
    "camera-unplugged": _unplug,
    "database-moved": _database_moved(replaced=False),
    "database-replaced": _database_moved(replaced=True),
    "data-folder-moved": _folder_moved,
    "database-log-removed": _log_removed,
    "data-folder-lock-removed": _lock_removed,
    "database-locked": _locked,
    "disk-slow": _slow_disk,
    "disk-full": _full_disk,
    "clock-forward": _clock(86_400.0),
    "clock-back": _clock(-3_600.0),
    "clock-unsynchronised": _unsynchronised,
    "observer-raises": _observer_raises,
    "compute-slow": _compute_slow,
    "compute-hangs": _compute_hangs,
    "engine-fails": _engine_fails,
    "engine-answers-nonsense": _bad_scores,
    "station-has-a-bug": _bug,
    "camera-loses-every-block": _lasting(CameraFault.ALWAYS_INCOMPLETE),
    "camera-slow": _lasting(CameraFault.SLOW, 0.1),
    "camera-away-for-long": lambda world, _row: world.base.scene.unplug(30.0),
    **{f"{device}-refuses": _refuses(device) for device in ("robot", "jig")},
    **{f"{device}-other-map": _other_map(device) for device in ("robot", "jig", "plc")},
    "person-studies": _study,
    "plc-acknowledges": _acknowledge,
    "disk-low": _low_disk,
}
"""Misfortunes that the simulated cell has no name for."""

ANY_MOMENT = tuple(
    name
    for name in NAMED_FAULTS
    if name.startswith(("plc-", "robot-net", "jig-silent", "camera-", "jig-runs", "jig-drive", "robot-answer"))
)
"""Named faults that may begin at any moment as well as at their own."""

IMPOSSIBLE = {
    "jig-noise": "noise is a serial line's, and the jig of this cell is reached over TCP",
    **{fault.name: "golden parts are not fed here" for fault in NAMED_FAULTS.values() if fault.golden},
}
NAMES: tuple[str, ...] = (
    *(name for name in NAMED_FAULTS if name not in IMPOSSIBLE),
    *(f"any-moment {name}" for name in ANY_MOMENT),
    *WORLDLY,
)
"""All that is drawn."""

KILLS = ("kill", "kill-in-write", "power", "power-in-write")
RECORDS = (
    "database-moved", "database-replaced", "data-folder-moved", "database-log-removed", "database-locked",
    "disk-slow", "disk-full", "disk-low",
)  # fmt: skip
OFTENER = {KILLS: 0.12, RECORDS: 0.06}
"""Misfortunes that are drawn more often than others, and how often one of them is."""


def draw(seed: int, parts: int, gap: float = GAP) -> list[Row]:
    """The misfortunes of a history."""
    chance, rows, part = Random(f"{seed} misfortunes"), [], 0.0  # noqa: S311
    while (part := part + chance.expovariate(1 / gap)) < parts:
        groups = chance.choices((*OFTENER, NAMES), (*OFTENER.values(), 1 - sum(OFTENER.values())))
        name = chance.choice(groups[0])
        rows.append(
            Row(
                name,
                int(part) + 1,
                round(chance.uniform(0, 0.9), 4),
                chance.randrange(300),
                round(chance.uniform(0.1, 2.5), 3),
            )
        )
    return rows


def worn_for(row: Row) -> int:
    """Parts for which something wears, before somebody mends it unasked."""
    return 1 + round(WORN * row.lasts_s)


def befall(world: Any, row: Row) -> None:
    """Let a misfortune come; a named one waits for its own moment."""
    broken = world.running.broken
    if row.name in NAMED_FAULTS:
        fault = NAMED_FAULTS[row.name]
        broken.arm([Wish(fault, str(row.part))])
        if fault.wears:
            world.when_fed(row.part + worn_for(row), partial(broken.clear, fault.name))
        elif fault.name.endswith("kept-back"):
            world.base.loop.call_later(4 * row.lasts_s, broken.clear, fault.name)
        return

    def now() -> None:
        world.befall(row.name)
        if row.name.startswith("any-moment "):
            _effect(row.name.removeprefix("any-moment "))(world, row)
        else:
            WORLDLY[row.name](world, row)

    world.base.loop.call_later(row.after_s, lambda: world.base.loop.after_steps(row.steps, now))
