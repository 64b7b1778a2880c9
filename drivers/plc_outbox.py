"""What the station tells the line PLC: the words of its block, which are the same in both roles."""

from collections.abc import Mapping, Sequence

from drivers.registers import RegisterMap, Run, Value
from station.core.errors import Fault
from station.core.ports import CellReport, Published

UNKNOWN_MS = 65535
_NUMBERS = (
    "heartbeat",
    "accepted_part",
    "answered_command",
    "command_result",
    "command_reason",
    "alarm_ack_answered",
    "alarm_ack_result",
    "result_sequence",
)
_RESULT = (
    "inspection_number",
    "part_id",
    "part_type",
    "decision",
    "decision_complement",
    "destination",
    "confirmed_bin",
    "confidence",
    "defect_patches",
    "deciding_patch",
    "reason",
    "ms_after_last_line",
)


class PlcOutbox:
    """The station's block as the PLC's registers have it, or get it with the next connection.

    Args:
        registers: The PLC's map.
    """

    def __init__(self, registers: RegisterMap) -> None:
        self._registers = registers
        self._rows = registers.select("holding", "write")
        self.first, self.count = registers.span(row.name for row in self._rows)
        self._words = [0] * self.count
        self.put({row.name: row.constant for row in self._rows if row.constant is not None})

    def put(self, values: Mapping[str, Value]) -> list[Run]:
        """Set values and return the words to write.

        Raises:
            BugError: A value does not fit its register; nothing was set.
        """
        runs = self._registers.encode_block(values)
        for run in runs:
            start = run.address - self.first
            self._words[start : start + len(run.words)] = run.words
        return runs

    def number(self, name: str) -> int:
        """A register's present value."""
        row = self._registers[name]
        return int(row.decode(self._words[row.address - self.first : row.end - self.first]))

    def words(self) -> list[int]:
        """The whole block, from `first` on."""
        return list(self._words)

    def runs(self) -> list[Run]:
        """The whole block as it must be written: run by run, and the result's number after all of them."""
        last = self._registers["result_sequence"]
        runs: list[Run] = []
        for row in (*(row for row in self._rows if row is not last), last):
            words = self._words[row.address - self.first : row.end - self.first]
            if runs and row is not last and runs[-1].address + len(runs[-1].words) == row.address:
                runs[-1].words.extend(words)
            else:
                runs.append(Run("holding", row.address, words))
        return runs

    def resume(self, words: Sequence[int]) -> None:
        """Take over from the PLC's registers what the station wrote before its restart: numbers and the last result."""
        magic = self._registers["magic"]
        if list(words[magic.address - self.first : magic.end - self.first]) != magic.encode(magic.constant or 0):
            return
        for row in (self._registers[name] for name in (*_NUMBERS, *_RESULT)):
            place = slice(row.address - self.first, row.end - self.first)
            self._words[place] = words[place]


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
        "decision": decision.verdict.value,
        "decision_complement": 0xFFFF - decision.verdict.value,
        "destination": decision.destination.value,
        "confirmed_bin": result.confirmed.value if result.confirmed else 0,
        "confidence": float(decision.confidence),
        "defect_patches": decision.defect_patches,
        "deciding_patch": 0 if patch is None else patch + 1,
        "reason": _number(decision.fault),
        "ms_after_last_line": _milliseconds(result.ms_after_last_line),
    }


def answer_values(sequence: int, refused: Fault | None) -> dict[str, Value]:
    """The registers that answer a command."""
    result = "refused" if refused else "taken"
    return {"answered_command": sequence, "command_result": result, "command_reason": _number(refused)}


def acknowledgement_values(sequence: int, refused: Fault | None) -> dict[str, Value]:
    """The registers that answer an acknowledgement."""
    return {"alarm_ack_answered": sequence, "alarm_ack_result": "refused" if refused else "taken"}


def _number(fault: Fault | None) -> int:
    return fault.number if fault else 0


def _milliseconds(time_ms: float | None) -> int:
    return UNKNOWN_MS if time_ms is None else min(round(time_ms), UNKNOWN_MS)
