"""`station model predict`: any picture, any bundle; what it is called, in percent, and where the evidence lies."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from models.manifest import load_bundle
from models.promise.proving import write_promised
from models.promise.sections import ProvenType
from models.weights import SHIPPED
from sim.recordings import bundled_recording
from station.cli.model import model_app
from station.core.errors import ModelError, StationError
from station.core.geometry import Geometry
from tests.bundles import GREYS, make_grey_bundle
from tests.turned import turned
from tests.unit.housings import CLASSES, S


def predict(*arguments: object) -> Result:
    return CliRunner().invoke(model_app, ["predict", *(str(argument) for argument in arguments)])


def rows(*arguments: object, status: int = 0) -> list[dict[str, Any]]:
    result = predict(*arguments, "--json")
    assert result.exit_code == status, (result.output, result.exception)
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def picture(path: Path, grey: int, shape: tuple[int, int] = (256, 256)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full(shape, grey, np.uint8))
    return path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_grey_bundle(tmp_path / "grey-1")


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.bmp", "a.jpg"])
def test_a_picture_of_a_patchs_size_is_judged_as_it_is_in_percent(tmp_path: Path, bundle: Path, name: str) -> None:
    (row,) = rows(picture(tmp_path / name, GREYS[S.PITS]), "--model", bundle)
    assert (row["judged_as"], row["class"], row["verdict"], row["reason"]) == ("patch", "pits", "pits", None)
    assert list(row["percent"]) == list(CLASSES)
    assert row["percent"]["pits"] > 99
    assert sum(row["percent"].values()) == pytest.approx(100, abs=0.05)
    assert (row["height"], row["width"], row["patch"], len(row["patches"])) == (256, 256, 0, 1)


@pytest.mark.parametrize("shape", [(200, 200), (64, 700), (1000, 31), (3000, 400)])
def test_any_other_size_is_resized_and_that_is_said(tmp_path: Path, bundle: Path, shape: tuple[int, int]) -> None:
    path = picture(tmp_path / "a.png", GREYS[S.SCRATCHES], shape)
    (row,) = rows(path, "--model", bundle)
    assert (row["judged_as"], row["class"]) == ("resized", "scratches")
    text = predict(path, "--model", bundle).output
    assert f"resized from {shape[0]}x{shape[1]}" in " ".join(text.split())


def test_an_unsure_answer_is_told_with_what_the_station_would_do(tmp_path: Path, bundle: Path) -> None:
    path = picture(tmp_path / "a.png", (GREYS[S.PITS] + GREYS[S.IMPRINTED]) // 2)
    (row,) = rows(path, "--model", bundle, "--min-confidence", 0.9)
    assert (row["class"] in {"pits", "imprinted"}, row["verdict"]) == (True, "review")
    assert "part.low_confidence" in row["reason"]


def test_a_scan_is_cut_as_the_station_cuts_it_and_has_the_stations_verdict() -> None:
    folder = bundled_recording()
    index = [json.loads(line) for line in (folder / "recording.jsonl").read_text().splitlines()[:2]]
    found = rows(*(folder / row["file"] for row in index), "--model", SHIPPED)
    assert [row["verdict"] for row in found] == [row["label"] for row in index]
    assert [(row["judged_as"], len(row["patches"])) for row in found] == [("scan", 16)] * 2


@pytest.mark.parametrize(("threshold", "verdict"), [(0.999999, "review"), (0.2, "defect_free")])
def test_a_scan_passes_only_as_surely_as_what_is_promised_takes(
    tmp_path: Path, bundle: Path, threshold: float, verdict: str
) -> None:
    proven = ProvenType(
        target=0.01, confidence=0.95, threshold=threshold, parts=299, escapes=0, missing=0, kind="rendered",
        source="drawn", made=datetime(2026, 5, 1, tzinfo=UTC), measured_by="openvino int8",
    )  # fmt: skip
    image = np.zeros((3584, 425), np.uint8)
    image[:, 20:405] = turned(1, 385, GREYS[S.DEFECT_FREE] + 15)
    assert cv2.imwrite(str(tmp_path / "good.png"), image)
    write_promised(load_bundle(bundle), {"smh_385": proven}, (), tmp_path / "grey-2")
    for model, expected in ((bundle, "defect_free"), (tmp_path / "grey-2", verdict)):
        (row,) = rows(tmp_path / "good.png", "--model", model)
        assert (row["class"], row["verdict"]) == ("defect_free", expected)
    assert ("part.not_promised" in (row["reason"] or "")) is (verdict == "review")


def test_a_scan_that_the_station_would_refuse_is_a_review_with_its_reason(tmp_path: Path, bundle: Path) -> None:
    (row,) = rows(picture(tmp_path / "black.png", 2, (3584, 600)), "--model", bundle)
    assert (row["verdict"], row["patch"], row["patches"], row["percent"]) == ("review", None, [], {})
    assert row["reason"].startswith("part.")


def test_a_folder_gives_all_its_pictures_but_masks_and_a_recording_what_it_lists(tmp_path: Path, bundle: Path) -> None:
    for name in ("pits/b.png", "good/a.jpg", "masks/b.png", ".hidden/c.png"):
        picture(tmp_path / "pictures" / name, GREYS[S.PITS])
    (tmp_path / "pictures" / "notes.txt").write_text("no picture")
    found = rows(tmp_path / "pictures", "--model", bundle)
    assert [Path(row["file"]).name for row in found] == ["a.jpg", "b.png"]
    recording = tmp_path / "recording"
    picture(recording / "x.png", GREYS[S.PITS])
    picture(recording / "not listed.png", GREYS[S.PITS])
    entry = {"file": "x.png", "part_id": "X", "part_type": None, "label": "other_defect"}
    (recording / "recording.jsonl").write_text(json.dumps(entry) + "\n")
    assert [Path(row["file"]).name for row in rows(recording, "--model", bundle)] == ["x.png"]


def test_what_cannot_be_judged_is_named_and_the_rest_is_judged(tmp_path: Path, bundle: Path) -> None:
    good = picture(tmp_path / "good.png", GREYS[S.DEFECT_FREE])
    cut = tmp_path / "cut.png"
    cut.write_bytes(good.read_bytes()[:60])
    colour = tmp_path / "colour.png"
    assert cv2.imwrite(str(colour), np.full((256, 256, 3), (10, 20, 30), np.uint8))
    (tmp_path / "empty").mkdir()
    found = rows(cut, good, colour, tmp_path / "nowhere.png", tmp_path / "empty", "--model", bundle, status=1)
    assert [row.get("class") or row["error"]["code"] for row in found] == [
        "recording.bad_image", "defect_free", "recording.bad_image", "recording.not_found", "recording.not_found",
    ]  # fmt: skip
    assert "it is a colour picture" in found[2]["error"]["message"]


def test_the_evidence_is_written_beside_each_picture_under_a_name_of_its_own(tmp_path: Path, bundle: Path) -> None:
    spotted = np.full((256, 256), GREYS[S.DEFECT_FREE], np.uint8)
    spotted[150:200, 30:80] = 255
    for name in ("one/a.png", "two/a.png"):
        picture(tmp_path / name, 0)
        assert cv2.imwrite(str(tmp_path / name), spotted)
    found = rows(tmp_path / "one", tmp_path / "two", "--model", bundle, "--out", tmp_path / "out")
    written = [Path(row["picture"]) for row in found]
    assert len(set(written)) == 2
    assert sorted((tmp_path / "out").iterdir()) == sorted(written)
    shown = cv2.imread(str(written[0]))
    assert shown is not None
    assert shown.shape[1] == 2 * 256 + 6
    warm = shown[-256:, -256:].astype(int)
    assert warm[150:200, 30:80].mean() > warm[:100, 150:].mean() + 40
    (tmp_path / "file").write_text("in the way")
    refused = predict(tmp_path / "one", "--model", bundle, "--out", tmp_path / "file").exception
    assert isinstance(refused, StationError)
    assert refused.code == "config.file_failed"


def test_a_whole_scan_is_drawn_with_its_surface(tmp_path: Path) -> None:
    scan = tmp_path / "scans" / "scratched.png"
    scan.parent.mkdir()
    shutil.copy(bundled_recording() / "SMH-0002.png", scan)
    (row,) = rows(scan, "--model", SHIPPED, "--out", tmp_path / "out")
    assert Path(row["picture"]).name == "scratched.scratches.png"
    shown = cv2.imread(row["picture"])
    assert shown is not None
    assert shown.shape[1] == 64 + 6 + 256 + 6 + 256


def test_a_bundle_of_classes_that_the_configuration_does_not_have_answers_by_its_own(tmp_path: Path) -> None:
    small = Geometry(1024, 128, 128, 2)
    bundle = make_grey_bundle(tmp_path / "tiles-1", {"free": 60, "crack": 200}, passing="free", geometry=small)
    path = picture(tmp_path / "a.png", 200, (128, 128))
    (row,) = rows(path, "--model", bundle)
    assert (row["judged_as"], row["class"], list(row["percent"])) == ("patch", "crack", ["free", "crack"])
    (scan,) = rows(picture(tmp_path / "scan.png", 60, (1024, 300)), "--model", bundle, status=1)
    assert "no part type has its geometry" in scan["error"]["message"]


def test_a_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = predict(picture(tmp_path / "a.png", 60), "--model", tmp_path / "nowhere")
    assert isinstance(result.exception, ModelError)
