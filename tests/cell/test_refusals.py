"""What is refused before anything moves: one clear message, exit status 2, nothing left behind."""

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from models.weights import SHIPPED, bundle_folder
from tests.cell.conftest import Run


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def bundle_copy(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    shutil.copytree(bundle_folder(SHIPPED), folder)
    return folder


def refused(station: Run, config: Path, tmp_path: Path, *words: str) -> None:
    ran = station("--simulate", "--config", config, "--parts", "1", "--data", tmp_path / "data")
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert [word for word in words if word not in ran.stderr] == []
    assert "Traceback" not in ran.stderr


def test_a_port_in_use(station: Run, make_config: Callable[..., Path], tmp_path: Path, taken_port: int) -> None:
    config = make_config(
        ('[robot.link]\nkind = "tcp"\nhost = "127.0.0.1"\nport = 0', f'[robot.link]\nkind = "tcp"\nport = {taken_port}')
    )
    refused(station, config, tmp_path, "config.simulator_failed", str(taken_port))


def test_a_model_file_that_was_edited(station: Run, make_config: Callable[..., Path], tmp_path: Path) -> None:
    folder = bundle_copy(tmp_path)
    weights = folder / "model.bin"
    content = bytearray(weights.read_bytes())
    content[1000] ^= 1
    weights.write_bytes(content)
    config = make_config(('bundle = "promoted"', f'bundle = "{folder}"'))
    refused(station, config, tmp_path, "model.wrong_hash", "model.bin")


def test_missing_weights(station: Run, make_config: Callable[..., Path], tmp_path: Path) -> None:
    folder = bundle_copy(tmp_path)
    (folder / "model.bin").unlink()
    config = make_config(('bundle = "promoted"', f'bundle = "{folder}"'))
    refused(station, config, tmp_path, "model.missing", "model.bin")


def test_a_missing_bundle(station: Run, make_config: Callable[..., Path], tmp_path: Path) -> None:
    config = make_config(('bundle = "promoted"', 'bundle = "no-such-bundle"'))
    refused(station, config, tmp_path, "model.missing", "no-such-bundle")


def test_an_unknown_key(station: Run, make_config: Callable[..., Path], tmp_path: Path) -> None:
    config = make_config(("[decision]", "[decision]\nmin_confidance = 0.5"))
    refused(station, config, tmp_path, "config.invalid", "min_confidance", str(config))


def test_a_missing_configuration(station: Run, tmp_path: Path) -> None:
    refused(station, tmp_path / "none.toml", tmp_path, "config.unreadable", "none.toml")


def test_a_register_map_that_cannot_be_used(station: Run, make_config: Callable[..., Path], tmp_path: Path) -> None:
    shutil.copytree(str(files("config")), tmp_path / "config")
    broken = tmp_path / "config" / "registers" / "plc.toml"
    broken.write_text(broken.read_text(encoding="utf-8").replace('"u16"', '"u17"', 1), encoding="utf-8")
    ran = station("run", "--config", make_config(), "--data", tmp_path / "data")
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert [word for word in ("config.bad_map", "plc.toml", "map_version", "u17") if word not in ran.stderr] == []


def test_no_producer(station: Run, make_config: Callable[..., Path], tmp_path: Path) -> None:
    config = make_config(('producers = ["{producer}"]', 'producers = ["/nowhere/vendor.cti"]'))
    ran = station("--simulate", "--config", config, "--parts", "1", "--data", tmp_path / "data")
    assert ran.returncode == 3, ran.stdout + ran.stderr
    assert "camera.no_producer" in ran.stderr
    assert "/nowhere/vendor.cti" in ran.stderr


def test_auto_reset_on_a_real_cell(station: Run, tmp_path: Path) -> None:
    real = Path(str(files("config"))) / "station.toml"
    ran = station("run", "--config", real, "--auto-reset", "--data", tmp_path / "data")
    assert ran.returncode == 2
    assert "--auto-reset" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["records", "list", "--data", "nowhere"], 2, ["nowhere", "record.unknown"]),
        (["registers", "lathe"], 2, ["config.bad_option", "lathe", "robot, jig, plc"]),
        (["command", "start", "--data", "nowhere"], 2, ["control.no_station", "nowhere"]),
        (["records", "export", "--json", "--csv"], 2, ["config.bad_option", "not both"]),
        (["inspect", "nowhere.png"], 1, ["recording.not_found"]),
        (["--simulate", "--parts", "0"], 2, ["--parts"]),
    ],
)
def test_a_wrong_command_line(station: Run, arguments: list[str], status: int, words: list[str]) -> None:
    ran = station(*arguments)
    assert ran.returncode == status, ran.stdout + ran.stderr
    assert [word for word in words if word not in ran.stderr + ran.stdout] == []
    assert "Traceback" not in ran.stderr


IN_TURN = """
import json, sys
from station.cli.app import main
for arguments in json.loads(sys.argv[1]):
    sys.argv[1:] = arguments
    try:
        main()
        print(0, *arguments[:2])
    except SystemExit as ended:
        print(ended.code, *arguments[:2], flush=True)
"""
TOO_LONG = "x" * 300
"""A name that no file system takes, for root neither."""


def test_what_may_not_be_read_or_written_is_named_and_no_command_ends_in_a_stack(
    make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    scan, image = str(make_config()), str(next(Path(str(files("sim.recordings"))).glob("housings/*.png")))
    commands = [
        ["records", "list", "--data", TOO_LONG], ["records", "export", "--json", "--data", TOO_LONG],
        ["alarms", "stops", "--data", TOO_LONG], ["alarms", "list", "--data", TOO_LONG],
        ["command", "status", "--data", TOO_LONG], ["model", "list", "--data", TOO_LONG],
        ["model", "promote", "inception-cnn-3", "--without-gate", "x", "--data", TOO_LONG],
        ["run", "--config", scan, "--data", TOO_LONG], ["inspect", image, "--picture", TOO_LONG],
        ["dataset", "render", TOO_LONG, "--parts", "1"], ["dataset", "make", "out", "--from", TOO_LONG],
        ["inspect", TOO_LONG], ["camera", "features", "--cti", TOO_LONG], ["registers", "--config", TOO_LONG],
    ]  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", IN_TURN, json.dumps(commands)], capture_output=True, text=True, check=False,
        cwd=tmp_path, env={**environment, "PYTHONPATH": str(Path(__file__).parents[2])}, timeout=100,
    )  # fmt: skip
    assert ran.stdout.splitlines() == [f"2 {' '.join(arguments[:2])}" for arguments in commands], ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stderr.count("config.file_failed") >= 5, ran.stderr
    assert ran.stderr.count("File name too long") == len(commands), ran.stderr


WELL = {"register maps", "model", "disk", "clock", "real time", "camera"}


def test_check_says_of_each_thing_whether_it_is_well(
    station: Run, make_config: Callable[..., Path], tmp_path: Path
) -> None:
    ran = station("check", "--config", make_config(), "--json", "--data", tmp_path / "data")
    assert ran.returncode == 1
    found = {row["what"]: row for row in json.loads(ran.stdout)}
    assert {what for what, row in found.items() if row["ok"]} == WELL
    assert found["robot"]["error"]["code"] == "robot.unreachable"
    assert found["jig"]["error"]["code"] == "jig.unreachable"
    assert list((tmp_path / "data").iterdir()) == []
