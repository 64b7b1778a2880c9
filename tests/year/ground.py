"""What the simulated cell and its station stand on here: parts, wires, time, and a network that may fail."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from config import bundled
from sim.effects import network_effects
from sim.ledger import Part
from sim.modbus.tcp_server import TcpServer
from sim.optics import Optics
from sim.report import Listening
from station.core.part import Pixels
from station.core.recipe import Recipes
from station.core.settings import Settings, parse_settings
from station.host.recipes import bundle_names, make_recipes, recipes_of
from tests.bundles import CLOSE_GREYS, make_grey_bundle
from tests.housings import OUTPUTS
from tests.turned import turned
from tests.year.camera import Scene
from tests.year.disk import Disk
from tests.year.judging import Table
from tests.year.loop import YearLoop
from tests.year.network import Network, Weather

WIDTH_PX, PART_PX = 512, 160
START = datetime(2026, 5, 1, 6, tzinfo=UTC)
KEYS: dict[str, dict[str, Any]] = {
    "station": {"log_level": "error"},
    "robot": {"acknowledge_timeout_s": 0.6, "motion_timeout_s": 3.0, "heartbeat_s": 0.3, "stale_after_s": 1.5},
    "jig": {"speed_timeout_s": 1.5, "stop_timeout_s": 1.5, "heartbeat_s": 0.3, "stale_after_s": 1.5},
    "plc": {"heartbeat_s": 0.3, "stale_after_s": 0.9, "result_timeout_s": 0.9, "starved_after_s": 3.0},
    "camera": {
        "width_px": WIDTH_PX, "block_timeout_s": 1.0, "late_block_s": 0.3, "reopen_pause_s": 0.8, "reopen_attempts": 8,
    },
    "simulation": {"robot_load_s": 0.12, "robot_unload_s": 0.12, "jig_ramp_s": 0.03, "infeed_s": 0.02},
    "watchdog": {"compute_timeout_s": 4.0},
    "decision": {"deadline_ms": 500.0, "spot_check": 20, "second_look": 500},
    "alarms": {"suspended_after_s": 5.0},
}  # fmt: skip
LINK = {"kind": "tcp", "host": "127.0.0.1", "unit": 1, "request_timeout_s": 0.25, "reconnect_s": 0.15, "poll_s": 0.05}


def settings_for(network: Network, bundle: Path) -> Settings:
    """The shipped simulation's configuration with quick motions and deadlines, and one narrow type of part."""
    document = tomllib.loads(bundled("simulate.toml").read_text(encoding="utf-8"))
    for table, keys in KEYS.items():
        document[table].update(keys)
    kind = {**document["part_types"]["smh_385"], "width_px": PART_PX}
    document["part_types"] = {"year": kind}
    for name in network.links:
        document[name]["link"] = {**LINK, "port": network.port_of(name)}
    for row in document["camera"]["setup"]:
        row["value"] = WIDTH_PX if row["feature"] == "Width" else row["value"]
    document["model"]["bundle"] = str(bundle)
    return parse_settings(document, "a year")


# ---------------------------------------------------------------------- parts


@dataclass(frozen=True)
class Surfaces:
    """What parts may look like: some of each class, and one that is between two of them."""

    of: tuple[tuple[str | None, Pixels], ...]

    def is_clean(self, image: Pixels) -> bool:
        """Whether a picture is one of these as it is."""
        return any(image is surface for _label, surface in self.of)


@cache
def surfaces() -> Surfaces:
    """Made once; nobody changes them."""
    optics, made = Optics(WIDTH_PX, 24, 1), []
    greys: list[tuple[str | None, float]] = [
        (one.name, CLOSE_GREYS[one.name]) for one in OUTPUTS.surfaces for _ in (1, 2)
    ]
    greys.append((None, (CLOSE_GREYS["pits"] + CLOSE_GREYS["roll_marks"]) / 2))
    for number, (label, grey) in enumerate(greys):
        image = optics.seat(turned(number + 1, PART_PX, grey), number)
        image.flags.writeable = False
        made.append((label, image))
    return Surfaces(tuple(made))


class Parts:
    """So many parts, drawn from the surfaces; a `sim.infeed.Supply`.

    Args:
        count: How many.
        chance: Draws.
    """

    closed, composed = True, False

    def __init__(self, count: int, chance: Random) -> None:
        self.count = count
        self._chance = chance

    def parts(self) -> Iterator[Part]:
        """The parts."""
        for number in range(1, self.count + 1):
            label, surface = self._chance.choice(surfaces().of)
            yield Part(f"Y-{number:06}", 1, label, surface)

    def unlike(self, part: Part) -> Part:
        """The same with a surface of another class."""
        label, surface = self._chance.choice([one for one in surfaces().of if one[0] != part.label])
        return replace(part, label=label, surface=surface)


# ---------------------------------------------------------------------- wires


class Wires:
    """The wires of the simulated cell in memory; `sim.running.Lines`."""

    def __init__(self, settings: Settings, network: Network) -> None:
        self._settings = settings
        self._network = network
        self.effects: dict[str, Any] = {}
        self.impossible = {"jig-noise": "noise is a serial line's, and the jig is reached over TCP"}
        self.plc_link = settings.plc.link

    def put_networks_between(self) -> None:
        """They are."""

    async def serve(self, slaves: Any, scene: str, on_link: Callable[[str, str], None]) -> Listening:
        """Let the devices answer."""
        del on_link
        for name, link in self._network.links.items():
            await TcpServer(getattr(slaves, name), 1).serve(link)  # type: ignore[arg-type]
            self.effects.update(network_effects(name, link))  # type: ignore[arg-type]
        where = {name: ("127.0.0.1", self._network.port_of(name)) for name in self._network.links}
        return Listening(where["robot"], where["jig"], where["plc"], "client", "", scene)


class YearClock:
    """The station's clock by the loop's time; somebody may set the date."""

    def __init__(self, loop: YearLoop) -> None:
        self._loop = loop
        self._start = START
        self._began_s = loop.time()
        self.is_synchronised = True

    def monotonic_ns(self) -> int:
        """The loop's time."""
        return round(self._loop.time() * 1e9)

    def now(self) -> datetime:
        """The date."""
        return self._start + timedelta(seconds=self._loop.time() - self._began_s)

    def synchronised(self) -> bool:
        """Whether a time server has set it."""
        return self.is_synchronised

    def step(self, seconds: float) -> None:
        """Somebody sets the date."""
        self._start += timedelta(seconds=seconds)


# ---------------------------------------------------------------------- the network that judges


class FallibleNetwork:
    """The network of the station, that may fail; everything else it is asked it passes on.

    Attributes:
        trouble: What is raised in place of an answer.
        nonsense: The next answer is none.
    """

    def __init__(self, sound: Any) -> None:
        self._sound = sound
        self.nonsense = False
        self.trouble: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sound, name)

    def require_well(self) -> None:
        """Fail, where it is to."""
        if self.trouble is not None:
            trouble, self.trouble = self.trouble, None
            raise trouble


@cache
def loaded(folder: Path) -> Any:
    network = Network(Weather(Random(0)))  # noqa: S311
    return make_recipes(settings_for(network, folder))


def bundle_in(folder: Path) -> Path:
    """The tiny bundle that judges, made once in a folder."""
    if not (folder / "grey").exists():
        with patch("tests.bundles.utc_now", lambda: START):
            make_grey_bundle(folder / "grey", CLOSE_GREYS, sharpness=0.1)
    return folder / "grey"


# ---------------------------------------------------------------------- all of it


@dataclass(frozen=True)
class Base:
    """What a world is made of; whatever befalls it befalls one of these, or a device.

    Attributes:
        loop: Time, and what is asked of the system.
        chance: Draws how long threads take.
        network: Between station and devices.
        disk: The station's.
        settings: Its configuration.
        clock: Its clock.
        scene: What lies under the camera.
        dark: What that sees of the empty jig.
        judging: The network that judges.
        recipes: What it judges by.
        table: What was judged before.
    """

    loop: YearLoop
    chance: Random
    network: Network
    disk: Disk
    settings: Settings
    clock: YearClock
    scene: Scene
    dark: Pixels
    judging: FallibleNetwork
    recipes: Recipes
    table: Table


def base_for(loop: YearLoop, root: Path, bundle: Path, seed: int, table: Table) -> Base:
    """All of it, drawn from a seed.

    Args:
        loop: Time.
        root: A folder for the disk.
        bundle: The network that judges.
        seed: Of everything that is drawn.
        table: What was judged before.
    """
    network = loop.network = Network(Weather(Random(f"{seed} network")))  # noqa: S311
    disk = Disk(root, Random(f"{seed} disk"))  # noqa: S311
    loop.job_s = disk.job_s
    settings = settings_for(network, bundle)
    dark = Optics(WIDTH_PX, 24, 1).empty_jig(448)
    dark.flags.writeable = False
    judging = FallibleNetwork(loaded(bundle).classifiers[0])
    recipes = recipes_of(settings, dict.fromkeys(bundle_names(settings).values(), judging))
    return Base(
        loop, Random(f"{seed} threads"), network, disk, settings, YearClock(loop),  # noqa: S311
        Scene(surfaces().is_clean), dark, judging, recipes, table,
    )  # fmt: skip
