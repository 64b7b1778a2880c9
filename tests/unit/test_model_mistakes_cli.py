"""`station model mistakes` on tiny parts: by the answers of those that had not seen them, and of no others."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from models.dataset.store import Split, read_data
from models.errors import TrainingError
from station.cli.model import model_app
from station.core.errors import StationError
from tests.tiny_parts import make_parts

QUICK = ("--network", "sca-cnn", "--epochs", 2, "--batch", 8, "--threads", 1, "--device", "cpu")


def station_model(*words: object) -> Result:
    return CliRunner().invoke(model_app, [str(word) for word in words])


def done(*words: object) -> str:
    result = station_model(*words)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def refused(*words: object) -> StationError:
    error = station_model(*words).exception
    assert isinstance(error, StationError), error
    return error


@pytest.fixture(scope="module")
def extras() -> None:
    for extra in ("torch", "cleanlab"):
        pytest.importorskip(extra, reason=f"{extra} is an extra of training (make test-training)")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_parts(tmp_path_factory.mktemp("made") / "data").folder


@pytest.fixture(scope="module")
def folds(data: Path, extras: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-validation that is done."""
    folder = tmp_path_factory.mktemp("crossed") / "folds"
    done("crossval", "--data", data, "--out", folder, "--folds", 2, *QUICK)
    return folder


def test_a_missing_extra_is_told_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.cli.model_train.find_spec", lambda _name: None)
    missing = station_model("mistakes", tmp_path, "--data", tmp_path, "--out", tmp_path / "out")
    assert missing.exit_code == 2
    assert "requirements/train.txt" in missing.output


@pytest.mark.training
def test_the_answers_are_those_of_the_cross_validation(data: Path, folds: Path) -> None:
    import torch  # noqa: PLC0415 - an extra

    from models.mistakes.answers import answers_of  # noqa: PLC0415 - needs torch
    from station.core.probabilities import columns_of  # noqa: PLC0415

    data_set = read_data(data)
    answers = answers_of(folds, data_set, torch.device("cpu"), lambda _text: None)
    result = json.loads((folds / "crossval.json").read_text())
    found = columns_of(answers.probabilities, data_set.manifest.good)
    assert len(found) == result["pooled"]["samples"] == 240
    assert (found == data_set.labels[answers.images]).sum() == result["pooled"]["accuracy"]["events"]


@pytest.mark.training
def test_every_image_of_training_and_validation_is_looked_at(data: Path, folds: Path, tmp_path: Path) -> None:
    out, data_set = tmp_path / "doubts", read_data(data)
    told = done("mistakes", folds, "--data", data, "--out", out)
    document = json.loads((out / "mistakes.json").read_text())
    assert document["images"] == 240
    assert f"{len(document['mistakes'])} of 240 labels are likely wrong" in told
    assert np.sum(document["joint"]) == pytest.approx(240, abs=0.1)
    for one in document["mistakes"]:
        assert data_set.classes[data_set.labels[one["index"]]] == one["given"] != one["suggested"]
        assert f"{one['index'] // 16}.png" == one["file"]
        assert one["image"] == one["index"] % 16
        assert data_set.splits[one["index"]] != Split.TEST
    assert "2-fold cross-validation of sca-cnn" in (out / "mistakes.html").read_text()
    assert refused("mistakes", folds, "--data", data, "--out", out).code == "config.bad_option"


@pytest.mark.training
@pytest.mark.usefixtures("extras")
def test_of_a_training_what_it_was_not_trained_on_is_looked_at(data: Path, tmp_path: Path) -> None:
    done("train", "--data", data, "--out", tmp_path / "run", *QUICK)
    done("mistakes", tmp_path / "run", "--data", data, "--out", tmp_path / "doubts")
    assert json.loads((tmp_path / "doubts" / "mistakes.json").read_text())["images"] == 96


@pytest.mark.training
def test_what_was_trained_on_other_data_or_is_not_there_is_refused(data: Path, folds: Path, tmp_path: Path) -> None:
    other = make_parts(tmp_path / "other", seed=2).folder
    error = refused("mistakes", folds, "--data", other, "--out", tmp_path / "out")
    assert isinstance(error, TrainingError)
    assert error.code == "training.bad_data"
    nothing = refused("mistakes", tmp_path, "--data", data, "--out", tmp_path / "out")
    assert nothing.code == "training.bad_checkpoint"
    assert "neither crossval.json nor best.pt" in nothing.detail
    broken = tmp_path / "folds"
    broken.mkdir()
    (broken / "crossval.json").write_text("{}")
    assert refused("mistakes", broken, "--data", data, "--out", tmp_path / "out").code == "training.bad_checkpoint"
