"""The running station asks for none of the training packages, nor does any process that it starts."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.bundles import make_grey_bundle
from tests.cell.conftest import TIMEOUT_S, station_command

BARRED = (
    "torch", "torchvision", "timm", "nncf", "onnx", "onnxscript", "onnxruntime", "tensorboard", "matplotlib", "scipy",
)  # fmt: skip
GUARD = """
import sys

class Guard:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {barred}:
            with open({asked!r}, "a") as asked:
                print(name, *sys.orig_argv[1:3], file=asked)
            raise ModuleNotFoundError(name + " is barred", name=name)

sys.meta_path.insert(0, Guard())
with open({guarded!r}, "a") as guarded:
    print(*sys.orig_argv[1:], file=guarded)
"""
"""Python loads this before all else, in every process that the station starts, too."""


def test_the_station_inspects_parts_where_every_training_package_is_barred(
    make_config: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    asked, guarded, guard = tmp_path / "asked", tmp_path / "guarded", tmp_path / "guard"
    guard.mkdir()
    code = GUARD.format(barred=BARRED, asked=str(asked), guarded=str(guarded))
    (guard / "sitecustomize.py").write_text(code, encoding="utf-8")
    config = make_config(('bundle = "promoted"', f'bundle = "{make_grey_bundle(tmp_path / "tiny-1")}"'))
    ran = subprocess.run(
        station_command("--simulate", "--config", config, "--parts", 2, "--speed", "max", "--json",
                        "--data", tmp_path / "data"),
        capture_output=True, text=True, timeout=TIMEOUT_S, check=False, cwd=tmp_path,
        env={**environment, "PYTHONPATH": f"{guard}:{Path(__file__).parents[2]}"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["summary"]["sorted"] == 2
    assert not asked.exists(), asked.read_text(encoding="utf-8")
    assert "drivers.camera.process.service" in guarded.read_text(encoding="utf-8"), (
        "the camera's process was guarded, too"
    )
