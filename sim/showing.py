"""One housing under the simulated camera, without a cell around it: for trials and benchmarks of the camera alone."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sim.leavings import clear_leavings
from sim.optics import Optics, in_lines
from sim.recordings import bundled_recording
from sim.scene import Scene
from sim.surfaces.canvas import LINES_PER_TURN
from station.core.choices import Speed
from station.core.recording import read_recording, read_scan
from station.core.settings import Settings


@contextmanager
def showing(settings: Settings, part_type: str, turn_s: float | None) -> Iterator[str]:
    """The name of a scene in which a housing of the bundled recording turns, while in this context.

    Args:
        settings: The configuration, for the sensor's width and the part types.
        part_type: The housing of this name, or another one, in as many lines as a turn of the type has.
        turn_s: Time of one turn at the jig's own pace; None for as fast as the blocks are taken.

    Raises:
        RecordingError: The recording cannot be read.
        ConfigError: There is no shared memory left.
    """
    recording = read_recording(bundled_recording(), None)
    scan = next((scan for scan in recording.scans if scan.part_type == part_type), recording.scans[0])
    lines = settings.type_named(part_type).geometry.lines_per_turn
    turn = in_lines(read_scan(scan.file, {LINES_PER_TURN}), lines)
    optics = Optics(settings.camera.width_px, 2 * settings.crop.margin_px, seed=1)
    name = f"/inspection-station-show-{os.getpid()}"
    clear_leavings()
    with Scene.create(name, settings.camera.width_px, Speed.MAX if turn_s is None else Speed.REAL, lines) as scene:
        scene.show(optics.seat(turn, 1))
        scene.turn(round((turn_s or 1.0) * 1e9), time.monotonic_ns())
        yield name
