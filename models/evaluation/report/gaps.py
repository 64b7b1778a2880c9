"""What a measurement does not say: figures that need what nobody knows, and parts that are counted nowhere."""

from collections import Counter
from collections.abc import Sequence

from models.dataset.named import LeftOut
from models.evaluation.figures.wording import name, within
from models.evaluation.measuring.evaluation import NotMeasured, Unlisted, gaps
from models.evaluation.report import page

SHOWN = 200
"""Parts that are named in a page; `evaluation.json` names all."""


def gaps_section(not_measured: Sequence[NotMeasured], left_out: Sequence[LeftOut]) -> str:
    """Figures and parts that are missing, each by name; nothing where none is."""
    return page.section(
        "Not measured",
        page.points(gaps(not_measured)) if not_measured else "",
        *(_parts(left_out) if left_out else ()),
    )


def _parts(left_out: Sequence[LeftOut]) -> tuple[str, ...]:
    counts = ", ".join(f"{name(why)} {count:,}" for why, count in sorted(Counter(one.why for one in left_out).items()))
    more = f"; the first {SHOWN} are named, evaluation.json has all" if len(left_out) > SHOWN else ""
    return (
        "<h3>Parts that are counted nowhere</h3>",
        page.paragraph(f"{len(left_out):,} parts: {counts}{more}."),
        page.table(("Part", "Why"), [(one.part_id, one.detail) for one in left_out[:SHOWN]]),
    )


def unlisted_paragraph(unlisted: Unlisted | None) -> str:
    """What became of parts of no configured class; nothing where there are none."""
    if unlisted is None:
        return ""
    labels = ", ".join(f"{name(label)} {count:,}" for label, count in unlisted.labels.items())
    return page.paragraph(
        f"{unlisted.escapes.trials:,} parts show a defect of no configured class ({labels}). They count as defective, "
        f"and only review is right for them: passed {within(unlisted.escapes)}, sent to review "
        f"{within(unlisted.reviews)}, called some class {within(unlisted.called_defective)}. The table of classes is "
        "without them."
    )
