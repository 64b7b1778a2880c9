"""One whole measurement as one document: `Evaluation` is the layout of `evaluation.json`, and what the report shows.

Two measurements of the same parts are compared row by row: `parts.rows` names each part's verdict and confidence.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models.dataset.named import LeftOut
from models.evaluation.figures.calibration import Calibration, calibrate
from models.evaluation.figures.metrics import Classification, classify
from models.evaluation.figures.rates import Rate, rate, sample_size
from models.evaluation.measuring.defects import Detection
from models.evaluation.measuring.groups import GroupFigures
from models.evaluation.measuring.parts import JudgedPart, decide_part, patch_labels
from models.evaluation.measuring.pointing import Pointing
from models.evaluation.measuring.robustness import RobustnessCurve, Tally, tally
from models.manifest import Figures
from station.core.probabilities import columns_of
from station.core.section import Section
from station.core.verdicts import REVIEW

CLAIM = 0.001
"""The share of escapes, or of overkill, that everybody would like to claim."""
LIMITS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
"""Least confidences that are tried."""
NO_MASKS = "no masks"
OF_PATCHES = "patches judged rightly", "calibration"
OF_DEFECTS = "share of the defects found", "detection against size and contrast"
POINTING = "pointing game"
"""Figures for which it must be known where the defects lie, and what is said where it is not."""


class Subject(Section):
    """What was measured, and how it was asked."""

    name: str = Field(..., description="The network: a bundle's name and hash, or a checkpoint.")
    engine: str = Field(..., description="What computed it, in which arithmetic.")
    classes: tuple[str, ...] = Field(..., description="Its classes.")
    passing: str | None = Field(None, description="The one with which a part is good; None where none is.")
    min_confidence: float | None = Field(..., description="Below it a part went to review; None for single images.")
    cropping: str = Field(..., description="How the part's columns were found.")
    promised: tuple[str, ...] = Field((), description="What is promised of it, a sentence a part type.")


class Source(Section):
    """What it was measured on."""

    name: str = Field(..., description="Folder of the recording or the data set.")
    sha256: str | None = Field(..., description="Of the data set's manifest, or of the recording's index.")
    kind: str = Field(..., description="What it holds.")


class PartRow(Section):
    """One judged part."""

    part_id: str = Field(..., description="Its name.")
    truth: str = Field(..., description="Its class.")
    verdict: str = Field(..., description="What the station decides; review under the least confidence.")
    algorithm1: str | None = Field(..., description="What Algorithm 1 says; None for a refused scan.")
    reason: str | None = Field(..., description="Code of the fault behind review.")
    confidence: float = Field(..., description="Of Algorithm 1; 0 for a refused scan.")
    deciding_patch: int | None = Field(..., description="Counted from 0; None for a refused scan.")
    novelty: float | None = Field(None, description="How unlike the training its worst patch is; None where not told.")
    novelty_p: float | None = Field(
        None, description="How often, at the most, a good part is as unlike; None likewise."
    )


class OperatingPoint(Section):
    """What another least confidence would give."""

    min_confidence: float = Field(..., description="Below it a part goes to review.")
    tally: Tally = Field(..., description="The parts, counted so.")


class Claim(Section):
    """How many parts it takes to claim a rate."""

    rate: float = Field(..., description="The claim: no more than this share.")
    events: int = Field(..., description="Allowed in the sample.")
    parts: int = Field(..., description="Fewest parts, with 95 % confidence, one-sided.")


class Unlisted(Section):
    """Parts whose defect is none of the configured classes, as `other_defect`: none may pass, and no class is right."""

    labels: dict[str, int] = Field(..., description="How many of each label.")
    escapes: Rate = Field(..., description="Of them passed.")
    reviews: Rate = Field(..., description="Of them sent to review, which is where they belong.")
    called_defective: Rate = Field(..., description="Of them called a defect of some class.")

    @property
    def said(self) -> str:
        """What they are labelled, in words."""
        return told_unlisted(self.labels)


class NotMeasured(Section):
    """A figure that these parts, or pictures, cannot give."""

    figure: str = Field(..., description="Which.")
    why: str = Field(..., description="What is missing for it.")


class PartFigures(Section):
    """Whole parts, by Algorithm 1 over their patches and the guard of the least confidence."""

    patches_per_part: int | None = Field(None, ge=1, description="Patches by which a part is judged.")
    figures: Figures = Field(..., description="The counts that a bundle's manifest holds.")
    tally: Tally = Field(..., description="Accuracy, escapes, overkill and reviews with their limits.")
    classification: Classification | None = Field(
        ..., description="Class by class; review is an answer of its own. Without unlisted parts; None of these alone."
    )
    unlisted: Unlisted | None = Field(None, description="Parts of no configured class; None where there are none.")
    claims: tuple[Claim, ...] = Field(..., description="Sample sizes that a claim of 0.1 % needs.")
    operating_points: tuple[OperatingPoint, ...] = Field(..., description="Other least confidences.")
    rows: tuple[PartRow, ...] = Field(..., description="Part by part, in the recording's order.")


class ImageFigures(Section):
    """Single patches, or pictures of a data set."""

    classification: Classification = Field(..., description="Class by class.")
    calibration: Calibration = Field(..., description="What the probabilities are worth.")
    wrong: tuple[tuple[str, str, str, float], ...] = Field(
        ..., description="Picture, truth, answer and confidence of what was judged wrongly; of data sets alone."
    )


class Evaluation(Section):
    """A whole measurement."""

    format: Literal[2] = Field(2, description="Version of this layout; it is raised when a key changes its meaning.")
    created: datetime = Field(..., description="When it was measured, UTC.")
    code_version: str = Field(..., description="Version of the product that measured.")
    subject: Subject
    source: Source
    parts: PartFigures | None = Field(..., description="None for data sets of single pictures.")
    images: ImageFigures | None = Field(..., description="None where no patch of the parts has a class of its own.")
    detection: tuple[Detection, ...] = Field(..., description="Probability of detection; empty without sizes.")
    detection_source: str | None = Field(..., description="Where the defects of `detection` are from.")
    false_calls: Rate | None = Field(
        ..., description="Patches without any defect that were called defective, of the parts of `detection`."
    )
    pointing: Pointing | None = Field(..., description="Whether the evidence lies on the defects; None without.")
    robustness: tuple[RobustnessCurve, ...] = Field(..., description="Curves against disturbances; may be empty.")
    robustness_parts: int = Field(..., ge=0, description="Parts that these curves were measured on.")
    not_measured: tuple[NotMeasured, ...] = Field((), description="Figures that need what is not known, such as masks.")
    left_out: tuple[LeftOut, ...] = Field((), description="Parts of the source that are counted nowhere, and why.")
    groups: tuple[GroupFigures, ...] = Field(
        (), description="By place of the defect, or by unknown kind, where the truth tells what was asked for."
    )


def told_unlisted(labels: Mapping[str, int]) -> str:
    """How many parts bear labels that are no configured class, in words."""
    told = ", ".join(f"{label} {count:,}" for label, count in sorted(labels.items()))
    return f"Labelled as no configured class, counted as defective: {told}."


def gaps(not_measured: Iterable[NotMeasured]) -> list[str]:
    """Figures that are missing, in words, those that miss the same in one sentence."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for one in not_measured:
        by_reason[one.why].append(one.figure)
    return [f"Not measured, {why}: {', '.join(figures)}." for why, figures in by_reason.items()]


def part_figures(judged: Sequence[JudgedPart], figures: Figures) -> PartFigures:
    """Everything that is counted over whole parts, at least one."""
    counted = tally(judged)
    unlisted = [part for part in judged if part.unlisted]
    return PartFigures(
        patches_per_part=len(judged[0].labels),
        figures=figures,
        tally=counted,
        classification=_classified([part for part in judged if not part.unlisted]),
        unlisted=_unlisted(unlisted) if unlisted else None,
        claims=tuple(_claim(events) for events in sorted({0, 1, 2, counted.escapes.events})),
        operating_points=tuple(_operating_point(judged, limit) for limit in LIMITS),
        rows=tuple(_row(part) for part in judged),
    )


def patch_figures(judged: Sequence[JudgedPart]) -> ImageFigures | None:
    """Everything that is counted over the patches of parts, at least one; slivers of a defect are left out.

    None where no patch has a class of its own, as without masks.
    """
    labels, probabilities = patch_labels(judged)
    if not len(labels):
        return None
    meaning = judged[0].meaning
    return image_figures(labels, probabilities, meaning.names, meaning.passing)


def image_figures(
    labels: NDArray[np.integer],
    probabilities: NDArray[np.floating],
    classes: Sequence[str],
    passing: int | None,
    names: Sequence[str] | None = None,
) -> ImageFigures:
    """Everything that is counted over single pictures.

    Args:
        labels: (n,) true classes.
        probabilities: (n, classes).
        classes: Their names.
        passing: The one with which a picture is good, or None.
        names: (n,) names of the pictures, to list those judged wrongly; None to list none.
    """
    found = columns_of(probabilities, passing)
    return ImageFigures(
        classification=classify(labels, found, probabilities, classes),
        calibration=calibrate(probabilities, labels, passing),
        wrong=tuple(
            (file, classes[int(label)], classes[int(answer)], float(sure))
            for file, label, answer, sure in zip(names or (), labels, found, probabilities.max(axis=1), strict=False)
            if label != answer
        ),
    )


def part_scores(judged: Sequence[JudgedPart]) -> NDArray[np.float64]:
    """How much of each class a part is, (n, surfaces): its highest patch; of what passes its lowest.

    0 for a refused scan, and of what the network does not answer.
    """
    meaning = judged[0].meaning
    scores = np.zeros((len(judged), len(meaning.surfaces)))
    for row, part in zip(scores, judged, strict=True):
        if len(part.probabilities):
            row[:] = meaning.widened(part.probabilities).max(axis=0)
            row[meaning.passing] = part.probabilities[:, meaning.passing].min()
    return scores


def _classified(judged: Sequence[JudgedPart]) -> Classification | None:
    if not judged:
        return None
    answers = (*judged[0].meaning.names, REVIEW)
    truth = np.array([answers.index(part.truth.name) for part in judged])
    found = np.array([answers.index(part.verdict.name) for part in judged])
    return classify(truth, found, part_scores(judged), answers)


def _unlisted(parts: Sequence[JudgedPart]) -> Unlisted:
    return Unlisted(
        labels=dict(sorted(Counter(part.truth.name for part in parts).items())),
        escapes=rate(sum(part.escaped for part in parts), len(parts)),
        reviews=rate(sum(part.verdict.is_review for part in parts), len(parts)),
        called_defective=rate(sum(part.verdict.is_defect for part in parts), len(parts)),
    )


def _operating_point(judged: Sequence[JudgedPart], limit: float) -> OperatingPoint:
    decided = [
        decide_part(part.scan, part.labels, part.probabilities, part.meaning, limit, part.novelty, part.passes_from)
        if part.outcome
        else part
        for part in judged
    ]
    return OperatingPoint(min_confidence=limit, tally=tally(decided))


def _claim(events: int) -> Claim:
    return Claim(rate=CLAIM, events=events, parts=sample_size(CLAIM, events, 0.95))


def _row(part: JudgedPart) -> PartRow:
    return PartRow(
        part_id=part.scan.part_id,
        truth=part.truth.name,
        verdict=part.verdict.name,
        algorithm1=part.outcome.verdict.name if part.outcome else None,
        reason=part.reason or None,
        confidence=round(part.confidence, 6),
        deciding_patch=part.outcome.deciding_patch if part.outcome else None,
        novelty=round(part.novelty.score, 6) if part.novelty else None,
        novelty_p=part.novelty.p_value if part.novelty else None,
    )
