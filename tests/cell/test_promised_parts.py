"""What is proven of a network on defective parts is what the station judges by, records, and says in one sentence."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from models.manifest import CARD, load_bundle
from models.promise.sections import PROMISE
from station.cli.model import model_app
from station.cli.promise import promise_app
from station.cli.records import records_app
from station.core.drift import course, limits
from station.core.errors import StationError
from station.core.records import RecordFilter
from station.core.settings import load_settings
from station.host.promise import promise_doubts, standings
from station.host.recipes import find_bundles, make_recipes
from station.records.query import list_records, show_record
from tests.cell.product_bench import product_cell
from tests.cell.product_lines import REVIEW, RINGS
from tests.cell.products import Shown, make_recording, product
from tests.plates import GREY, PLATE

MakeConfig = Callable[..., Path]
NOTHING = "plate: Nothing is promised of how many defective parts pass; `station model promise` proves what can be."


@pytest.fixture
def config(make_config: MakeConfig, tmp_path: Path) -> Path:
    return make_config(*product(RINGS, (PLATE,), tmp_path))


def promise(config: Path, copy: Path, *words: object) -> Result:
    command = ["promise", copy.parent / "plate-1", copy, *words, "--config", config]
    return CliRunner().invoke(model_app, [str(word) for word in command])


def stained(folder: Path, count: int) -> Path:
    """Stained parts, a good one among them."""
    parts = [Shown(f"S{number}", PLATE, "stain", PLATE.greys["stain"] + number % 3 - 1) for number in range(count)]
    return make_recording(folder, (*parts, Shown("G", PLATE, "good", GREY)))


def with_bundle(config: Path, name: str, more: str = "") -> Path:
    text = config.read_text(encoding="utf-8").replace("plate-1", name)
    other = config.with_name(f"{name}.toml")
    other.write_text(text.replace("[decision]\n", f"[decision]\n{more}"), encoding="utf-8")
    return other


async def test_what_six_stained_parts_prove_is_said_in_one_sentence_and_a_drawn_part_is_looked_at(
    config: Path, tmp_path: Path
) -> None:
    words = ("--parts", "rendered", "--from", stained(tmp_path / "stains", 6), "--target", 0.4)
    result = promise(config, tmp_path / "plate-2", *words)
    assert result.exit_code == 0, result.output
    bundle = load_bundle(tmp_path / "plate-2")
    (proven,) = bundle.manifest.promises.values()
    assert (proven.threshold, proven.parts, proven.escapes, proven.missing) == (0.2, 6, 0, 0)
    assert proven.sentence in result.output
    assert proven.sentence.startswith(
        "At most 40.00% of defective parts of plate pass, with 95% confidence: 0 of 6 rendered defective parts passed "
        f"from 0.2 on ({bundle.manifest.name}, openvino int8, "
    )
    assert "Left out: 1 are labelled good" in result.output
    document = json.loads(bundle.read(PROMISE))
    assert [row["confidence"] for row in document["types"]["plate"]] == [None] * 6

    promised = with_bundle(config, "plate-2", "spot_check = 1\n")
    (recipe,) = make_recipes(load_settings(promised)).rows
    assert (recipe.rule.promise, recipe.rule.least_to_pass) == (proven, 0.9)
    recording = make_recording(tmp_path / "shown", (Shown("GOOD", PLATE, "good", GREY),))
    async with product_cell(promised, recording, tmp_path / "cell") as cell:
        await cell.take_all(1)
        (told, *_later) = cell.words.results_of("GOOD")
    assert told.decision == REVIEW
    data = tmp_path / "cell" / "data"
    (row,) = list_records(data, RecordFilter(), 10)
    record = show_record(data, row.inspection_id)
    assert (record["verdict"], record["algorithm1"], record["reason"]) == ("review", "good", "part.spot_check")
    assert (record["pass_threshold"], record["promise"]) == (0.9, proven.sentence)
    shown = CliRunner().invoke(promise_app, ["show", "--config", str(promised), "--data", str(data)])
    waits = "Outgoing defects of plate: nothing can be said, n = 0 checked; 1 drawn wait for a label."
    assert shown.output.splitlines() == [proven.sentence, waits]


async def test_a_lens_that_gets_dirty_suspends_the_promise_wherever_it_is_read(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name, parts in ((limits, "FIRST_PARTS", 2), (limits, "LAST_PARTS", 3), (course, "LAST_PARTS", 3)):
        monkeypatch.setattr(module, name, parts)
    words = ("--parts", "rendered", "--from", stained(tmp_path / "stains", 6), "--target", 0.4)
    assert promise(config, tmp_path / "plate-2", *words).exit_code == 0
    promised, data = with_bundle(config, "plate-2"), tmp_path / "cell" / "data"
    settings, options = load_settings(promised), ("--config", str(promised), "--data", str(data))
    holds = standings(settings, data)["plate"]
    assert not holds.is_suspended
    shown = tuple(Shown(f"P{number}", PLATE, "good", GREY) for number in range(1, 6))
    recording = make_recording(tmp_path / "shown", shown)
    async with product_cell(promised, recording, tmp_path / "cell", faults=("lens-dirty@P4",)) as cell:
        await cell.take_all(5)
        records = cell.records()
    drifts = {part_id: record["drift"] for part_id, record in records.items()}
    assert [drifts[part.part_id]["suspended"] for part in shown[:4]] == [None] * 4
    assert drifts["P5"]["suspended"]["because"] == ["camera.dirt"], "due with the second of three"
    stands = standings(settings, data)["plate"]
    assert stands.sentence == f"{stands.suspension.words}: {holds.sentence}" if stands.suspension else ""
    dirty = records["P5"]["inspection_id"]
    for app, command in (
        (promise_app, ("show",)),
        (model_app, ("show", str(tmp_path / "plate-2"))),
        (records_app, ("show", dirty)),
    ):
        told = CliRunner().invoke(app, [*command, *options]).output
        assert stands.sentence in " ".join(told.split()), command
    calibrated = with_bundle(config, "plate-1", "spot_check = 0\n")
    assert standings(load_settings(calibrated), data)["plate"].is_suspended, "none of the two is calibrated"


async def test_what_four_stained_parts_cannot_prove_is_said_and_passes_as_before(config: Path, tmp_path: Path) -> None:
    words = ("--parts", "rendered", "--from", stained(tmp_path / "stains", 4), "--target", 0.4)
    result = promise(config, tmp_path / "plate-2", *words)
    assert result.exit_code == 0, result.output
    manifest = load_bundle(tmp_path / "plate-2").manifest
    (proven,) = manifest.promises.values()
    assert (proven.threshold, proven.missing) == (None, 2)
    assert "not provable with n = 4 rendered defective parts" in proven.sentence
    assert proven.sentence.endswith("2 more defective parts are needed.")
    (recipe,) = make_recipes(load_settings(with_bundle(config, "plate-2"))).rows
    assert recipe.rule.least_to_pass == recipe.rule.min_confidence
    assert CARD not in manifest.files


def test_a_network_of_which_nothing_is_proven_says_so(config: Path) -> None:
    settings = load_settings(config)
    assert {name: one.sentence for name, one in standings(settings).items()} == {"plate": NOTHING}
    assert promise_doubts(find_bundles(settings), settings) == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--parts", "real"), "say --parts rendered"),
        (("--parts", "rendered", "--records", "nowhere"), "nowhere"),
    ],
)
def test_parts_that_were_drawn_are_not_called_real(
    config: Path, tmp_path: Path, words: tuple[str, ...], why: str
) -> None:
    recording = stained(tmp_path / "stains", 1)
    (recording / "truth.jsonl").touch()
    result = promise(config, tmp_path / "plate-2", "--from", recording, *words)
    assert isinstance(result.exception, StationError), result.output
    assert why in result.exception.detail
    assert not (tmp_path / "plate-2").exists()
