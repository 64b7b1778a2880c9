"""A part unlike anything that its network was trained on goes to review, whatever the network calls it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from models.manifest import CARD, load_bundle
from models.novelty.file import read_calibrated_parts
from station.cli.model import model_app
from station.core.errors import StationError
from station.core.part import Pixels
from station.core.settings import NoveltySettings, load_settings
from station.host.novelty import novelty_doubts
from station.host.recipes import find_bundles
from tests.cell.product_bench import product_cell
from tests.cell.product_lines import GOOD, HALF_TURN, REVIEW, RING, RINGS, STAIN
from tests.cell.products import MARGIN_PX, Shown, make_recording, product
from tests.plates import GREY, PLATE, TRAINED, png
from tests.turned import turned

MakeConfig = Callable[..., Path]
CALIBRATED = range(200, 224)
"""Seeds of surfaces."""


def coarse() -> Pixels:
    """A surface of the usual grey value with marks five times as deep: another metal."""
    image = PLATE.surface(7, GREY)
    image[:, MARGIN_PX:-MARGIN_PX] = turned(7, PLATE.width_px, GREY, marks=30, lines=HALF_TURN.lines_per_turn)
    return image


def good_parts(folder: Path, seeds: range) -> Path:
    parts = tuple(Shown(f"G{seed}", PLATE, "good", GREY + seed % 3 - 1) for seed in seeds)
    return make_recording(folder, parts)


@pytest.fixture
def config(make_config: MakeConfig, tmp_path: Path) -> Path:
    return make_config(*product(RINGS, (PLATE,), tmp_path))


def calibrate(config: Path, copy: Path, *words: object) -> Result:
    command = ["calibrate", copy.parent / "plate-1", copy, *words, "--config", config]
    return CliRunner().invoke(model_app, [str(word) for word in command])


def refusal(result: Result) -> StationError:
    assert isinstance(result.exception, StationError), result.output
    return result.exception


@pytest.fixture
def calibrated(config: Path, tmp_path: Path) -> Path:
    """The same configuration with a calibrated network."""
    result = calibrate(config, tmp_path / "plate-2", "--from", good_parts(tmp_path / "good", CALIBRATED))
    assert result.exit_code == 0, result.output
    assert "4.00%" in result.output
    assert "novelty.alpha is 1.00%, which takes 99 good parts; 24 are there" in result.output
    text = config.read_text(encoding="utf-8").replace("plate-1", "plate-2")
    other = config.with_name("calibrated.toml")
    other.write_text(text, encoding="utf-8")
    return other


async def judged(config: Path, tmp_path: Path, data: str) -> dict[str, tuple[str, str | None, int]]:
    """Verdict, reason and the code that the PLC was told, of a good, a stained and a foreign part."""
    parts = (Shown("GOOD", PLATE, "good", GREY), Shown("STAINED", PLATE, "stain", PLATE.greys["stain"]))
    recording = make_recording(tmp_path / f"shown-{data}", (*parts, Shown("FOREIGN", PLATE, None, GREY)))
    (recording / "FOREIGN.png").write_bytes(png(coarse()))
    async with product_cell(config, recording, tmp_path / data) as cell:
        await cell.take_all(3)
    found = {}
    for part_id, event in cell.sorted.items():
        decision, told = event.decision, cell.words.results_of(part_id)[0]
        found[part_id] = (decision.verdict.name, decision.fault and decision.fault.code, told.decision)
    return found


async def test_a_foreign_part_passes_without_a_calibration_and_goes_to_review_with_one(
    config: Path, calibrated: Path, tmp_path: Path
) -> None:
    known = {"GOOD": ("good", None, GOOD), "STAINED": ("stain", None, STAIN)}
    assert await judged(config, tmp_path, "before") == known | {"FOREIGN": ("good", None, GOOD)}
    assert await judged(calibrated, tmp_path, "after") == known | {"FOREIGN": ("review", "part.unknown", REVIEW)}


def test_what_a_person_should_know_is_told_at_the_start(config: Path, calibrated: Path) -> None:
    before = load_settings(config)
    (doubt,) = novelty_doubts(find_bundles(before), before)
    assert "plate-1 has no good parts of plate to hold others against" in doubt
    after = load_settings(calibrated)
    (few,) = novelty_doubts(find_bundles(after), after)
    assert "24 good parts promise that 4.0% of such parts go to review" in few
    assert "novelty.alpha is 1.0%; that takes 99" in few
    precise = after.model_copy(update={"model": after.model.model_copy(update={"precision": "f32"})})
    (_few, other) = novelty_doubts(find_bundles(precise), precise)
    assert "measured by openvino int8, the station runs openvino f32; calibrate anew" in other
    off = after.model_copy(update={"novelty": NoveltySettings(alpha=0)})
    (recorded,) = novelty_doubts(find_bundles(off), off)
    assert recorded == "novelty.alpha is 0: parts unlike all that was trained on are recorded, and pass"


def test_the_copy_is_a_whole_bundle_whose_card_says_what_is_promised(calibrated: Path, tmp_path: Path) -> None:
    bundle = load_bundle(tmp_path / "plate-2")
    assert bundle.manifest.name == "plate-1"
    parts = read_calibrated_parts(bundle)["plate"]
    assert (len(parts.scores), len(set(parts.scans)), parts.source) == (24, 24, "good")
    assert bundle.manifest.calibration is not None
    assert bundle.manifest.calibration.types["plate"].parts == 24
    before = load_bundle(tmp_path / "plate-1")
    assert bundle.identity.sha256 != before.identity.sha256
    same = before.manifest.files.keys() - {CARD}
    assert {name: bundle.manifest.files[name] for name in same} == {name: before.manifest.files[name] for name in same}
    assert calibrated.is_file()


def test_a_part_counts_once_and_what_is_not_good_or_was_trained_on_is_left_out(config: Path, tmp_path: Path) -> None:
    folder = good_parts(tmp_path / "good", CALIBRATED)
    (folder / "G200.png").write_bytes(png(PLATE.surface(TRAINED[0], list(PLATE.greys.values())[1])))
    rows = [json.loads(line) for line in (folder / "recording.jsonl").read_text().splitlines()]
    rows[1]["label"], rows[2]["label"] = "stain", None
    (folder / "recording.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "G204.png").write_bytes((folder / "G203.png").read_bytes())
    result = calibrate(config, tmp_path / "plate-2", "--from", folder, "--from", folder)
    assert result.exit_code == 0, result.output
    for said in ("2 were trained on", "2 are labelled stain", "2 have no label", "22 are further scans of a part"):
        assert f"Left out: {said}" in result.output
    assert len(read_calibrated_parts(load_bundle(tmp_path / "plate-2"))["plate"].scores) == 20


@pytest.mark.parametrize(
    ("seeds", "words"),
    [(range(0), "there is no good part, at least 19 of a type are needed"),
     (range(200, 205), "plate: 5 good parts, at least 19 are needed")],
)  # fmt: skip
def test_too_few_parts_promise_nothing(config: Path, tmp_path: Path, seeds: range, words: str) -> None:
    folder = good_parts(tmp_path / "good", seeds or range(200, 201))
    if not seeds:
        text = (folder / "recording.jsonl").read_text().replace('"good"', "null")
        (folder / "recording.jsonl").write_text(text)
    error = refusal(calibrate(config, tmp_path / "plate-2", "--from", folder))
    assert error.code == "model.export_failed"
    assert words in error.detail
    assert not (tmp_path / "plate-2").exists()


def test_scans_without_a_label_are_good_parts_where_somebody_says_so(config: Path, tmp_path: Path) -> None:
    folder = good_parts(tmp_path / "good", CALIBRATED)
    (folder / "recording.jsonl").unlink()
    assert "there is no good part" in refusal(calibrate(config, tmp_path / "no-2", "--from", folder)).detail
    result = calibrate(config, tmp_path / "plate-2", "--from", folder, "--unlabelled", "--source", "a morning's parts")
    assert result.exit_code == 0, result.output
    assert read_calibrated_parts(load_bundle(tmp_path / "plate-2"))["plate"].source == "a morning's parts"


def test_a_network_that_does_not_tell_its_training_cannot_be_calibrated(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(*product(RINGS, (RING,), tmp_path))
    command = ["calibrate", tmp_path / "ring-1", tmp_path / "ring-2", "--from", tmp_path, "--config", config]
    error = refusal(CliRunner().invoke(model_app, [str(word) for word in command]))
    assert error.code == "model.export_failed"
    assert "tells no features; export its network anew" in error.detail
