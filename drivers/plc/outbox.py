"""What the station tells the line PLC: the words of its block, which are the same in both roles."""

from collections.abc import Mapping, Sequence

import structlog

from drivers.modbus.register_map import Register, RegisterMap, Run, Value

log = structlog.get_logger(__name__)

BEATING = "heartbeat"
WHOLE = 0xFFFF
"""A decision and its complement together."""
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
NO_RESULT: dict[str, Value] = {**dict.fromkeys(_RESULT, 0), "part_id": "", "result_sequence": 0}
"""What the result's registers hold before the first one, and when one is withdrawn."""


class PlcOutbox:
    """The station's block as the PLC's registers should have it.

    A result stands until the next one, unless its acknowledgement or its number is lost after it was acknowledged: then
    the PLC has begun anew and would take a standing number for that of a new result, so the result is withdrawn. One
    that was never acknowledged stays, and is new to whoever has not read it.

    Args:
        registers: The PLC's map.

    Attributes:
        last_result: Number of the result published last, also where it was withdrawn since; 0 before the first.
        last_taken: Number of the result that the PLC has acknowledged last; 0 before the first.
        withdrawn: Whether a result was withdrawn since the block was last asked for as a whole.
    """

    def __init__(self, registers: RegisterMap) -> None:
        self._registers = registers
        self._rows = registers.select("write")
        self.first, self.count = registers.span(row.name for row in self._rows)
        self._words = [0] * self.count
        self._taken = False
        self.last_result = 0
        self.last_taken = 0
        self.withdrawn = False
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
        if "result_sequence" in values:
            self._taken = False
            self.last_result = self.number("result_sequence") or self.last_result
        return runs

    def number(self, name: str) -> int:
        """A register's present value."""
        row = self._registers[name]
        return int(row.decode(self._words[self._place(row)]))

    def as_it_stands(self, run: Run) -> Run:
        """The present words at the place of these."""
        start = run.address - self.first
        return Run(run.kind, run.address, self._words[start : start + len(run.words)])

    @property
    def awaits_acknowledgement(self) -> bool:
        """Whether a result stands that the PLC has not acknowledged."""
        return self.number("result_sequence") != 0 and not self._taken

    def hear_acknowledgement(self, number: int) -> None:
        """Take the number of the result that the PLC says to have read last."""
        standing = self.number("result_sequence")
        if standing and number == standing:
            self._taken, self.last_taken = True, number
        elif self._taken:
            self._withdraw()

    def settle(self, held: Sequence[int]) -> None:
        """Make the block fit to be written anew to a PLC whose registers hold these words, from `first` on."""
        row = self._registers["result_sequence"]
        if self._taken and held[row.address - self.first] != self.number("result_sequence"):
            self._withdraw()

    def differing(self, held: Sequence[int]) -> list[str]:
        """The registers that hold other words in the PLC; its copy of the heartbeat is always about to be written."""
        return [
            row.name
            for row in self._rows
            if row.name != BEATING and list(held[self._place(row)]) != self._words[self._place(row)]
        ]

    def words(self) -> list[int]:
        """The whole block, from `first` on."""
        return list(self._words)

    def runs(self) -> list[Run]:
        """The whole block as it must be written: run by run, and the result's number after all of them."""
        self.withdrawn = False
        last = self._registers["result_sequence"]
        runs: list[Run] = []
        for row in (*(row for row in self._rows if row is not last), last):
            words = self._words[self._place(row)]
            if runs and row is not last and runs[-1].address + len(runs[-1].words) == row.address:
                runs[-1].words.extend(words)
            else:
                runs.append(Run("holding", row.address, words))
        return runs

    def has_written(self, words: Sequence[int]) -> bool:
        """Whether these words of the block were written by a station: its constant stands in them."""
        magic = self._registers["magic"]
        return list(words[magic.address - self.first : magic.end - self.first]) == magic.encode(magic.constant or 0)

    def resume(self, words: Sequence[int]) -> None:
        """Take over from the PLC's registers what the station wrote before its restart: numbers and the last result.

        A result whose complement does not fit is withdrawn: the PLC would never acknowledge it, nor would another one
        follow.
        """
        if not self.has_written(words):
            return
        for row in (self._registers[name] for name in (*_NUMBERS, *_RESULT)):
            self._words[self._place(row)] = words[self._place(row)]
        self.last_result = self.number("result_sequence")
        decision, complement = (self._word(name) for name in ("decision", "decision_complement"))
        if self.last_result and decision + complement != WHOLE:
            self._withdraw()

    def _word(self, name: str) -> int:
        """The first word of a register, whatever it means."""
        return self._words[self._registers[name].address - self.first]

    def _withdraw(self) -> None:
        log.warning("result_withdrawn", result=self.number("result_sequence"))
        self.put(NO_RESULT)
        self.withdrawn = True

    def _place(self, row: Register) -> slice:
        return slice(row.address - self.first, row.end - self.first)
