"""What a restart must know: how far an inspection came, and which order went out last."""

import json
import sqlite3

from station.core.errors import FAULTS
from station.core.judgement import Journal, Written
from station.core.novelty.conformal import Novelty
from station.core.part import Announcement, Decision, Device, Inspection, ModelIdentity, Order
from station.core.rulings import Rulings
from station.core.spot_check import Draw
from station.core.verdicts import Classes
from station.records.rows import scores_of

ORDERS = """SELECT device, orders.number, verb, argument, inspection_id, confirmed, result
    FROM orders LEFT JOIN inspections ON inspection = inspections.number"""
ORDERS_OF = f"{ORDERS} WHERE inspection_id = ? ORDER BY order_id"
LAST_ORDER = f"{ORDERS} WHERE device = ? ORDER BY order_id DESC LIMIT 1"
TAKEN_ON = """SELECT part_sequence, part_id, type_code FROM inspections WHERE state != 'withdrawn'
    ORDER BY number DESC LIMIT 1"""
DECIDED = """SELECT i.verdict, j.algorithm1, i.reason, i.detail, j.confidence, j.deciding_patch, j.defect_patches,
    j.probabilities, j.classes, j.novelty_score, j.novelty_patch, j.novelty_p, j.novelty_alpha, j.calibration_sha256,
    j.spot_lot, j.spot_one_in, j.spot_seed, j.screened, j.rules, j.ms_after_last_line
    FROM inspections i LEFT JOIN judgements j ON j.inspection = i.number
    WHERE i.inspection_id = ? AND i.verdict IS NOT NULL"""


def journal(connection: sqlite3.Connection, inspection: Inspection, table: Classes) -> Journal:
    """What is written of an inspection; a verdict that the table does not have is read as REVIEW."""
    orders = tuple(_written(row) for row in connection.execute(ORDERS_OF, (inspection.inspection_id,)))
    row = connection.execute(DECIDED, (inspection.inspection_id,)).fetchone()
    return Journal(None, None, orders) if row is None else Journal(_decision(row, table), row[-1], orders)


def last_order(connection: sqlite3.Connection, device: Device) -> Written | None:
    """The order that was given to the device last."""
    row = connection.execute(LAST_ORDER, (device,)).fetchone()
    return None if row is None else _written(row)


def last_taken_on(connection: sqlite3.Connection) -> Announcement | None:
    """The announcement that was taken on last and not withdrawn, or None."""
    row = connection.execute(TAKEN_ON).fetchone()
    return None if row is None else Announcement(*row)


def last_model(connection: sqlite3.Connection) -> ModelIdentity | None:
    """The network that judged the last part, or None before the first."""
    row = connection.execute("SELECT model, model_sha256 FROM judgements ORDER BY inspection DESC LIMIT 1").fetchone()
    return None if row is None else ModelIdentity(*row)


def _written(row: tuple[Device, int, str, int, str | None, int | None, str | None]) -> Written:
    device, number, verb, argument, inspection_id, confirmed, result = row
    return Written(Order(device, number, verb, argument), inspection_id, None if result is None else confirmed or 0)


def _decision(row: sqlite3.Row, table: Classes) -> Decision:
    (
        verdict,
        algorithm1,
        reason,
        detail,
        confidence,
        deciding_patch,
        defect_patches,
        scores,
        classes,
        *looked,
        screened,
        rules,
        _ms,
    ) = row
    novelty, spot_check = looked[:5], looked[5:]
    return Decision(
        verdict=table.named(verdict),
        algorithm1=table.named(algorithm1) if algorithm1 else None,
        fault=FAULTS[reason] if reason else None,
        detail=detail,
        confidence=confidence or 0.0,
        deciding_patch=deciding_patch,
        defect_patches=defect_patches or 0,
        probabilities=scores_of(scores, json.loads(classes) if classes else ()),
        novelty=None if novelty[0] is None else Novelty(*novelty),
        spot_check=None if spot_check[0] is None else Draw(*spot_check),
        rulings=Rulings.of(json.loads(rules)) if rules else None,
        screened=None if screened is None else tuple(json.loads(screened)),
    )
