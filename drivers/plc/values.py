"""The registers that tell of the cell and of a result, by name."""

from drivers.modbus.register_map import Value
from station.core.errors import Fault
from station.core.judgement import Published
from station.core.ports.line import CellReport

UNKNOWN_MS = 65535


def report_values(report: CellReport) -> dict[str, Value]:
    """The registers that tell of the cell's state."""
    return {
        "state_current": report.state,
        "unit_mode_current": report.mode,
        "stop_reason": _number(report.reason),
        "processed_count": report.processed,
        "defective_count": report.defective,
        "alarm_count": report.alarms.active,
        "alarm_unacknowledged": report.alarms.unacknowledged,
        "alarm_code": _number(report.alarms.newest),
    }


def result_values(result: Published) -> dict[str, Value]:
    """The registers of a result, all but its number."""
    decision = result.decision
    patch = decision.deciding_patch
    return {
        "inspection_number": result.inspection.number,
        "part_id": result.inspection.part.part_id,
        "part_type": result.inspection.part_type.code,
        "decision": decision.verdict.code,
        "decision_complement": 0xFFFF - decision.verdict.code,
        "destination": decision.destination.code,
        "confirmed_bin": result.confirmed.code if result.confirmed else 0,
        "confidence": float(decision.confidence),
        "defect_patches": decision.defect_patches,
        "deciding_patch": 0 if patch is None else patch + 1,
        "reason": _number(decision.fault),
        "ms_after_last_line": _milliseconds(result.ms_after_last_line),
    }


def _number(fault: Fault | None) -> int:
    return fault.number if fault else 0


def _milliseconds(time_ms: float | None) -> int:
    return UNKNOWN_MS if time_ms is None else min(round(time_ms), UNKNOWN_MS)
