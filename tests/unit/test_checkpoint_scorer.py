"""A checkpoint as something to measure: probabilities of images of its own size, whatever the batch."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")

from models.networks import NETWORKS  # noqa: E402
from models.training.checkpoint import FORMAT, write_checkpoint  # noqa: E402
from models.training.plan import plan_from  # noqa: E402
from models.training.scorer import CheckpointScorer  # noqa: E402
from station.cli.model import model_app  # noqa: E402
from station.core.errors import ModelError  # noqa: E402

pytestmark = pytest.mark.training


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    plan = plan_from("station", "patches", network="sca-cnn")
    document = {
        "format": FORMAT, "network": "sca-cnn", "plan": plan.model_dump(mode="json"),
        "classes": ["a", "b", "c"], "height": 64, "width": 64, "data_sha256": "ab" * 32, "data_source": "noise",
        "parts": 1, "patches": 1, "epochs_done": 1, "history": [], "code_version": "test",
        "state": NETWORKS["sca-cnn"].make(3, 64, 64).state_dict(),
    }  # fmt: skip
    write_checkpoint(tmp_path / "best.pt", document)
    return tmp_path / "best.pt"


def test_every_image_gets_the_same_probabilities_in_any_batch(checkpoint: Path) -> None:
    scorer = CheckpointScorer(checkpoint, 0)
    images = np.random.default_rng(1).integers(0, 255, (35, 64, 64)).astype(np.uint8)
    answer = scorer.score(images)
    assert (answer.shape, answer.dtype, scorer.classes) == ((35, 3), np.float32, ("a", "b", "c"))
    assert scorer.name.startswith("sca-cnn best.pt@")
    np.testing.assert_allclose(answer.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(scorer.score(images[33:]), answer[33:], atol=1e-5)
    assert scorer.score(images[:0]).shape == (0, 3)


def test_images_of_another_size_are_refused(checkpoint: Path) -> None:
    with pytest.raises(ModelError, match="64"):
        CheckpointScorer(checkpoint, 0).score(np.zeros((1, 32, 32), np.uint8))


def test_it_says_what_images_it_takes(checkpoint: Path) -> None:
    assert CheckpointScorer(checkpoint, 0).image_shape == (64, 64)


def test_pictures_are_predicted_though_nobody_named_the_class_that_passes(checkpoint: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (64, 64)).astype(np.uint8)
    assert cv2.imwrite(str(tmp_path / "noise.png"), noise)
    assert cv2.imwrite(str(tmp_path / "scan.png"), np.zeros((3584, 400), np.uint8))
    words = ["predict", str(tmp_path / "noise.png"), str(tmp_path / "scan.png"), "--model", str(checkpoint), "--json"]
    result = CliRunner().invoke(model_app, words)
    assert result.exit_code == 0, (result.output, result.exception)
    patch, scan = json.loads(result.stdout)
    wanted = CheckpointScorer(checkpoint, 0).score(noise[None])[0]
    assert patch["class"] == patch["verdict"] == "abc"[int(wanted.argmax())]
    assert list(patch["percent"].values()) == pytest.approx((100 * wanted).tolist(), abs=0.01)
    assert (patch["judged_as"], scan["judged_as"]) == ("patch", "resized")
