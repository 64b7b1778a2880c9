"""The configuration of a cell to measure with: simulated devices at addresses of their own, all else as it is."""

import json
import os
import socket
from importlib.resources import as_file
from math import pi
from pathlib import Path
from typing import Any

from config import bundled
from station.core.camera_settings import CameraSettings
from station.core.part import FeatureValue, PartType
from station.core.settings import PlcSettings, Settings, SimulationSettings, load_settings
from station.core.type_settings import PartTypeSettings

AT_ONCE = {"robot_load_s": 0.0, "robot_unload_s": 0.0, "jig_ramp_s": 0.0, "infeed_s": 0.0}
JUST_BELOW = 1 - 1e-9
"""Part types are turned this much slower than the camera's highest line rate, which would be refused if rounded up."""
LONGEST_EXPOSURE = 0.9


def simulated(settings: Settings) -> Settings:
    """The configuration with simulated devices: as it is, or a real line's with those of the shipped simulation.

    Camera width and line rate, part types, network, crop and decision stay those that are configured.
    """
    if settings.simulation is not None and settings.scene_name is not None:
        return settings
    with as_file(bundled("simulate.toml")) as path:
        shipped = load_settings(path)
    width, rate = settings.camera.width_px, settings.camera.max_line_rate_hz
    camera = shipped.camera.model_copy(update={"width_px": width, "max_line_rate_hz": rate})
    return settings.model_copy(
        update={
            "camera": _with_feature(camera, "Width", width),
            "robot": settings.robot.model_copy(update={"link": shipped.robot.link}),
            "jig": settings.jig.model_copy(update={"link": shipped.jig.link}),
            "plc": settings.plc.model_copy(update={"link": shipped.plc.link}),
            "simulation": shipped.simulation,
        }
    )


def at_line_rate(settings: Settings) -> Settings:
    """Every type turns as fast as the camera's highest line rate allows, and no other motion takes time."""
    rate_hz = settings.camera.max_line_rate_hz
    kinds = {kind.name: _at_rate(settings.part_types[kind.name], kind, rate_hz) for kind in settings.known_types}
    fastest_rpm = max(kind.speed_rpm for kind in settings.model_copy(update={"part_types": kinds}).known_types)
    jig = settings.jig.model_copy(update={"max_speed_rpm": max(settings.jig.max_speed_rpm, fastest_rpm)})
    simulation = (settings.simulation or SimulationSettings()).model_copy(update=AT_ONCE)
    return settings.model_copy(update={"part_types": kinds, "jig": jig, "simulation": simulation})


def private(settings: Settings, folder: Path) -> Settings:
    """The same cell at addresses that no other one uses; what it leaves on the disk lies in the folder."""
    robot = settings.robot.link.model_copy(update={"host": "127.0.0.1", "port": 0})
    jig = settings.jig.link
    update: dict[str, object] = {"port": 0} if jig.kind == "tcp" else {"device": str(folder / "jig")}
    scene = f"/station-bench-{os.getpid()}-{folder.name[-8:]}"
    return settings.model_copy(
        update={
            "camera": _with_feature(settings.camera, "SimScene", scene),
            "robot": settings.robot.model_copy(update={"link": robot}),
            "jig": settings.jig.model_copy(update={"link": jig.model_copy(update=update)}),
            "plc": _private_plc(settings.plc),
        }
    )


def write_config(settings: Settings, file: Path) -> None:
    """The effective configuration as a file that `load_settings` reads.

    Raises:
        OSError: It cannot be written.
    """
    tables = settings.model_dump(mode="json", exclude_none=True)
    file.write_text("".join(f"{name} = {_toml(table)}\n" for name, table in tables.items()), encoding="utf-8")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _at_rate(settings: PartTypeSettings, kind: PartType, rate_hz: float) -> PartTypeSettings:
    speed_mm_s = JUST_BELOW * rate_hz * pi * kind.outer_diameter_mm / kind.geometry.lines_per_turn
    exposure_us = min(kind.exposure_us, LONGEST_EXPOSURE * 1e6 / rate_hz)
    return settings.model_copy(update={"surface_speed_mm_s": speed_mm_s, "exposure_us": exposure_us})


def _private_plc(plc: PlcSettings) -> PlcSettings:
    """The simulated PLC finds a port; where the station serves the registers, both must know it beforehand."""
    port = _free_port() if plc.role == "server" else 0
    return plc.model_copy(update={"link": plc.link.model_copy(update={"host": "127.0.0.1", "port": port})})


def _free_port() -> int:
    with socket.socket() as trying:
        trying.bind(("127.0.0.1", 0))
        return int(trying.getsockname()[1])


def _with_feature(camera: CameraSettings, feature: str, value: FeatureValue) -> CameraSettings:
    setup = [row.model_copy(update={"value": value}) if row.feature == feature else row for row in camera.setup]
    return camera.model_copy(update={"setup": setup})
