"""The bundle for support: what is known of a station that is not well, in one file, and nothing that is secret.

    configuration · packages · computer · state and alarms · events and stops of late · logs   ─▶   NAME.tar.gz

Neither passwords nor keys, nor people, nor scans go in: only files and figures that are listed here do, and what the
configuration names as a secret is struck out of every text. What cannot be read is told in its place: a bundle of a
station that is ill is better than none.
"""

import io
import json
import platform
import tarfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from station.core.durable import staged_file
from station.core.errors import PlantError, StationError
from station.core.moments import stamp
from station.core.ports.records import RecordReader
from station.core.settings import Settings
from station.offline.upkeep.inventory import installed

LOG_BYTES = 4_000_000
"""So much of the end of each log file goes in."""
LATELY = timedelta(hours=48)
MOST_EVENTS, MOST_ROWS = 20_000, 1000
STRUCK = "(struck out)"
COMPUTER = (
    "/proc/cpuinfo", "/proc/meminfo", "/proc/loadavg", "/proc/uptime", "/proc/version", "/proc/cmdline", "/proc/mounts",
    "/proc/interrupts", "/proc/net/dev", "/proc/net/route", "/proc/pressure/cpu", "/proc/pressure/io",
    "/sys/devices/system/cpu/online", "/sys/devices/system/cpu/isolated",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource",
    "/etc/os-release",
)  # fmt: skip
"""What the kernel tells of the computer."""
BESIDE = ("sparkplug.json", "central.json")
"""Files of the data folder that are no secret, and tell how the processes beside the station fare."""
WHOLE_MODE = 0o640

Page = Callable[[], str]


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """The secrets that the configuration names, as they would stand in a text; those that cannot be read are none."""
    central = settings.central
    found = []
    for file in filter(None, (settings.sparkplug.password_file, central.password_file, central.store.key_file)):
        try:
            lines = Path(file).read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            lines = []
        found += [line for line in lines if line.strip()]
    return tuple(found)


def write_bundle(place: Path, pages: dict[str, Page], logs: Path, secrets: tuple[str, ...], at: datetime) -> list[str]:
    """Write the bundle; the names of what is in it.

    Args:
        place: The file, in a folder that is there.
        pages: What is told, by file name; each is asked once, and may fail.
        logs: The folder of logs.
        secrets: Texts that are struck out wherever they stand.
        at: The date of the files in it.

    Raises:
        PlantError: `doctor.not_written`.
    """
    try:
        with staged_file(place, mode=WHOLE_MODE) as file, tarfile.open(fileobj=file, mode="w:gz") as bundle:
            names = []
            for name, text in (*_told(pages), *_logs(logs)):
                _add(bundle, name, _without(text, secrets).encode(errors="replace"), at)
                names.append(name)
            return names
    except OSError as error:
        raise PlantError("doctor.not_written", f"{place}: {error.strerror}") from error


def pages_of(
    settings: Settings, folder: Path, records: RecordReader, answer: dict[str, Any] | str, now: datetime
) -> dict[str, Page]:
    """What is told of a station.

    Args:
        settings: Its configuration.
        folder: Its data folder.
        records: Its records; only read.
        answer: What it said when it was asked how it is, or why it said nothing.
        now: The date, UTC.
    """
    since, until = stamp(now - LATELY), stamp(now)
    return {
        "configuration.json": lambda: settings.model_dump_json(indent=1),
        "packages.txt": lambda: "".join(f"{one.name} {one.version} {one.licence}\n" for one in installed()),
        "python.txt": lambda: f"{platform.python_version()} {platform.platform()}\n",
        "folder.txt": lambda: "".join(_listed(folder)),
        "station.json": lambda: _json(answer),
        "alarms.json": lambda: _json(records.alarm_history(MOST_ROWS)),
        "stops.json": lambda: _json(records.stops(MOST_ROWS)),
        "events.json": lambda: _json(records.events(since, until, MOST_EVENTS)),
        "drifts.json": lambda: _json({name: str(drift) for name, drift in records.drifts().items()}),
        **{f"computer{name}": _reading(Path(name)) for name in COMPUTER},
        **{name: _reading(folder / name) for name in BESIDE},
    }


def _told(pages: dict[str, Page]) -> Iterator[tuple[str, str]]:
    for name, page in pages.items():
        try:
            yield name, page()
        except (OSError, StationError, ValueError) as error:
            yield f"{name}.missing", f"{type(error).__name__}: {error}\n"


def _logs(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield f"logs/{path.relative_to(folder)}", _end_of(path)


def _end_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LOG_BYTES))
            return file.read().decode(errors="replace")
    except OSError as error:
        return f"{error.strerror}\n"


def _listed(folder: Path) -> Iterator[str]:
    """What lies in the data folder, and how large it is; the archive in one line."""
    for path in sorted(folder.iterdir()):
        status = path.lstat()
        yield f"{status.st_mode & 0o7777:04o} {status.st_uid} {status.st_size:>14} {path.name}{'/' * path.is_dir()}\n"


def _reading(path: Path) -> Page:
    return lambda: path.read_text("utf-8", errors="replace")


def _json(value: object) -> str:
    return json.dumps(value, indent=1) + "\n"


def _without(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, STRUCK)
    return text


def _add(bundle: tarfile.TarFile, name: str, content: bytes, at: datetime) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = len(content), int(at.timestamp()), WHOLE_MODE
    bundle.addfile(entry, io.BytesIO(content))
