"""The texts of faults, decisions and places, for the screens of a line PLC, in each language that there is."""

import csv
import io
import tomllib
from collections.abc import Mapping

from config import bundled
from station.core.errors import FAULTS, Fault
from station.core.verdicts import Classes

LANGUAGES = ("en", "de", "ko")
"""Those there are; in the first the texts stand in the table of faults."""

_OF_THE_CELL = ("camera.", "scan.", "part.", "quality.", "jig.", "robot.", "plc.", "station.")
_OF_OTHERS_IN_IT = {
    "model.bad_scores", "model.engine_failed", "record.disk_failed", "record.database_damaged", "record.locked",
    "record.disk_low", "record.journal_grows",
}  # fmt: skip


def met() -> list[Fault]:
    """The faults whose numbers can come to stand in a PLC's registers: those of the cell at work."""
    return [fault for fault in FAULTS.values() if fault.code.startswith(_OF_THE_CELL) or fault.code in _OF_OTHERS_IN_IT]


def fault_texts(language: str) -> dict[int, str]:
    """What an operator reads of every fault that a PLC can meet, by its number; English where nobody translated it."""
    texts: Mapping[str, str] = {}
    if language != LANGUAGES[0]:
        texts = tomllib.loads(bundled(f"fault_texts/{language}.toml").read_text(encoding="utf-8"))
    return {fault.number: texts.get(fault.code, fault.text) for fault in met()}


def text_list(table: Classes) -> str:
    """A text list as CODESYS takes it in, tab-separated: list, number, and the text in each language.

    Decisions and places have the names of the configuration, in its language.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\r\n")
    writer.writerow(["TextList", "Id", "Default", *LANGUAGES])
    lists = [fault_texts(language) for language in LANGUAGES]
    for number in sorted(lists[0]):
        writer.writerow(["InspectionFaults", number, lists[0][number], *(texts[number] for texts in lists)])
    for name, rows in (("InspectionDecisions", table.verdicts), ("InspectionPlaces", table.places)):
        for row in rows:
            writer.writerow([name, row.code, row.label, *[row.label] * len(LANGUAGES)])
    return text.getvalue()
