"""Many images are judged one after the other in their order, while the next ones are read; what is none is named."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import station.offline.inspect as inspecting
from models.engines.processor import usable_cores
from station.cli.app import app
from station.core.errors import RecordingError, StationError
from station.core.part import Pixels
from station.core.recipe import Recipes
from station.core.settings import load_settings
from station.host.recipes import make_recipes
from station.offline.inspect import Inspected, NotInspected, Wanted, inspect_image, inspect_images
from tests.cell.product_lines import RING, RINGS
from tests.cell.products import Shown, make_recording, product

MakeConfig = Callable[..., Path]
COUNT = usable_cores() + 4
"""More than are read ahead."""


@pytest.fixture
def config(make_config: MakeConfig, tmp_path: Path) -> Path:
    return make_config(*product(RINGS, (RING,), tmp_path))


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    labels = ("good", "crack")
    shown = [Shown(f"R{n}", RING, labels[n % 2], RING.greys[labels[n % 2]]) for n in range(COUNT)]
    return make_recording(tmp_path / "scans", tuple(shown))


def test_many_are_judged_as_each_would_be_alone_and_none_is_read_far_ahead(
    config: Path, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(config)
    recipes = make_recipes(settings)
    wanted = [Wanted(scans / f"R{n}.png", "ring") for n in range(COUNT)]
    images: list[Wanted | NotInspected] = list(wanted)
    images.insert(2, NotInspected(Path("gone.png"), RecordingError("recording.not_found", "gone.png")))
    read, lock, far, told = 0, threading.Lock(), [], []
    plain = inspecting.read_image

    def counted(one: Wanted, known: Recipes) -> Pixels | StationError:
        nonlocal read
        with lock:
            read += 1
        return plain(one, known)

    monkeypatch.setattr(inspecting, "read_image", counted)
    results = []
    for result in inspect_images(images, settings, recipes, lambda done, of: told.append((done, of))):
        results.append(result)
        far.append(read - sum(isinstance(one, Inspected) for one in results))
    monkeypatch.undo()
    assert [result.file.name for result in results] == [one.file.name for one in images]
    assert isinstance(results[2], NotInspected)
    assert max(far) <= usable_cores() + 1
    assert told == [(number, len(images)) for number in range(1, len(images) + 1)]
    for one, result in zip(wanted, [one for one in results if isinstance(one, Inspected)], strict=True):
        alone = inspect_image(one, settings, recipes)
        assert isinstance(alone, Inspected)
        assert alone.as_json() == result.as_json()


def test_a_folder_with_an_image_that_is_none_is_judged_all_the_same(config: Path, scans: Path) -> None:
    (scans / "R1.png").write_bytes(b"no image")
    result = CliRunner().invoke(app, ["inspect", str(scans), "--json", "--config", str(config)])
    rows = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [row.get("verdict", row.get("error", {}).get("code")) for row in rows][:3] == [
        "good", "recording.bad_image", "good",
    ]  # fmt: skip
    assert len(rows) == COUNT
