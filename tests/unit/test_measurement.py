"""A whole measurement on small recordings: the document, the report, and what is refused before time is spent."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest

from models.dataset.scans import read_scans
from models.dataset.store import DataFile, DataHeading, Entry, Split, write_data
from models.errors import DatasetError
from models.evaluation.measurement import (
    Instrument,
    Judging,
    RobustnessDocument,
    Scope,
    measure_disturbed,
    measure_recording,
    prepare,
    write_evaluation,
    write_robustness,
)
from models.evaluation.measuring.defects import Scale
from models.evaluation.measuring.evaluation import Evaluation
from models.evaluation.measuring.images import measure_images, play_pictures
from models.evaluation.measuring.parts import Rule, cutter_at_truth, judge
from models.evaluation.measuring.progress import silent
from models.evaluation.measuring.scorers import BundleScorer, Scorer
from models.evaluation.report.gallery import worst_escapes, worst_overkills
from station.core.errors import ConfigError, ModelError, RecordingError
from station.core.part import EngineIdentity, ModelIdentity, Pixels, Probabilities
from tests.disk import Disk
from tests.scoring import ScoresAlone
from tests.turned import turned
from tests.unit.housings import CLASSES, GEOMETRY, LINES, MEANING, TABLE, Surface

LEFT, RIGHT = 20, 276
RULE = Rule(MEANING, GEOMETRY, 0.5, cutter_at_truth(GEOMETRY))
JUDGING = Judging(RULE, "the truth's columns", Scale(0.0155, {"smh_256": 0.02}))
GREY = {Surface.PITS: 10, Surface.SCRATCHES: 250}


class ByGrey(ScoresAlone):
    """A classifier that calls the blackest or whitest spot of a patch pits or scratches, if it is large enough."""

    engine = EngineIdentity("numpy", "1", "f32", "none")
    classes = CLASSES
    geometry = GEOMETRY

    @property
    def model(self) -> ModelIdentity:
        return ModelIdentity("by-grey", "ab" * 32)

    def warm_up(self) -> None:
        pass

    def score(self, patches: Pixels) -> Probabilities:
        dark, light = ((patches < 40).mean(axis=(1, 2)), (patches > 200).mean(axis=(1, 2)))
        answer = np.zeros((len(patches), 5), np.float32)
        answer[:, Surface.PITS.number] = np.clip(dark / 0.02, 0, 0.95)
        answer[:, Surface.SCRATCHES.number] = np.clip(light / 0.02, 0, 0.95) * (dark < 0.001)
        answer[:, 0] = 1 - answer.sum(axis=1)
        return answer


def write_part(folder: Path, name: str, surface: Surface, side: int, shown: Surface | None = None) -> None:
    """A part with a square of a class; `shown` is the class that it looks like, if it is another."""
    image, mask = np.full((3584, 296), 2, np.uint8), np.zeros((3584, 296), np.uint8)
    image[:, LEFT:RIGHT] = turned(len(name), RIGHT - LEFT, 120)
    defects = []
    if surface.number or shown:
        line, column = 1000, 60
        where = np.s_[line : line + side, LEFT + column : LEFT + column + side]
        image[where] = GREY[shown or surface]
        mask[where] = surface.number
    if surface.number:
        middle = {"line": line + side // 2, "column": column + side // 2}
        defects = [{"class": surface, **middle, "contrast": 0.5, "area_px": side**2}]
    (folder / "masks").mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{name}.png"), image)
    cv2.imwrite(str(folder / "masks" / f"{name}.png"), mask)
    entry = {"file": f"{name}.png", "part_id": name, "part_type": "smh_256", "label": surface}
    truth = {"file": f"{name}.png", "mask": f"masks/{name}.png", "left": LEFT, "right": RIGHT, "defects": defects}
    for file, line_of in (("recording.jsonl", entry), ("truth.jsonl", truth)):
        with (folder / file).open("a") as lines:
            lines.write(json.dumps(line_of) + "\n")


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    folder = tmp_path / "parts"
    write_part(folder, "good-1", Surface.DEFECT_FREE, 0)
    write_part(folder, "good-2", Surface.DEFECT_FREE, 60, Surface.PITS)
    write_part(folder, "pits-big", Surface.PITS, 60)
    write_part(folder, "pits-small", Surface.PITS, 9)
    write_part(folder, "scratch", Surface.SCRATCHES, 60)
    return folder


def instrument(scorer: Scorer | None = None) -> Instrument:
    def evidence(patch: Pixels, _surface: int) -> np.ndarray:
        return np.asarray((patch < 40) | (patch > 200), np.float32)

    return Instrument(scorer or BundleScorer(ByGrey()), "numpy", evidence, silent)


def test_a_measurement_counts_what_happened_and_its_document_reads_back(recording: Path, tmp_path: Path) -> None:
    evaluation, pictures = measure_recording(instrument(), JUDGING, Scope(recording, None, 4, 9, 1, 1))
    assert evaluation.parts is not None
    assert (evaluation.parts.tally.escapes.events, evaluation.parts.tally.escapes.trials) == (1, 3)
    assert (evaluation.parts.tally.overkills.events, evaluation.parts.tally.overkills.trials) == (1, 2)
    assert (evaluation.parts.tally.accuracy.events, evaluation.parts.tally.accuracy.trials) == (3, 5)
    assert [row.verdict for row in evaluation.parts.rows] == [
        "defect_free", "pits", "pits", "defect_free", "scratches",
    ]  # fmt: skip
    assert evaluation.parts.classification.confusion[2] == (1, 0, 1, 0, 0, 0)
    assert {claim.events: claim.parts for claim in evaluation.parts.claims} == {0: 2995, 1: 4742, 2: 6294}
    pits = next(each for each in evaluation.detection if each.defect == "pits")
    assert pits.size.ending == "separated"
    assert (len(pits.size.targets), len(pits.contrast.targets), pits.both.defects) == (2, 2, 2)
    assert evaluation.false_calls is not None
    assert (evaluation.false_calls.events, evaluation.false_calls.trials) == (1, 77)
    assert evaluation.pointing is not None
    assert (evaluation.pointing.hits.events, evaluation.pointing.hits.trials) == (2, 2)
    assert {curve.name for curve in evaluation.robustness} >= {"blur", "brightness", "natural scratches"}
    write_evaluation(tmp_path, evaluation, pictures)
    assert Evaluation.model_validate_json((tmp_path / "evaluation.json").read_text()) == evaluation
    assert evaluation.source.sha256 is not None


class Balance(HTMLParser):
    """Notes what a page is made of and whether every element is closed."""

    VOID = frozenset({"meta", "img", "br", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []
        self.images = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.images += tag == "img"
        self.outside += [value or "" for name, value in attrs if name in {"src", "href"} and value[:5] != "data:"]  # type: ignore[index]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_is_one_whole_page_that_loads_nothing_and_shows_the_errors(recording: Path, tmp_path: Path) -> None:
    evaluation, pictures = measure_recording(instrument(), JUDGING, Scope(recording, recording, 4, 9, 1, 1))
    write_evaluation(tmp_path, evaluation, pictures)
    text = (tmp_path / "report.html").read_text()
    page = Balance()
    page.feed(text)
    assert (page.open, page.outside) == ([], [])
    assert page.images == sum(map(len, pictures.values())) > 3
    for words in (
        "escapes",
        "33.3 %",
        "pits-small: pits, judged defect free",
        "good-2: defect free, judged pits",
        "2,995",
        "2 of 2 defects are of usual contrast",
        "At the usual size of 0.69 mm no contrast can be given",
        "No model can be fitted",
    ):
        assert words in text
    charts = [piece.split("</svg>")[0] + "</svg>" for piece in text.split("<svg")[1:]]
    assert len(charts) > 8
    for chart in charts:
        ET.fromstring("<svg" + chart)  # noqa: S314 # our own page
        assert "nan" not in chart.replace("dominant", "")


def test_robustness_alone_judges_the_same_parts_at_every_level(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = measure_disturbed(instrument(), JUDGING, recording, 3, 1)
    assert document.parts == 3
    light = next(curve for curve in document.curves if curve.name == "brightness")
    by_level = {level.level: level.tally for level in light.levels}
    assert by_level[1].accuracy.events == 2
    assert by_level[0.4].accuracy.trials == 3
    assert by_level[1.6].overkills.events == 2
    disk = Disk(monkeypatch)
    write_robustness(tmp_path, document)
    assert disk.holds(tmp_path / "robustness.json", tmp_path / "report.html")
    assert RobustnessDocument.model_validate_json((tmp_path / "robustness.json").read_text()) == document
    assert "Exposure: factor" in (tmp_path / "report.html").read_text()


def test_the_worst_cases_come_first(recording: Path) -> None:
    parts = [judge(BundleScorer(ByGrey()), scan, RULE) for scan in read_scans(recording, TABLE, LINES)]
    assert [case.part.scan.part_id for case in worst_escapes(parts, 9)] == ["pits-small"]
    assert [case.part.scan.part_id for case in worst_overkills(parts, 9)] == ["good-2"]
    assert worst_escapes(parts, 0) == []


def empty(folder: Path) -> None:
    folder.mkdir()
    (folder / "recording.jsonl").write_text("")
    (folder / "truth.jsonl").write_text("")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (empty, "no line in recording.jsonl"),
        (lambda folder: folder.mkdir(), "no recording.jsonl"),
        (
            lambda folder: (write_part(folder, "a", Surface.PITS, 9), (folder / "a.png").write_bytes(b"no")),
            "a.png",
        ),
    ],
    ids=["no scan", "no list", "unreadable image"],
)
def test_an_unusable_recording_is_named(tmp_path: Path, damage: Callable[[Path], object], words: str) -> None:
    damage(tmp_path / "bad")
    with pytest.raises(RecordingError, match=words):
        measure_recording(instrument(), JUDGING, Scope(tmp_path / "bad", None, 0, 0, 0, 1))


def test_a_data_set_of_other_classes_is_refused_before_it_is_scored(tmp_path: Path) -> None:
    heading = DataHeading(
        name="d", kind="patches", classes=CLASSES[::-1], height=256, width=256, source="s", seed=1, shares=(0, 0, 100)
    )
    file = DataFile(path="0.png", sha256="0" * 64, group=0, label=CLASSES[0], split="test")
    images = np.zeros((1, 256, 256), np.uint8)
    data = write_data(tmp_path / "d", heading, [Entry(file, images, np.zeros(1, np.int16))], 1)
    with pytest.raises(ModelError, match="the data has scratches, roll_marks, pits"):
        measure_images(BundleScorer(ByGrey()), data, Split.TEST)


def test_results_are_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")
    with pytest.raises(ConfigError, match=r"report\.html lies there"):
        prepare(tmp_path, "evaluation.json", "report.html")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="--out"):
        prepare(tmp_path / "file" / "below", "report.html")


def test_a_data_set_is_measured_picture_by_picture_and_slivers_are_left_out(tmp_path: Path) -> None:
    images = np.full((4, 256, 256), 120, np.uint8)
    images[1:3, :60, :60] = 10
    heading = DataHeading(
        name="d", kind="patches", classes=CLASSES, height=256, width=256, source="s", seed=1, shares=(0, 0, 100)
    )
    files = [
        DataFile(path=f"{number}.png", sha256="0" * 64, group=number, label=CLASSES[0], split="test")
        for number in range(4)
    ]
    labels = np.array([0, 2, 0, -1], np.int16)
    entries = [Entry(file, images[n : n + 1], labels[n : n + 1]) for n, file in enumerate(files)]
    data = write_data(tmp_path / "d", heading, entries, 4)
    figures = measure_images(BundleScorer(ByGrey()), data, Split.TEST)
    assert (figures.classification.accuracy.events, figures.classification.accuracy.trials) == (2, 3)
    assert [wrong[:3] for wrong in figures.wrong] == [("2.png", "defect_free", "pits")]
    with pytest.raises(DatasetError, match="no picture in the train split"):
        measure_images(BundleScorer(ByGrey()), data, Split.TRAIN)


def test_the_evidence_of_pictures_is_held_against_their_masks(tmp_path: Path) -> None:
    images = np.full((3, 256, 256), 120, np.uint8)
    images[:, 100:160, 100:160] = 10
    heading = DataHeading(
        name="d", kind="class_folders", classes=CLASSES, height=256, width=256, source="s", seed=1, shares=(0, 0, 100)
    )
    labels = np.full(1, Surface.PITS.number, np.int16)
    files = [
        DataFile(path=f"pits/{number}.jpg", sha256="0" * 64, group=number, label="pits", split="test")
        for number in range(3)
    ]
    entries = [Entry(file, images[n : n + 1], labels) for n, file in enumerate(files)]
    data = write_data(tmp_path / "d", heading, entries, 3)
    (tmp_path / "masks" / "pits").mkdir(parents=True)
    for number, corner in enumerate((50, 0)):
        mask = np.zeros((128, 128), np.uint8)
        mask[corner : corner + 30, corner : corner + 30] = 255
        cv2.imwrite(str(tmp_path / "masks" / "pits" / f"{number}.png"), mask)
    measuring = instrument()
    assert measuring.evidence_map is not None
    pointing = play_pictures(measuring.scorer, measuring.evidence_map, data, Split.TEST, tmp_path / "masks")
    assert pointing is not None
    assert (pointing.hits.events, pointing.hits.trials) == (1, 2)
    assert play_pictures(measuring.scorer, measuring.evidence_map, data, Split.TEST, tmp_path) is None
    (tmp_path / "masks" / "pits" / "1.png").write_bytes(b"no mask")
    with pytest.raises(ConfigError, match=r"--masks .*1\.png: it is no PNG"):
        play_pictures(measuring.scorer, measuring.evidence_map, data, Split.TEST, tmp_path / "masks")
