"""A whole measurement: judge a recording, count, seek every defect, show the worst, disturb, and write it down."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from models.dataset.named import KnownParts, KnownScan, LeftOut, People, read_known
from models.evaluation.figures.rates import Rate
from models.evaluation.measuring.defects import (
    TRUTH,
    Detection,
    Scale,
    SoughtDefect,
    detect,
    false_calls,
    read_defects,
    seek,
)
from models.evaluation.measuring.evaluation import (
    NO_MASKS,
    OF_DEFECTS,
    OF_PATCHES,
    POINTING,
    Evaluation,
    ImageFigures,
    NotMeasured,
    Source,
    Subject,
    part_figures,
    patch_figures,
)
from models.evaluation.measuring.groups import group_figures, read_asked
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
            promised=tuple(one.sentence for one in self.scorer.promises.values()),
        )


@dataclass(frozen=True, slots=True)
class Judging:
    """How whole parts are judged.

    Attributes:
        rule: As the station does.
        cropping: How patches are made of a scan, in words.
        scale: How long pixels are on the surface; None where the configuration does not say.
        people: What people say of parts; None to go by the recording alone.
    """

    rule: Rule
    cropping: str
    scale: Scale | None
    people: People | None = None

    def known(self, recording: Path) -> KnownParts:
        """The parts of a recording whose classes are known.

        Raises:
            RecordingError: It cannot be used, or of no part is it known.
            LabelError: What people say cannot be read.
        """
        return read_known(recording, self.rule.meaning.table, self.rule.geometry.lines_per_turn, self.people)

    @property
    def passing(self) -> str:
        """The class with which a part is good."""
        return self.rule.meaning.table.passing.name


@dataclass(frozen=True, slots=True)
class Scope:
    """How much is measured.

    Attributes:
        recording: Parts whose classes are known.
        curves: Recording with masks and defects of many severities for the detection curves; None to use `recording`.
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
    left_out: tuple[LeftOut, ...] = Field((), description="Parts of the source that are counted nowhere, and why.")


def measure_recording(
    instrument: Instrument, judging: Judging, scope: Scope
) -> tuple[Evaluation, dict[str, list[Shown]]]:
    """Measure a network on whole parts; also the pictures for the report, by heading.

    Raises:
        RecordingError: A recording cannot be used.
        ModelError: The network fails.
    """
    known = judging.known(scope.recording)
    _check_masks(judging, scope, known)
    judged = _judge_all(instrument, judging, "parts", known.scans)
    if not any(part.outcome for part in judged):
        raise RecordingError("recording.bad_image", f"{scope.recording}: every scan was refused ({judged[0].reason})")
    found, images = _detection(instrument, judging, scope, judged), patch_figures(judged)
    evaluation = Evaluation(
        created=utc_now(),
        code_version=code_version(),
        subject=instrument.subject(judging, judging.passing),
        source=_source(scope.recording, known),
        parts=part_figures(judged, measure(judged, scope.recording.name)),
        images=images,
        detection=found.detection,
        detection_source=found.source,
        false_calls=found.false_calls,
        pointing=_pointing(instrument, judging.rule, scope, judged),
        robustness=_robustness(instrument, judging.rule, known.scans[: scope.robustness_parts], scope.seed),
        robustness_parts=min(scope.robustness_parts, len(known.scans)),
        not_measured=tuple(_not_measured(known, images, found.detection)),
        left_out=known.left_out,
        groups=group_figures(judged, read_asked(scope.recording), scope.recording),
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
    known = judging.known(recording)
    scans = known.scans[:parts]
    return RobustnessDocument(
        code_version=code_version(),
        subject=instrument.subject(judging, judging.passing),
        source=_source(recording, known),
        parts=len(scans),
        seed=seed,
        curves=_robustness(instrument, judging.rule, scans, seed),
        left_out=known.left_out,
    )


def _not_measured(
    known: KnownParts, images: ImageFigures | None, detection: Sequence[Detection]
) -> Iterator[NotMeasured]:
    """What the parts cannot give, figure by figure."""
    why = "no patch shows a configured class" if known.masked else NO_MASKS
    if images is None:
        yield from (NotMeasured(figure=figure, why=why) for figure in OF_PATCHES)
    if not known.masked:
        figures = (POINTING,) if detection else (*OF_DEFECTS, POINTING)
        yield from (NotMeasured(figure=figure, why=NO_MASKS) for figure in figures)


def _check_masks(judging: Judging, scope: Scope, known: KnownParts) -> None:
    """Make sure of what the detection curves need, before time is spent.

    Raises:
        ConfigError: `--curves` has no masks, or lengths of pixels are needed and not configured.
    """
    if scope.curves is not None and not (scope.curves / TRUTH).is_file():
        told = f"there is no {TRUTH}; detection against size needs a recording with masks"
        raise ConfigError("config.bad_option", f"--curves {scope.curves}: {told}")
    if judging.scale is None and (known.masked or scope.curves is not None):
        raise ConfigError(
            "config.invalid", "camera.mm_per_px: must be given, for sizes of defects are measured with it"
        )


def _source(recording: Path, known: KnownParts) -> Source:
    return Source(name=str(recording), sha256=known.sha256, kind=known.kind)


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
    _write(folder / REPORT, _robustness_page(document))


def _robustness_page(document: RobustnessDocument) -> str:
    return render_robustness(document.subject, document.source, document.curves, document.parts, document.left_out)


def _judge_all(instrument: Instrument, judging: Judging, what: str, scans: Sequence[KnownScan]) -> list[JudgedPart]:
    return [judge(instrument.scorer, scan, judging.rule) for scan in instrument.progress(what, scans)]


class Found(NamedTuple):
    """Detection, where it was measured, and how often nothing was called a defect there."""

    detection: tuple[Detection, ...]
    source: str | None
    false_calls: Rate | None


def _detection(instrument: Instrument, judging: Judging, scope: Scope, judged: Sequence[JudgedPart]) -> Found:
    rule, recording, parts = judging.rule, scope.recording, judged
    if judging.scale is None:
        return Found((), None, None)
    if scope.curves is not None:
        recording = scope.curves
        parts = _judge_all(instrument, judging, "detection", replace(judging, people=None).known(recording).scans)
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
    instrument: Instrument, rule: Rule, scans: Sequence[KnownScan], seed: int
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
