"""What the station has written into the line PLC's registers, as a PLC's program reads it: word by word, by address.

It shares no code with what is tested; addresses and codes are typed in from the map's document.
"""

import struct
from dataclasses import dataclass

STATE_CURRENT, STOP_REASON = 11, 13
ANSWERED_COMMAND, COMMAND_RESULT, COMMAND_REASON = 24, 25, 26
RESULT_FIRST, RESULT_SEQUENCE = 30, 50
ALARM_COUNT, ALARM_CODE, ALARM_ACK_ANSWERED, ALARM_ACK_RESULT = 60, 62, 64, 65
STOPPED, SUSPENDED, EXECUTE, ABORTED, HELD = 2, 5, 6, 9, 11
TAKEN, REFUSED = 1, 2
LIST_FIRST, LIST_SEQUENCE, ROW_WORDS = 130, 189, 7
DEFECT_FREE, REVIEW = 1, 6
SECOND_INSPECTION, BIN_REVIEW = 1, 6


@dataclass(frozen=True)
class ResultWords:
    """One result block: registers 32 to 48."""

    part_id: str
    decision: int
    complement: int
    destination: int
    confirmed: int
    reason: int


@dataclass(frozen=True)
class DefectWords:
    """One list of defects: registers 130 to 188.

    Attributes:
        inspection: Number of the inspection.
        count: How many patches show a defect.
        rows: Decision code and patch, from 1, of each that is listed.
    """

    inspection: int
    count: int
    rows: tuple[tuple[int, int], ...]


class PlcWords:
    """The station's half of the block, and how it came to be.

    Attributes:
        reports: (state_current, stop_reason), one entry for each time that the two were written.
        results: The result block each time that its number was written anew.
        lists: The list of defects each time that its number was written anew.
    """

    def __init__(self) -> None:
        self._words: dict[int, int] = {}
        self.reports: list[tuple[int, int]] = []
        self.results: list[ResultWords] = []
        self.lists: list[DefectWords] = []
        self._sequence = 0

    def wrote(self, address: int, words: tuple[int, ...] | list[int]) -> None:
        """The station has written these words, from this address on."""
        written = range(address, address + len(words))
        self._words.update(zip(written, words, strict=True))
        if STOP_REASON in written:
            self.reports.append((self[STATE_CURRENT], self[STOP_REASON]))
        if RESULT_SEQUENCE in written and self[RESULT_SEQUENCE] not in (0, self._sequence):
            self._sequence = self[RESULT_SEQUENCE]
            self.results.append(self._result())
        if LIST_SEQUENCE in written:
            self.lists.append(self._list())

    def __getitem__(self, address: int) -> int:
        return self._words.get(address, 0)

    def results_of(self, part_id: str) -> list[ResultWords]:
        """All results of one part, oldest first."""
        return [result for result in self.results if result.part_id == part_id]

    def _result(self) -> ResultWords:
        words = [self[address] for address in range(RESULT_FIRST, RESULT_SEQUENCE)]
        part_id = struct.pack(">8H", *words[2:10]).rstrip(b"\0").decode("ascii")
        return ResultWords(part_id, words[11], words[12], words[13], words[14], words[18])

    def _list(self) -> DefectWords:
        words = [self[address] for address in range(LIST_FIRST, LIST_SEQUENCE)]
        rows = [tuple(words[3 + ROW_WORDS * place :][:2]) for place in range(8)]
        return DefectWords(words[0] << 16 | words[1], words[2], tuple((code, patch) for code, patch in rows if code))
