"""`station check`: is everything that the station needs there, and what is wrong where it is not."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from station.core.clock import SystemClock
from station.core.errors import DeviceError, RecordError, StationError
from station.core.ports.network import PatchClassifier
from station.core.priority import precedence
from station.core.room import MB, free_bytes, require_writable
from station.core.settings import RecordSettings, Settings
from station.core.synchrony import kernel_synchronised
from station.core.wakefulness import LATENCY_FILE, cores_awake
from station.host.bundles import history_doubt, threshold_mismatches
from station.host.devices import (
    device_maps,
    make_camera,
    make_jig,
    make_line,
    make_robot,
    prove_jig,
    prove_line,
    prove_robot,
)
from station.host.novelty import novelty_doubts
from station.host.promise import promise_doubts, standings
from station.host.recipes import classes_not_answered, find_bundles, lightless, make_recipes

PLC_PATIENCE_S = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `problem` is None when it is well."""

    what: str
    said: str
    problem: StationError | None


class Connectable(Protocol):
    """A device that can be connected and closed."""

    async def connect(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Disconnect."""


async def check_station(settings: Settings, data: Path) -> list[Finding]:
    """Look at maps, model, disk, rights, camera, jig, robot and PLC; nothing is set in motion."""
    looks: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        ("register maps", lambda: _maps(settings)),
        ("model", lambda: _model(settings, data)),
        ("disk", lambda: _disk(data, settings.records)),
        ("clock", lambda: clock(settings)),
        ("real time", lambda: real_time(settings)),
        ("camera", lambda: _camera(settings)),
        ("jig", lambda: _device("jig", make_jig(settings), lambda: prove_jig(settings))),
        ("robot", lambda: _device("robot", make_robot(settings), lambda: prove_robot(settings))),
        ("plc", lambda: _device("plc", make_line(settings, SystemClock()), lambda: prove_line(settings))),
    ]
    return [await _finding(what, look) for what, look in looks]


async def _finding(what: str, look: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding(what, await look(), None)
    except StationError as error:
        return Finding(what, "", error)


async def _maps(settings: Settings) -> str:
    """Whether the device of each map can have it where its profile lays it."""
    return ", ".join(
        f"{maps.name} version {maps.version}, laid for {maps.profile.description}" for maps in device_maps(settings)
    )


async def _model(settings: Settings, data: Path) -> str:
    recipes = await asyncio.to_thread(make_recipes, settings, data)
    said = "; ".join(_said_of(classifier) for classifier in recipes.classifiers)
    bundles = find_bundles(settings, data)
    unanswered = classes_not_answered(bundles.values(), settings)
    doubts = (
        *unanswered,
        *novelty_doubts(bundles, settings),
        *promise_doubts(bundles, settings),
        *threshold_mismatches(bundles, settings, data),
        history_doubt(settings, data),
        lightless(settings, bundles),
    )
    promised = " ".join(standing.sentence for standing in standings(settings, data).values())
    return f"{'; but '.join(filter(None, (said, *doubts)))}. {promised}"


def _said_of(classifier: PatchClassifier) -> str:
    model, engine = classifier.model, classifier.engine
    hashes = f"{model.name}, every file has the hash that its manifest names ({model.sha256[:12]})"
    return f"{hashes}; runs on {engine.name} {engine.version} in {engine.precision}"


async def _disk(data: Path, settings: RecordSettings) -> str:
    def look() -> str:
        try:
            require_writable(data)
        except OSError as error:
            raise RecordError("record.disk_failed", f"{data}: {error.strerror}") from error
        free = free_bytes(data) / MB
        if free < settings.low_mb:
            raise RecordError("record.disk_low", f"{data}: {free:.0f} MB are free, records.low_mb is {settings.low_mb}")
        return f"{data} can be written to, {free / 1e3:.0f} GB are free"

    return await asyncio.to_thread(look)


async def clock(settings: Settings, synchronised: Callable[[], bool] = kernel_synchronised) -> str:
    """What the kernel says of the date, and what follows for the archive; no problem either way."""
    if synchronised():
        return "synchronised with a time server"
    said = "not synchronised with a time server"
    if settings.records.keep_days:
        said += "; archived scans are removed only when the station has run for a day and the clock was not set"
    return said


async def real_time(settings: Settings) -> str:
    """What the computer allows; no problem where it does not, for the station works without, only later."""
    with precedence() as first, cores_awake(wanted=settings.model.keep_awake) as awake:
        priority = "allowed" if first else "refused, LimitRTPRIO=2 in the unit allows it"
        if not settings.model.keep_awake:
            cores = "may sleep between two blocks, as configured"
        elif awake:
            cores = "stay awake while a part is judged"
        else:
            cores = f"sleep between two blocks, for {LATENCY_FILE} may not be written to"
    return f"real-time priority is {priority}; the cores {cores}"


async def _camera(settings: Settings) -> str:
    camera = make_camera(settings)
    try:
        await camera.open()
        first, *others = settings.known_types
        for kind in others:
            await camera.prepare(kind.recipe)
        features = await camera.prepare(first.recipe)
        model = features.get("DeviceModelName", "camera")
        rate = f"{first.line_rate_hz:.0f} lines/s for {first.name}"
        return f"{model}: {len(features)} features written and read back, {rate}"
    finally:
        await camera.close()


async def _device(name: str, device: Connectable, prove: Callable[[], Awaitable[str]]) -> str:
    try:
        async with asyncio.timeout(PLC_PATIENCE_S):
            await device.connect()
    except TimeoutError as error:
        raise DeviceError(f"{name}.unreachable", f"no answer within {PLC_PATIENCE_S:g} s") from error
    finally:
        await device.close()
    return f"answers, and has the expected register map: {await prove()}"
