"""How the computer and the devices are, for the screen of the system. What reads files blocks."""

import grp
import json
import platform
import pwd
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from drivers.modbus.register_map import MAP_NAMES, map_version
from models.version import code_version
from station.core.errors import BackupError
from station.core.logs import LOG_FILE
from station.core.records import JsonObject
from station.core.room import MB, free_bytes
from station.core.settings import RtuLink, Settings, TcpLink, expand
from station.host.follow import Follower
from station.offline.upkeep.backup.last import LastBackup, last_backup

LOG_TAIL_BYTES = 1 << 20
LINES_SHOWN = 50
GRAVE = frozenset({"warning", "error", "critical"})
PACKAGES = ("numpy", "opencv-python", "openvino", "pymodbus", "starlette", "uvicorn")


@dataclass(frozen=True, slots=True)
class Device:
    """One device of the cell.

    Attributes:
        name: What it is.
        address: Where it is reached, as configured.
        known: Whether the station is heard, so that what follows is of now.
        amiss: What the station says is wrong with it; empty where nothing is.
    """

    name: str
    address: str
    known: bool
    amiss: str


def devices(settings: Settings, follower: Follower) -> list[Device]:
    """The devices, each with what the alarms that stand say of it."""
    camera = settings.camera.serial_number or ", ".join(settings.camera.producers) or "GENICAM_GENTL64_PATH"
    addresses = {
        "camera": camera,
        "jig": _address(settings.jig.link),
        "robot": _address(settings.robot.link),
        "plc": _address(settings.plc.link),
    }
    sections = follower.after(0)[1]
    return [Device(name, where, follower.live, _amiss(name, sections)) for name, where in addresses.items()]


def disk(folder: Path, settings: Settings) -> list[tuple[str, str]]:
    """What the disk has, and what lies there: a name and a size each."""
    rows = [
        ("free", _mb(free_bytes(folder))),
        ("records.low_mb", f"{settings.records.low_mb} MB"),
        ("records.reserve_mb", f"{settings.records.reserve_mb} MB"),
    ]
    files = sorted(path for path in folder.glob("*") if path.suffix in {".sqlite", ".db"})
    return [*rows, *((path.name, _mb(path.stat().st_size)) for path in files)]


@dataclass(frozen=True, slots=True)
class Saved:
    """What is known of backups.

    Attributes:
        last: The last one; None where none was made.
        days: How old it is.
        there: Whether it lies where it was made.
        amiss: Whether somebody should see to it.
        problem: Why nothing is known; empty where something is.
    """

    last: LastBackup | None = None
    days: int = 0
    there: bool = False
    amiss: bool = True
    problem: str = ""


def backup(folder: Path, settings: Settings, now: datetime) -> Saved:
    """How old the last backup of a data folder is."""
    try:
        last = last_backup(folder)
    except BackupError as error:
        return Saved(problem=str(error))
    oldest = settings.page.backup_days
    if last is None:
        return Saved(amiss=oldest > 0)
    days, there = (now - last.made_at).days, Path(last.folder).is_dir()
    return Saved(last, days, there, amiss=0 < oldest <= days)


def rights(folder: Path) -> str:
    """Whose the data folder is, and who may what in it, as `ls -l` writes it."""
    found = folder.stat()
    return f"{stat.filemode(found.st_mode)} {_user(found.st_uid)} {_group(found.st_gid)}"


def versions() -> list[tuple[str, str]]:
    """What runs here."""
    maps = [(f"register map {name}", map_version(name)) for name in MAP_NAMES]
    packages = [(name, version(name)) for name in PACKAGES]
    return [
        ("station", code_version()), ("Python", platform.python_version()), ("SQLite", sqlite3.sqlite_version),
        ("Linux", platform.release()), *((name, str(number)) for name, number in maps), *packages,
    ]  # fmt: skip


def last_warnings(folder: Path) -> list[JsonObject]:
    """The last lines of the log that are warnings or worse, the newest first: `timestamp`, `level`, `event`, `rest`."""
    lines = [line for line in _tail(folder / "logs" / LOG_FILE) if line.get("level") in GRAVE]
    return [_shown(line) for line in reversed(lines[-LINES_SHOWN:])]


def _amiss(name: str, sections: JsonObject) -> str:
    told = [
        f"{alarm['text']} {alarm['detail']}"
        for alarm in sections.get("alarms", ())
        if alarm["active"] and alarm["code"].partition(".")[0] == name
    ]
    fault = (sections.get("line") or {}).get("fault") if name == "plc" else None
    return " ".join([*told, *([fault["text"]] if fault else [])])


def _address(link: TcpLink | RtuLink) -> str:
    return f"{link.host}:{link.port}" if isinstance(link, TcpLink) else f"{expand(link.device)}, {link.baud_rate}"


def _tail(path: Path) -> Iterator[JsonObject]:
    """The last lines of a log; none where there is none."""
    with suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_TAIL_BYTES))
        for line in file.read().splitlines():
            with suppress(ValueError):
                said = json.loads(line)
                if isinstance(said, dict):
                    yield said


def _shown(line: JsonObject) -> JsonObject:
    head = {name: str(line.pop(name, "")) for name in ("timestamp", "level", "event")}
    line.pop("exception", None)
    return {**head, "rest": " ".join(f"{name}={value}" for name, value in line.items())}


def _mb(size: int) -> str:
    return f"{size / MB:,.1f} MB"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
