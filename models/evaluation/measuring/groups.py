"""Parts counted by where their defect was asked to lie, or by what kind they are that no class names.

Both stand in the truth beside a recording, where they were asked for (`station dataset render --place`, `--unknown`).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.dataset.scans import TRUTH_NAME
from models.evaluation.figures.rates import Rate, rate
from models.evaluation.measuring.parts import JudgedPart
from station.core.errors import RecordingError
from station.core.section import Section

By = Literal["place", "kind"]
Asked = tuple[By, str]
"""What a part was asked to be: by place or by kind, and which."""


class GroupFigures(Section):
    """Parts that have something in common; the rates hold for defective parts, and those of unknown kinds."""

    by: By = Field(
        ..., description="What they have in common: where their defect lies, or of what unknown kind they are."
    )
    name: str = Field(..., description="Which place, or kind.")
    defect: str | None = Field(..., description="The class of them; None for all classes together.")
    found: Rate = Field(..., description="Of them a patch that shows it was called defective, of whatever class.")
    right: Rate = Field(..., description="Of them judged rightly.")
    escapes: Rate = Field(..., description="Of them passed.")
    reviews: Rate = Field(..., description="Of them sent to review.")


class _Lying(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    place: str | None = None


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    file: str
    defects: tuple[_Lying, ...] = ()
    unknown: str | None = None

    @property
    def asked(self) -> Asked | None:
        """What the part was asked to be; None where chance had it."""
        if self.unknown is not None:
            return "kind", self.unknown
        places = [defect.place for defect in self.defects if defect.place is not None]
        return ("place", places[0]) if places else None


def read_asked(folder: Path) -> dict[str, Asked]:
    """What the parts of a recording were asked to be, by the scans' file names; of those alone that were.

    Raises:
        RecordingError: A line of the truth cannot be used.
    """
    path = folder / TRUTH_NAME
    if not path.is_file():
        return {}
    asked = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            told = _Told.model_validate(json.loads(line))
        except (ValueError, ValidationError) as error:
            raise RecordingError("recording.bad_line", f"{path}:{number}: {error}") from error
        if told.asked is not None:
            asked[told.file] = told.asked
    return asked


def group_figures(judged: Sequence[JudgedPart], asked: Mapping[str, Asked], folder: Path) -> tuple[GroupFigures, ...]:
    """Every group, and of a place each class, too; in the order of their names.

    Args:
        judged: The parts of the recording.
        asked: What they were asked to be, by the scans' file names.
        folder: Of the recording.
    """
    groups: dict[tuple[Asked, str | None], list[JudgedPart]] = {}
    for part in judged:
        what = asked.get(part.scan.image_path.relative_to(folder).as_posix())
        if what is None or not part.truth.is_defect:
            continue
        groups.setdefault((what, None), []).append(part)
        if what[0] == "place":
            groups.setdefault((what, part.truth.name), []).append(part)
    return tuple(_figures(what, defect, parts) for (what, defect), parts in sorted(groups.items(), key=_order))


def was_found(part: JudgedPart) -> bool:
    """Whether a patch that shows what the part has was called defective; of what is too small, one with any of it."""
    if not len(part.probabilities):
        return False
    shown = part.shows if part.shows.any() else part.labels != part.meaning.passing
    return bool(np.any(part.meaning.called_defective(part.probabilities)[shown]))


def _order(item: tuple[tuple[Asked, str | None], list[JudgedPart]]) -> tuple[str, str, str]:
    (by, name), defect = item[0]
    return by, name, defect or ""


def _figures(what: Asked, defect: str | None, parts: Sequence[JudgedPart]) -> GroupFigures:
    count = len(parts)
    return GroupFigures(
        by=what[0],
        name=what[1],
        defect=defect,
        found=rate(sum(map(was_found, parts)), count),
        right=rate(sum(part.right for part in parts), count),
        escapes=rate(sum(part.escaped for part in parts), count),
        reviews=rate(sum(part.verdict.is_review for part in parts), count),
    )
