"""The report's first page: the four figures that a quality engineer asks for, and what they mean in words."""

from collections.abc import Sequence

from models.evaluation.figures.calibration import Calibration
from models.evaluation.figures.metrics import Classification
from models.evaluation.figures.pod import Pod
from models.evaluation.figures.rates import Rate, upper_limit
from models.evaluation.figures.wording import name, percent, within
from models.evaluation.measuring.defects import Detection
from models.evaluation.measuring.evaluation import Evaluation, ImageFigures, PartFigures, gaps
from models.evaluation.report import page


def summary(evaluation: Evaluation) -> str:
    """The cards and what they say."""
    if evaluation.parts is not None:
        return _of_parts(evaluation, evaluation.parts)
    return _of_pictures(evaluation.images) if evaluation.images else ""


def _of_pictures(images: ImageFigures) -> str:
    accuracy = images.classification.accuracy
    wrong = accuracy.trials - accuracy.events
    cards = [
        page.card(percent(accuracy.share), "pictures judged rightly", within(accuracy)),
        page.card(f"{wrong:,}", "errors", f"in {accuracy.trials:,} pictures"),
        _calibration_card(images.calibration),
    ]
    return page.section("Summary", page.grid(cards, "cards"), page.points(_worst_classes(images.classification)))


def _of_parts(evaluation: Evaluation, parts: PartFigures) -> str:
    counted, images = parts.tally, evaluation.images
    cards = [
        page.card(percent(counted.accuracy.share), "parts judged rightly", within(counted.accuracy)),
        page.card(percent(counted.escapes.share), "escapes", within(counted.escapes), _alarm(counted.escapes, "bad")),
        page.card(
            percent(counted.overkills.share), "overkill", within(counted.overkills), _alarm(counted.overkills, "warn")
        ),
        page.card(percent(counted.reviews.share), "sent to review", within(counted.reviews)),
    ]
    said = [
        _claim_words(parts),
        *(_patch_words(evaluation.subject.passing, parts, images) if images else []),
        *_detection_words(evaluation.detection),
        *([_calibration_words(images.calibration)] if images else []),
        *_gap_words(evaluation),
    ]
    return page.section(
        "Summary",
        page.grid(cards, "cards"),
        page.points(said),
        page.paragraph("Ranges are exact two-sided limits of 95 % (Clopper-Pearson).", "soft"),
    )


def _gap_words(evaluation: Evaluation) -> list[str]:
    count = len(evaluation.left_out)
    parts = [f"{count:,} parts are counted nowhere; they are named below."] if count else []
    return [*gaps(evaluation.not_measured), *parts]


def _alarm(counted: Rate, kind: str) -> str:
    return kind if counted.events else ""


def _claim_words(parts: PartFigures) -> str:
    escapes = parts.tally.escapes
    needed = next((claim for claim in parts.claims if claim.events == escapes.events), parts.claims[0])
    if not escapes.trials:
        return "No defective part was measured: nothing can be said of escapes."
    shown = upper_limit(escapes.events, escapes.trials, 0.95)
    passed = "none" if not escapes.events else f"{escapes.events:,}"
    fewer = f"; with none it would be {parts.claims[0].parts:,}" if escapes.events else ""
    return (
        f"{escapes.trials:,} defective parts, {passed} passed: with 95 % confidence at most {percent(shown)} escape. "
        f"To claim at most {percent(needed.rate)} with {passed} passed takes {needed.parts:,} defective parts{fewer}."
    )


def _patch_words(passing: str | None, parts: PartFigures, images: ImageFigures) -> list[str]:
    overkills, patches, scores = parts.tally.overkills, parts.patches_per_part, images.classification
    if passing is None or patches is None or not overkills.trials:
        return []
    column = scores.columns.index(passing)
    samples = sum(scores.confusion[column])
    if not samples:
        return []
    called = samples - scores.confusion[column][column]
    predicted = 1 - (1 - called / samples) ** patches
    said = (
        f"{called:,} of {samples:,} {name(passing)} patches were called defective ({percent(called / samples)}). A "
        f"part is the OR of {patches} patches: such errors alone, if independent, would be {percent(predicted)} "
        f"overkill; measured is {percent(overkills.share)}."
    )
    return [said]


def _detection_words(detection: Sequence[Detection]) -> list[str]:
    return [f"{name(each.defect).capitalize()}: {_reached(each)}" for each in detection]


def _reached(detection: Detection) -> str:
    by_size = _from(detection.size, f"at the usual contrast of {detection.usual_contrast:.2g}")
    by_contrast = _from(detection.contrast, f"At the usual size of {detection.usual_size_mm:.2g} mm")
    return f"{by_size} {by_contrast}"


def _from(pod: Pod, where: str) -> str:
    """From which size, or contrast, on nine tenths are found, or why that cannot be said."""
    if pod.a90 is None:
        return f"{where} no {pod.measure} can be given: {pod.explanation}"
    a90, a90_95 = (f"{size:.3g} {pod.unit}".rstrip() if size else "" for size in (pod.a90, pod.a90_95))
    sure = f"with 95 % confidence from {a90_95}" if a90_95 else "a90/95 is not estimable"
    what = "a contrast of " if pod.measure == "contrast" else ""
    return f"{where} 90 % are found from {what}{a90} on, {sure} ({len(pod.targets)} defects)."


def _calibration_card(calibration: Calibration) -> str:
    return page.card(percent(calibration.ece), "calibration error", "mean gap of confidence and accuracy")


def _calibration_words(calibration: Calibration) -> str:
    if calibration.temperature is None:
        return f"Calibration error {percent(calibration.ece)}; without a wrong patch no temperature can be fitted."
    kind = "too sure" if calibration.temperature > 1 else "not sure enough"
    return (
        f"Calibration error of the patches {percent(calibration.ece)}; the probabilities are {kind}: a temperature of "
        f"{calibration.temperature:.2f} would make these patches most likely."
    )


def _worst_classes(scores: Classification) -> list[str]:
    errors = [(each.recall.trials - each.recall.events, each) for each in scores.classes if each.samples]
    return [
        f"{each.name}: {missed:,} of {each.samples:,} judged wrongly ({within(each.recall)} found)."
        for missed, each in sorted(errors, key=lambda pair: -pair[0])
    ]
