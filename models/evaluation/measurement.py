"""A whole measurement: judge a recording, count, seek every defect, show the worst, disturb, and write it down."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from models.dataset.scans import LabelledScan, read_scans
from models.evaluation.figures.rates import Rate
from models.evaluation.measuring.defects import Detection, Scale, SoughtDefect, detect, false_calls, read_defects, seek
from models.evaluation.measuring.evaluation import (
    Evaluation,
    ImageFigures,
    Source,
    Subject,
    part_figures,
    patch_figures,
)
from models.evaluation.measuring.parts import JudgedPart, Rule, judge, measure
from models.evaluation.measuring.pointing import EvidenceMap, Pointing, play_part, sum_up
from models.evaluation.measuring.progress import Progress
from models.evaluation.measuring.robustness import RobustnessCurve, measure_robustness
from models.evaluation.measuring.scorers import Scorer
from models.evaluation.report import gallery
from models.evaluation.report.gallery import Case, Shown
from models.evaluation.report.render import render_report, render_robustness
from models.manifest import utc_now
from models.version import code_version
from station.core.durable import write_whole
from station.core.errors import ConfigError, RecordingError
from station.core.room import require_writable
from station.core.section import Section

REPORT, DOCUMENT, ROBUSTNESS = "report.html", "evaluation.json", "robustness.json"
NEAREST = 6
"""Nearly wrong cases that are shown of each kind."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """What measures.

    Attributes:
        scorer: The network under measurement.
        engine: What computes it, in words.
        evidence_map: Where the evidence lies; None where the network cannot be asked.
        progress: Shows how far it is.
    """

    scorer: Scorer
    engine: str
    evidence_map: EvidenceMap | None
    progress: Progress

    def subject(self, judging: "Judging | None", passing: str | None) -> Subject:
        """What is measured, for the document.

        Args:
            judging: How whole parts are judged; None for single pictures.
            passing: The class with which a part, or picture, is good; None where none is.
        """
        return Subject(
            name=self.scorer.name,
            engine=self.engine,
            classes=self.scorer.classes,
            passing=passing,
            min_confidence=judging.rule.min_confidence if judging else None,
            cropping=judging.cropping if judging else "pictures as they are",
        )


@dataclass(frozen=True, slots=True)
class Judging:
    """How whole parts are judged.

    Attributes:
        rule: As the station does.
        cropping: How patches are made of a scan, in words.
        scale: How long pixels are on the surface.
    """

    rule: Rule
    cropping: str
    scale: Scale

    def scans(self, recording: Path) -> list[LabelledScan]:
        """The parts of a recording.

        Raises:
            RecordingError: It cannot be used.
        """
        return read_scans(recording, self.rule.meaning.table, self.rule.geometry.lines_per_turn)

    @property
    def passing(self) -> str:
        """The class with which a part is good."""
        return self.rule.meaning.table.passing.name


@dataclass(frozen=True, slots=True)
class Scope:
    """How much is measured.

    Attributes:
        recording: Parts with known surfaces.
        curves: Recording with defects of many severities for the detection curves; None to use `recording`.
        worst: Wrong cases that are shown of each kind.
        evidence_parts: Defective parts of `recording` on which the pointing game is played; 0 for none.
        robustness_parts: Parts of `recording` that are disturbed; 0 for none.
        seed: Of the disturbances.
    """

    recording: Path
    curves: Path | None
    worst: int
    evidence_parts: int
    robustness_parts: int
    seed: int


class RobustnessDocument(Section):
    """The layout of `robustness.json`."""

    format: Literal[1] = Field(1, description="Version of this layout.")
    code_version: str = Field(..., description="Version of the product that measured.")
    subject: Subject
    source: Source
    parts: int = Field(..., ge=1, description="Parts that were disturbed.")
    seed: int = Field(..., ge=0, description="Of the disturbances.")
    curves: tuple[RobustnessCurve, ...]


def measure_recording(
    instrument: Instrument, judging: Judging, scope: Scope
) -> tuple[Evaluation, dict[str, list[Shown]]]:
    """Measure a network on whole parts; also the pictures for the report, by heading.

    Raises:
        RecordingError: A recording cannot be used.
        ModelError: The network fails.
    """
    scans = judging.scans(scope.recording)
    judged = _judge_all(instrument, judging, "parts", scans)
    if not any(part.outcome for part in judged):
        raise RecordingError("recording.bad_image", f"{scope.recording}: every scan was refused ({judged[0].reason})")
    found = _detection(instrument, judging, scope, judged)
    evaluation = Evaluation(
        created=utc_now(),
        code_version=code_version(),
        subject=instrument.subject(judging, judging.passing),
        source=recording_source(scope.recording),
        parts=part_figures(judged, measure(judged, scope.recording.name)),
        images=patch_figures(judged),
        detection=found.detection,
        detection_source=found.source,
        false_calls=found.false_calls,
        pointing=_pointing(instrument, judging.rule, scope, judged),
        robustness=_robustness(instrument, judging.rule, scans[: scope.robustness_parts], scope.seed),
        robustness_parts=min(scope.robustness_parts, len(scans)),
    )
    return evaluation, _pictures(instrument, judging.rule, judged, scope.worst)


def measure_disturbed(
    instrument: Instrument, judging: Judging, recording: Path, parts: int, seed: int
) -> RobustnessDocument:
    """Robustness alone, on the first parts of a recording.

    Raises:
        RecordingError: The recording cannot be used.
        ModelError: The network fails.
    """
    scans = judging.scans(recording)[:parts]
    return RobustnessDocument(
        code_version=code_version(),
        subject=instrument.subject(judging, judging.passing),
        source=recording_source(recording),
        parts=len(scans),
        seed=seed,
        curves=_robustness(instrument, judging.rule, scans, seed),
    )


def picture_evaluation(subject: Subject, source: Source, images: ImageFigures, pointing: Pointing | None) -> Evaluation:
    """The document of single pictures of a data set."""
    return Evaluation(
        created=utc_now(),
        code_version=code_version(),
        subject=subject,
        source=source,
        parts=None,
        images=images,
        detection=(),
        detection_source=None,
        false_calls=None,
        pointing=pointing,
        robustness=(),
        robustness_parts=0,
    )


def recording_source(recording: Path) -> Source:
    """A recording as a source; its hash is that of the truth about it."""
    sha256 = hashlib.sha256((recording / "truth.jsonl").read_bytes()).hexdigest()
    return Source(name=str(recording), sha256=sha256, kind="recording of whole parts")


def prepare(folder: Path, *names: str) -> None:
    """Make the folder for results, before time is spent.

    Raises:
        ConfigError: It holds results already, or cannot be written to.
    """
    there = [name for name in names if (folder / name).exists()]
    if there:
        raise ConfigError("config.bad_option", f"--out {folder}: {', '.join(there)} lies there; give another folder")
    try:
        require_writable(folder)
    except OSError as error:
        raise ConfigError("config.file_failed", f"--out {folder}: {error.strerror}") from error


def write_evaluation(folder: Path, evaluation: Evaluation, pictures: Mapping[str, Sequence[Shown]]) -> None:
    """Write `evaluation.json` and `report.html`.

    Raises:
        ConfigError: The disk does not take them.
    """
    _write(folder / DOCUMENT, evaluation.model_dump_json(indent=1) + "\n")
    _write(folder / REPORT, render_report(evaluation, pictures))


def write_robustness(folder: Path, document: RobustnessDocument) -> None:
    """Write `robustness.json` and `report.html`.

    Raises:
        ConfigError: The disk does not take them.
    """
    _write(folder / ROBUSTNESS, document.model_dump_json(indent=1) + "\n")
    _write(folder / REPORT, render_robustness(document.subject, document.source, document.curves, document.parts))


def _judge_all(instrument: Instrument, judging: Judging, what: str, scans: Sequence[LabelledScan]) -> list[JudgedPart]:
    return [judge(instrument.scorer, scan, judging.rule) for scan in instrument.progress(what, scans)]


class Found(NamedTuple):
    """Detection, where it was measured, and how often nothing was called a defect there."""

    detection: tuple[Detection, ...]
    source: str | None
    false_calls: Rate | None


def _detection(instrument: Instrument, judging: Judging, scope: Scope, judged: Sequence[JudgedPart]) -> Found:
    rule, recording, parts = judging.rule, scope.recording, judged
    if scope.curves is not None:
        recording = scope.curves
        parts = _judge_all(instrument, judging, "detection", judging.scans(recording))
    defects = read_defects(recording)
    sought: list[SoughtDefect] = []
    for part in parts:
        own = defects.get(part.scan.image_path.relative_to(recording).as_posix(), ())
        sought += seek(part, own, rule.geometry, judging.scale)
    if not sought:
        return Found((), None, None)
    return Found(detect(sought, rule.meaning.table.names), f"{recording} ({len(sought):,} defects)", false_calls(parts))


def _pointing(instrument: Instrument, rule: Rule, scope: Scope, judged: Sequence[JudgedPart]) -> Pointing | None:
    if instrument.evidence_map is None:
        return None
    defective = [part for part in judged if part.truth.is_defect][: scope.evidence_parts]
    played = [
        game
        for part in instrument.progress("evidence", defective)
        for game in play_part(part, rule, instrument.evidence_map)
    ]
    defects = [surface.name for surface in rule.meaning.outputs.surfaces if surface.is_defect]
    return sum_up(played, str(scope.recording), defects)


def _robustness(
    instrument: Instrument, rule: Rule, scans: Sequence[LabelledScan], seed: int
) -> tuple[RobustnessCurve, ...]:
    if not scans:
        return ()
    return measure_robustness(instrument.scorer, scans, rule, seed, instrument.progress)


def _pictures(instrument: Instrument, rule: Rule, judged: Sequence[JudgedPart], worst: int) -> dict[str, list[Shown]]:
    cases: dict[str, list[Case]] = {
        "Escapes, the most confident first": gallery.worst_escapes(judged, worst),
        "Overkill, the most confident first": gallery.worst_overkills(judged, worst),
        "Defects taken for another, or sent to review": gallery.worst_confusions(judged, worst),
        "Defects that were found with the least confidence": gallery.nearest_to_escape(judged, min(worst, NEAREST)),
        "Good parts with the least confidence": gallery.nearest_to_overkill(judged, min(worst, NEAREST)),
    }
    return {heading: gallery.show(found, rule, instrument.evidence_map) for heading, found in cases.items()}


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise ConfigError("config.file_failed", f"--out {path}: {error.strerror}") from error
