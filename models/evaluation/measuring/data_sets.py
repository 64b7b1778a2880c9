"""Measurements on data sets as documents: of single pictures, or of whole parts of which only the class is known."""

from collections.abc import Sequence
from pathlib import Path

from models.evaluation.measuring.evaluation import (
    NO_MASKS,
    OF_DEFECTS,
    OF_PATCHES,
    POINTING,
    Evaluation,
    ImageFigures,
    NotMeasured,
    Source,
    Subject,
    part_figures,
)
from models.evaluation.measuring.parts import JudgedPart, measure
from models.evaluation.measuring.pointing import Pointing
from models.manifest import utc_now
from models.version import code_version


def picture_evaluation(subject: Subject, source: Source, images: ImageFigures, pointing: Pointing | None) -> Evaluation:
    """The document of single pictures of a data set."""
    return Evaluation(
        created=utc_now(),
        code_version=code_version(),
        subject=subject,
        source=source,
        parts=None,
        images=images,
        detection=(),
        detection_source=None,
        false_calls=None,
        pointing=pointing,
        robustness=(),
        robustness_parts=0,
        not_measured=() if pointing else (NotMeasured(figure=POINTING, why="no mask of a picture called its class"),),
    )


def part_evaluation(subject: Subject, source: Source, judged: Sequence[JudgedPart]) -> Evaluation:
    """The document of whole parts of a data set, not all of whose patches have a class of their own; at least one."""
    return Evaluation(
        created=utc_now(),
        code_version=code_version(),
        subject=subject,
        source=source,
        parts=part_figures(judged, measure(judged, Path(source.name).name)),
        images=None,
        detection=(),
        detection_source=None,
        false_calls=None,
        pointing=None,
        robustness=(),
        robustness_parts=0,
        not_measured=tuple(NotMeasured(figure=name, why=NO_MASKS) for name in (*OF_PATCHES, *OF_DEFECTS, POINTING)),
    )
