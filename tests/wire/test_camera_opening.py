"""What the camera driver finds, on producers that are real, and what it says when it finds none."""

import _ctypes
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from drivers.camera.gentl import GenTLCamera
from drivers.camera.survey import find_devices
from sim.gentl import producer_path
from station.core.compiler import find_compiler
from tests.own_children import children
from tests.turned import GEOMETRY
from tests.wire.driver_camera import RECIPE, VIKY, MakeCamera, Setup, refusal, settings_of

ILL = """
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define _GNU_SOURCE
#include <dlfcn.h>
__attribute__((constructor)) static void loaded(void) {
    Dl_info own;
    if (dladdr((void *)loaded, &own) && strstr(own.dli_fname, "hangs"))
        for (;;)
            pause();
    abort();
}
"""
"""A library that crashes when it is loaded, or, by its name, hangs."""


async def test_a_producer_file_that_is_not_there_is_named(
    make_camera: MakeCamera, setup: Setup, tmp_path: Path
) -> None:
    error = await refusal(make_camera(setup, producers=[str(tmp_path / "vendor.cti")]).open())
    assert error.code == "camera.no_producer"
    assert "vendor.cti" in error.detail


async def test_a_file_that_is_no_library_is_no_producer(make_camera: MakeCamera, setup: Setup, tmp_path: Path) -> None:
    (tmp_path / "vendor.cti").write_text("no library")
    error = await refusal(make_camera(setup, producers=[str(tmp_path / "vendor.cti")]).open())
    assert error.code == "camera.no_producer"
    assert "vendor.cti" in error.detail


@pytest.mark.parametrize("folders", [None, "", "/nowhere", "{empty}"])
async def test_without_any_producer_the_search_path_is_named(
    make_camera: MakeCamera, setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders: str | None
) -> None:
    monkeypatch.delenv("GENICAM_GENTL64_PATH", raising=False)
    if folders is not None:
        monkeypatch.setenv("GENICAM_GENTL64_PATH", folders.replace("{empty}", str(tmp_path)))
    error = await refusal(make_camera(setup, producers=[]).open())
    assert error.code == "camera.no_producer"
    assert "GENICAM_GENTL64_PATH" in error.detail


async def test_producers_are_found_on_the_search_path(
    make_camera: MakeCamera, setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "linked.cti").symlink_to(producer_path())
    monkeypatch.setenv("GENICAM_GENTL64_PATH", os.pathsep.join(["/nowhere", str(tmp_path)]))
    camera = make_camera(setup, producers=[])
    await camera.open()
    assert (await camera.prepare(RECIPE))["DeviceModelName"] == "Simulated Line Scan"


async def test_a_wrong_serial_number_is_told_with_those_found(make_camera: MakeCamera) -> None:
    error = await refusal(make_camera({}, producers=[str(VIKY)], serial_number="77").open())
    assert error.code == "camera.not_found"
    assert "77" in error.detail
    assert "0, 1, 2" in error.detail


async def test_several_cameras_need_a_serial_number(make_camera: MakeCamera) -> None:
    error = await refusal(make_camera({}, producers=[str(VIKY)]).open())
    assert error.code == "camera.not_found"
    assert "0, 1, 2" in error.detail


async def test_an_opening_that_takes_too_long_is_ended(make_camera: MakeCamera, setup: Setup) -> None:
    camera = make_camera(setup, open_timeout_s=0.001)
    error = await refusal(camera.open())
    assert error.code == "camera.process_died"
    assert "Connect" in error.detail
    assert children() == set()


@pytest.fixture(scope="module")
def ill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of producers that cannot be used: no library, no producer, one that crashes, one that hangs."""
    folder = tmp_path_factory.mktemp("ill")
    (folder / "text.cti").write_text("no library")
    shutil.copy(_ctypes.__file__, folder / "plain.cti")
    (folder / "ill.c").write_text(ILL)
    command = [*find_compiler(), "-D_GNU_SOURCE", "-shared", "-fPIC", str(folder / "ill.c"), "-ldl", "-o"]
    subprocess.run([*command, str(folder / "crashes.cti")], check=True)
    shutil.copy(folder / "crashes.cti", folder / "hangs.cti")
    return folder


ILLS = {
    "text.cti": "cannot be loaded",
    "plain.cti": "is no GenTL producer: it has no GCInitLib",
    "crashes.cti": "it was ended by SIGABRT",
}


async def opened_beside(ill: list[Path], setup: Setup, open_timeout_s: float) -> list[str]:
    """Open the simulated camera with producers beside its own that cannot be used; what was left out."""
    left_out: list[str] = []
    settings = settings_of(setup, producers=[*map(str, ill), str(producer_path())], open_timeout_s=open_timeout_s)
    camera = GenTLCamera(settings, [GEOMETRY], on_left_out=left_out.append)
    try:
        await camera.open()
        assert (await camera.prepare(RECIPE))["DeviceModelName"] == "Simulated Line Scan"
        assert len(left_out) == len(ill)
        await camera.open()  # the one that has the camera is known now
        assert len(left_out) == len(ill)
    finally:
        await camera.close()
    assert children() == set()
    return left_out


async def test_producers_that_cannot_be_used_are_left_out_by_name_and_the_camera_opens(setup: Setup, ill: Path) -> None:
    left_out = await opened_beside([ill / name for name in ILLS], setup, open_timeout_s=60)
    for (name, why), told in zip(ILLS.items(), left_out, strict=True):
        assert told.startswith(f"{ill / name}: ")
        assert why in told


@pytest.mark.slow
async def test_a_producer_that_hangs_when_it_is_loaded_is_left_out(setup: Setup, ill: Path) -> None:
    (told,) = await opened_beside([ill / "hangs.cti"], setup, open_timeout_s=40)
    assert told == f"{ill / 'hangs.cti'}: no answer within 20 s"


async def test_the_camera_is_opened_with_the_producer_that_has_it(make_camera: MakeCamera, setup: Setup) -> None:
    (own,) = (await find_devices([str(producer_path())])).devices
    camera = make_camera(setup, producers=[str(VIKY), str(producer_path())], serial_number=own.serial_number)
    await camera.open()
    assert (await camera.prepare(RECIPE))["DeviceSerialNumber"] == own.serial_number
    error = await refusal(make_camera({}, producers=[str(VIKY), str(producer_path())]).open())
    assert error.code == "camera.not_found"
    assert "looked for exactly one camera" in error.detail
    assert own.serial_number in error.detail


async def test_where_no_producer_can_be_used_each_is_named(make_camera: MakeCamera, setup: Setup, ill: Path) -> None:
    error = await refusal(make_camera(setup, producers=[str(ill / name) for name in ("text.cti", "plain.cti")]).open())
    assert error.code == "camera.no_producer"
    assert "text.cti" in error.detail
    assert "plain.cti" in error.detail
