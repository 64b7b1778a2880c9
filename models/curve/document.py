"""What a learning curve is on disk: `curve.json`, and the same as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Literal

from pydantic import Field

from models.curve.power_law import Point
from models.evaluation.figures.metrics import Classification
from models.evaluation.figures.rates import Rate, rate
from station.core.section import Section

DOCUMENT, TABLE, PICTURE = "curve.json", "curve.csv", "curve.png"


class CurvePoint(Section):
    """One training, judged on the test split."""

    parts: int = Field(..., ge=1, description="Parts, or groups of pictures, that it was trained on.")
    images: int = Field(..., ge=1, description="Images of these.")
    errors: Rate = Field(..., description="Of the test, judged wrongly.")
    escapes: Rate = Field(..., description="Of the test's defective ones, judged to be good.")
    overkills: Rate = Field(..., description="Of the test's good ones, judged to be defective.")

    @property
    def point(self) -> Point:
        """For the law."""
        return Point(self.parts, self.errors.events, self.errors.trials)


class Law(Section):
    """error = a n^-b + c; see `models.curve.power_law`."""

    a: float = Field(..., ge=0, description="Falls away with more parts.")
    b: float = Field(..., gt=0, description="How fast.")
    c: float = Field(..., ge=0, description="Stays.")
    chi_square: float = Field(..., ge=0, description="Weighted squares left.")
    chi_square_of_constant: float = Field(..., ge=0, description="Those left by one error for all sizes.")


class Curve(Section):
    """A learning curve."""

    format: Literal[1] = Field(1, description="Version of this layout.")
    code_version: str = Field(..., description="Version of the product that trained.")
    network: str = Field(..., description="A name of `station model networks`.")
    data_sha256: str = Field(..., description="Of the data set's manifest.")
    data_source: str = Field(..., description="Where the images come from.")
    plan: dict[str, Any] = Field(..., description="How each was trained.")
    judged: Literal["parts", "pictures"] = Field(..., description="What of the test is counted.")
    points: tuple[CurvePoint, ...] = Field(..., description="By rising size.")
    law: Law | None = Field(None, description="Fitted to the errors; None with fewer than two points.")
    told: str = Field("", description="What more parts would bring, or why nobody can say, in words.")


def curve_point(parts: int, images: int, scores: Classification, passing: int | None) -> CurvePoint:
    """What a test came to.

    Args:
        parts: That were trained on.
        images: Of these.
        scores: Of the test.
        passing: The class of what is good; where there is none, nothing escapes and nothing is overkill.
    """
    counts = scores.confusion
    good = sum(counts[passing]) if passing is not None else 0
    right_good = counts[passing][passing] if passing is not None else 0
    escaped = sum(row[passing] for row in counts) - right_good if passing is not None else 0
    defective = scores.samples - good if passing is not None else 0
    wrong = scores.samples - scores.accuracy.events
    return CurvePoint(
        parts=parts, images=images, errors=rate(wrong, scores.samples), escapes=rate(escaped, defective),
        overkills=rate(good - right_good, good),
    )  # fmt: skip


def table(points: Iterable[CurvePoint]) -> str:
    """The points as CSV with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    kinds = ("errors", "escapes", "overkills")
    head = (f"{kind}{what}" for kind in kinds for what in ("", "_of", "_lower", "_upper"))
    writer.writerow(["parts", "images", *head])
    for point in points:
        counted: Sequence[Rate] = [getattr(point, kind) for kind in kinds]
        cells = ((one.events, one.trials, f"{one.lower:.6f}", f"{one.upper:.6f}") for one in counted)
        writer.writerow([point.parts, point.images, *chain.from_iterable(cells)])
    return text.getvalue()
