"""`station learn` from labels in a station's archive to a bundle that waits, and again where nothing is left to do."""

from importlib import resources
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

for extra in ("torch", "timm", "tensorboard", "matplotlib", "nncf", "onnx", "onnxscript", "cleanlab"):
    pytest.importorskip(extra, reason=f"{extra} is an extra of training (make test-training)")

from models.manifest import Bundle, load_bundle  # noqa: E402 - after the check for it
from models.release.history import HISTORY  # noqa: E402
from station.cli.app import app  # noqa: E402
from station.core.errors import StationError  # noqa: E402
from tests.learning import NETWORK, QUICK, configured, make_plant  # noqa: E402
from tests.plants import record  # noqa: E402
from tests.unit.housings import CLASSES  # noqa: E402

pytestmark = [pytest.mark.training, pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    text = (Path(str(resources.files("config"))) / "simulate.toml").read_text(encoding="utf-8")
    path = tmp_path / "cell.toml"
    path.write_text(configured(text, tmp_path, "nice = 0\ncores = 2\n"), encoding="utf-8")
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
    assert again.output.count("done before") == 7
    assert _waiting(tmp_path / "out").identity == bundle.identity
    other = learn("--seed", 2)
    assert getattr(other.exception, "code", None) == "training.other_run", other.output


def _waiting(folder: Path) -> Bundle:
    (found,) = (folder / "waiting").iterdir()
    return load_bundle(found)
