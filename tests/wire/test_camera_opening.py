"""What the camera driver finds, on producers that are real, and what it says when it finds none."""

import os
from pathlib import Path

import pytest

from sim.gentl import producer_path
from tests.own_children import children
from tests.wire.driver_camera import RECIPE, VIKY, MakeCamera, Setup, refusal


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
