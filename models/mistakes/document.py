"""The likely mistakes of a data set as a document."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from models.dataset.store import DataSet
from models.mistakes.confident import Doubts, Mistake
from models.training.draw import Indices
from models.version import code_version
from station.core.section import Section

DOCUMENT, REPORT = "mistakes.json", "mistakes.html"


class LikelyMistake(Section):
    """A label that is likely wrong."""

    file: str = Field(..., description="The picture, from the folder that the data set was made of.")
    image: int = Field(..., ge=0, description="Its number among the images of that picture; of a scan the patch.")
    index: int = Field(..., ge=0, description="Its number in the data set.")
    given: str = Field(..., description="The class that the label says.")
    suggested: str = Field(..., description="The class that is likelier.")
    self_confidence: float = Field(..., ge=0, le=1, description="Probability of the given class.")
    confidence: float = Field(..., ge=0, le=1, description="Probability of the suggested class.")


class Mistakes(Section):
    """The labels of a data set that are likely wrong."""

    format: Literal[1] = Field(1, description="Version of this layout.")
    code_version: str = Field(..., description="Version of the product that looked.")
    data: str = Field(..., description="The data set's folder.")
    data_sha256: str = Field(..., description="Of its manifest.")
    source: str = Field(..., description="By whose answers, in words.")
    images: int = Field(..., ge=1, description="How many labels were looked at.")
    classes: tuple[str, ...] = Field(..., description="Names of the classes.")
    joint: tuple[tuple[float, ...], ...] = Field(
        ..., description="How many labels of the row's class are really of the column's, as estimated."
    )
    mistakes: tuple[LikelyMistake, ...] = Field(..., description="The least self-confident first.")


def document_of(data: DataSet, images: Indices, source: str, found: Doubts) -> Mistakes:
    """The document of what was found among these images."""
    firsts = _first_of_file(data)
    return Mistakes(
        code_version=code_version(),
        data=str(data.folder),
        data_sha256=data.sha256,
        source=source,
        images=len(images),
        classes=data.classes,
        joint=tuple(tuple(round(float(value), 3) for value in row) for row in found.joint),
        mistakes=tuple(_likely(data, int(images[one.item]), one, firsts) for one in found.mistakes),
    )


def _first_of_file(data: DataSet) -> Sequence[int]:
    """The number of each file's first image."""
    _files, first = np.unique(data.files, return_index=True)
    return [int(one) for one in first]


def _likely(data: DataSet, index: int, one: Mistake, firsts: Sequence[int]) -> LikelyMistake:
    file = int(data.files[index])
    return LikelyMistake(
        file=data.manifest.files[file].path,
        image=index - firsts[file],
        index=index,
        given=data.classes[one.given],
        suggested=data.classes[one.suggested],
        self_confidence=min(1.0, one.self_confidence),
        confidence=min(1.0, one.confidence),
    )
