"""The sheet of a study: what each appraiser said of each part, and what the part is.

A CSV file has the columns `part_id` and `reference`, and, where people have judged the parts, a column a trial, named
after the person, so that the same name stands over each of a person's trials.
"""

import csv
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import LabelError
from station.core.records import JsonObject

PART, REFERENCE = "part_id", "reference"
STATION = "station"
"""The name of the appraiser that the study is about."""

Said = Mapping[str, tuple[str, ...]]
"""Names of verdicts by part, one a trial."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known of a study's parts.

    Attributes:
        parts: Ids of the parts that every appraiser has judged as often as the study asks for, and whose reference is
            known.
        reference: What each of them is.
        appraisers: What each said of each of them, the station first.
        broken_off: Parts that the station has judged less often, and how often.
        without_reference: Parts that the file does not have.
        not_judged: Parts of the file that the station has not judged at all.
    """

    parts: tuple[str, ...]
    reference: Mapping[str, str]
    appraisers: Mapping[str, Said]
    broken_off: Mapping[str, int]
    without_reference: tuple[str, ...]
    not_judged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """What a file says.

    Attributes:
        reference: What each part is, by its id.
        people: What each person said of each part, a verdict a trial.
    """

    reference: Mapping[str, str]
    people: Mapping[str, Said]


def read_given(path: Path, verdicts: Collection[str]) -> Given:
    """The reference and what people said.

    Args:
        path: A CSV file.
        verdicts: The names that may stand in it.

    Raises:
        LabelError: `label.study_unusable`: it cannot be read, a column is missing, a part stands in it twice, or a
            name is no verdict.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabelError("label.study_unusable", f"{path}: {error}") from error
    if not rows or rows[0][:2] != [PART, REFERENCE]:
        raise LabelError("label.study_unusable", f"{path}: the first columns must be {PART} and {REFERENCE}")
    if problems := list(_problems(rows, verdicts)):
        raise LabelError("label.study_unusable", f"{path}: {'; '.join(problems[:5])}")
    head, *lines = rows
    people: dict[str, dict[str, tuple[str, ...]]] = {
        name: {row[0]: tuple(row[column] for column, one in enumerate(head) if one == name) for row in lines}
        for name in dict.fromkeys(head[2:])
    }
    return Given({row[0]: row[1] for row in lines}, people)


def sheet_of(trials: Iterable[JsonObject], given: Given, wanted: int) -> Sheet:
    """The sheet of a study.

    Args:
        trials: As the records have them, the oldest first.
        given: The reference, and people.
        wanted: Trials of each part.

    Raises:
        LabelError: `label.study_unusable`: no part has all its trials and a reference.
    """
    said: defaultdict[str, list[str]] = defaultdict(list)
    for trial in trials:
        said[trial["part_id"]].append(trial["verdict"])
    whole = {part: tuple(verdicts) for part, verdicts in said.items() if len(verdicts) >= wanted}
    parts = tuple(part for part in given.reference if part in whole)
    if not parts:
        detail = f"of {len(said)} parts none has its {wanted} trials and a reference"
        raise LabelError("label.study_unusable", detail)
    return Sheet(
        parts=parts,
        reference={part: given.reference[part] for part in parts},
        appraisers={STATION: whole, **given.people},
        broken_off={part: len(verdicts) for part, verdicts in said.items() if part not in whole},
        without_reference=tuple(part for part in said if part not in given.reference),
        not_judged=tuple(part for part in given.reference if part not in said),
    )


def _problems(rows: Sequence[Sequence[str]], verdicts: Collection[str]) -> Iterator[str]:
    head, *lines = rows
    if STATION in head[2:]:
        yield f"no person may be called {STATION}"
    seen = set()
    for number, row in enumerate(lines, 2):
        if len(row) != len(head):
            yield f"line {number} has {len(row)} values, the first line names {len(head)}"
            continue
        if row[0] in seen:
            yield f"line {number}: part {row[0]} stands there twice"
        seen.add(row[0])
        if unknown := sorted({name for name in row[1:] if name not in verdicts}):
            yield f"line {number}: {', '.join(unknown) or 'nothing'} is no verdict; there are {', '.join(verdicts)}"
