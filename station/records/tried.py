"""What the database holds of golden parts and studies, for people: the reading side of `references`."""

from pathlib import Path

from station.core.records import JsonObject
from station.records.reading import reading

CHALLENGES = """SELECT c.number, c.at, c.part_type, c.event, c.cause, c.golden, i.inspection_id, c.inspection,
    c.expected, c.found, c.recipe_sha256 FROM challenges c LEFT JOIN inspections i ON i.number = c.inspection"""
NEWEST = f"{CHALLENGES} ORDER BY c.number DESC LIMIT ?"
FAILED = f"""{CHALLENGES} WHERE c.event = 'failed' AND (:number IS NULL OR c.number = :number)
    ORDER BY c.number DESC LIMIT 1"""
PASSED = f"""{CHALLENGES} WHERE c.event = 'passed' AND c.part_type = :part_type AND c.number < :number
    ORDER BY c.number DESC LIMIT 1"""
SUSPECTS = """SELECT i.inspection_id, i.part_id, i.part_type, i.entered_at, i.state, i.verdict, i.reason,
    i.confirmed_bin, s.state AS scan_state, s.file AS scan_file
    FROM inspections i LEFT JOIN scans s ON s.inspection = i.number
    WHERE i.part_type = :part_type AND i.number > :after AND i.number < :before AND i.state != 'withdrawn'
    AND NOT EXISTS (SELECT 1 FROM challenges c WHERE c.inspection = i.number) ORDER BY i.number"""
STUDIES = """SELECT s.name, s.trials, s.begun_at, s.ended_at, count(DISTINCT i.part_id) AS parts,
    count(t.trial) AS judged FROM studies s LEFT JOIN trials t ON t.study = s.number
    LEFT JOIN inspections i ON i.number = t.inspection GROUP BY s.number ORDER BY s.number DESC"""
TRIALS = """SELECT part_id, part_type, inspection_id, trial, at, verdict, algorithm1, reason, detail, confidence FROM (
    SELECT i.part_id, i.part_type, i.inspection_id, t.*, s.trials,
        row_number() OVER (PARTITION BY i.part_id ORDER BY t.inspection, t.trial) AS place
    FROM trials t JOIN studies s ON s.number = t.study JOIN inspections i ON i.number = t.inspection WHERE s.name = ?
    ) WHERE place <= trials ORDER BY inspection, trial"""


class SqliteReferenceReader:
    """The golden parts and studies of a data folder; changes nothing there. Every method blocks.

    Args:
        folder: The data folder.

    Raises:
        RecordError: From every method: no database, damaged, of a newer version, or the disk failed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def challenges(self, limit: int) -> list[JsonObject]:
        """What happened to challenges, the newest first."""
        return self._rows(NEWEST, (limit,))

    def suspects(self, number: int | None) -> JsonObject | None:
        """The parts that a failed challenge has made suspect; None where there is no such failed challenge."""
        found = self._rows(FAILED, {"number": number})
        if not found:
            return None
        (failed,) = found
        passed = next(iter(self._rows(PASSED, failed)), None)
        between = {"after": passed["inspection"] if passed else 0, "before": failed["inspection"]}
        return {"failed": failed, "passed": passed, "parts": self._rows(SUSPECTS, failed | between)}

    def studies(self) -> list[JsonObject]:
        """All studies, the newest first."""
        return self._rows(STUDIES, ())

    def trials(self, name: str) -> list[JsonObject]:
        """The trials of a study that count, the oldest first."""
        return self._rows(TRIALS, (name,))

    def _rows(self, question: str, values: object) -> list[JsonObject]:
        with reading(self._folder) as connection:
            return [dict(row) for row in connection.execute(question, values)]  # type: ignore[arg-type]
