"""`station learn` from labels in a station's archive to a bundle that waits, and again where nothing is left to do."""

from collections.abc import Iterator
from importlib import resources
from itertools import count
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

for extra in ("torch", "timm", "tensorboard", "matplotlib", "nncf", "onnx", "onnxscript"):
    pytest.importorskip(extra, reason=f"{extra} is an extra of training (make test-training)")

import torch  # noqa: E402 - after the check for it

from models.manifest import Bundle, load_bundle  # noqa: E402
from models.networks import NETWORKS  # noqa: E402
from models.release.graphs import to_state  # noqa: E402
from models.release.history import HISTORY  # noqa: E402
from station.cli.app import app  # noqa: E402
from station.core.errors import StationError  # noqa: E402
from station.labels.label import Patch  # noqa: E402
from station.learn.sides import CALIBRATES, HELD_OUT, lot  # noqa: E402
from tests.bundles import GREYS, SOUND, sealed, write_grey_graph  # noqa: E402
from tests.plants import Plant, record  # noqa: E402
from tests.turned import GEOMETRY  # noqa: E402
from tests.unit.housings import CLASSES  # noqa: E402

pytestmark = [pytest.mark.training, pytest.mark.slow, pytest.mark.timeout(1800)]

NETWORK = "sca-cnn"
QUICK = ("--epochs", 1, "--items-per-epoch", 32, "--batch", 16)


def names(side: range, prefix: str) -> Iterator[str]:
    """Names of parts that have a lot within these."""
    return (name for number in count() if lot(name := f"{prefix}-{number}") in side)


def make_plant(folder: Path) -> Plant:
    """Two parts of each class to learn from, and a good and a defective one that judge."""
    classes: dict[str, str] = {}
    for name in CLASSES:
        learnt = names(range(CALIBRATES, 100), name)
        classes |= dict.fromkeys([next(learnt), next(learnt)], name)
    for name in CLASSES[:2]:
        classes[next(names(range(HELD_OUT), name))] = name
    plant = Plant.at(folder, dict.fromkeys(classes, "pits"))
    for part_id, name in classes.items():
        plant.say(part_id, name)
        if name != CLASSES[0]:
            for patch in range(GEOMETRY.patches_per_part):
                plant.say(part_id, name, region=Patch(patch, GEOMETRY))
    return plant


def make_present(folder: Path) -> Path:
    """A bundle that judges by grey values and has the weights of a network, so that both can be used."""
    folder.mkdir()
    for name in ("model.xml", "int8.xml"):
        write_grey_graph(folder / name, GREYS, GEOMETRY, 0.02)
    torch.manual_seed(1)
    network = NETWORKS[NETWORK].make(len(CLASSES), GEOMETRY.patch_px, GEOMETRY.patch_px)
    (folder / "network.pt").write_bytes(to_state(network.eval()))
    sealed(folder, network=NETWORK, parity=(SOUND,))
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    text = (Path(str(resources.files("config"))) / "simulate.toml").read_text(encoding="utf-8")
    text = text.replace('bundle = "promoted"', f'bundle = "{make_present(tmp_path / "present-1")}"')
    path = tmp_path / "cell.toml"
    path.write_text(
        f"{text}\n[learn]\nleast_parts = 2\nnice = 0\ncores = 2\nmemory_mb = 0\nroom_mb = 0\n", encoding="utf-8"
    )
    return path


def test_labels_become_a_bundle_that_waits_and_the_same_command_finds_it_done(tmp_path: Path, config: Path) -> None:
    plant = make_plant(tmp_path / "station")
    golden = record(tmp_path / "golden", {"G-1": "defect_free"})

    def learn(*more: object) -> Result:
        words = ("learn", "--out", tmp_path / "out", "--golden", golden, "--config", config, "--data", plant.folder)
        return CliRunner().invoke(app, [str(word) for word in (*words, *QUICK, *more)])

    learnt = learn()
    assert learnt.exit_code in {0, 1}, learnt.output
    assert not isinstance(learnt.exception, StationError), (learnt.output, learnt.exception)
    bundle = _waiting(tmp_path / "out")
    assert bundle.manifest.network == NETWORK
    assert bundle.manifest.classes == CLASSES
    assert not (plant.folder / "models" / HISTORY).exists(), "nothing is activated"
    report = (tmp_path / "out" / "report.md").read_text()
    assert ("REFUSED" if learnt.exit_code else "PASSED") in report
    assert "no part was judged meanwhile" in report
    again = learn()
    assert again.exit_code == learnt.exit_code, again.output
    assert again.output.count("done before") == 6
    assert _waiting(tmp_path / "out").identity == bundle.identity
    other = learn("--seed", 2)
    assert getattr(other.exception, "code", None) == "training.other_run", other.output


def _waiting(folder: Path) -> Bundle:
    (found,) = (folder / "waiting").iterdir()
    return load_bundle(found)
