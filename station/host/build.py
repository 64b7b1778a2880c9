"""The composition root: the only place that knows which device stands behind a port.

Real and simulated cells are built alike; the configuration changes addresses, not classes.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from drivers.modbus.register_map import load_map
from drivers.plc.plc import make_plc
from models.engines import make_engine
from models.manifest import Bundle
from station.cell.alarms import Alarms
from station.cell.cell import Cell, CellSettings, Equipment
from station.cell.compute import ComputeThread
from station.cell.controller import Controller
from station.cell.counters import Counters
from station.cell.delivery import LineResults
from station.cell.line import Line
from station.cell.motion import Motion
from station.cell.packml import MAY_MOVE, Unit
from station.core.broadcast import Broadcast
from station.core.clock import Clock, SystemClock
from station.core.events import PartSorted, Watcher, harmless
from station.core.part import Inspection, ModelIdentity
from station.core.ports.line import CellReport, LinePlc, LineView
from station.core.ports.network import PatchClassifier
from station.core.ports.records import PartLedger
from station.core.priority import compute_in_time
from station.core.recipe import Recipes
from station.core.room import MB, require_room
from station.core.settings import Settings
from station.host.bundles import doubts_of, history_doubt
from station.host.devices import make_camera, make_jig, make_robot
from station.host.housekeeping import keep_house
from station.host.recipes import assemble, classes_not_answered, find_bundles
from station.host.stalls import settled_memory
from station.host.watchdog import Watchdog
from station.records.ledger import SqliteLedger

log = structlog.get_logger()

MODEL_CACHE = "model-cache"
"""Folder of compiled networks, in the data folder."""
CACHE_BYTES = 100 * MB
"""What compiled networks may come to."""


@dataclass(frozen=True, slots=True)
class Station:
    """A built station: the controller to command, what it judges with, and what watches over it."""

    controller: Controller
    recipes: Recipes
    watchdog: Watchdog

    @property
    def models(self) -> tuple[ModelIdentity, ...]:
        """The networks that judge, each once."""
        return tuple(classifier.model for classifier in self.recipes.classifiers)

    def model_of(self, event: PartSorted) -> ModelIdentity:
        """The network that judges parts of this part's type."""
        recipe = self.recipes.named(event.inspection.part_type.name)
        return recipe.classifier.model if recipe else self.models[0]


@asynccontextmanager
async def open_station(settings: Settings, folder: Path, watch: Watcher) -> AsyncIterator[Station]:
    """Build a station, not yet connected to anything but its records; on leaving, everything is closed.

    Args:
        settings: The configuration.
        folder: Where database, archive and logs live.
        watch: Told of everything that happens; what it does or fails at changes nothing.

    Raises:
        StationError: The bundle or the database cannot be used.
    """
    watch = harmless(watch)
    clock = SystemClock()
    bundles = find_bundles(settings, folder)
    compute = ComputeThread(
        settings.watchdog.compute_timeout_s, compute_in_time if settings.model.realtime else _nothing
    )
    recipes = assemble(settings, await _load(bundles, settings, folder, compute))
    for classifier in recipes.classifiers:
        _tell(classifier)
    for told in classes_not_answered(bundles.values(), settings):
        log.warning("classes_not_answered", detail=told)
    for doubt in doubts_of(bundles, settings, folder):
        log.warning("least_confidence_differed", detail=doubt)
    if unsealed := history_doubt(settings, folder):
        log.warning("history_not_sealed", detail=unsealed)
    configuration = settings.sha256, settings.model_dump_json()
    ledger = await SqliteLedger.open(folder, settings.records, clock, configuration, settings.table)
    try:
        await _tell_change(ledger, [classifier.model for classifier in recipes.classifiers])
        alarms = Alarms(await ledger.listed_alarms(), ledger, clock, settings.alarms, watch)
        plc = make_plc(settings.plc, load_map("plc", settings.inspected), settings.table, await ledger.last_taken_on())
        house = asyncio.create_task(keep_house(ledger, alarms, settings.records), name="housekeeping")
        house.add_done_callback(_tell_bug)
        try:
            with settled_memory():
                yield _wire(settings, plc, recipes, ledger, compute, clock, watch, alarms)
        finally:
            house.cancel()
            await asyncio.wait([house])
    finally:
        await ledger.close()
        compute.close()


async def _load(
    bundles: Mapping[str, Bundle], settings: Settings, folder: Path, compute: ComputeThread
) -> dict[str, PatchClassifier]:
    """The networks, loaded on the compute thread, because an engine's own threads take over the priority of theirs.

    Raises:
        ModelError: The engine cannot run one here, or did not load it within the deadline of a job.
    """
    cache = _cache(folder, settings)
    try:
        return {
            name: await compute.submit(make_engine, bundle, settings.model, cache) for name, bundle in bundles.items()
        }
    except BaseException:
        compute.close()
        raise


def _cache(folder: Path, settings: Settings) -> Path | None:
    """Where compiled networks are kept; None where they would take of the records' reserve."""
    cache = folder / MODEL_CACHE
    try:
        if not cache.exists():
            require_room(folder, CACHE_BYTES, settings.records.reserve_bytes)
    except OSError as error:
        log.warning("model_cache_unusable", folder=str(cache), detail=error.strerror)
        return None
    return cache


def _tell(classifier: PatchClassifier) -> None:
    model, engine = classifier.model, classifier.engine
    log.info(
        "model_loaded",
        model=model.name,
        sha256=model.sha256,
        engine=f"{engine.name} {engine.version}",
        precision=engine.precision,
        isa=engine.isa,
    )


def _wire(
    settings: Settings,
    plc: LinePlc,
    recipes: Recipes,
    ledger: PartLedger,
    compute: ComputeThread,
    clock: Clock,
    watch: Watcher,
    alarms: Alarms,
) -> Station:
    unit = Unit(lambda change: controller.on_change(change))  # noqa: PLW0108  # the controller comes later
    motion = Motion(make_jig(settings), make_robot(settings), ledger, lambda: unit.state in MAY_MOVE)
    line = Line(
        plc,
        unit,
        alarms,
        lambda: _report(unit, cell, alarms),
        settings.plc.link.reconnect_s,
        motion.still,
        lambda event, detail: controller.note(event, detail),  # noqa: PLW0108  # the controller comes later
    )
    feed = FeedOf(plc)
    equipment = Equipment(make_camera(settings), motion, feed, recipes, ledger, compute, clock)
    results = LineResults(plc, feed, unit, motion.still)
    cell = Cell(equipment, results, Counters(), CellSettings.of(settings), Broadcast(watch))
    controller = Controller(unit, cell, line, plc, ledger, settings, watch, alarms)
    probes = {"compute": lambda: compute.submit(_nothing), "records": ledger.answers}
    return Station(controller, recipes, Watchdog(probes, ledger, clock, settings.watchdog))


def _nothing() -> None:
    """What is asked of a thread that only has to show that it is there."""


async def _tell_change(ledger: PartLedger, models: Sequence[ModelIdentity]) -> None:
    """Say where another network judges from now on, whatever the reason: a promotion, a lost folder of models."""
    before = await ledger.last_model()
    if before not in (None, *models):
        now = ", ".join(map(str, models))
        log.warning("network_changed", before=str(before), now=now)
        await ledger.note("network_changed", f"{before} judged the last part, {now} judges the next")


def _tell_bug(done: asyncio.Task[None]) -> None:
    """Nobody waits for the housekeeping, so what it did not foresee is told here."""
    if not done.cancelled() and (error := done.exception()):
        log.error("bug_met", where="housekeeping", exc_info=error)


def _report(unit: Unit, cell: Cell, alarms: Alarms) -> CellReport:
    reason, counters = unit.reason.fault if unit.reason else None, cell.counters
    processed, defective = counters.processed, counters.defective
    return CellReport(unit.state.value, unit.mode.value, reason, processed, defective, alarms.summary)


class FeedOf:
    """The parts' side of a line PLC that is not in its parts yet."""

    def __init__(self, plc: LinePlc) -> None:
        self._plc = plc

    @property
    def view(self) -> LineView:
        """What the line says now, as heard last."""
        plc = self._plc
        return LineView(plc.health(), plc.permission(), plc.announced(), plc.waiting_part(), plc.full_bins())

    def changed(self) -> Coroutine[Any, Any, None]:
        """Return at the next change."""
        return self._plc.changed()

    async def read_now(self) -> LineView:
        """What the line says after this call."""
        await self._plc.look()
        return self.view

    async def accept(self, inspection: Inspection) -> None:
        """The announced part is the station's."""
        await self._plc.accept(inspection)

    async def give_back(self, inspection: Inspection) -> None:
        """The part is not the station's after all."""
        await self._plc.give_back(inspection)
