"""What a learning curve says of more parts, in one sentence."""

from collections.abc import Sequence

from models.curve.document import CurvePoint, Law
from models.curve.power_law import PowerLaw, expect, fit, refusal
from models.evaluation.figures.wording import percent


def law_of(points: Sequence[CurvePoint]) -> PowerLaw | None:
    """The law that the errors follow; None with fewer than two points."""
    return fit([point.point for point in points]) if len(points) > 1 else None


def written(law: PowerLaw | None) -> Law | None:
    """The law as the document has it."""
    if law is None:
        return None
    return Law(
        a=law.a, b=law.b, c=law.c, chi_square=law.chi_square, chi_square_of_constant=law.chi_square_of_constant
    )  # fmt: skip


def told(points: Sequence[CurvePoint], law: PowerLaw | None, parts: int, seed: int) -> str:
    """What so many parts let expect, or why nobody can say.

    Args:
        points: By rising size.
        law: Fitted to them.
        parts: More than the largest size.
        seed: Of the limits.
    """
    if law is None:
        return "one size is no curve"
    measured = [point.point for point in points]
    if refused := refusal(measured, law, parts):
        return refused
    expected, last = expect(measured, law, parts, seed), points[-1]
    return (
        f"With {parts - last.parts} more parts, {parts} in all, expect {percent(expected.error)} judged wrongly "
        f"({percent(expected.lower)} to {percent(expected.upper)}), in place of {percent(law.error(last.parts))}."
    )
