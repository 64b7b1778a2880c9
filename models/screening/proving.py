"""Chooses from which answer on a screener may pass a patch alone, and proves on other parts what the pair then does.

    parts that the full network in f32 does not pass ─ each at its own least threshold ─▶ fixed sequence ─▶ threshold
    other parts, as they come ─ pair against full network in f32 ─▶ passed alone (none may be), otherwise, overkills

The threshold stands when the second set is looked at, so what is found there is a plain count. A part counts once.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.evaluation.figures.fixed_sequence import Claim, p_value
from models.screening.sections import ChosenOn, ProvenOn
from station.core.errors import ModelError

THRESHOLDS = (0.999999, 0.999995, 0.99999, 0.99995, 0.9999, 0.9998, 0.9995, 0.999, 0.998, 0.995, 0.99, 0.98, 0.95, 0.9)
"""What is tested, in this order, the safest first; whoever is less sure asks the full network. Chosen 2026-12-01."""


@dataclass(frozen=True, slots=True)
class Screenable:
    """A part that the full network in f32 does not pass, as the pair would judge it at any threshold.

    Attributes:
        least: The pair passes it where the threshold is at most this; 0 where it never does.
    """

    least: float


@dataclass(frozen=True, slots=True)
class Compared:
    """A part that was judged by both.

    Attributes:
        part_type: Its type.
        pair: Verdict of the pair, by name.
        full: Verdict of the full network in f32, by name.
        passes: Whether the pair passes it, and whether the full network does.
        is_good: Whether it is known to be good.
        patches: Its patches.
        screened: Of them judged by the screener alone.
    """

    part_type: str
    pair: str
    full: str
    passes: tuple[bool, bool]
    is_good: bool
    patches: int
    screened: int

    @property
    def passed_alone(self) -> bool:
        """Whether the pair passes what the full network does not."""
        return self.passes == (True, False)


def choose(parts: Sequence[Screenable], source: str, claim: Claim) -> tuple[float, ChosenOn]:
    """The lowest threshold at which no more than the claimed share of such parts would pass.

    Args:
        parts: At least one.
        source: What they are, for people.
        claim: Target and confidence.

    Raises:
        ModelError: `model.export_failed`: not even the safest threshold is proven on so few parts.
    """
    found: tuple[float, int] | None = None
    for threshold in THRESHOLDS:
        passed = sum(part.least >= threshold for part in parts)
        if p_value(passed, len(parts), claim.target) > 1 - claim.confidence:
            break
        found = threshold, passed
    if found is None:
        passed = sum(part.least >= THRESHOLDS[0] for part in parts)
        told = f"{passed} of {len(parts)} parts of {source} that the network does not pass would pass at the safest"
        raise ModelError(
            "model.export_failed",
            f"no threshold is proven: {told} threshold; give more of them, a higher --target, or a better screener",
        )
    chosen = ChosenOn(
        source=source, parts=len(parts), passed_alone=found[1], target=claim.target, confidence=claim.confidence
    )
    return found[0], chosen


def count(parts: Iterable[Compared], source: str) -> ProvenOn:
    """What the pair does on parts; at least one."""
    every = list(parts)
    return ProvenOn(
        source=source,
        parts=dict(Counter(part.part_type for part in every)),
        not_passed=sum(not part.passes[1] for part in every),
        passed_alone=sum(part.passed_alone for part in every),
        otherwise=sum(part.pair != part.full and not part.passed_alone for part in every),
        overkills=sum(part.is_good and part.passes == (False, True) for part in every),
        patches=sum(part.patches for part in every),
        screened=sum(part.screened for part in every),
    )
