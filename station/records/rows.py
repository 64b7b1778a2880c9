"""Rows of the database as plain data: a line of the list, the flat columns of CSV, and a whole record."""

import json
import math
import sqlite3
from collections.abc import Sequence

import numpy as np

from station.core import tried
from station.core.part import Probabilities
from station.core.records import JsonObject, ListedRecord
from station.core.timeline import MoveTimes

TRIED = " ".join(["CASE j.reason", *(f"WHEN '{code}' THEN '{what}'" for code, what in tried.TRIED.items()), "END"])
"""What a part is that tries the station, as it was judged: what broke off its way later changes nothing; else NULL."""
FLAT = f"""i.inspection_id, i.number, i.part_id, i.part_type, i.part_sequence, i.state, i.verdict, j.algorithm1,
    i.reason, i.detail, j.confidence, j.deciding_patch, j.defect_patches, i.destination, i.confirmed_bin,
    j.inspection IS NOT NULL AND j.scan_fault IS NULL AS scan_valid,
    i.entered_at, i.judged_at, i.interrupted_at, i.sorted_at, i.lost_at, i.withdrawn_at, j.ms_after_last_line,
    j.model, j.model_sha256, j.config_sha256,
    j.lines_expected, j.lines_delivered, j.blocks, j.frame_ids, j.discarded_blocks, j.scan_fault, j.scan_detail,
    j.roi_left, j.roi_right, s.state AS scan_state, CASE s.state WHEN 'archived' THEN s.file END AS scan_file,
    s.sha256 AS scan_sha256, s.left_column AS scan_left, s.detail AS scan_archive_detail,
    j.recipe, j.recipe_sha256, j.rule, j.defects, j.light_level, j.light_gain, j.light_gains, j.novelty_score,
    j.novelty_patch, j.novelty_p, j.novelty_alpha, j.calibration_sha256, j.spot_lot, j.spot_one_in, j.spot_seed,
    j.pass_threshold, p.sentence AS promise, {TRIED} AS tried"""
SCORES = "j.classes, j.probabilities"
DEEP = f"""i.part_type_settings, {SCORES}, j.times_ns, j.features, j.rules, j.verdict AS judged_verdict,
    j.reason AS judged_reason, j.detail AS judged_detail, j.first_look, j.conditions, j.drift, j.screened,
    t.plc_sent_ns, t.plc_acknowledged_ns, t.committed_ns"""
ORDERS = """SELECT device, number, verb, argument, issued_at, acknowledged_at, done_at, confirmed, confirmed_place,
    result FROM orders WHERE inspection = ? ORDER BY order_id"""
DEFECTS = """SELECT class, patch, confidence, angle_deg, axial_mm, along_mm, across_mm
    FROM defects WHERE inspection = ? ORDER BY rank"""
LAST_MOVE = """SELECT issued_ns, done_ns FROM orders WHERE inspection = ? AND device = ? AND verb = ?
    ORDER BY order_id DESC LIMIT 1"""
SETTLED = ("plc_sent", "plc_acknowledged", "committed")
LINES = {
    "expected": "lines_expected",
    "delivered": "lines_delivered",
    "blocks": "blocks",
    "frame_ids": "frame_ids",
    "discarded_blocks": "discarded_blocks",
    "fault": "scan_fault",
    "detail": "scan_detail",
}
LIGHT = {"level": "light_level", "gain": "light_gain", "gains": "light_gains"}
NOVELTY = {
    "score": "novelty_score",
    "patch": "novelty_patch",
    "p": "novelty_p",
    "alpha": "novelty_alpha",
    "calibration_sha256": "calibration_sha256",
}
BESIDE = ("first_look", "conditions", "drift", "screened")
"""Columns of JSON."""

SPOT_CHECK = {"lot": "spot_lot", "one_in": "spot_one_in", "seed": "spot_seed"}


def listed(row: sqlite3.Row) -> ListedRecord:
    """The line of the list."""
    return ListedRecord.of(dict(row))


def flat(row: sqlite3.Row) -> JsonObject:
    """The columns `FLAT` by name; `defects` is their number, None where nobody has counted them."""
    return {**{name: row[name] for name in row.keys()}, "scan_valid": bool(row["scan_valid"])}  # noqa: SIM118  # a Row


def whole(connection: sqlite3.Connection, row: sqlite3.Row) -> JsonObject:
    """All that is recorded of an inspection, from its columns `FLAT` and `DEEP` and what belongs to it elsewhere.

    `probabilities` has a row a patch, and in it a number for each of `classes`.
    """
    record = flat(row)
    deep = {name: record.pop(name) for name in ("probabilities", "classes", "times_ns", "features")}
    del record["part_type_settings"]
    judged = {name: record.pop(f"judged_{name}") for name in ("verdict", "reason", "detail")}
    left, right = record.pop("roi_left"), record.pop("roi_right")
    lines = {name: record.pop(column) for name, column in LINES.items()}
    settled = {name: record.pop(f"{name}_ns") for name in SETTLED}
    light = {name: record.pop(column) for name, column in LIGHT.items()}
    novelty = {name: record.pop(column) for name, column in NOVELTY.items()}
    spot_check = {name: record.pop(column) for name, column in SPOT_CHECK.items()}
    rules = record.pop("rules")
    beside = {name: record.pop(name) for name in BESIDE}
    seen = deep["probabilities"] is not None
    classes = json.loads(deep["classes"]) if seen else []
    return {
        **record,
        "judgement": judged if seen else None,
        "lines": {**lines, "frame_ids": json.loads(lines["frame_ids"])} if seen else None,
        "roi": None if left is None else {"left": left, "right": right},
        "classes": classes,
        "probabilities": _probabilities(deep["probabilities"], classes),
        "defects": None if record["defects"] is None else _defects(connection, row["number"]),
        "orders": [_order(order) for order in connection.execute(ORDERS, (row["number"],))],
        "light": None if light["level"] is None else {**light, "gains": json.loads(light["gains"] or "[]")},
        "novelty": None if novelty["score"] is None else novelty,
        "spot_check": None if spot_check["lot"] is None else spot_check,
        "rules": json.loads(rules) if rules else None,
        **{name: value and json.loads(value) for name, value in beside.items()},
        "features": json.loads(deep["features"]) if seen else None,
        "times_ns": _times(connection, row, json.loads(deep["times_ns"]), settled) if seen else None,
    }


def scored(row: sqlite3.Row) -> JsonObject:
    """The columns `FLAT` with the scores as they were judged, from them and `SCORES`: see `whole`."""
    record = flat(row)
    classes = json.loads(record["classes"] or "[]")
    return {**record, "classes": classes, "probabilities": _probabilities(record["probabilities"], classes)}


def scores_of(stored: bytes | None, classes: Sequence[str]) -> Probabilities:
    """The scores as they were judged: (patches, classes) float32; no row where there are none."""
    return np.frombuffer(stored or b"", "<f4").reshape(-1, max(1, len(classes)))


def _probabilities(stored: bytes | None, classes: Sequence[str]) -> list[list[float | None]]:
    rows = scores_of(stored, classes).tolist()
    return [[value if math.isfinite(value) else None for value in row] for row in rows]


def _defects(connection: sqlite3.Connection, inspection: int) -> list[JsonObject]:
    return [dict(defect) for defect in connection.execute(DEFECTS, (inspection,))]


def _times(
    connection: sqlite3.Connection, row: sqlite3.Row, until_decided: dict[str, int], settled: dict[str, int | None]
) -> dict[str, int]:
    """The whole deadline ledger by name, as far as it is known; see `station.core.timeline`."""
    after = {name: at for name, at in settled.items() if at is not None}
    stop = connection.execute(LAST_MOVE, (row["number"], "jig", "stop")).fetchone()
    unload = connection.execute(LAST_MOVE, (row["number"], "robot", "unload")).fetchone()
    moves = MoveTimes(*(stop or (None, None)), *(unload or (None, None)))
    return {**until_decided, **after, **moves.flat()}


def _order(row: sqlite3.Row) -> JsonObject:
    """An order; confirmed is the place's name, or the number that the robot gave where no place had it."""
    order = dict(row)
    place = order.pop("confirmed_place")
    return {**order, "confirmed": place or order["confirmed"] or None}
