"""Nothing is left of the camera: no file, no memory, no process."""

import contextlib
import gc
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from sim.scene import Scene
from station.core.errors import CameraError
from tests.own_children import children
from tests.wire.driver_camera import RECIPE, MakeCamera, Setup, one_turn, settings_of

ROOT = Path(__file__).resolve().parents[2]


async def test_nothing_is_left_and_nothing_is_printed(
    make_camera: MakeCamera, setup: Setup, capfd: pytest.CaptureFixture[str]
) -> None:
    def held() -> tuple[list[str], list[str], set[int]]:
        gc.collect()  # errors of earlier tests may still hold blocks
        files = sorted(str(file.readlink()) for file in Path("/proc/self/fd").iterdir() if file.is_symlink())
        maps = Path("/proc/self/maps").read_text().splitlines()
        return files, [line for line in maps if "camera-blocks" in line], children()

    camera = make_camera(setup)
    before = held()
    for _ in range(2):
        await camera.open()
        await camera.prepare(RECIPE)
        await one_turn(camera)
        await camera.close()
    with contextlib.suppress(CameraError):
        await make_camera(setup | {"Height": 7}).open()
    assert held() == before
    assert capfd.readouterr() == ("", "")


STATION = """
import asyncio, os, sys
from pathlib import Path
from drivers.camera.gentl import GenTLCamera
from station.core.settings import CameraSettings
from station.core.table import default_geometry
camera = GenTLCamera(CameraSettings.model_validate_json(sys.argv[1]), [default_geometry().value()])
async def main():
    await camera.open()
    async with camera.turn():
        print(Path(f"/proc/self/task/{os.getpid()}/children").read_text(), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_the_process_ends_with_a_killed_station(setup: Setup, scene: Scene) -> None:
    scene.stand_still()
    command = [sys.executable, "-c", STATION, settings_of(setup).model_dump_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as station:  # noqa: ASYNC220
        assert station.stdout is not None
        pid = int(station.stdout.readline())
        watch = os.pidfd_open(pid)
        station.kill()
    ended, _, _ = select.select([watch], [], [], 5)
    os.close(watch)
    assert ended
