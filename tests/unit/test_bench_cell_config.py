"""The configuration of a cell to measure with: a line's own figures, simulated devices, addresses of its own."""

from importlib.resources import as_file
from pathlib import Path

import pytest

from config import bundled
from station.bench.cell_config import at_line_rate, private, simulated, write_config
from station.core.settings import Settings, load_settings


def shipped(name: str) -> Settings:
    with as_file(bundled(name)) as path:
        return load_settings(path)


@pytest.mark.parametrize("name", ["simulate.toml", "station.toml"])
def test_what_is_written_is_read_back_the_same_and_passes_every_check(name: str, tmp_path: Path) -> None:
    settings = private(at_line_rate(simulated(shipped(name))), tmp_path)
    write_config(settings, tmp_path / "cell.toml")
    assert load_settings(tmp_path / "cell.toml") == settings


@pytest.mark.parametrize("name", ["simulate.toml", "station.toml"])
def test_every_type_turns_at_the_cameras_highest_line_rate_and_nothing_else_takes_time(name: str) -> None:
    settings = at_line_rate(simulated(shipped(name)))
    for part_type in settings.known_types:
        assert 21157.999 < part_type.line_rate_hz <= 21158
        assert part_type.exposure_us < 1e6 / part_type.line_rate_hz
    assert settings.simulation is not None
    motions = settings.simulation
    assert (motions.robot_load_s, motions.robot_unload_s, motions.jig_ramp_s, motions.infeed_s) == (0, 0, 0, 0)


def test_a_real_line_keeps_what_it_inspects_and_gets_simulated_devices() -> None:
    real, simulation = shipped("station.toml"), shipped("simulate.toml")
    real = real.model_copy(update={"camera": real.camera.model_copy(update={"width_px": 4096})})
    measured = simulated(real)
    assert (measured.part_types, measured.model, measured.crop, measured.decision) == (
        real.part_types,
        real.model,
        real.crop,
        real.decision,
    )
    assert measured.camera.width_px == 4096
    assert [row.value for row in measured.camera.setup if row.feature == "Width"] == [4096]
    assert measured.scene_name == simulation.scene_name
    assert measured.robot.link == simulation.robot.link


def test_a_simulated_line_is_measured_as_it_is() -> None:
    settings = shipped("simulate.toml")
    assert simulated(settings) is settings


@pytest.mark.parametrize("role", ["client", "server"])
def test_no_address_is_shared_with_a_cell_that_runs(role: str, tmp_path: Path) -> None:
    settings = shipped("simulate.toml")
    settings = settings.model_copy(update={"plc": settings.plc.model_copy(update={"role": role})})
    own = private(settings, tmp_path)
    assert own.scene_name != settings.scene_name
    assert own.robot.link.port == 0
    assert own.jig.link.kind == "rtu"
    assert Path(own.jig.link.device).parent == tmp_path
    assert own.plc.link.port != settings.plc.link.port
    assert (own.plc.link.port == 0) is (role == "client")  # a server's port must be known before it listens
