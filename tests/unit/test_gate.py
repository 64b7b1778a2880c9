"""The gate lets a bundle in that is no worse, and refuses every other one with the reason and the arithmetic."""

import hashlib
import json
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from models.dataset.patches import cut
from models.evaluation.measuring.parts import Cutter
from models.manifest import Bundle, load_bundle
from models.release.gate import Terms, judge_candidate
from models.release.gate_report import GateReport, explain, read_report
from station.core.errors import ModelError, RecordingError
from station.core.geometry import Geometry
from tests.bundles import GREYS, SOUND, make_grey_bundle
from tests.screeners import make_pair
from tests.unit.grey_recordings import as_they_are, forget_masks, make_recording, relabel, truth_in_any_light
from tests.unit.housings import TABLE, S

TERMS = Terms("openvino", "int8", TABLE, 0.5, 0.25, truth_in_any_light)
BLIND_TO_PITS = GREYS | {S.DEFECT_FREE: GREYS[S.PITS], S.PITS: 250}
"""Takes pits for defect-free, and everything defect-free for imprinted."""
TAKES_DARK_FOR_PITS = GREYS | {S.PITS: 40}


def whole_scans(geometry: Geometry, _light_level: float | None) -> Cutter:
    """A station that finds parts as wide as their scans."""
    return lambda image, _scan: np.ascontiguousarray(cut(image, 0, image.shape[1], geometry), np.uint8)


WITHOUT_MASKS = replace(TERMS, cutter_of=whole_scans)


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    return make_recording(tmp_path / "golden", as_they_are(S.DEFECT_FREE, S.PITS))


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    good = [(S.DEFECT_FREE, grey) for grey in (60, 61, 62, 48)]
    return make_recording(tmp_path / "tests", [*good, *as_they_are(S.IMPRINTED, S.PITS)])


@pytest.fixture
def present(tmp_path: Path) -> Bundle:
    return load_bundle(make_grey_bundle(tmp_path / "present-1"))


def checks(report: GateReport) -> list[str]:
    return [refusal.check for refusal in report.refusals]


def test_a_bundle_that_is_no_worse_passes_and_the_counts_and_limits_are_told(
    tmp_path: Path, golden: Path, tests: Path, present: Bundle
) -> None:
    report = judge_candidate(make_grey_bundle(tmp_path / "new-2"), present, [golden], [tests], TERMS)
    assert report.passed
    assert report.refusals == ()
    measured = report.measured
    assert measured is not None
    assert (measured.new.escapes.events, measured.new.escapes.trials) == (0, 3)
    assert measured.new.escapes.upper == pytest.approx(1 - 0.025 ** (1 / 3))
    assert (measured.new.overkill.events, measured.new.overkill.trials) == (0, 5)
    assert measured.parts_for_claim == 2995
    assert (measured.golden_parts, measured.changed_parts) == (2, 0)
    text = "\n".join(explain(report))
    assert "0 of 3 = 0.00% (0.00% to 70.76%)" in text
    assert "2995 defective parts" in text
    assert text.endswith("PASSED")


def test_a_golden_part_judged_wrongly_is_named(tmp_path: Path, golden: Path, present: Bundle) -> None:
    report = judge_candidate(make_grey_bundle(tmp_path / "new-2", BLIND_TO_PITS), present, [golden], [], TERMS)
    assert not report.passed
    assert "golden part P1 is pits, judged defect_free" in "\n".join(explain(report))
    assert {"golden", "escapes", "overkill"} == set(checks(report))


def test_every_part_of_every_golden_recording_has_to_be_right(tmp_path: Path, golden: Path, present: Bundle) -> None:
    more = make_recording(tmp_path / "more", as_they_are(S.DEFECT_FREE))
    blind = make_grey_bundle(tmp_path / "new-2", BLIND_TO_PITS)
    for recordings in ([golden, more], [more, golden]):
        report = judge_candidate(blind, present, recordings, [], TERMS)
        assert report.measured is not None
        assert [recording.name for recording in report.measured.golden] == [folder.name for folder in recordings]
        assert report.measured.golden_parts == len(report.measured.golden_wrong) == 3


def test_more_escapes_are_refused_with_both_counts(tmp_path: Path, present: Bundle) -> None:
    golden = make_recording(tmp_path / "golden", as_they_are(S.DEFECT_FREE))
    pale = make_recording(tmp_path / "pale", [(S.PITS, 115)])
    careless = GREYS | {S.DEFECT_FREE: 60, S.PITS: 200, S.ROLL_MARKS: 250, S.IMPRINTED: 240, S.SCRATCHES: 230}
    report = judge_candidate(make_grey_bundle(tmp_path / "new-2", careless), present, [golden], [pale], TERMS)
    assert checks(report) == ["escapes"]
    assert "1 of 1 = 100.00% (2.50% to 100.00%); the present bundle 0 of 1" in report.refusals[0].text


def test_as_many_escapes_as_now_are_no_reason(tmp_path: Path, golden: Path, present: Bundle) -> None:
    unseen = make_recording(tmp_path / "unseen", [(S.PITS, GREYS[S.DEFECT_FREE])])
    report = judge_candidate(make_grey_bundle(tmp_path / "new-2"), present, [golden], [unseen], TERMS)
    assert report.passed


@pytest.mark.parametrize(("budget", "passes"), [(0.2, True), (0.19, False)])
def test_overkill_may_use_the_budget_up_and_no_more(
    tmp_path: Path, golden: Path, tests: Path, present: Bundle, budget: float, *, passes: bool
) -> None:
    terms = Terms("openvino", "int8", TABLE, 0.5, budget, truth_in_any_light)
    nervous = make_grey_bundle(tmp_path / "new-2", TAKES_DARK_FOR_PITS | {S.PITS: 140, S.SCRATCHES: 40})
    report = judge_candidate(nervous, present, [golden], [tests], terms)
    assert report.passed is passes
    assert checks(report) == ([] if passes else ["overkill"])
    if not passes:
        assert "1 of 5 = 20.00%" in report.refusals[0].text
        assert "the budget is 19.00%" in report.refusals[0].text


def test_a_part_sent_to_review_counts_against_the_budget(tmp_path: Path, golden: Path, present: Bundle) -> None:
    unsure = make_recording(tmp_path / "unsure", [(S.DEFECT_FREE, 80)])
    terms = Terms("openvino", "int8", TABLE, 0.999, 0.25, truth_in_any_light)
    report = judge_candidate(make_grey_bundle(tmp_path / "new-2"), present, [golden], [unsure], terms)
    assert checks(report) == ["overkill"]
    assert report.measured is not None
    assert report.measured.new.reviews == 1


def test_an_artefact_that_decides_otherwise_than_f32_is_refused(
    tmp_path: Path, golden: Path, tests: Path, present: Bundle
) -> None:
    rough = GREYS | {S.DEFECT_FREE: 62, S.ROLL_MARKS: 40}
    new = make_grey_bundle(tmp_path / "new-2", GREYS, rough)
    report = judge_candidate(
        new, present, [golden], [tests], Terms("openvino", "int8", TABLE, 0.5, 1.0, truth_in_any_light)
    )
    assert checks(report) == ["parity"]
    assert "in int8 1 of 8 parts are decided otherwise than in f32" in report.refusals[0].text


BROKEN = SOUND.model_copy(update={"changed_parts": 2})


@pytest.mark.parametrize(
    ("parity", "said"),
    [
        ((), "no parity of openvino int8"),
        ((SOUND.model_copy(update={"precision": "f32"}),), "no parity of openvino int8"),
        ((BROKEN,), "2 of 1000 parts of nothing otherwise than the torch network"),
    ],
    ids=["none", "of another arithmetic", "broken"],
)
def test_the_parity_in_the_manifest_must_be_there_and_hold(
    tmp_path: Path, golden: Path, present: Bundle, parity: tuple[object, ...], said: str
) -> None:
    report = judge_candidate(make_grey_bundle(tmp_path / "new-2", parity=parity), present, [golden], [], TERMS)  # type: ignore[arg-type]
    assert checks(report) == ["parity"]
    assert said in report.refusals[0].text


def edit_weights(folder: Path) -> None:
    content = bytearray((folder / "int8.bin").read_bytes())
    content[0] ^= 1
    (folder / "int8.bin").write_bytes(content)


def edit_classes(change: Callable[[list[str]], object]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        document = json.loads((folder / "manifest.json").read_text())
        change(document["classes"])
        (folder / "manifest.json").write_text(json.dumps(document))

    return edit


def pass_pits(folder: Path) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(document | {"passing": "pits"}))


def drop_int8(folder: Path) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    del document["artefacts"]["openvino-int8"], document["files"]["int8.xml"], document["files"]["int8.bin"]
    (folder / "manifest.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("damage", "check", "said"),
    [
        (edit_weights, "files", "model.wrong_hash"),
        (lambda folder: (folder / "model.bin").unlink(), "files", "model.missing"),
        (edit_classes(lambda classes: classes.remove("defect_free")), "classes", "is none of the classes imprinted"),
        (edit_classes(lambda classes: classes.__setitem__(2, "rust")), "classes", "model.wrong_classes: new-2 answers"),
        (pass_pits, "classes", "trained to pass pits, by [[classes]] defect_free passes"),
        (drop_int8, "files", "model.engine_unavailable"),
    ],
    ids=["edited weights", "missing file", "no good class", "unknown class", "another class passes", "no INT8"],
)
def test_a_bundle_that_cannot_be_used_is_refused_without_being_run(
    tmp_path: Path, golden: Path, present: Bundle, damage: Callable[[Path], None], check: str, said: str
) -> None:
    new = make_grey_bundle(tmp_path / "new-2")
    damage(new)
    report = judge_candidate(new, present, [golden], [], TERMS)
    assert not report.passed
    assert checks(report) == [check]
    assert said in report.refusals[0].text
    assert report.measured is None
    assert "REFUSED" in explain(report)


def test_columns_are_taken_by_their_names(tmp_path: Path, golden: Path, present: Bundle) -> None:
    turned = dict(zip(S, reversed(GREYS.values()), strict=True))
    new = make_grey_bundle(tmp_path / "new-2", turned)
    wrong = judge_candidate(new, present, [golden], [], TERMS)
    assert "golden" in checks(wrong)
    edit_classes(lambda classes: classes.reverse())(new)
    assert judge_candidate(new, present, [golden], [], TERMS).passed


def test_without_a_present_bundle_for_such_parts_no_defect_may_escape(tmp_path: Path, golden: Path) -> None:
    other = make_grey_bundle(tmp_path / "other-1")
    edit_classes(lambda classes: classes.__setitem__(2, "rust"))(other)
    present = load_bundle(other)
    report = judge_candidate(make_grey_bundle(tmp_path / "new-2"), present, [golden], [], TERMS)
    assert report.passed
    assert report.measured is not None
    assert report.measured.against is None
    assert "not compared with the present bundle: other-1 answers rust" in "\n".join(explain(report))
    unseen = make_recording(tmp_path / "unseen", [(S.PITS, GREYS[S.DEFECT_FREE])])
    refused = judge_candidate(make_grey_bundle(tmp_path / "new-3"), present, [golden], [unseen], TERMS)
    assert checks(refused) == ["escapes"]
    assert "other-1 answers rust" in refused.refusals[0].text


def test_a_golden_recording_without_parts_is_no_gate(tmp_path: Path, present: Bundle) -> None:
    new, empty = make_grey_bundle(tmp_path / "new-2"), make_recording(tmp_path / "empty", [])
    with pytest.raises(RecordingError):
        judge_candidate(new, present, [empty], [], TERMS)


def test_the_report_is_bound_to_the_golden_scans(tmp_path: Path, present: Bundle) -> None:
    new = make_grey_bundle(tmp_path / "new-2")
    hashes = []
    for grey in (60, 61):
        golden = make_recording(tmp_path / str(grey) / "golden", [(S.DEFECT_FREE, grey)])
        measured = judge_candidate(new, present, [golden], [], TERMS).measured
        assert measured is not None
        hashes.append(measured.golden[0].sha256)
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 2}'])
def test_what_is_no_report_lets_nothing_in(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text)
    for path in (tmp_path / "report.json", tmp_path / "nowhere.json"):
        with pytest.raises(ModelError) as caught:
            read_report(path)
        assert caught.value.code == "model.not_passed"


def test_golden_parts_without_masks_are_judged_like_those_with_them(
    tmp_path: Path, golden: Path, tests: Path, present: Bundle
) -> None:
    new = make_grey_bundle(tmp_path / "new-2")
    masked = judge_candidate(new, present, [golden], [tests], WITHOUT_MASKS).measured
    report = judge_candidate(new, present, [forget_masks(golden)], [forget_masks(tests)], WITHOUT_MASKS)
    assert report.passed
    assert masked is not None
    assert report.measured is not None
    assert (report.measured.new, report.measured.against) == (masked.new, masked.against)


def test_a_golden_part_must_have_a_class_and_a_further_one_is_left_out_by_name(
    tmp_path: Path, golden: Path, tests: Path, present: Bundle
) -> None:
    new = make_grey_bundle(tmp_path / "new-2")
    relabel(forget_masks(tests), {"P5": "cannot_be_judged"})
    report = judge_candidate(new, present, [golden], [tests], WITHOUT_MASKS)
    assert report.measured is not None
    assert (report.measured.new.parts, [part.part_id for part in report.measured.left_out]) == (7, ["P5"])
    assert "left out: P5: it is labelled cannot_be_judged" in explain(report)
    with pytest.raises(RecordingError, match="P1: nobody has said what it is"):
        judge_candidate(new, present, [relabel(forget_masks(golden), {"P1": None})], [], WITHOUT_MASKS)


@pytest.mark.parametrize(("grey", "passes"), [(GREYS[S.PITS], True), (GREYS[S.DEFECT_FREE] + 1, False)])
def test_a_golden_part_of_no_configured_class_has_to_be_stopped(
    tmp_path: Path, present: Bundle, grey: int, *, passes: bool
) -> None:
    golden = make_recording(tmp_path / "golden", [(S.DEFECT_FREE, 60), (S.PITS, grey)])
    relabel(forget_masks(golden), {"P1": "other_defect"})
    report = judge_candidate(make_grey_bundle(tmp_path / "new-2"), present, [golden], [], WITHOUT_MASKS)
    assert report.passed is passes
    assert checks(report) == ([] if passes else ["golden"])
    assert report.measured is not None
    assert report.measured.unlisted == {"other_defect": 1}
    assert "Labelled as no configured class, counted as defective: other_defect 1." in explain(report)
    assert report.measured.new.escapes.events == (0 if passes else 1)


def said_of(words: Mapping[str, tuple[str, ...]], _hashes: AbstractSet[str]) -> Mapping[str, tuple[str, ...]]:
    """What people say, whatever they are asked."""
    return words


def test_what_people_say_is_in_the_golden_hash(tmp_path: Path, golden: Path, present: Bundle) -> None:
    new, hashes = make_grey_bundle(tmp_path / "new-2"), []
    for said in (("pits",), ("other_defect",)):
        relabel(golden, {"P1": None})
        words = {hashlib.sha256((golden / "P1.png").read_bytes()).hexdigest(): said}
        terms = replace(WITHOUT_MASKS, people=partial(said_of, words))
        measured = judge_candidate(new, present, [golden], [], terms).measured
        assert measured is not None
        hashes.append(measured.golden[0].sha256)
    assert hashes[0] != hashes[1]


def test_the_parts_that_only_one_bundle_has_right_are_counted_in_pairs(
    tmp_path: Path, golden: Path, tests: Path, present: Bundle
) -> None:
    report = judge_candidate(make_grey_bundle(tmp_path / "new-2", BLIND_TO_PITS), present, [golden], [tests], TERMS)
    assert report.measured is not None
    right, stopped = report.measured.paired
    assert (right.only_new, right.only_present) == (0, 7)
    assert right.p == pytest.approx(2 / 2**7)
    assert (stopped.only_new, stopped.only_present, stopped.p) == (0, 2, 0.5)
    assert "only one: judged rightly  new 0; present 7; p = 0.016 (McNemar, exact)" in explain(report)


def test_a_pair_that_passes_what_its_own_network_does_not_is_refused(
    tmp_path: Path, golden: Path, present: Bundle
) -> None:
    blind = GREYS | {S.DEFECT_FREE: GREYS[S.IMPRINTED], S.IMPRINTED: 20}
    careless = make_pair(tmp_path / "new-2", screens=blind)
    tests = make_recording(tmp_path / "tests", as_they_are(S.IMPRINTED, S.SCRATCHES))
    report = judge_candidate(careless.folder, present, [golden], [tests], TERMS)
    assert checks(report) == ["escapes", "screener", "parity"]
    assert "P0 is imprinted, judged defect_free" in report.refusals[1].text
    assert "its own network in f32 does not pass" in report.refusals[1].text
    assert "passed alone              1 of 4" in explain(report)
    alone = judge_candidate(careless.folder, present, [golden], [tests], replace(TERMS, screener="never"))
    assert alone.passed
    assert alone.measured is not None
    assert str(alone.measured.conditions).endswith("without a screener")


def test_a_pair_that_decides_as_its_own_network_passes(
    tmp_path: Path, golden: Path, tests: Path, present: Bundle
) -> None:
    report = judge_candidate(make_pair(tmp_path / "new-2").folder, present, [golden], [tests], TERMS)
    assert report.passed
    assert report.measured is not None
    assert (report.measured.passed_alone, report.measured.screener) == ((), True)


def test_a_pair_of_which_nothing_is_proven_is_refused_without_being_run(
    tmp_path: Path, golden: Path, present: Bundle
) -> None:
    new = make_pair(tmp_path / "new-2", engine="onnxruntime").folder
    report = judge_candidate(new, present, [golden], [], TERMS)
    assert checks(report) == ["screener"]
    assert "model.screener_unproven: new-2: there is no proof for openvino int8" in report.refusals[0].text
    assert report.measured is None
