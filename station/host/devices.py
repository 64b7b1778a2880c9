"""The devices behind the ports, as the configuration names them: camera, jig, robot and line PLC."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from drivers.camera.gentl import GenTLCamera, find_producers
from drivers.camera.supervisor import SupervisedCamera
from drivers.camera.survey import FoundFeature, Survey, find_devices, find_features
from drivers.jig import ModbusJig
from drivers.modbus.proof import prove_map
from drivers.modbus.register_map import RegisterMap, map_of
from drivers.plc.acceptance import NOTHING
from drivers.plc.defect_list import SECTION
from drivers.plc.plc import ModbusPlc
from drivers.robot import ModbusRobot
from sim.gentl import producer_path
from sim.showing import showing
from station.core.camera_settings import CameraSettings
from station.core.clock import Clock
from station.core.errors import ConfigError
from station.core.geometry import Geometry
from station.core.part import Announcement
from station.core.ports.camera import LineCamera
from station.core.ports.devices import SortRobot, SpinJig
from station.core.ports.line import LineLink
from station.core.settings import RtuLink, Settings, TcpLink, expand

log = structlog.get_logger()

PRODUCER = "{producer}"
"""What stands in the configuration for the simulated camera's GenTL producer."""


def make_camera(settings: Settings) -> LineCamera:
    """The camera behind the configured GenTL producers, which is opened again by itself when it is lost.

    Raises:
        ConfigError: The simulated camera is configured and was not built.
    """
    geometries = [kind.geometry for kind in settings.known_types]
    camera = GenTLCamera(
        _with_producers(settings.camera),
        geometries,
        on_undetectable_loss=_log_undetectable_loss,
        on_left_out=_log_left_out,
    )
    return SupervisedCamera(camera, settings.camera)


def _log_undetectable_loss(detail: str) -> None:
    log.warning("line_loss_left_unproven", detail=detail)


def _log_left_out(detail: str) -> None:
    log.warning("producer_left_out", detail=detail)


@contextmanager
def shown_recording(settings: Settings, turn_s: float | None) -> Iterator[CameraSettings]:
    """The simulated camera looking at a turning housing of the first part type, without a cell around it.

    Args:
        settings: With the simulated camera; its first part type is shown.
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


def make_trial_camera(settings: CameraSettings, geometry: Geometry, blocks: int) -> LineCamera:
    """The same camera for trials: acquisitions of any length, and no recovery.

    Args:
        settings: The camera's.
        geometry: How long its blocks are, and how many are a turn.
        blocks: Of one acquisition; where they are not a turn, the camera must be set to run continuously.

    Raises:
        ConfigError: The simulated camera is configured and was not built.
    """
    return GenTLCamera(_with_producers(settings), [geometry], None if blocks == geometry.blocks_per_turn else blocks)


def find_cameras(settings: CameraSettings) -> Survey:
    """The cameras of the configured producers, or of all that are installed; blocks for seconds.

    Raises:
        CameraError: There is no producer.
        ConfigError: The simulated camera is configured and was not built.
    """
    return asyncio.run(find_devices(find_producers(_with_producers(settings).producers)))


def choose_producer(settings: CameraSettings, left_out: Callable[[str], None]) -> CameraSettings:
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


def device_maps(settings: Settings) -> tuple[RegisterMap, RegisterMap, RegisterMap]:
    """The register maps of robot, jig and PLC, each as its link has it.

    Raises:
        ConfigError: One cannot be used, or its device has no room for it.
    """
    links = {"robot": settings.robot.link, "jig": settings.jig.link, "plc": settings.plc.link}
    robot, jig, plc = (map_of(name, settings.inspected, link) for name, link in links.items())
    return robot, jig, plc


def make_jig(settings: Settings) -> SpinJig:
    """The spin jig at its configured address."""
    link = _jig_link(settings)
    return ModbusJig(settings.jig.model_copy(update={"link": link}), map_of("jig", settings.inspected, link))


async def prove_jig(settings: Settings) -> str:
    """What the jig has where its map says, once it was connected; `prove_map` says what may be wrong."""
    link = _jig_link(settings)
    return await prove_map(link, map_of("jig", settings.inspected, link))


async def prove_robot(settings: Settings) -> str:
    """The same of the robot."""
    link = settings.robot.link
    return await prove_map(link, map_of("robot", settings.inspected, link))


async def prove_line(settings: Settings) -> str:
    """The same of a PLC that has the registers; the station's own server has them where it says."""
    link, line = settings.plc.link, settings.plc
    registers = map_of("plc", settings.inspected, link)
    if line.role == "server":
        first, count = registers.extent("holding")
        return f"the station serves holding {first} to {first + count - 1}"
    return await prove_map(link, registers, ("", SECTION) if line.defect_list else ("",))


def _jig_link(settings: Settings) -> TcpLink | RtuLink:
    link = settings.jig.link
    return link.model_copy(update={"device": expand(link.device)}) if link.kind == "rtu" else link


def make_robot(settings: Settings) -> SortRobot:
    """The robot at its configured address."""
    return ModbusRobot(settings.robot, map_of("robot", settings.inspected, settings.robot.link))


def make_line(settings: Settings, clock: Clock, accepted: Announcement | None = None) -> LineLink:
    """The line PLC in its configured role.

    Args:
        settings: The configuration.
        clock: Time.
        accepted: What the station accepted last, which is not offered again.
    """
    return ModbusPlc(
        settings.plc, map_of("plc", settings.inspected, settings.plc.link), settings.table, accepted or NOTHING, clock
    )
