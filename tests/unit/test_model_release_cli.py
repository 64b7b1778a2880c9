"""`station model gate | promote | list | show | rollback` work one after the other on the shipped network."""

import json
import re
import shutil
from importlib import resources
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from models.manifest import load_bundle
from models.weights import SHIPPED, bundle_folder
from station.cli.model import model_app
from station.cli.model_release import EXTRA
from station.core.errors import ModelError, StationError
from station.core.settings import load_settings
from station.host.bundles import find_bundle
from station.host.promoting import doubts

PARTS = 3


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    bundled = Path(str(resources.files("sim.recordings"))) / "housings"
    folder = tmp_path / "golden"
    (folder / "masks").mkdir(parents=True)
    for name in ("recording.jsonl", "truth.jsonl"):
        lines = (bundled / name).read_text().splitlines()[:PARTS]
        (folder / name).write_text("".join(f"{line}\n" for line in lines))
        for line in lines:
            file = json.loads(line)["file"]
            for path in (Path(file), Path("masks") / file):
                shutil.copyfile(bundled / path, folder / path)
    return folder


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """The shipped network under another name."""
    folder = tmp_path / "other-2"
    shutil.copytree(bundle_folder(SHIPPED), folder)
    document = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(document | {"name": "other-2", "version": 2}))
    return folder


def model(*words: object) -> Result:
    return CliRunner().invoke(model_app, [str(word) for word in words])


def refusal(*words: object) -> StationError:
    result = model(*words)
    assert isinstance(result.exception, StationError), result.output
    return result.exception


@pytest.mark.parametrize(("general", "own", "times"), [("promoted", "", 0), ("a-1", "b-2", 1), ("a-1", "", 1),
                                                      ("a-1", "promoted", 0)])  # fmt: skip
def test_a_promotion_that_no_part_type_goes_by_is_told(tmp_path: Path, general: str, own: str, times: int) -> None:
    text = (Path(str(resources.files("config"))) / "simulate.toml").read_text(encoding="utf-8")
    head, *types = re.split(r"(?m)^(?=\[part_types\.)", text.replace('bundle = "promoted"', f'bundle = "{general}"'))
    types[0] = types[0].rstrip() + (f'\nbundle = "{own}"\n' if own else "\n")
    config = tmp_path / "cell.toml"
    config.write_text(head + types[0], encoding="utf-8")
    told = doubts(load_settings(config), tmp_path / "data")
    warning = f'the configuration says bundle = "{own or general}", and that is what it runs'
    assert told.count(warning) == times


def test_the_walk_from_the_gate_to_the_station_and_back(tmp_path: Path, golden: Path, new: Path) -> None:
    data = ("--data", tmp_path / "data")
    settings = load_settings(Path(str(resources.files("config"))) / "simulate.toml")
    shipped = find_bundle(settings, tmp_path / "data").identity
    assert shipped.name == SHIPPED
    passed = model("gate", new, "--golden", golden, *data)
    assert passed.exit_code == 0, passed.output
    assert f"golden parts right        {PARTS} of {PARTS}" in passed.output
    promoted = model("promote", new, "--reason", "a trial", "--by", "me", *data)
    assert promoted.exit_code == 0, promoted.output
    assert "from its next start on" in promoted.output
    assert find_bundle(settings, tmp_path / "data").identity == load_bundle(new).identity
    listed = json.loads(model("list", "--json", *data).output)
    assert listed["active"] == load_bundle(new).identity.sha256
    assert [(row["by"], row["reason"]) for row in listed["history"]] == [("me", "a trial")]
    assert "other-2" in model("list", *data).output
    assert load_bundle(new).identity.sha256 in model("show", *data).output
    assert json.loads(model("show", "--json", *data).output)["name"] == "other-2"
    assert model("rollback", "--reason", "enough", *data).exit_code == 0
    assert find_bundle(settings, tmp_path / "data").identity == shipped
    arrows = [line for line in model("list", *data).output.splitlines() if "→" in line]
    assert len(arrows) == 1, "of the product's bundle and its copy on the shelf the copy is used"


def test_a_refused_bundle_ends_the_gate_with_1_and_stays_outside(tmp_path: Path, golden: Path, new: Path) -> None:
    data = ("--data", tmp_path / "data")
    (new / "int8.bin").write_bytes(b"edited")
    result = model("gate", new, "--golden", golden, "--json", *data)
    assert result.exit_code == 1
    document = json.loads(result.output)
    assert document["passed"] is False
    assert document["refusals"][0]["check"] == "files"
    assert isinstance(refusal("promote", new, *data), ModelError)


def test_without_a_run_of_the_gate_nothing_is_promoted_but_for_a_reason(tmp_path: Path, new: Path) -> None:
    data = ("--data", tmp_path / "data")
    assert refusal("promote", new, *data).code == "model.not_passed"
    assert model("promote", new, "--without-gate", "commissioning", *data).exit_code == 0
    assert refusal("promote", new, "--without-gate", "again", "--report", new, *data).code == "config.bad_option"


def test_a_gate_that_cannot_be_run_is_neither_passed_nor_refused(tmp_path: Path, golden: Path, new: Path) -> None:
    data = ("--data", tmp_path / "data")
    assert refusal("gate", new, "--golden", tmp_path / "nowhere", *data).code == "recording.not_found"
    assert refusal("gate", new, "--golden", golden, "--against", tmp_path / "nobody", *data).code == "model.missing"


@pytest.mark.training
def test_an_evaluation_of_another_layout_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    for extra in EXTRA:
        pytest.importorskip(extra, reason=f"{extra} is an extra of training (make test-training)")
    (tmp_path / "evaluation.json").write_text('{"format": 1}')
    options = ("--data", tmp_path, "--golden", tmp_path, "--evaluation", tmp_path / "evaluation.json")
    refused = refusal("export", tmp_path / "best.pt", tmp_path / "new-1", *options)
    assert refused.code == "config.bad_option"
    assert "evaluation.json: format: Input should be 2" in str(refused)
    assert not (tmp_path / "new-1").exists()


def test_a_configuration_that_names_a_bundle_is_told_of(tmp_path: Path, new: Path) -> None:
    text = (Path(str(resources.files("config"))) / "simulate.toml").read_text()
    config = tmp_path / "own.toml"
    config.write_text(text.replace('bundle = "promoted"', f'bundle = "{SHIPPED}"'))
    result = model("promote", new, "--without-gate", "trial", "--config", config, "--data", tmp_path / "data")
    assert f'the configuration says bundle = "{SHIPPED}"' in result.output


def test_another_least_confidence_than_the_gates_is_refused_at_the_promotion_and_told_of_later(
    tmp_path: Path, golden: Path, new: Path
) -> None:
    text = (Path(str(resources.files("config"))) / "simulate.toml").read_text()
    bolder = tmp_path / "bolder.toml"
    bolder.write_text(text.replace("min_confidence = 0.5", "min_confidence = 0.4"))
    data = ("--data", tmp_path / "data")
    assert model("gate", new, "--golden", golden, "--config", bolder, *data).exit_code == 0
    refused = refusal("promote", new, *data)
    assert refused.code == "model.not_passed"
    assert "the configuration says openvino int8, review under 0.5: run the gate with it" in refused.detail
    promoted = model("promote", new, "--config", bolder, *data)
    assert promoted.exit_code == 0, promoted.output
    assert "min_confidence" not in promoted.output
    back = model("rollback", "--reason", "a trial", "--config", bolder, *data)
    assert "min_confidence is 0.4" in back.output
    assert "measured with 0.5 (its manifest)" in back.output


def measured(on: Path, out: Path, network: object = SHIPPED) -> Path:
    done = model("evaluate", network, on, "--out", out, "--evidence", 0)
    assert done.exit_code == 0, done.output
    return out / "evaluation.json"


def test_a_bundle_gets_a_card_with_what_was_measured_on_it_and_nothing_else_changes(
    tmp_path: Path, golden: Path
) -> None:
    old, copy = load_bundle(bundle_folder(SHIPPED)), tmp_path / "carded"
    first = measured(golden, tmp_path / "a")
    second = shutil.copytree(first.parent, tmp_path / "b") / first.name
    sources = ("--source", "the first three", "--source", "the same again")
    done = model("card", SHIPPED, copy, "--evaluation", first, "--evaluation", second, *sources)
    assert done.exit_code == 0, done.output
    new = load_bundle(copy)
    assert str(new.identity) in done.output
    assert (new.identity.name, new.identity.sha256 != old.identity.sha256) == (SHIPPED, True)
    card = new.read("card.md").decode()
    for heading in ("### On the first three", "### On the same again"):
        assert f"{heading}\n\n{old.identity} by openvino, int8, measured on " in card
    assert card.count(f"| parts judged rightly | {PARTS} of {PARTS} = 100.00% ") == 2
    assert "Probability of detection" not in card, "defects of usual size and contrast draw no curve"
    others = {name: sha256 for name, sha256 in old.manifest.files.items() if name != "card.md"}
    assert others.items() <= new.manifest.files.items()
    assert new.manifest.model_copy(update={"files": {}}) == old.manifest.model_copy(update={"files": {}})


def test_a_card_takes_no_evaluation_of_another_bundle(tmp_path: Path, golden: Path, new: Path) -> None:
    other = measured(golden, tmp_path / "measured", new)
    refused = refusal("card", SHIPPED, tmp_path / "carded", "--evaluation", other)
    assert refused.code == "model.export_failed"
    assert f"is of {load_bundle(new).identity}, not of {load_bundle(bundle_folder(SHIPPED)).identity}" in str(refused)
    assert not (tmp_path / "carded").exists()


def test_a_card_names_a_source_for_each_evaluation_or_for_none(tmp_path: Path) -> None:
    evaluations = ("--evaluation", tmp_path / "a.json", "--evaluation", tmp_path / "b.json")
    refused = refusal("card", SHIPPED, tmp_path / "carded", *evaluations, "--source", "one")
    assert "2 --evaluation, but 1 --source" in str(refused)
