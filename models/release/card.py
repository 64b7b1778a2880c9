"""The model card: what a network was made from, what it can and cannot do, and what it must not be used for.

Source: M. Mitchell et al., "Model Cards for Model Reporting", FAT* 2019, for the sections.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from models.dataset.named import LeftOut
from models.engines import served
from models.evaluation.figures.rates import Rate, rate, sample_size
from models.evaluation.figures.wording import name
from models.evaluation.measuring.defects import Detection
from models.evaluation.measuring.evaluation import Evaluation, Unlisted, gaps
from models.manifest import Figures, Manifest, Parity, Quantisation
from models.networks.refused import unserved_of
from models.novelty import words as novelty_words
from models.promise import words as promise_words

CLAIM, CONFIDENCE = 0.001, 0.95

PURPOSE = """\
It looks at the {patches} patches of the unwrapped surface of a turned or ground cylinder and says of each how probable
{classes} are. The station makes one decision of the {patches} and sends the part to its bin; with {passing} it
passes."""

LIMITS = """\
- It knows surfaces like those it was trained on. Another material, finish, lamp, lens or camera is another surface:
  train, measure and let it through the gate again.
- It tells {classes} apart and nothing else. A defect of
  any other kind gets one of these names, or none, unless its part is told to be unlike all that was trained on.
- It judges patches of {side}x{side} pixels of a strip that was scaled to {columns} columns. What is smaller than a
  pixel there, or paler than the defects it was trained on, is not found.
- A part is judged by the most certain of its {patches} patches. A rate of errors a patch grows to about {patches} times
  that a part.
- The figures hold for the mix of classes that they were measured on, and for no other."""

MISUSE = """\
- It must not be the only thing between a defect and harm to a person. Where a passed defect can hurt somebody, the
  part needs a second, independent inspection.
- It must not judge parts without the station's guards: complete scan, part in place, exposure, deadline, review.
- It must not be used on real parts on the strength of figures from rendered ones. Such figures say that the method
  works, not that it finds the defects of a plant.
- It must not be used to rate the work of people."""


PICTURES_ALONE = "These are single pictures, each judged by itself. Nothing is known yet of whole parts."


def card_text(manifest: Manifest, evaluations: Sequence[Evaluation] = ()) -> str:
    """The card as Markdown, from a bundle's manifest and its evaluations."""
    facts = _facts(manifest)
    made = f"{manifest.created:%Y-%m-%d} with version {manifest.code_version}"
    blocks = [
        f"# {manifest.name}",
        f"{manifest.network}, number {manifest.version}, made {made}; licence {manifest.licence}.",
        "## What it is for",
        PURPOSE.format(**facts),
        "## What it was trained on",
        _data(manifest),
        "## Figures",
        *_figures(manifest.figures),
        *(block for evaluation in evaluations for block in _evaluation(evaluation)),
        "## Artefacts",
        *_artefacts(manifest),
        novelty_words.chapter(manifest),
        promise_words.chapter(manifest),
        "## Limits",
        LIMITS.format(**facts),
        "## What it must not be used for",
        MISUSE,
    ]
    return "\n\n".join(blocks) + "\n"


def _facts(manifest: Manifest) -> dict[str, object]:
    geometry = manifest.layout
    return {
        "classes": _named(manifest.classes),
        "passing": manifest.passing,
        "patches": geometry.patches_per_part,
        "side": geometry.patch_px,
        "columns": geometry.strip_shape[1],
    }


def _named(classes: tuple[str, ...]) -> str:
    return f"{', '.join(classes[:-1])} and {classes[-1]}"


def _data(manifest: Manifest) -> str:
    data = manifest.data
    rows = [
        ("source", data.source),
        ("parts", f"{data.parts:,}"),
        ("patches", f"{data.patches:,}"),
        ("epochs", f"{data.epochs} of {data.patches_per_epoch:,} patches"),
        ("seed", str(data.seed)),
        ("SHA-256 of the data set", data.sha256 or "none recorded"),
        (
            "begun with",
            f"weights of SHA-256 {data.begun_with}" if data.begun_with else "random weights, or not recorded",
        ),
    ]
    return _table(("training data", ""), rows)


def _figures(figures: Figures | None) -> Iterator[str]:
    if figures is None:
        yield "None were measured."
        return
    kind, good = figures.kind, figures.parts - figures.defective_parts
    right = figures.parts - figures.escapes - figures.overkills - figures.wrong_class - figures.reviews
    rows = [
        (f"{kind} judged rightly", _spell(rate(right, figures.parts))),
        (f"escapes, of defective {kind}", _spell(rate(figures.escapes, figures.defective_parts))),
        (f"overkill, of good {kind}", _spell(rate(figures.overkills, good))),
        (f"another defect's name, of defective {kind}", _spell(rate(figures.wrong_class, figures.defective_parts))),
        (f"sent to review, of all {kind}", _spell(rate(figures.reviews, figures.parts))),
    ]
    if figures.patches:
        rows.append(("patches judged wrongly", _spell(rate(figures.wrong_patches, figures.patches))))
    if kind == "pictures":
        yield PICTURES_ALONE
    yield f"Measured on {figures.source}; limits are exact, two-sided, 95 %."
    yield _table(("figure", "count, share and limits"), rows)
    if not figures.patches:
        yield "Not measured, no masks: patches judged rightly."
    need = sample_size(CLAIM, figures.escapes, CONFIDENCE)
    yield (
        f"To claim at most {CLAIM:.1%} escapes with {CONFIDENCE:.0%} confidence takes {need:,} defective {kind} with "
        f"no more than {figures.escapes} escapes. These figures rest on {figures.defective_parts:,}."
    )


def _evaluation(evaluation: Evaluation) -> Iterator[str]:
    yield f"### On {evaluation.source.name}"
    yield f"{evaluation.subject.name} by {evaluation.subject.engine}, measured on {evaluation.created:%Y-%m-%d}."
    if evaluation.parts is not None:
        counted, figures = evaluation.parts.tally, evaluation.parts.figures
        rows = [
            ("parts judged rightly", _spell(counted.accuracy)),
            ("escapes, of defective parts", _spell(counted.escapes)),
            ("overkill, of good parts", _spell(counted.overkills)),
            ("another defect's name, of defective parts", _spell(rate(figures.wrong_class, figures.defective_parts))),
            ("sent to review, of all parts", _spell(counted.reviews)),
            *_unlisted(evaluation.parts.unlisted),
        ]
        yield _table(("figure", "count, share and limits"), rows)
    if any(_varied(one) for one in evaluation.detection):
        yield "#### Probability of detection"
        yield from _detection(evaluation.detection)
    if evaluation.pointing is not None:
        yield f"The evidence lies on the defect in {_spell(evaluation.pointing.hits)} patches."
    if evaluation.robustness:
        yield "#### Robustness"
        rows = [(f"{curve.name}, {level.level:g} {curve.unit}".rstrip(), _spell(level.tally.accuracy))
                for curve in evaluation.robustness for level in curve.levels]  # fmt: skip
        yield f"Parts judged rightly, of {evaluation.robustness_parts}, as the pictures get worse."
        yield _table(("disturbance", "parts judged rightly"), rows)
    yield from gaps(evaluation.not_measured)
    yield from _left_out(evaluation.left_out)


def _left_out(parts: Sequence[LeftOut]) -> Iterator[str]:
    if parts:
        told = ", ".join(f"{name(why)} {count:,}" for why, count in sorted(Counter(one.why for one in parts).items()))
        yield f"Of its parts {len(parts):,} are counted nowhere: {told}."


def _unlisted(unlisted: Unlisted | None) -> list[tuple[str, str]]:
    """Escapes and reviews of parts of no configured class."""
    if unlisted is None:
        return []
    labels = ", ".join(unlisted.labels)
    return [
        (f"escapes, of parts of no configured class ({labels})", _spell(unlisted.escapes)),
        ("sent to review, of these", _spell(unlisted.reviews)),
    ]


def _varied(detection: Detection) -> bool:
    """Whether there were defects of unusual size or contrast; without them there is no curve to draw."""
    return min(len(detection.size.targets), len(detection.contrast.targets)) < detection.both.defects


def _detection(detection: Sequence[Detection]) -> Iterator[str]:
    low, high = detection[0].usual_multipliers
    yield (
        "Nine tenths are found from a90 on; a90/95 is its upper limit with 95 % confidence. Sizes are the longer side "
        "of the box around a defect, contrasts the mean change of the light over it, as a share."
    )
    columns = ("class", "size, at the usual contrast", "contrast, at the usual size", "size, by a model of both")
    yield _table(columns, [_detected(one) for one in detection])
    yield (
        "The first is fitted on the defects of usual contrast, the second on those of usual size: their class's "
        f"default was multiplied with {low:g} to {high:g}. The model of both is fitted on all."
    )


def _detected(detection: Detection) -> tuple[str, ...]:
    size, contrast, both = detection.size, detection.contrast, detection.both
    usual_size, usual_contrast = f"{detection.usual_size_mm:.2g} mm", f"contrast {detection.usual_contrast:.2g}"
    cells = (
        (size.a90, size.a90_95, " mm", size.explanation, f"{len(size.targets)} defects, at {usual_contrast}"),
        (contrast.a90, contrast.a90_95, "", contrast.explanation, f"{len(contrast.targets)} defects, at {usual_size}"),
        (both.a90, both.a90_95, " mm", both.explanation, f"{both.defects} defects, at {usual_contrast}"),
    )
    return detection.defect, *(_reached(*cell) for cell in cells)


def _reached(a90: float | None, a90_95: float | None, unit: str, explanation: str, fitted_on: str) -> str:
    if a90 is None:
        return f"not estimable ({fitted_on}). {explanation}"
    limit = "not estimable" if a90_95 is None else f"{a90_95:.3g}{unit}"
    return f"a90 {a90:.3g}{unit}, a90/95 {limit} ({fitted_on})"


def _artefacts(manifest: Manifest) -> Iterator[str]:
    yield f"All are made from the same weights, rounded to 16 bits; logits are divided by {manifest.temperature:g}."
    yield _table(("artefact", "files"), [(name, ", ".join(files)) for name, files in manifest.artefacts.items()])
    yield f"It runs in {', '.join(f'{engine} {precision}' for engine, precision in served(manifest))}."
    yield from (f"There is no {artefact}: {why}." for artefact, why in unserved_of(manifest.network))
    if manifest.quantisation is not None:
        yield _quantisation(manifest.quantisation)
    if manifest.without_int8:
        yield f"{manifest.without_int8}; the station has to compute in another arithmetic."
    if manifest.parity:
        columns = (
            "engine",
            f"{manifest.parity[0].kind} decided otherwise than by torch",
            "patches",
            "largest difference",
        )
        yield f"On {manifest.parity[0].source}:"
        yield _table(columns, [_parity(one) for one in manifest.parity])


def _quantisation(made: Quantisation) -> str:
    return (
        f"INT8 by post-training quantisation, recipe {made.recipe}, on {made.patches} patches of {made.source}; "
        f"{made.over_exposed} of them were over-exposed and {made.under_exposed} under-exposed (seed {made.seed})."
    )


def _parity(parity: Parity) -> tuple[str, ...]:
    return (
        f"{parity.engine} {parity.precision}",
        f"{parity.changed_parts} of {parity.parts}",
        f"{parity.changed_patches} of {parity.patches}",
        f"{parity.largest_difference:.2g}",
    )


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def _spell(found: Rate) -> str:
    share = "-" if found.share is None else f"{found.share:.2%}"
    return f"{found.events:,} of {found.trials:,} = {share} ({found.lower:.2%} to {found.upper:.2%})"
