"""The report of a measurement as one HTML file: what a quality engineer asks first, then tables, curves, pictures."""

from collections.abc import Mapping, Sequence

from models.dataset.named import LeftOut
from models.evaluation.measuring.evaluation import Evaluation, Source, Subject
from models.evaluation.measuring.robustness import RobustnessCurve
from models.evaluation.report import page
from models.evaluation.report.gallery import Shown
from models.evaluation.report.gaps import gaps_section
from models.evaluation.report.groups import groups_section
from models.evaluation.report.sections import (
    detection_section,
    gallery_section,
    image_section,
    part_section,
    pointing_section,
    reading_section,
    robustness_section,
    robustness_table,
)
from models.evaluation.report.summary import summary
from station.core.promise import NOTHING_PROMISED


def render_report(evaluation: Evaluation, pictures: Mapping[str, Sequence[Shown]]) -> str:
    """The whole report.

    Args:
        evaluation: What was measured.
        pictures: By heading, the cases to show under it, with their pictures.
    """
    parts = evaluation.parts
    return page.page(
        f"Measurement of {evaluation.subject.name}",
        header("Measurement report", evaluation.subject, evaluation.source, evaluation),
        summary(evaluation),
        part_section(parts) if parts else "",
        image_section(evaluation.images, "Patches" if parts else "Pictures") if evaluation.images else "",
        detection_section(evaluation.detection, evaluation.detection_source, evaluation.false_calls),
        groups_section(evaluation.groups),
        gallery_section(pictures),
        pointing_section(evaluation.pointing),
        robustness_section(evaluation.robustness, evaluation.robustness_parts),
        gaps_section(evaluation.not_measured, evaluation.left_out),
        reading_section(),
    )


def header(title: str, subject: Subject, source: Source, made: "Evaluation | None" = None) -> str:
    """Title and what was measured on what."""
    facts = [
        ("Network", subject.name),
        ("Computed by", subject.engine),
        ("Measured on", f"{source.name} ({source.kind})"),
        ("Data SHA-256", source.sha256 or "none"),
        ("Part found by", subject.cropping),
    ]
    if subject.min_confidence is not None:
        facts.append(("Least confidence", f"{subject.min_confidence:g}; below it a part goes to review"))
    facts += [("Promised", sentence) for sentence in subject.promised or (NOTHING_PROMISED,)]
    if made is not None:
        facts.append(("Measured", f"{made.created:%Y-%m-%d %H:%M} UTC, version {made.code_version}"))
    return f"<header><h1>{title}</h1>{page.facts(facts)}</header>"


def render_robustness(
    subject: Subject, source: Source, curves: Sequence[RobustnessCurve], parts: int, left_out: Sequence[LeftOut] = ()
) -> str:
    """The report of robustness alone."""
    return page.page(
        f"Robustness of {subject.name}",
        header("Robustness report", subject, source),
        robustness_section(curves, parts),
        robustness_table(curves),
        gaps_section((), left_out),
    )
