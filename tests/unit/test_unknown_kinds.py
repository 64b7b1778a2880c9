"""Parts that no class names: drawn the same each time, told of in the truth, and learnt by nobody."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.dataset.patches import label_patches
from models.dataset.scans import read_mask, read_scans
from models.dataset.store import SLIVER
from sim.surfaces import RenderPlan, render_part, write_recording
from sim.surfaces.canvas import LINES_PER_TURN, Canvas
from sim.surfaces.places import Place
from sim.surfaces.plan import parse_unknown
from sim.surfaces.render import Setting
from sim.surfaces.unknown import DRAWN, Unknown, lay_unknown
from station.core.errors import ConfigError, RecordingError
from station.core.recording import read_recording
from station.core.settings import CropSettings, TurnSettings
from station.core.verdicts import UNKNOWN_MARK
from station.flow.crop import find_part
from station.flow.patch import blocks_of
from station.flow.turn.witness import TurnWitness
from tests.unit.housings import CLASSES, GEOMETRY, LINES, TABLE

WHOLE = {Unknown.WRONG_MATERIAL, Unknown.PICTURE}
"""Kinds that leave nothing of a housing's surface."""
WIDTH_PX = 570


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of three pictures of metal that is no housing's: dark, bright, and one that is brighter downwards."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number, mean in enumerate((40, 190)):
        cv2.imwrite(str(folder / f"{number}.png"), np.clip(rng.normal(mean, 8, (200, 200)), 0, 255).astype(np.uint8))
    cv2.imwrite(str(folder / "2.png"), np.repeat(np.linspace(40, 160, 200)[:, None], 200, axis=1).astype(np.uint8))
    return folder


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two parts of unknown kinds."""
    folder = tmp_path / "unknown"
    write_recording(folder, RenderPlan(2, 7, unknown=(Unknown.LABEL, Unknown.THREAD)).planned())
    return folder


@pytest.mark.parametrize("kind", DRAWN)
def test_the_same_part_is_always_the_same_bytes_and_another_seed_is_another(kind: Unknown) -> None:
    once, again, other = (render_part(seed, WIDTH_PX, unknown=kind) for seed in (5, 5, 6))
    assert once.image.tobytes() == again.image.tobytes()
    assert once.mask.tobytes() == again.mask.tobytes()
    assert once.image[:, :500].tobytes() != other.image[:, :500].tobytes()


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("seed", range(3))
def test_what_makes_the_part_unknown_is_marked_is_plain_and_lies_on_the_part(kind: Unknown, seed: int) -> None:
    canvas = Canvas.bare(WIDTH_PX)
    lay_unknown(np.random.default_rng(seed), canvas, kind)
    assert set(np.unique(canvas.mask)) <= {0, UNKNOWN_MARK}
    assert np.mean(canvas.mask > 0) > 0.001
    changed = np.abs(canvas.reflectance - 1)
    assert changed[canvas.mask > 0].mean() > 0.05
    assert canvas.reflectance.min() >= 0
    assert canvas.reflectance.max() < 3
    if kind in WHOLE:
        assert (canvas.mask > 0).all()
    else:
        round_about = np.concatenate([canvas.mask[-40:], canvas.mask, canvas.mask[:40]])
        near = cv2.dilate(round_about, np.ones((61, 61), np.uint8))[40:-40]
        assert changed[near == 0].max(initial=0) < 0.05


@pytest.mark.parametrize("kind", DRAWN)
def test_a_covered_surface_gives_back_its_own_light_in_place_of_the_marks_beneath(kind: Unknown) -> None:
    bare, marked = Canvas.bare(WIDTH_PX), Canvas.bare(WIDTH_PX)
    marked.reflectance[:] += 0.2 * np.random.default_rng(1).standard_normal(marked.reflectance.shape, np.float32)
    for canvas in (bare, marked):
        lay_unknown(np.random.default_rng(2), canvas, kind)
    left = (marked.reflectance - bare.reflectance)[bare.mask > 0].std()
    if kind in {Unknown.LABEL, Unknown.THREAD, *WHOLE}:
        assert left < 0.05
    elif kind is Unknown.RUST_FILM:
        assert left < 0.15
    else:
        assert left > 0.1, "what stands on the metal, or was pressed into it, lets its marks be seen"


def test_a_part_of_another_material_closes_after_one_turn() -> None:
    for seed in range(8):
        canvas = Canvas.bare(WIDTH_PX)
        lay_unknown(np.random.default_rng(seed), canvas, Unknown.WRONG_MATERIAL)
        steps = np.abs(np.diff(canvas.reflectance, axis=0, append=canvas.reflectance[:1])).mean(axis=1)
        assert steps[-1] < 1.5 * steps.mean()


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_scan_is_as_good_as_any_so_that_the_part_is_judged(kind: Unknown, seed: int) -> None:
    scan = render_part(seed, WIDTH_PX, unknown=kind)
    witness, settings = TurnWitness(TurnSettings(), GEOMETRY), CropSettings()
    blocks = blocks_of(np.ascontiguousarray(scan.image), GEOMETRY)
    roi = find_part(blocks[0].pixels, settings)
    for block in blocks:
        witness.take(block, roi)
    assert witness.doubt is None
    assert abs(roi.left - scan.truth.roi.left) <= 4


def test_pictures_lie_on_a_housings_shape_one_a_patch_as_bright_as_metal(pictures: Path) -> None:
    scan = render_part(3, WIDTH_PX, setting=Setting(lamp_age=0.0, ground=pictures), unknown=Unknown.PICTURE)
    part = scan.image[:, scan.truth.roi.left + 30 : scan.truth.roi.right - 30].astype(np.float32)
    quarters = part[: 8 * 448].reshape(8, 448, part.shape[1])[:, 30:-30].mean(axis=(1, 2))
    assert quarters.max() < 1.6 * quarters.min(), (
        "a dark picture and a bright one are both as bright as the lamp makes them"
    )
    assert (scan.mask[:, scan.truth.roi.left : scan.truth.roi.right] == UNKNOWN_MARK).all()
    assert len(part) == LINES_PER_TURN


def test_the_truth_names_the_kind_and_the_list_says_unknown(recording: Path, pictures: Path, tmp_path: Path) -> None:
    truths = [json.loads(line) for line in (recording / "truth.jsonl").read_text().splitlines()]
    assert [truth["unknown"] for truth in truths] == ["label", "thread"]
    assert [truth["defects"] for truth in truths] == [[], []]
    listed = read_recording(recording, None, CLASSES)
    assert [scan.label for scan in listed.scans] == ["unknown", "unknown"]
    assert listed.problems == ()
    plan = RenderPlan(1, 7, setting=Setting(ground=pictures), unknown=(Unknown.PICTURE,)).planned()
    write_recording(tmp_path / "composed", plan)
    (scan,) = read_recording(tmp_path / "composed", None, CLASSES).scans
    assert scan.composed, "nobody asks whether pictures are one turn"


def test_a_part_of_no_class_is_a_defect_to_every_count_and_belongs_into_review(recording: Path) -> None:
    for scan in read_scans(recording, TABLE, LINES):
        assert (scan.surface.name, scan.number) == ("unknown", UNKNOWN_MARK)
        assert scan.surface.is_defect
        assert not scan.surface.is_review
        assert scan.surface.place == TABLE.review.place
        labels = label_patches(read_mask(scan), scan.left, scan.right, GEOMETRY)
        assert set(labels.tolist()) == {0, SLIVER}, "of no class, so neither trained on nor counted"


def test_a_mask_and_a_label_have_to_agree_that_a_part_is_of_no_class(recording: Path) -> None:
    index = recording / "recording.jsonl"
    index.write_text(index.read_text().replace('"unknown"', '"pits"'))
    scan = read_scans(recording, TABLE, LINES)[0]
    with pytest.raises(RecordingError, match="holds the values 255"):
        read_mask(scan)
    empty = np.zeros_like(cv2.imread(str(scan.mask_path), cv2.IMREAD_UNCHANGED))
    cv2.imwrite(str(scan.mask_path), empty)
    index.write_text(index.read_text().replace('"pits"', '"unknown"'))
    with pytest.raises(RecordingError, match="marks no unknown within"):
        read_mask(read_scans(recording, TABLE, LINES)[0])


def test_kinds_are_dealt_in_turn_and_leave_the_other_choices_as_they_are() -> None:
    kinds = (Unknown.LABEL, Unknown.DROPLETS, Unknown.THREAD)
    usual, planned = RenderPlan(7, 3).planned(), RenderPlan(7, 3, unknown=kinds).planned()
    assert [part.unknown for part in planned] == [kinds[number % 3] for number in range(7)]
    assert [part.defects for part in planned] == [()] * 7
    assert [(part.seed, part.width_px) for part in planned] == [(part.seed, part.width_px) for part in usual]


def test_a_command_line_names_kinds() -> None:
    assert parse_unknown(None, Place.SEAM, None) == ()
    assert parse_unknown("label, thread", Place.ANYWHERE, None) == (Unknown.LABEL, Unknown.THREAD)
    assert parse_unknown("drawn", Place.ANYWHERE, None) == tuple(DRAWN)
    assert parse_unknown("picture", Place.ANYWHERE, Path("tiles")) == (Unknown.PICTURE,)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("rust", Place.ANYWHERE, r"unknown kind 'rust': drawn, or of rust-film, thread, .*picture"),
        ("", Place.ANYWHERE, "unknown kind ''"),
        ("label,,thread", Place.ANYWHERE, "unknown kind ''"),
        ("picture", Place.ANYWHERE, "--unknown picture needs --ground DIR"),
        ("label", Place.SEAM, "a part of --unknown has none"),
    ],
)
def test_a_kind_that_is_none_is_refused(text: str, place: Place, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_unknown(text, place, None)
