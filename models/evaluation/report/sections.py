"""The report's sections: tables, curves and pictures."""

from collections.abc import Iterable, Mapping, Sequence

from models.evaluation.figures.calibration import Calibration
from models.evaluation.figures.metrics import Classification
from models.evaluation.figures.pod import Pod
from models.evaluation.figures.rates import Rate
from models.evaluation.figures.wording import NOTHING, digits, name, percent, within
from models.evaluation.measuring.defects import Detection
from models.evaluation.measuring.evaluation import ImageFigures, PartFigures
from models.evaluation.measuring.pointing import Pointing
from models.evaluation.measuring.robustness import RobustnessCurve, Tally
from models.evaluation.report import charts, page
from models.evaluation.report.gallery import Shown, caption
from models.evaluation.report.gaps import unlisted_paragraph

OUTCOMES = ("judged rightly", "escapes", "overkill", "review")
LEGEND = (
    '<p class="legend"><i class="c-right"></i>judged rightly<i class="c-escape"></i>escapes'
    '<i class="c-overkill"></i>overkill<i class="c-review"></i>review</p>'
)


def part_section(parts: PartFigures) -> str:
    """Whole parts: confusion, classes, claims, operating points."""
    scores = parts.classification
    claims = [(percent(claim.rate), f"{claim.events:,}", f"{claim.parts:,}") for claim in parts.claims]
    points = [
        (f"{point.min_confidence:g}", *(percent(rate.share) for rate in _rates(point.tally)))
        for point in parts.operating_points
    ]
    return page.section(
        "Whole parts",
        page.paragraph(
            f"A part is judged by Algorithm 1 over its {_patches(parts)}; under the least confidence it goes to "
            "review, which counts as wrong, but neither as escape nor as overkill."
        ),
        unlisted_paragraph(parts.unlisted),
        *(_classes(scores) if scores else ()),
        "<h3>How many parts a claim takes</h3>",
        page.table(("Claim: at most", "with so many in the sample", "parts needed"), claims),
        "<h3>What another least confidence would give</h3>",
        page.grid(
            [
                page.table(("Least confidence", *OUTCOMES), points),
                page.figure(LEGEND + charts.operating_chart(parts.operating_points), ""),
            ],
            "charts",
        ),
    )


def _classes(scores: Classification) -> tuple[str, str]:
    names = [name(column) for column in scores.columns]
    return page.confusion_table(names[: len(scores.classes)], names, scores.confusion), _class_table(scores)


def _patches(parts: PartFigures) -> str:
    return "patches" if parts.patches_per_part is None else f"{parts.patches_per_part} patches"


def _rates(counted: Tally) -> tuple[Rate, ...]:
    return counted.accuracy, counted.escapes, counted.overkills, counted.reviews


def _class_table(scores: Classification) -> str:
    rows = [
        (
            name(each.name),
            f"{each.samples:,}",
            percent(each.recall.share),
            f"{percent(each.recall.lower)} to {percent(each.recall.upper)}",
            percent(each.precision),
            percent(each.f1),
            digits(each.auc),
        )
        for each in scores.classes
    ]
    mean = (
        "mean",
        f"{scores.samples:,}",
        percent(scores.balanced_accuracy),
        "",
        percent(scores.macro_precision),
        percent(scores.macro_f1),
        digits(scores.macro_auc),
    )
    return page.table(("Class", "Samples", "Recall", "95 % limits", "Precision", "F1", "ROC-AUC"), [*rows, mean])


def image_section(images: ImageFigures, title: str) -> str:
    """Single pictures: confusion, classes, calibration, errors."""
    scores, calibration = images.classification, images.calibration
    wrong = [(file, name(truth), name(found), f"{sure:.3f}") for file, truth, found, sure in images.wrong]
    said = (
        f"{calibration.samples:,} samples; expected calibration error {percent(calibration.ece)}, log loss "
        f"{calibration.log_loss:.4f}. Bars: share of the samples; vertical lines: 95 % limits."
    )
    names = [name(each.name) for each in scores.classes]
    return page.section(
        title,
        page.paragraph(f"{within(scores.accuracy)} judged rightly; ranges are 95 % limits."),
        page.confusion_table(names, names, scores.confusion),
        _class_table(scores),
        "<h3>Calibration</h3>",
        page.grid([page.figure(charts.reliability_chart(calibration), said), _bin_table(calibration)], "charts"),
        "<h3>Judged wrongly</h3>" + page.table(("Picture", "Truth", "Found", "Confidence"), wrong) if wrong else "",
    )


def _bin_table(calibration: Calibration) -> str:
    rows = [
        (f"{one.lower:.2f} to {one.upper:.2f}", f"{one.samples:,}", percent(one.confidence), percent(one.accuracy))
        for one in calibration.bins
        if one.samples
    ]
    return page.table(("Confidence", "Samples", "Mean confidence", "Answered rightly"), rows)


def detection_section(detection: Sequence[Detection], source: str | None, false_calls: Rate | None) -> str:
    """Probability of detection, class by class; nothing without it."""
    if not detection:
        return ""
    low, high = detection[0].usual_multipliers
    rows = [row for each in detection for row in _pod_rows(each)]
    return page.section(
        "Probability of detection",
        page.paragraph(
            f"Measured on {source}. A defect is found when a patch that shows it is called defective, of whatever "
            "class. a90 is the size, or contrast, of which nine tenths are found, a90/95 its upper limit with 95 % "
            "confidence (hit/miss logistic model in the logarithm, maximum likelihood, one-sided likelihood-ratio "
            "limit; practice of MIL-HDBK-1823A). By counting: from there on, at least 90 % are found with 95 % "
            "confidence, without a model. Size is the longer side of the box around the defect; contrast the mean "
            "change of the light over it. Nothing is given beyond what was tried."
        ),
        page.paragraph(
            "The curve against size is fitted on the defects of usual contrast, that against contrast on those of "
            f"usual size: their class's default was multiplied with {low:g} to {high:g}. The third line of a class is "
            "one model of both, fitted on all its defects; it assumes that contrast makes up for size by one law."
        ),
        page.paragraph(
            f"Of patches without any defect {within(false_calls)} are called defective: where the curves are as low, "
            "hits are hits by chance."
        )
        if false_calls
        else "",
        page.table(("Class", "Against", "Fitted on", "Found", "a50", "a90", "a90/95", "By counting from"), rows),
        *(_detection_charts(each) for each in detection),
    )


def _pod_rows(detection: Detection) -> list[tuple[str, ...]]:
    both = detection.both
    sizes = [f"{size:.3g} mm" if size is not None else NOTHING for size in (both.a90, both.a90_95)]
    model = "size, by the model of both"
    return [
        (name(detection.defect), f"size, at contrast {detection.usual_contrast:.2g}", *_pod_cells(detection.size)),
        ("", f"contrast, at {detection.usual_size_mm:.2g} mm", *_pod_cells(detection.contrast)),
        ("", model, f"{both.defects:,} of {both.defects:,}", f"{both.found:,}", NOTHING, *sizes, NOTHING),
    ]


def _pod_cells(pod: Pod) -> tuple[str, ...]:
    found = sum(target.found for target in pod.targets)
    sizes = [f"{size:.3g} {pod.unit}" if size is not None else NOTHING for size in (pod.a50, pod.a90, pod.a90_95)]
    counted = (
        f"{pod.counted.size:.3g} {pod.unit} ({pod.counted.found}/{pod.counted.targets})" if pod.counted else NOTHING
    )
    return (f"{len(pod.targets):,} of {pod.defects:,}", f"{found:,}", *sizes, counted)


def _detection_charts(detection: Detection) -> str:
    both, line = detection.both, " Orange: nine tenths found." if detection.both.weights else ""
    figures = [
        page.figure(charts.pod_chart(detection.size), detection.size.explanation),
        page.figure(charts.pod_chart(detection.contrast), detection.contrast.explanation),
        page.figure(
            charts.size_contrast_chart(detection),
            f"All {both.defects} defects: dots found, crosses missed.{line} {both.explanation}".strip(),
        ),
    ]
    return f"<h3>{name(detection.defect).capitalize()}</h3>{page.grid(figures, 'charts three')}"


def gallery_section(pictures: Mapping[str, Sequence[Shown]]) -> str:
    """The worst and the nearest cases; nothing without any."""
    content = [
        f"<h3>{heading}</h3>{page.grid(_figures(shown), 'pictures')}" for heading, shown in pictures.items() if shown
    ]
    said = (
        "Left the unwrapped surface with the patch that is shown, then the patch, then where the network's evidence "
        "for the defect lies. Where there is a mask, the true defect is outlined in green."
    )
    return page.section("Pictures", page.paragraph(said), *content) if content else ""


def _figures(shown: Iterable[Shown]) -> list[str]:
    return [page.figure(page.image(each.jpeg, caption(each.case)), caption(each.case)) for each in shown]


def pointing_section(pointing: Pointing | None) -> str:
    """Where the evidence lies; nothing where it was not looked at."""
    if pointing is None:
        return ""
    rows = [
        (
            name(each.name),
            f"{each.hits.trials:,}",
            percent(each.hits.share),
            within(each.hits),
            percent(each.by_chance),
        )
        for each in pointing.classes
        if each.hits.trials
    ]
    total = ("all", f"{pointing.hits.trials:,}", percent(pointing.hits.share), within(pointing.hits), "")
    return page.section(
        "Where the evidence lies",
        page.paragraph(
            f"The pointing game on {pointing.source}: of the pictures whose defect was named rightly, how often the "
            f"point of most evidence lies on the defect, or within {pointing.tolerance_px} pixels of it."
        ),
        page.table(("Class", "Pictures", "Hit", "95 % limits", "By chance"), [*rows, total]),
    )


def robustness_section(curves: Sequence[RobustnessCurve], parts: int) -> str:
    """Curves against disturbances; nothing without curves."""
    if not curves:
        return ""
    figures = [page.figure(charts.robustness_chart(curve), f"{curve.meaning}.") for curve in curves]
    return page.section(
        "Robustness",
        page.paragraph(
            f"The same {parts:,} parts at every level, disturbed in the raw scan before it is cropped. The band is the "
            "95 % limit of the share judged rightly."
        ),
        LEGEND,
        page.grid(figures, "charts"),
    )


def robustness_table(curves: Sequence[RobustnessCurve]) -> str:
    """The same figures as numbers."""
    rows = [
        (curve.name, f"{level.level:g} {curve.unit}", *(percent(each.share) for each in _rates(level.tally)))
        for curve in curves
        for level in curve.levels
    ]
    return page.section("Levels", page.table(("Disturbance", "Level", *OUTCOMES), rows)) if rows else ""


READING = """\
The figures hold for parts like those measured: the same finish, lamp, camera, and mix of defects.
A limit is what may be claimed, a share alone is not: no escape among 50 defective parts still allows a rate of 5.8 %.
A part whose defect shows in several patches is found more easily than a patch; detection is counted per defect.
Patches that show only a sliver of a defect are left out of the figures of patches, never out of those of parts."""


def reading_section() -> str:
    """What the figures can be used for."""
    return page.section("How to read this", page.points(READING.splitlines()))
