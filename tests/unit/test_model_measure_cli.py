"""`station model evaluate|robustness` with the shipped network on bundled parts: what they leave, what they refuse."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from models.dataset.store import DataFile, DataHeading, Entry, write_data
from models.evaluation.measuring.evaluation import Evaluation
from models.weights import SHIPPED
from sim.recordings import bundled_recording
from station.cli.app import app
from station.cli.model import model_app
from station.core.errors import ConfigError, ModelError, RecordingError, StationError
from tests.unit.grey_recordings import forget_masks, relabel
from tests.unit.housings import CLASSES


def station_model(*arguments: object) -> Result:
    return CliRunner().invoke(model_app, [str(argument) for argument in arguments])


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """The first two parts of the bundled recording, a good one and a scratched one."""
    return two_parts(tmp_path / "two")


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """What the shipped network makes of them: what was said, and the folder of the results."""
    folder = tmp_path_factory.mktemp("evaluated")
    return evaluate(two_parts(folder / "two"), folder / "out"), folder / "out"


def evaluate(recording: Path, out: Path) -> Result:
    result = station_model("evaluate", SHIPPED, recording, "--out", out, "--worst", 1)
    assert result.exit_code == 0, result.output
    return result


def two_parts(folder: Path) -> Path:
    bundled = bundled_recording()
    (folder / "masks").mkdir(parents=True)
    for name in ("recording.jsonl", "truth.jsonl"):
        lines = (bundled / name).read_text().splitlines()[:2]
        (folder / name).write_text("".join(line + "\n" for line in lines))
    for line in (folder / "truth.jsonl").read_text().splitlines():
        for key in ("file", "mask"):
            shutil.copy(bundled / json.loads(line)[key], folder / json.loads(line)[key])
    return folder


def test_a_recording_is_judged_as_the_station_would_and_the_results_lie_there(evaluated: tuple[Result, Path]) -> None:
    result, out = evaluated
    evaluation = Evaluation.model_validate_json((out / "evaluation.json").read_text())
    assert evaluation.parts is not None
    assert [row.verdict for row in evaluation.parts.rows] == ["defect_free", "scratches"]
    assert evaluation.subject.name.startswith(f"{SHIPPED}@")
    assert "0 of 1" in result.output
    assert (out / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_the_same_measurement_twice_differs_in_nothing_but_its_time(
    tmp_path: Path, evaluated: tuple[Result, Path]
) -> None:
    out, again = evaluated[1], tmp_path / "again"
    evaluate(out.parent / "two", again)
    first, second = (json.loads((one / "evaluation.json").read_text()) | {"created": None} for one in (out, again))
    assert first == second


def test_robustness_leaves_its_curves(recording: Path, tmp_path: Path) -> None:
    result = station_model("robustness", SHIPPED, recording, "--out", tmp_path / "out", "--parts", 1)
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "out" / "robustness.json").read_text())
    assert [curve["name"] for curve in document["curves"]][:2] == ["blur", "noise"]
    assert "natural scratches" in result.output


def test_a_data_set_is_judged_picture_by_picture(tmp_path: Path) -> None:
    heading = DataHeading(
        name="n", kind="patches", classes=CLASSES, height=256, width=256, source="n", seed=1, shares=(0, 0, 100)
    )
    images = np.random.default_rng(1).integers(90, 120, (3, 256, 256)).astype(np.uint8)
    file = DataFile(path="a.png", sha256="ab" * 32, group=0, label=CLASSES[0], split="test")
    write_data(tmp_path / "data", heading, [Entry(file, images, np.zeros(3, np.int16))], 3)
    (tmp_path / "masks").mkdir()
    masks = ("--masks", tmp_path / "masks")
    result = station_model("evaluate", SHIPPED, tmp_path / "data", "--out", tmp_path / "out", *masks)
    assert result.exit_code == 0, result.output
    assert "of 3 judged rightly" in result.output
    assert "balanced accuracy over the classes" in result.output
    assert "no picture that has a mask was called its class" in result.output
    evaluation = Evaluation.model_validate_json((tmp_path / "out" / "evaluation.json").read_text())
    assert (evaluation.parts, evaluation.images.classification.samples) == (None, 3)
    refused = station_model("evaluate", SHIPPED, tmp_path / "data", "--out", tmp_path / "b", "--split", "exam")
    assert isinstance(refused.exception, ConfigError)


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        (("evaluate", "no-such-bundle", "REC", "--out", "OUT"), ModelError, "no-such-bundle"),
        (("evaluate", SHIPPED, "nowhere", "--out", "OUT"), RecordingError, "nowhere"),
        (("evaluate", SHIPPED, "REC", "--out", "REC"), ConfigError, "report.html"),
        (("evaluate", SHIPPED, "REC", "--out", "OUT", "--crop", "nose"), ConfigError, "station or truth"),
        (("evaluate", SHIPPED, "REC", "--out", "OUT", "--precision", "f7"), ConfigError, "--precision"),
        (("evaluate", SHIPPED, "REC", "--out", "OUT", "--masks", "nowhere"), ConfigError, "no such folder"),
        (("robustness", SHIPPED, "nowhere", "--out", "OUT"), RecordingError, "nowhere"),
    ],
    ids=[
        "no bundle",
        "no recording",
        "results lie there",
        "unknown crop",
        "unknown arithmetic",
        "no masks",
        "robustness of nothing",
    ],
)
def test_what_cannot_be_measured_is_refused_and_nothing_is_written(
    recording: Path, tmp_path: Path, arguments: tuple[str, ...], kind: type[StationError], words: str
) -> None:
    (recording / "report.html").write_text("old")
    places = {"REC": recording, "OUT": tmp_path / "out"}
    result = station_model(*(places.get(argument, argument) for argument in arguments))
    assert isinstance(result.exception, kind)
    assert words in str(result.exception)
    assert (recording / "report.html").read_text() == "old"
    assert not list((tmp_path / "out").glob("*")) or not (tmp_path / "out").exists()


def test_parts_without_masks_are_judged_and_what_needs_masks_is_named(
    recording: Path, tmp_path: Path, evaluated: tuple[Result, Path]
) -> None:
    masked, named = evaluated[1], tmp_path / "named"
    result = evaluate(forget_masks(recording), named)
    assert "Not measured, no masks: patches judged rightly, calibration" in result.stderr
    tallies = [json.loads((out / "evaluation.json").read_text())["parts"]["tally"] for out in (masked, named)]
    assert tallies[0] == tallies[1]
    robust = station_model("robustness", SHIPPED, recording, "--out", tmp_path / "robust", "--parts", 1)
    assert robust.exit_code == 0, robust.output
    refused = station_model("evaluate", SHIPPED, recording, "--out", tmp_path / "c", "--crop", "truth")
    assert isinstance(refused.exception, ConfigError)
    assert "--crop station" in str(refused.exception)


def test_parts_are_what_people_say(recording: Path, tmp_path: Path) -> None:
    lines = (recording / "recording.jsonl").read_text().splitlines()
    data, names = tmp_path / "data", [json.loads(line)["file"] for line in lines]
    relabel(recording, dict.fromkeys(name.removesuffix(".png") for name in names))
    said = ("label", "set", "--scan", recording / names[1], "--class", "other_defect", "--by", "ada", "--data", data)
    done = CliRunner().invoke(app, [str(word) for word in said])
    assert done.exit_code == 0, done.output
    result = station_model("evaluate", SHIPPED, recording, "--labels", data, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    evaluation = Evaluation.model_validate_json((tmp_path / "out" / "evaluation.json").read_text())
    assert evaluation.parts is not None
    assert [row.truth for row in evaluation.parts.rows] == ["other_defect"]
    assert f"left out: {names[0].removesuffix('.png')}: nobody has said what it is" in result.stderr
    assert "Labelled as no configured class, counted as defective: other_defect 1." in result.stderr
    refused = station_model("evaluate", SHIPPED, recording, "--labels", tmp_path / "no", "--out", tmp_path / "b")
    assert "--labels" in str(refused.exception)
