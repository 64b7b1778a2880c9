"""A detector learns where products are; what it says, none or several, decides whether a picture is judged."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from models.detector.document import DOCUMENT, GRAPH
from models.detector.layout import CELLS, SIDE_PX, Laid, Place, lay, overlap, places_of
from models.detector.reader import Detector
from models.detector.scenes import scene
from station.cli.model import model_app
from station.core.errors import ModelError, StationError
from station.offline.predicting import other_looks
from tests.bundles import GREYS, make_grey_bundle
from tests.detectors import constant_detector
from tests.unit.housings import S


def test_a_picture_lies_in_the_middle_of_the_square_on_its_median_grey() -> None:
    picture = np.full((200, 400), 90, np.uint8)
    picture[50:150, 100:300] = 200
    laid = lay(picture)
    assert (laid.scale, laid.top, laid.left) == (128 / 400, 32, 0)
    assert (laid.square[:32] == 90).all()
    assert (laid.square[50:78, 34:94] == 200).all()


def answer(*boxes: tuple[int, int, int, int, float]) -> tuple[np.ndarray, np.ndarray]:
    """Heat and sides of boxes (top, left, bottom, right in px of the square, heat)."""
    heat, sides = np.zeros((CELLS, CELLS), np.float32), np.zeros((4, CELLS, CELLS), np.float32)
    for top, left, bottom, right, score in boxes:
        row, column = (top + bottom) // 2 // 8, (left + right) // 2 // 8
        middle = row * 8 + 4, column * 8 + 4
        heat[row, column] = score
        reach = (middle[0] - top, middle[1] - left, bottom - middle[0], right - middle[1])
        sides[:, row, column] = np.array(reach) / SIDE_PX
    return heat, sides


def test_places_are_those_of_the_picture_the_surest_first_and_one_of_each() -> None:
    laid = Laid(np.zeros((SIDE_PX, SIDE_PX), np.uint8), 0.5, 32, 0)
    heat, sides = answer((40, 8, 88, 56, 0.9), (48, 12, 96, 60, 0.8), (40, 80, 88, 120, 0.95), (8, 80, 30, 120, 0.2))
    found = places_of(heat, sides, 0.4, laid, (128, 256))
    assert [(place.top, place.left, place.bottom, place.right) for place in found] == [
        (16, 160, 112, 240),
        (16, 16, 112, 112),
    ]
    assert places_of(heat, sides, 0.99, laid, (128, 256)) == ()


def test_what_lies_outside_the_picture_ends_at_its_border() -> None:
    laid = Laid(np.zeros((SIDE_PX, SIDE_PX), np.uint8), 1.0, 0, 0)
    (place,) = places_of(*answer((-20, 8, 150, 200, 0.9)), 0.4, laid, (128, 128))
    assert (place.top, place.left, place.bottom, place.right) == (0, 8, 128, 128)


def test_scenes_follow_from_their_seed_and_their_boxes_hold_the_product_and_hardly_overlap() -> None:
    product = np.full((40, 60), 255, np.uint8)
    numbers = set()
    for seed in range(40):
        one, again = (scene([product], [], np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(one.pixels, again.pixels)
        assert ((one.boxes >= 0) & (one.boxes <= SIDE_PX)).all()
        numbers.add(len(one.boxes))
        if len(one.boxes) == 2:
            assert overlap(*one.boxes) <= 0.05
    assert numbers == {0, 1, 2}


def test_a_product_is_looked_at_again_wider_moved_and_mirrored() -> None:
    image = np.arange(100 * 120, dtype=np.uint32).reshape(100, 120)
    place = Place(20, 30, 70, 90, 0.9)
    wider, moved, mirrored = other_looks(image, place)  # type: ignore[arg-type]
    assert np.array_equal(wider, image[17:73, 26:94])
    assert np.array_equal(moved, image[23:73, 34:94])
    assert np.array_equal(mirrored, image[20:70, 30:90][:, ::-1])
    _, at_border, _ = other_looks(image, Place(40, 50, 100, 120, 0.9))  # type: ignore[arg-type]
    assert at_border.shape == (60, 70)


# ---------------------------------------------------------------------- in front of a network


def rows(*arguments: object, status: int = 0) -> list[dict[str, Any]]:
    result = CliRunner().invoke(model_app, ["predict", *(str(one) for one in arguments), "--json"])
    assert result.exit_code == status, (result.output, result.exception)
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A product with pits on a dark bench."""
    picture = np.full((300, 400), 10, np.uint8)
    picture[100:200, 100:300] = GREYS[S.PITS]
    path = tmp_path / "photograph.png"
    assert cv2.imwrite(str(path), picture)
    return path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_grey_bundle(tmp_path / "grey-1")


IN_SQUARE = (48, 32, 80, 96, 0.9)
"""Where the product lies in the square: its px times 128/400, below 16 rows of median grey."""


def test_the_place_of_the_product_is_judged_and_not_its_surroundings(
    tmp_path: Path, photograph: Path, bundle: Path
) -> None:
    detector = constant_detector(tmp_path / "detector", *answer(IN_SQUARE))
    (row,) = rows(photograph, "--model", bundle, "--detector", detector)
    assert (row["judged_as"], row["class"], row["verdict"], row["looks"]) == ("product", "pits", "pits", 1)
    assert row["places"] == [{"top": 100, "left": 100, "bottom": 200, "right": 300, "score": pytest.approx(0.9)}]
    (whole,) = rows(photograph, "--model", bundle)
    assert whole["class"] != "pits"


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ([], "part.jig_empty: the detector sees no product"),
        (
            [IN_SQUARE, (20, 40, 40, 60, 0.8)],
            "part.two_objects: products in rows 100 to 200, columns 100 to 300 (0.90); rows",
        ),
    ],
)
def test_no_product_or_two_are_a_review_with_the_places(
    tmp_path: Path, photograph: Path, bundle: Path, boxes: list[tuple[int, int, int, int, float]], reason: str
) -> None:
    detector = constant_detector(tmp_path / "detector", *answer(*boxes))
    (row,) = rows(photograph, "--model", bundle, "--detector", detector)
    assert (row["verdict"], row["patch"], row["percent"]) == ("review", None, {})
    assert row["reason"].startswith(reason)
    assert len(row["places"]) == len(boxes)


def test_an_unsure_product_is_looked_at_again_and_stays_a_review_where_that_does_not_help(
    tmp_path: Path, bundle: Path
) -> None:
    picture = np.full((300, 400), 10, np.uint8)
    picture[100:200, 100:300] = (GREYS[S.PITS] + GREYS[S.IMPRINTED]) // 2
    assert cv2.imwrite(str(tmp_path / "a.png"), picture)
    detector = constant_detector(tmp_path / "detector", *answer(IN_SQUARE))
    (row,) = rows(tmp_path / "a.png", "--model", bundle, "--detector", detector, "--min-confidence", 0.9)
    assert (row["verdict"], row["looks"]) == ("review", 4)
    assert "looked at again" in row["reason"]


def test_patches_and_scans_need_no_detector_and_are_judged_as_without(tmp_path: Path, bundle: Path) -> None:
    path = tmp_path / "patch.png"
    assert cv2.imwrite(str(path), np.full((256, 256), GREYS[S.PITS], np.uint8))
    detector = constant_detector(tmp_path / "detector", *answer())
    (row,) = rows(path, "--model", bundle, "--detector", detector)
    assert (row["judged_as"], row["verdict"]) == ("patch", "pits")


def damage(folder: Path, what: str) -> None:
    match what:
        case "no graph":
            (folder / GRAPH).unlink()
        case "another graph":
            (folder / GRAPH).write_bytes((folder / GRAPH).read_bytes() + b" ")
        case "no document":
            (folder / DOCUMENT).unlink()
        case "half a document":
            (folder / DOCUMENT).write_text((folder / DOCUMENT).read_text()[:60])


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("no graph", "model.missing"), ("another graph", "model.wrong_hash"), ("no document", "model.missing"),
        ("half a document", "model.bad_manifest"),
    ],
)  # fmt: skip
def test_a_detector_that_is_not_whole_is_refused(tmp_path: Path, what: str, code: str) -> None:
    folder = constant_detector(tmp_path / "detector", *answer(IN_SQUARE))
    damage(folder, what)
    with pytest.raises(ModelError) as refused:
        Detector(folder)
    assert refused.value.code == code


# ---------------------------------------------------------------------- training


def made_detector(folder: Path, steps: int, tried: int) -> Any:
    """The command's result for a detector of rings with something in them."""
    pytest.importorskip("torch", reason="torch is an extra of training (make test-training)")
    pytest.importorskip("onnxscript", reason="onnxscript is an extra of training (make test-training)")
    products, rng = folder / "products", np.random.default_rng(1)
    products.mkdir(exist_ok=True)
    for number in range(20):
        ring = np.full((64, 64), 30, np.uint8)
        cv2.circle(ring, (32, 32), 28, 230, 6)
        cv2.circle(ring, (32, 32), int(rng.integers(6, 14)), 160, -1)
        assert cv2.imwrite(str(products / f"{number:02}.png"), ring)
    options = ("--products", products, "--out", folder / "detector", "--steps", steps, "--tried", tried)
    return CliRunner().invoke(model_app, ["detector", *map(str, options)])


@pytest.mark.training
@pytest.mark.timeout(600)
def test_a_detector_is_made_whole_says_what_it_was_tried_on_and_is_never_overwritten(tmp_path: Path) -> None:
    made = made_detector(tmp_path, steps=10, tried=20)
    assert made.exit_code == 0, (made.output, made.exception)
    detector = Detector(tmp_path / "detector")
    document = detector.document
    assert (document.products, document.grounds, document.steps, document.tried.scenes) == (16, 0, 10, 20)
    assert document.tried.found.trials > 5
    assert isinstance(detector.find(np.full((300, 200), 90, np.uint8)), tuple)
    again = made_detector(tmp_path, steps=10, tried=20)
    assert isinstance(again.exception, StationError)
    assert again.exception.code == "model.exists"


@pytest.mark.training
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_detector_learns_to_find_products_it_has_not_seen(tmp_path: Path) -> None:
    made = made_detector(tmp_path, steps=400, tried=100)
    assert made.exit_code == 0, (made.output, made.exception)
    tried = Detector(tmp_path / "detector").document.tried
    assert tried.found.share is not None
    assert tried.found.share > 0.5
    assert tried.called_in_empty.share is not None
    assert tried.called_in_empty.share < 0.5
