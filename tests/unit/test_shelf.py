"""Nothing is run as the promoted bundle but the one that somebody let in, for a reason that is written down."""

import json
import re
from pathlib import Path

import pytest

from models.manifest import load_bundle
from models.release.gate import Terms, judge_candidate
from models.release.gate_report import Conditions
from models.release.history import HEAD, HISTORY
from models.release.shelf import Shelf, chosen_bundle
from models.release.thresholds import threshold_mismatch
from models.weights import SHIPPED
from station.core.errors import ModelError
from tests.bundles import GREYS, make_grey_bundle
from tests.disk import Disk
from tests.unit.grey_recordings import as_they_are, make_recording, truth_in_any_light
from tests.unit.housings import TABLE, S

TERMS = Terms("openvino", "int8", TABLE, 0.5, 0.25, truth_in_any_light)
ME = "me@here"


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_grey_bundle(tmp_path / "shipped-1")
    monkeypatch.setattr(
        "models.release.shelf.bundle_folder", lambda name: folder if name in (SHIPPED, folder.name) else Path(name)
    )
    return folder


@pytest.fixture
def shelf(tmp_path: Path, shipped: Path) -> Shelf:
    return Shelf(tmp_path / "models")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return make_grey_bundle(tmp_path / "new-2", GREYS | {S.DEFECT_FREE: 59})


def report_on(new: Path, shelf: Shelf, tmp_path: Path) -> Path:
    golden = tmp_path / "golden"
    if not golden.exists():
        make_recording(golden, as_they_are(S.DEFECT_FREE, S.PITS))
    return shelf.keep_verdict(judge_candidate(new, shelf.open_active(), [golden], [], TERMS), None)


def code_of(caught: pytest.ExceptionInfo[ModelError]) -> str:
    return caught.value.code


def test_before_any_promotion_the_shipped_bundle_is_used(shelf: Shelf, shipped: Path) -> None:
    assert chosen_bundle("promoted", shelf).identity == load_bundle(shipped).identity
    assert not shelf.folder.exists()


def test_what_passed_the_gate_is_promoted_copied_and_written_down(
    shelf: Shelf, new: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, disk = shelf.active(), Disk(monkeypatch)
    report = report_on(new, shelf, tmp_path)
    assert report == shelf.verdict_on(new)
    shelf.promote(new, report, "quieter", ME)
    for path in new.iterdir():
        path.unlink()
    used = chosen_bundle("promoted", shelf)
    assert used.identity.name == "new-2"
    (entry,) = shelf.history()
    assert (entry.action, entry.by, entry.reason, entry.sha256) == ("promoted", ME, "quieter", used.identity.sha256)
    assert (entry.replaces, entry.replaces_sha256) == (before.name, before.sha256)
    kept = shelf.folder / "reports" / f"{entry.gate}.json"
    assert json.loads(kept.read_text())["new"]["sha256"] == used.identity.sha256
    places = (shelf.place(used.identity), shelf.place(before), kept, report)
    assert disk.holds(*places, shelf.folder / HISTORY, shelf.folder / HEAD)
    assert {shelf.folder.parent, shelf.folder} <= set(disk.syncs), "the folders that were made have their names"


@pytest.mark.parametrize(
    "station",
    [
        Conditions("openvino", "int8", 0.7),
        Conditions("openvino", "f32", 0.5),
        Conditions("onnxruntime", "int8", 0.5),
    ],
)
def test_a_gate_that_judged_otherwise_than_the_station_lets_nothing_in(
    shelf: Shelf, new: Path, tmp_path: Path, station: Conditions
) -> None:
    report = report_on(new, shelf, tmp_path)
    told = f"the gate judged by openvino int8, review under 0.5; the configuration says {station}"
    with pytest.raises(ModelError, match=re.escape(told)):
        shelf.promote(new, report, "", ME, station)
    assert shelf.history() == ()
    assert shelf.promote(new, report, "", ME, Conditions("openvino", "int8", 0.5)).gate


def test_a_bundle_is_doubted_where_the_station_judges_by_another_least_confidence(shelf: Shelf, shipped: Path) -> None:
    bundle = load_bundle(shipped)
    assert threshold_mismatch(bundle, shelf, 0.5) is None
    lower = threshold_mismatch(bundle, shelf, 0.3)
    assert lower is not None
    assert "min_confidence is 0.3, shipped-1 was measured with 0.5 (its manifest): parts pass or are sorted" in lower
    higher = threshold_mismatch(bundle, shelf, 0.8)
    assert higher is not None
    assert "parts are a REVIEW that passed" in higher


def test_what_the_gate_judged_by_counts_more_than_the_manifest(shelf: Shelf, new: Path, tmp_path: Path) -> None:
    golden = make_recording(tmp_path / "golden", as_they_are(S.DEFECT_FREE, S.PITS))

    def gated(min_confidence: float) -> Path:
        terms = Terms("openvino", "int8", TABLE, min_confidence, 0.25, truth_in_any_light)
        return shelf.keep_verdict(judge_candidate(new, shelf.open_active(), [golden], [], terms), None)

    def doubt(min_confidence: float) -> str:
        return threshold_mismatch(shelf.open_active(), shelf, min_confidence) or ""

    entry = shelf.promote(new, gated(0.7), "", ME)
    assert not doubt(0.7)
    assert "measured with 0.7 (the gate)" in doubt(0.5)
    verdict = gated(0.5)
    assert not doubt(0.5), "the promoted bundle was gated anew with the changed configuration"
    verdict.unlink()
    assert "measured with 0.7 (the gate)" in doubt(0.5), "what it was promoted on is left"
    (shelf.folder / "reports" / f"{entry.gate}.json").write_text("{}")
    assert "measured with 0.5 (its manifest)" in doubt(0.7)


def test_without_report_and_reason_nothing_is_promoted(shelf: Shelf, new: Path) -> None:
    with pytest.raises(ModelError) as caught:
        shelf.promote(new, None, "  ", ME)
    assert code_of(caught) == "model.not_passed"
    assert shelf.history() == ()
    assert shelf.bundles() == ()


def test_doing_without_the_gate_is_written_down(shelf: Shelf, new: Path) -> None:
    entry = shelf.promote(new, None, "commissioning", ME)
    assert (entry.gate, entry.reason) == (None, "commissioning")


def test_a_refusal_of_the_gate_is_no_way_in(shelf: Shelf, tmp_path: Path) -> None:
    blind = make_grey_bundle(tmp_path / "blind-2", GREYS | {S.DEFECT_FREE: GREYS[S.PITS], S.PITS: 250})
    with pytest.raises(ModelError, match="the gate refused it") as caught:
        shelf.promote(blind, report_on(blind, shelf, tmp_path), "", ME)
    assert code_of(caught) == "model.not_passed"


def test_a_report_on_another_bundle_is_no_way_in(shelf: Shelf, new: Path, tmp_path: Path) -> None:
    other = make_grey_bundle(tmp_path / "other-2")
    with pytest.raises(ModelError, match="the report is on new-2"):
        shelf.promote(other, report_on(new, shelf, tmp_path), "", ME)


def test_a_report_against_a_bundle_that_is_no_longer_used_is_no_way_in(shelf: Shelf, new: Path, tmp_path: Path) -> None:
    report = report_on(new, shelf, tmp_path)
    shelf.promote(make_grey_bundle(tmp_path / "other-2"), None, "in between", ME)
    with pytest.raises(ModelError, match="but other-2"):
        shelf.promote(new, report, "", ME)


def test_an_edited_bundle_is_not_promoted(shelf: Shelf, new: Path, tmp_path: Path) -> None:
    report = report_on(new, shelf, tmp_path)
    (new / "int8.bin").write_bytes(b"other")
    with pytest.raises(ModelError) as caught:
        shelf.promote(new, report, "", ME)
    assert code_of(caught) == "model.wrong_hash"


def test_a_bundle_is_not_promoted_twice(shelf: Shelf, new: Path) -> None:
    shelf.promote(new, None, "first", ME)
    with pytest.raises(ModelError) as caught:
        shelf.promote(new, None, "again", ME)
    assert code_of(caught) == "model.exists"


def test_a_bundle_that_is_changed_on_the_shelf_is_not_run(shelf: Shelf, new: Path, tmp_path: Path) -> None:
    shelf.promote(new, None, "first", ME)
    (place,) = (folder for folder in shelf.bundles() if "new-2" in folder.name)
    (place / "model.bin").write_bytes(b"other")
    with pytest.raises(ModelError) as caught:
        chosen_bundle("promoted", shelf)
    assert code_of(caught) == "model.wrong_hash"


def test_another_sound_bundle_in_the_promoted_ones_place_is_not_run(shelf: Shelf, new: Path) -> None:
    shelf.promote(new, None, "first", ME)
    manifest = shelf.place(shelf.active()) / "manifest.json"
    document = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(document | {"licence": "MIT"}))
    with pytest.raises(ModelError) as caught:
        chosen_bundle("promoted", shelf)
    assert code_of(caught) == "model.not_promoted"


def test_going_back_is_to_what_was_replaced_step_by_step(shelf: Shelf, new: Path, tmp_path: Path) -> None:
    first = shelf.active()
    shelf.promote(new, None, "second", ME)
    second = shelf.active()
    shelf.promote(make_grey_bundle(tmp_path / "third-3"), None, "third", ME)
    for expected in (second, first):
        shelf.roll_back(None, "worse", ME)
        assert shelf.open_active().identity == expected
    with pytest.raises(ModelError) as caught:
        shelf.roll_back(None, "further", ME)
    assert code_of(caught) == "model.unknown"
    assert [entry.action for entry in shelf.history()] == ["promoted"] * 2 + ["rolled_back"] * 2


def test_the_replaced_shipped_bundle_stays_though_the_product_ships_another(
    shelf: Shelf, new: Path, shipped: Path
) -> None:
    first = shelf.active()
    shelf.promote(new, None, "second", ME)
    (shipped / "manifest.json").unlink()
    shelf.roll_back(None, "worse", ME)
    assert shelf.open_active().identity == first


def test_going_back_to_a_named_bundle_takes_name_or_hash(shelf: Shelf, new: Path, tmp_path: Path) -> None:
    first = shelf.active()
    shelf.promote(new, None, "second", ME)
    second = shelf.active()
    shelf.promote(make_grey_bundle(tmp_path / "third-3"), None, "third", ME)
    shelf.roll_back("shipped-1", "worse", ME)
    assert shelf.active() == first
    shelf.roll_back(second.sha256[:8], "better", ME)
    assert shelf.active() == second
    for unknown in ("nobody", second.name):
        with pytest.raises(ModelError) as caught:
            shelf.roll_back(unknown, "why not", ME)
        assert code_of(caught) == "model.unknown"


def test_going_back_needs_a_reason(shelf: Shelf, new: Path) -> None:
    shelf.promote(new, None, "second", ME)
    with pytest.raises(ModelError) as caught:
        shelf.roll_back(None, "", ME)
    assert code_of(caught) == "model.not_passed"


@pytest.mark.parametrize("harm", ["edit", "remove", "nonsense"])
def test_a_history_that_was_tampered_with_is_not_believed(shelf: Shelf, new: Path, tmp_path: Path, harm: str) -> None:
    shelf.promote(new, None, "second", ME)
    shelf.promote(make_grey_bundle(tmp_path / "third-3"), None, "third", ME)
    path = shelf.folder / "history.jsonl"
    first, second = path.read_text().splitlines()
    harmed = {"edit": [first.replace("second", "another"), second], "remove": [second], "nonsense": ["{}", second]}
    path.write_text("".join(line + "\n" for line in harmed[harm]))
    for use in (shelf.history, shelf.open_active, lambda: shelf.promote(new, None, "again", ME)):
        with pytest.raises(ModelError) as caught:
            use()
        assert code_of(caught) == "model.bad_history"
