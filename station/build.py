"""The composition root: the only place that knows which device stands behind a port.

Real and simulated cells are built alike; the configuration changes addresses, not classes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from drivers.camera import GenTLCamera, find_producers
from drivers.camera_supervisor import SupervisedCamera
from drivers.camera_survey import FoundFeature, Survey, find_devices, find_features
from drivers.jig import ModbusJig
from drivers.plc import make_plc
from drivers.robot import ModbusRobot
from models.engines import make_engine
from models.manifest import Bundle
from models.release.footing import told_apart
from models.release.shelf import PROMOTED, Shelf, chosen_bundle
from sim.gentl import producer_path
from sim.showing import showing
from station.alarms import Alarms
from station.cell import Cell, Equipment
from station.compute import ComputeThread
from station.controller import Controller
from station.core.camera_settings import CameraSettings
from station.core.clock import Clock, SystemClock
from station.core.errors import ConfigError
from station.core.events import Watcher, harmless
from station.core.part import ModelIdentity
from station.core.ports import CellReport, LineCamera, LinePlc, PatchClassifier, SortRobot, SpinJig
from station.core.priority import compute_in_time
from station.core.room import MB, require_room
from station.core.settings import Settings, data_dir, expand
from station.flow.pixels import passes
from station.flow.record import SqliteLedger
from station.housekeeping import keep_house
from station.line import Line
from station.motion import Motion
from station.packml import MAY_MOVE, Unit
from station.stalls import settled_memory
from station.watchdog import Watchdog

log = structlog.get_logger()

PRODUCER = "{producer}"
CACHE_BYTES = 100 * MB
"""What compiled networks may come to."""
MODEL_CACHE, MODELS = "model-cache", "models"
"""Folder of compiled networks, in the data folder."""


@dataclass(frozen=True, slots=True)
class Station:
    """A built station: the controller to command, which network it judges with, and what watches over it."""

    controller: Controller
    model: ModelIdentity
    watchdog: Watchdog


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
    bundle = find_bundle(settings, folder)
    compute = ComputeThread(
        settings.watchdog.compute_timeout_s, compute_in_time if settings.model.realtime else _nothing
    )
    classifier = await _load(bundle, settings, folder, compute)
    _tell(classifier)
    if doubt := doubt_of(bundle, settings, folder):
        log.warning("least_confidence_differed", detail=doubt)
    if doubt := history_doubt(settings, folder):
        log.warning("history_not_sealed", detail=doubt)
    ledger = await SqliteLedger.open(folder, settings.records, clock, (settings.sha256, settings.model_dump_json()))
    try:
        await _tell_change(ledger, classifier.model)
        alarms = Alarms(await ledger.listed_alarms(), ledger, clock, settings.alarms, watch)
        plc = make_plc(settings.plc, await ledger.last_taken_on())
        house = asyncio.create_task(keep_house(ledger, alarms, folder, settings.records), name="housekeeping")
        house.add_done_callback(_tell_bug)
        try:
            with settled_memory():
                yield _wire(settings, plc, classifier, ledger, compute, clock, watch, alarms)
        finally:
            house.cancel()
            await asyncio.wait([house])
    finally:
        await ledger.close()
        compute.close()


async def _load(bundle: Bundle, settings: Settings, folder: Path, compute: ComputeThread) -> PatchClassifier:
    """The network, loaded on the compute thread, because the engine's own threads take over the priority of theirs.

    Raises:
        ModelError: The engine cannot run it here, or did not load it within the deadline of a job.
    """
    try:
        return await compute.submit(make_engine, bundle, settings.model, _cache(folder, settings))
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
    classifier: PatchClassifier,
    ledger: SqliteLedger,
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
    equipment = Equipment(make_camera(settings.camera), motion, plc, classifier, ledger, compute, clock)
    cell = Cell(equipment, line, settings, watch)
    controller = Controller(unit, cell, line, plc, ledger, settings, watch, alarms)
    probes = {"compute": lambda: compute.submit(_nothing), "records": ledger.answers}
    return Station(controller, classifier.model, Watchdog(probes, ledger, clock, settings.watchdog))


def _nothing() -> None:
    """What is asked of a thread that only has to show that it is there."""


async def _tell_change(ledger: SqliteLedger, now: ModelIdentity) -> None:
    """Say where another network judges from now on, whatever the reason: a promotion, a lost folder of models."""
    before = await ledger.last_model()
    if before not in (None, now):
        log.warning("network_changed", before=str(before), now=str(now))
        await ledger.note("network_changed", f"{before} judged the last part, {now} judges the next")


def _tell_bug(done: asyncio.Task[None]) -> None:
    """Nobody waits for the housekeeping, so what it did not foresee is told here."""
    if not done.cancelled() and (error := done.exception()):
        log.error("bug_met", where="housekeeping", exc_info=error)


def _report(unit: Unit, cell: Cell, alarms: Alarms) -> CellReport:
    reason = unit.reason.fault if unit.reason else None
    return CellReport(unit.state.value, unit.mode.value, reason, cell.processed, cell.defective, alarms.summary)


def make_camera(settings: CameraSettings) -> LineCamera:
    """The camera behind the configured GenTL producers, which is opened again by itself when it is lost.

    Raises:
        ConfigError: The simulated camera is configured and was not built.
    """
    camera = GenTLCamera(_with_producers(settings), doubt=_note_doubt, left_out=_note_left_out)
    return SupervisedCamera(camera, settings)


def _note_doubt(detail: str) -> None:
    log.warning("line_loss_left_unproven", detail=detail)


def _note_left_out(detail: str) -> None:
    log.warning("producer_left_out", detail=detail)


@contextmanager
def shown_recording(settings: Settings, turn_s: float | None) -> Iterator[CameraSettings]:
    """The simulated camera looking at a turning housing of the first part type, without a cell around it.

    Args:
        settings: The configuration.
        turn_s: Time of one turn; None for as fast as the blocks are taken.

    Raises:
        ConfigError: The configured camera is not the simulated one.
    """
    camera = settings.camera
    if settings.scene_name is None:
        raise ConfigError("config.invalid", "the camera is not the simulated one: camera.setup has no SimScene")
    with showing(settings, next(iter(settings.part_types)), turn_s) as name:
        setup = [row.model_copy(update={"value": name}) if row.feature == "SimScene" else row for row in camera.setup]
        yield camera.model_copy(update={"setup": setup})


def make_trial_camera(settings: CameraSettings, blocks: int) -> LineCamera:
    """The same camera for trials: acquisitions of any length, and no recovery.

    Raises:
        ConfigError: The simulated camera is configured and was not built.
    """
    return GenTLCamera(_with_producers(settings), blocks)


def find_cameras(settings: CameraSettings) -> Survey:
    """The cameras of the configured producers, or of all that are installed; blocks for seconds.

    Raises:
        CameraError: There is no producer.
        ConfigError: The simulated camera is configured and was not built.
    """
    return asyncio.run(find_devices(find_producers(_with_producers(settings).producers)))


def settle_producer(settings: CameraSettings, left_out: Callable[[str], None]) -> CameraSettings:
    """The same settings with one producer, which sees the camera; blocks for seconds where there are several.

    Args:
        settings: The camera's.
        left_out: Told which producers could not be asked, and why.

    Raises:
        CameraError: There is no producer, or none sees the camera.
        ConfigError: The simulated camera is configured and was not built.
    """
    producers = find_producers(_with_producers(settings).producers)
    if len(producers) > 1:
        survey = asyncio.run(find_devices(producers))
        for told in survey.left_out:
            left_out(told)
        producers = (survey.producer_of(settings.serial_number),)
    return settings.model_copy(update={"producers": list(producers)})


def find_camera_features(settings: CameraSettings) -> tuple[FoundFeature, ...]:
    """The feature tree of the camera of the one producer that is settled; blocks for seconds.

    Raises:
        CameraError: The camera cannot be found, opened or asked.
    """
    (producer,) = settings.producers
    return asyncio.run(find_features(producer, settings.serial_number))


def _with_producers(settings: CameraSettings) -> CameraSettings:
    producers = [str(producer_path()) if name == PRODUCER else name for name in settings.producers]
    return settings.model_copy(update={"producers": producers})


def make_jig(settings: Settings) -> SpinJig:
    """The spin jig at its configured address."""
    link = settings.jig.link
    if link.kind == "rtu":
        link = link.model_copy(update={"device": expand(link.device)})
    return ModbusJig(settings.jig.model_copy(update={"link": link}))


def make_robot(settings: Settings) -> SortRobot:
    """The robot at its configured address."""
    return ModbusRobot(settings.robot)


def make_line_plc(settings: Settings) -> LinePlc:
    """The line PLC in its configured role."""
    return make_plc(settings.plc)


def find_shelf(settings: Settings, folder: Path | None = None) -> Shelf:
    """Where promoted bundles lie, and the history of who promoted them.

    Args:
        settings: The configuration.
        folder: The station's data folder; None for the configured one.
    """
    configured = settings.model.models_dir
    return Shelf(Path(configured).expanduser() if configured else data_dir(settings, folder) / MODELS)


def find_bundle(settings: Settings, folder: Path | None = None) -> Bundle:
    """The configured bundle, every file checked against its hash.

    Args:
        settings: The configuration.
        folder: The station's data folder; None for the configured one.

    Raises:
        ModelError: Missing, damaged, unusable, or not the one that was promoted.
    """
    return chosen_bundle(settings.model.bundle, find_shelf(settings, folder))


def doubt_of(bundle: Bundle, settings: Settings, folder: Path | None = None) -> str | None:
    """What a person should know where the bundle was measured with another least confidence than the configured.

    Args:
        bundle: What the station runs.
        settings: The configuration.
        folder: The station's data folder; None for the configured one.

    Raises:
        ModelError: The history of promotions cannot be used.
    """
    return told_apart(bundle, find_shelf(settings, folder), settings.decision.min_confidence)


def history_doubt(settings: Settings, folder: Path | None = None) -> str | None:
    """What a person should know of the history of promotions, where the configuration goes by it.

    Args:
        settings: The configuration.
        folder: The station's data folder; None for the configured one.

    Raises:
        ModelError: The history of promotions cannot be used.
    """
    return find_shelf(settings, folder).doubt() if settings.model.bundle == PROMOTED else None


def make_classifier(settings: Settings, cache_dir: Path | None = None, folder: Path | None = None) -> PatchClassifier:
    """The network of the configured bundle, on the configured engine.

    Args:
        settings: The configuration.
        cache_dir: Where compiled networks are kept for a faster start; None for nowhere.
        folder: The station's data folder; None for the configured one.

    Raises:
        ConfigError: The compiled passes over pixels, without which nothing reaches the network, are missing.
        ModelError: The bundle is missing, damaged or unusable, or the engine cannot run it here.
    """
    passes.library()
    return make_engine(find_bundle(settings, folder), settings.model, cache_dir)
