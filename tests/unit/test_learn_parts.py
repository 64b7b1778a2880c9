"""What is learnt from and what judges, and why nothing is learnt: told before any time is spent."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from models.dataset.said import Said, SaidScan
from models.dataset.store import read_data
from models.errors import TrainingError
from station.cli.app import app
from station.core.errors import StationError
from station.core.recording import read_recording
from station.core.settings import Settings, load_settings
from station.learn import planning
from station.learn.parts import DATA, GOOD, HELD_OUT, judgeable, make_parts
from station.learn.plan import Plan, Training, settle, write_plan
from station.learn.sides import divide, lot
from station.offline.gathering.terms import LeftOut, Terms, geometry_of
from tests.bundles import make_grey_bundle, sealed, write_openvino
from tests.plants import Plant, record
from tests.unit.housings import CLASSES

pytestmark = pytest.mark.timeout(600)
"""The plant's scans are of full size, and there are fifteen."""

SHA = "ab" * 32
JUDGES, CALIBRATES, LEARNT = range(20), range(20, 40), range(40, 100)


def names(lots: range, many: int, prefix: str = "P") -> list[str]:
    """The first part ids whose lots are these."""
    return [name for name in (f"{prefix}-{number}" for number in range(5000)) if lot(name) in lots][:many]


def scan(part_id: str | None, number: int, sha256: str = "") -> SaidScan:
    """A scan of a part whose class has this number."""
    own = sha256 or f"{lot(part_id or 'x'):032x}{sum(map(ord, part_id or 'x')):032x}"
    return SaidScan(part_id or "x", part_id, Path("x.png"), own, 0, 1, Said(number))


# ---------------------------------------------------------------------- sides


def test_a_part_keeps_its_side_whatever_else_is_labelled() -> None:
    judge, calibrates, learnt = (names(lots, 3) for lots in (JUDGES, CALIBRATES, LEARNT))
    few = [scan(name, 0) for name in (*judge, *calibrates, *learnt)]
    sides = divide(few, [])
    assert [one.part_id for one in sides.held_out] == judge
    assert [one.part_id for one in sides.good] == calibrates
    assert [one.part_id for one in sides.learnt] == learnt
    more = [*[scan(name, 2) for name in names(range(100), 40, "Q")], *reversed(few)]
    assert {one.part_id for one in divide(more, []).held_out} >= set(judge)


def test_defective_parts_do_not_calibrate_and_a_part_nobody_spoke_of_as_a_whole_is_learnt_from() -> None:
    (calibrates,), (judges,) = names(CALIBRATES, 1), names(JUDGES, 1)
    sides = divide([scan(calibrates, 2), scan(judges, -1)], [])
    assert [one.part_id for one in sides.learnt] == [calibrates, judges]
    assert sides.held_out == sides.good == ()


def test_scans_of_one_part_and_of_the_same_bytes_lie_on_one_side() -> None:
    judges, other = names(JUDGES, 1)[0], names(LEARNT, 1)[0]
    twice = divide([scan(judges, 0, "1" * 64), scan(judges, 0, "2" * 64)], [])
    assert len(twice.held_out) == 1, "a part judges once"
    assert twice.learnt == ()
    same = divide([scan(judges, 0, "1" * 64), scan(other, 0, "1" * 64)], [])
    assert (len(same.held_out), len(same.learnt)) == (1, 0)


def test_what_is_learnt_from_elsewhere_does_not_judge() -> None:
    (judges,) = names(JUDGES, 1)
    for more in (scan(judges, 0, "3" * 64), scan("another", 0, "1" * 64)):
        sides = divide([scan(judges, 0, "1" * 64)], [more])
        assert sides.held_out == ()
        assert len(sides.learnt) == 2


# ---------------------------------------------------------------------- gathering


def cell(tmp_path: Path, bundle: Path, least_parts: int = 2) -> Path:
    text = (Path(str(resources.files("config"))) / "simulate.toml").read_text(encoding="utf-8")
    path = tmp_path / "cell.toml"
    path.write_text(
        text.replace('bundle = "promoted"', f'bundle = "{bundle}"')
        + f"\n[learn]\nleast_parts = {least_parts}\nroom_mb = 0\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    """Of each class two parts to learn from; two that judge; one good that calibrates; two of whom people differ."""
    classes = {name: surface for surface in CLASSES for name in names(LEARNT, 2, surface)}
    classes |= dict(zip(names(JUDGES, 2), ("defect_free", "pits"), strict=True))
    classes |= dict.fromkeys(names(CALIBRATES, 1), "defect_free")
    plant = Plant.at(tmp_path_factory.mktemp("plant") / "data", dict.fromkeys([*classes, "DIFFER"], "pits"))
    for part_id, name in classes.items():
        plant.say(part_id, name)
    for who, name in (("ada", "pits"), ("bob", "defect_free")):
        plant.say("DIFFER", name, who)
    return plant


def plan(plant: Plant, **other: object) -> Plan:
    fields = {
        "as_of": "2027-01-01T00:00:00.000Z", "name": "tiny-learnt", "new_labels": 1, "data": str(plant.folder),
        "config_sha256": SHA, "against": "promoted", "present": "tiny-1", "begin_with": "tiny-1",
        "begin_with_sha256": SHA, "network": "tiny", "number": 2, "more": (), "golden": (), "tests": (),
        "overkill_budget": 0.01, "training": Training(),
    }  # fmt: skip
    return Plan.model_validate(fields | other)


def settings(tmp_path: Path, least_parts: int = 2) -> Settings:
    return load_settings(cell(tmp_path, tmp_path / "no-bundle", least_parts))


def test_labels_become_a_data_set_and_two_recordings_with_no_part_in_two_of_them(
    labelled: Plant, tmp_path: Path
) -> None:
    told: list[Sequence[str]] = []
    counts = make_parts(tmp_path, plan(labelled), settings(tmp_path), told.append)
    assert counts.learnt == dict.fromkeys(CLASSES, 2)
    assert counts.held_out == {"defect_free": 1, "pits": 1}
    assert (counts.good, counts.left_out) == (1, {"people differ": 1})
    assert any("DIFFER" in line or labelled.ids["DIFFER"] in line for line in told[0])
    judges = _rows(tmp_path / HELD_OUT)
    assert {(row["part_id"], row["label"]) for row in judges} == set(
        zip(names(JUDGES, 2), ("defect_free", "pits"), strict=True)
    )
    good = _rows(tmp_path / GOOD)
    learnt = {file.part_id for file in read_data(tmp_path / DATA).manifest.files}
    assert not learnt & {row["part_id"] for row in (*judges, *good)}
    for row in judges:
        archived = labelled.archived(row["part_id"])
        assert (tmp_path / HELD_OUT / row["file"]).read_bytes() == archived.read_bytes()


def test_what_the_station_would_refuse_judges_no_network_and_is_named(labelled: Plant, tmp_path: Path) -> None:
    whole = labelled.archived(names(JUDGES, 1)[0])
    image = cv2.imread(str(whole), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    image[len(image) // 2 :] = image[len(image) // 2]
    cv2.imwrite(str(tmp_path / "still.png"), image)
    scans = [replace(scan("P-1", 0), name=path.name, image_path=path) for path in (whole, tmp_path / "still.png")]
    terms = Terms(settings(tmp_path), geometry_of(settings(tmp_path), ()))
    refused = LeftOut()
    assert judgeable(scans, terms, refused) == scans[:1]
    assert [line.partition(":")[0] for line in refused.told] == ["still.png"]
    assert "scan.not_turned" in refused.told[0]


def test_too_few_parts_are_told_with_how_many_are_needed(labelled: Plant, tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as refused:
        make_parts(tmp_path, plan(labelled), settings(tmp_path, least_parts=15))
    assert refused.value.code == "training.bad_data"
    assert "scratches: 2 parts to learn from, 15 are needed" in refused.value.detail
    assert "1 defective parts to judge by, 3 are needed" in refused.value.detail
    assert not (tmp_path / DATA).exists()


def test_what_the_present_bundle_was_made_of_makes_up_for_what_is_lacking(labelled: Plant, tmp_path: Path) -> None:
    more = record(tmp_path / "before", {f"{name}-{number}": name for name in CLASSES for number in (1, 2)})
    known = plan(labelled, more=(str(more),))
    counts = make_parts(tmp_path, known, settings(tmp_path, least_parts=4))
    assert counts.learnt == dict.fromkeys(CLASSES, 4)


def test_labels_that_came_later_change_nothing(labelled: Plant, tmp_path: Path) -> None:
    plant = Plant(shutil.copytree(labelled.folder, tmp_path / "data"), labelled.ids)
    then = plan(plant, as_of="2026-05-02T12:00:00.000Z")
    before = make_parts(_folder(tmp_path / "a"), then, settings(tmp_path))
    plant.say("DIFFER", "pits", "bob", minutes=5)
    assert make_parts(_folder(tmp_path / "b"), then, settings(tmp_path)) == before
    arrays = [read_data(tmp_path / name / DATA).manifest.arrays for name in "ab"]
    assert arrays[0] == arrays[1]


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _rows(folder: Path) -> list[dict[str, str]]:
    """The list of a recording that the station can use."""
    recording = read_recording(folder, frozenset({"smh_385"}), CLASSES)
    assert recording.problems == ()
    assert all(scan.file.is_file() for scan in recording.scans)
    return [json.loads(line) for line in (folder / "recording.jsonl").read_text().splitlines()]


# ---------------------------------------------------------------------- the plan


def test_a_folder_goes_on_by_the_plan_that_it_was_begun_with(labelled: Plant, tmp_path: Path) -> None:
    first = settle(tmp_path, plan(labelled))
    assert settle(tmp_path, plan(labelled, as_of="2028-01-01T00:00:00.000Z", name="later", new_labels=9)) == first
    with pytest.raises(TrainingError, match=r"overkill_budget: it was 0\.01, now 0\.5") as refused:
        settle(tmp_path, plan(labelled, overkill_budget=0.5))
    assert refused.value.code == "training.other_run"


def test_a_folder_with_something_else_in_it_is_left_alone(labelled: Plant, tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(TrainingError, match=r"letters\.txt"):
        settle(tmp_path, plan(labelled))
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(TrainingError, match=r"plan\.json"):
        settle(tmp_path, plan(labelled))


# ---------------------------------------------------------------------- refusals of the command


@pytest.fixture
def with_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "find_spec", lambda _name: object())


def learn(tmp_path: Path, config: Path, data: Path, *more: object) -> Result:
    golden = tmp_path / "golden"
    golden.mkdir(exist_ok=True)
    words = ("learn", "--out", tmp_path / "out", "--golden", golden, "--config", config, "--data", data, *more)
    return CliRunner().invoke(app, [str(word) for word in words])


def refusal(result: Result) -> StationError:
    assert isinstance(result.exception, StationError), result.output
    return result.exception


def trainable(folder: Path, **said: object) -> Path:
    """A bundle of a known network, by its manifest; nothing looks further before the first step."""
    write_openvino(folder, np.zeros(5, np.float32))
    (folder / "network.pt").write_bytes(b"weights")
    sealed(folder, network="sca-cnn", **said)
    return folder


def test_without_the_training_packages_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "find_spec", lambda name: None if name in {"torch", "nncf"} else object())
    refused = learn(tmp_path, tmp_path / "none.toml", tmp_path)
    assert refused.exit_code == 2
    assert "torch, nncf missing" in refused.output
    assert "requirements/train.txt" in refused.output


@pytest.mark.usefixtures("with_packages")
@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda at: trainable(at, classes=(*CLASSES[:4], "dents")), "dents"),
        (lambda at: trainable(at, classes=(CLASSES[0], *CLASSES[:0:-1])), "answers defect_free, scratches"),
        (make_grey_bundle, "is grey, which nobody here can train; has no network.pt"),
    ],
)
def test_a_bundle_that_cannot_be_begun_with_is_told(
    labelled: Plant, tmp_path: Path, make: Callable[[Path], Path], word: str
) -> None:
    error = refusal(learn(tmp_path, cell(tmp_path, make(tmp_path / "other-1")), labelled.folder))
    assert error.code == "training.bad_weights"
    assert word in error.detail
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("with_packages")
def test_where_nobody_said_anything_nothing_is_begun(tmp_path: Path) -> None:
    config = cell(tmp_path, trainable(tmp_path / "tiny-1"))
    error = refusal(learn(tmp_path, config, tmp_path / "empty"))
    assert (error.code, "nobody has labelled anything" in error.detail) == ("training.bad_data", True)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("with_packages")
def test_a_disk_without_room_and_recordings_that_are_not_there_are_told(labelled: Plant, tmp_path: Path) -> None:
    config = cell(tmp_path, trainable(tmp_path / "tiny-1"))
    missing = refusal(learn(tmp_path, config, labelled.folder, "--test", tmp_path / "nowhere"))
    assert "nowhere: there is no such folder" in missing.detail
    config.write_text(config.read_text().replace("room_mb = 0", "room_mb = 10000000"))
    full = refusal(learn(tmp_path, config, labelled.folder))
    assert full.code == "training.disk_failed"
    assert "learn.room_mb is 10000000" in full.detail


def test_the_first_step_needs_a_plan(labelled: Plant, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["learn-parts", "--out", str(tmp_path)])
    assert refusal(result).code == "training.other_run"
    config = cell(tmp_path, tmp_path / "no-bundle")
    write_plan(tmp_path, plan(labelled))
    made = CliRunner().invoke(app, ["learn-parts", "--out", str(tmp_path), "--config", str(config)])
    assert made.exit_code == 0, (made.output, made.exception)
    assert "people differ" in made.output


def test_a_plan_that_was_changed_is_another_one(labelled: Plant) -> None:
    assert plan(labelled).sha256 != plan(labelled, training=Training(seed=2)).sha256
