"""The parts of one run as plain data: for `--json`, for the final table, and for the summary under both."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from station.core.events import PartSorted
from station.core.judgement import Defect
from station.core.light import Light
from station.core.novelty.conformal import Novelty
from station.core.part import ModelIdentity
from station.core.verdicts import Classes

DefectRow = TypedDict(
    "DefectRow",
    {
        "class": str,
        "patch": int,
        "confidence": float,
        "angle_deg": float | None,
        "axial_mm": float | None,
        "along_mm": float | None,
        "across_mm": float | None,
    },
)
"""One defective patch, as in the records; patches count from 0, lengths that were not measured are None."""


class NoveltyRow(TypedDict):
    """How unlike its network's training a part is; without a calibration of its type, score and patch alone.

    Patches count from 0. It counts as unknown when `p` is no more than `alpha`.
    """

    score: float
    patch: int
    p: float | None
    alpha: float | None
    calibration_sha256: str | None


class LightRow(TypedDict):
    """How a part was lit: its median grey value, and the factor it was judged with; `gains` along the axis, or none."""

    level: float
    gain: float
    gains: list[float]


class PartRow(TypedDict):
    """One sorted part; `label` is what the recording says it is, None where it says nothing."""

    inspection_id: str
    part_id: str
    part_type: str
    label: str | None
    algorithm1: str | None
    verdict: str
    reason: str | None
    confidence: float
    destination: str
    confirmed_bin: str
    scan_valid: bool
    defects: list[DefectRow]
    light: LightRow | None
    novelty: NoveltyRow | None
    decision_ms_after_last_line: float | None
    cycle_ms: float
    model: str


class Spread(TypedDict):
    """Median, 99th percentile and maximum; None without values."""

    p50: float | None
    p99: float | None
    max: float | None


class Summary(TypedDict):
    """Counts of one run.

    An escape is a defective part in the place of good ones, an overkill a good part in a defect's bin; a good part in
    REVIEW is counted under `review`.
    """

    parts: int
    sorted: int
    review: int
    escapes: int
    overkills: int
    wrong_class: int
    decision_ms_after_last_line: Spread
    parts_per_minute: float


def part_row(event: PartSorted, label: str | None, model: ModelIdentity) -> PartRow:
    """One sorted part as plain data."""
    decision = event.decision
    late = event.ms_after_last_line
    return PartRow(
        inspection_id=event.inspection.inspection_id,
        part_id=event.inspection.part.part_id,
        part_type=event.inspection.part_type.name,
        label=label,
        algorithm1=decision.algorithm1.name if decision.algorithm1 else None,
        verdict=decision.verdict.name,
        reason=decision.fault.code if decision.fault else None,
        confidence=round(decision.confidence, 6),
        destination=decision.destination.name,
        confirmed_bin=event.confirmed.name,
        scan_valid=event.scan_valid,
        defects=defect_rows(event.defects),
        light=light_row(event.light),
        novelty=novelty_row(decision.novelty),
        decision_ms_after_last_line=None if late is None else round(late, 3),
        cycle_ms=round(event.cycle_ms, 1),
        model=str(model),
    )


def defect_rows(defects: Sequence[Defect]) -> list[DefectRow]:
    """A part's defects as plain data, the severest first."""
    return [
        {
            "class": defect.surface,
            "patch": defect.patch,
            "confidence": round(defect.confidence, 6),
            "angle_deg": _rounded(defect.angle_deg, 1),
            "axial_mm": _rounded(defect.axial_mm, 2),
            "along_mm": _rounded(defect.along_mm, 3),
            "across_mm": _rounded(defect.across_mm, 3),
        }
        for defect in defects
    ]


def novelty_row(novelty: Novelty | None) -> NoveltyRow | None:
    """How unlike the training a part is, as plain data; None where its network cannot tell."""
    if novelty is None:
        return None
    return NoveltyRow(
        score=round(novelty.score, 4),
        patch=novelty.patch,
        p=_rounded(novelty.p_value, 6),
        alpha=_rounded(novelty.level, 6),
        calibration_sha256=novelty.calibration_sha256,
    )


def light_row(light: Light | None) -> LightRow | None:
    """How a part was lit as plain data; None where that was not seen."""
    return None if light is None else {"level": light.level, "gain": light.gain, "gains": list(light.gains)}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def summarise(rows: Sequence[PartRow], seconds: float, classes: Classes) -> Summary:
    """Counts over all rows.

    Args:
        rows: The parts.
        seconds: From Start to the end.
        classes: Which verdicts and places there are.
    """
    good, review, passed = classes.passing.name, classes.review.name, classes.passing.place.name
    known = [row for row in rows if row["label"] is not None]
    defects = {surface.name for surface in classes.surfaces} - {good}
    return Summary(
        parts=len(rows),
        sorted=sum(row["confirmed_bin"] == row["destination"] for row in rows),
        review=sum(row["verdict"] == review for row in rows),
        escapes=sum(row["label"] != good and row["confirmed_bin"] == passed for row in known),
        overkills=sum(row["label"] == good and row["verdict"] in defects for row in known),
        wrong_class=sum(
            row["label"] in defects and row["verdict"] in defects and row["verdict"] != row["label"] for row in known
        ),
        decision_ms_after_last_line=_spread(
            [row["decision_ms_after_last_line"] for row in rows if row["decision_ms_after_last_line"] is not None]
        ),
        parts_per_minute=round(60 * len(rows) / seconds, 2) if seconds > 0 else 0.0,
    )


def _spread(values: Sequence[float]) -> Spread:
    if not values:
        return Spread(p50=None, p99=None, max=None)
    p50, p99 = np.percentile(values, [50, 99])
    return Spread(p50=round(float(p50), 3), p99=round(float(p99), 3), max=round(max(values), 3))
