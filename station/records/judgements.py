"""What is written of a judgement, in SQL: the decision, all it rests on, and what was found."""

import hashlib
import json
import math
import sqlite3
from dataclasses import asdict
from datetime import datetime

import numpy as np

from station.core.drift.course import Watched
from station.core.errors import BugError
from station.core.judgement import Defect, JudgedBy, Judgement
from station.core.light import Light
from station.core.looks import FirstLook
from station.core.moments import stamp
from station.core.novelty.conformal import Novelty
from station.core.part import Inspection
from station.core.spot_check import Draw
from station.records.store import advance

COLUMNS = (
    "inspection", "algorithm1", "verdict", "reason", "detail", "confidence", "deciding_patch", "defect_patches",
    "probabilities", "lines_expected", "lines_delivered", "blocks", "frame_ids", "discarded_blocks", "scan_fault",
    "scan_detail", "roi_left", "roi_right", "features", "model", "model_sha256", "config_sha256", "times_ns",
    "ms_after_last_line", "classes", "recipe", "recipe_sha256", "rule", "defects", "light_level", "light_gain",
    "light_gains",
    "novelty_score", "novelty_patch", "novelty_p", "novelty_alpha", "calibration_sha256",
    "rules", "spot_lot", "spot_one_in", "spot_seed", "pass_threshold", "promise_sha256",
    "first_look", "conditions", "drift", "screened",
)  # fmt: skip
JUDGEMENT = f"INSERT INTO judgements ({', '.join(COLUMNS)}) VALUES (:{', :'.join(COLUMNS)})"  # noqa: S608  # constants of this module
DEFECT = """INSERT INTO defects VALUES (:inspection, :rank, :surface, :patch, :confidence, :angle_deg, :axial_mm,
    :along_mm, :across_mm)"""
PROMISE = "INSERT OR IGNORE INTO promises VALUES (:sha256, :sentence, :at)"
MEASURED = ("angle_deg", "axial_mm", "along_mm", "across_mm")


def judge(connection: sqlite3.Connection, inspection: Inspection, judgement: Judgement, at: datetime) -> None:
    """Write the decision and what it rests on, inside the caller's transaction.

    Raises:
        BugError: The inspection is unknown or not open; or the scores are not as wide as there are names for them, so
            that nobody could read them again.
    """
    decision = judgement.decision
    _require_names(judgement)
    outcome = {
        "verdict": decision.verdict.name,
        "reason": decision.fault and decision.fault.code,
        "detail": decision.detail,
        "destination": decision.destination.name,
    }
    advance(connection, "judged", inspection, at, outcome)
    grounds = _grounds(judgement) | _account(judgement) | _light(judgement.light)
    grounds |= _novelty(judgement.decision.novelty) | _spot_check(judgement.decision.spot_check)
    grounds |= _promised(connection, judgement.by, at)
    grounds |= _first_look(judgement.first_look) | _watched(judgement.watched)
    row = {"inspection": inspection.number, **outcome, **grounds}
    connection.execute(JUDGEMENT, row)
    for rank, defect in enumerate(judgement.defects, 1):
        connection.execute(DEFECT, {"inspection": inspection.number, "rank": rank, **_found(defect)})


def _grounds(judgement: Judgement) -> dict[str, object]:
    decision, roi = judgement.decision, judgement.roi
    return {
        "algorithm1": decision.algorithm1 and decision.algorithm1.name,
        "confidence": float(decision.confidence),
        "deciding_patch": None if decision.deciding_patch is None else int(decision.deciding_patch),
        "defect_patches": int(decision.defect_patches),
        "probabilities": np.ascontiguousarray(decision.probabilities, "<f4").tobytes(),
        "roi_left": roi and int(roi.left),
        "roi_right": roi and int(roi.right),
        "features": json.dumps({name: _plain(value) for name, value in judgement.features.items()}),
        "model": judgement.by.model.name,
        "model_sha256": judgement.by.model.sha256,
        "config_sha256": judgement.by.config_sha256,
        "times_ns": json.dumps(judgement.times.flat()),
        "ms_after_last_line": judgement.ms_after_last_line,
        "classes": json.dumps(judgement.by.classes),
        "recipe": judgement.by.recipe,
        "recipe_sha256": judgement.by.recipe_sha256,
        "rule": judgement.by.rule,
        "defects": len(judgement.defects),
        "rules": json.dumps(decision.rulings.as_json()) if decision.rulings else None,
        "screened": None if decision.screened is None else json.dumps(decision.screened),
    }


def _light(light: Light | None) -> dict[str, object]:
    return {
        "light_level": light and float(light.level),
        "light_gain": light and float(light.gain),
        "light_gains": json.dumps(light.gains) if light and light.gains else None,
    }


def _novelty(novelty: Novelty | None) -> dict[str, object]:
    return {
        "novelty_score": novelty and novelty.score,
        "novelty_patch": novelty and int(novelty.patch),
        "novelty_p": novelty and novelty.p_value,
        "novelty_alpha": novelty and novelty.level,
        "calibration_sha256": novelty and novelty.calibration_sha256,
    }


def _spot_check(draw: Draw | None) -> dict[str, object]:
    return {
        "spot_lot": draw and draw.lot,
        "spot_one_in": draw and int(draw.one_in),
        "spot_seed": draw and int(draw.seed),
    }


def _promised(connection: sqlite3.Connection, by: JudgedBy, at: datetime) -> dict[str, object]:
    """The promise in force, whose sentence is written once."""
    if by.promise is None:
        return {"pass_threshold": by.least_to_pass, "promise_sha256": None}
    sentence = by.promise.sentence
    sha256 = hashlib.sha256(sentence.encode()).hexdigest()
    connection.execute(PROMISE, {"sha256": sha256, "sentence": sentence, "at": stamp(at)})
    return {"pass_threshold": by.least_to_pass, "promise_sha256": sha256}


def _first_look(look: FirstLook | None) -> dict[str, object]:
    """The look before, with its scores as they were judged, a row a patch."""
    if look is None:
        return {"first_look": None}
    decision, novelty = look.decision, look.decision.novelty
    told = {
        "why": look.why,
        "verdict": decision.verdict.name,
        "algorithm1": decision.algorithm1 and decision.algorithm1.name,
        "reason": decision.fault and decision.fault.code,
        "detail": decision.detail,
        "confidence": float(decision.confidence),
        "deciding_patch": None if decision.deciding_patch is None else int(decision.deciding_patch),
        "defect_patches": int(decision.defect_patches),
        "probabilities": decision.probabilities.tolist(),
        "ms_after_last_line": look.ms_after_last_line,
        "novelty": novelty and asdict(novelty),
    }
    return {"first_look": json.dumps(told)}


def _watched(watched: Watched | None) -> dict[str, object]:
    columns = watched.recorded() if watched is not None else {}
    return {name: json.dumps(columns[name]) if columns.get(name) else None for name in ("conditions", "drift")}


def _require_names(judgement: Judgement) -> None:
    probabilities, classes = judgement.decision.probabilities, judgement.by.classes
    if probabilities.size and probabilities.shape[1:] != (len(classes),):
        shape = " by ".join(map(str, probabilities.shape))
        raise BugError("station.bug", f"{shape} scores with the names of {len(classes)} classes")


def _found(defect: Defect) -> dict[str, object]:
    return {
        "surface": defect.surface,
        "patch": int(defect.patch),
        "confidence": float(defect.confidence),
        **{name: _finite(getattr(defect, name)) for name in MEASURED},
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _account(judgement: Judgement) -> dict[str, object]:
    account = judgement.account
    return {
        "lines_expected": account.expected_lines,
        "lines_delivered": account.delivered_lines,
        "blocks": account.blocks,
        "frame_ids": json.dumps(account.frame_ids),
        "discarded_blocks": account.discarded_blocks,
        "scan_fault": account.fault and account.fault.code,
        "scan_detail": account.detail,
    }


def _plain(value: str | float) -> str | float:
    """The value as JSON has it, which knows no infinity and no NaN."""
    return value if not isinstance(value, float) or math.isfinite(value) else str(value)
