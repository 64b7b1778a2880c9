"""Measurements on data sets as documents: single pictures, each judged by itself."""

from models.evaluation.measuring.evaluation import POINTING, Evaluation, ImageFigures, NotMeasured, Source, Subject
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
