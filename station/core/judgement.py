"""What was decided about a part, and on what grounds: as it is stored, read back and published."""

from collections.abc import Sequence
from dataclasses import dataclass

from station.core.drift.course import Watched
from station.core.light import Light
from station.core.looks import FirstLook
from station.core.part import (
    Block,
    Decision,
    FeatureSnapshot,
    Inspection,
    LineAccount,
    ModelIdentity,
    Order,
    Roi,
)
from station.core.promise import Promise
from station.core.timeline import ScanTimes
from station.core.verdicts import Place


@dataclass(frozen=True, slots=True)
class Published:
    """A result as it is published to the PLC, once when it is decided and again when it is sorted.

    Attributes:
        inspection: Whose result.
        decision: The decision.
        ms_after_last_line: From the last line to the decision, or None.
        confirmed: The place that the robot confirmed, or None while the part is on its way.
    """

    inspection: Inspection
    decision: Decision
    ms_after_last_line: float | None
    confirmed: Place | None


@dataclass(frozen=True, slots=True)
class Written:
    """An order as the ledger has it.

    Attributes:
        order: The order.
        inspection_id: For which inspection it was given, or None.
        confirmed: Place code that was confirmed when it was done, or None while its end is not known.
    """

    order: Order
    inspection_id: str | None
    confirmed: int | None


@dataclass(frozen=True, slots=True)
class Journal:
    """What is written of an inspection that is not closed.

    Attributes:
        decision: The recorded decision, or None when the part was not judged.
        ms_after_last_line: As published with it.
        orders: Its orders, in the order in which they were given.
    """

    decision: Decision | None
    ms_after_last_line: float | None
    orders: tuple[Written, ...]

    def robot_order(self, verb: str) -> Written | None:
        """The last robot order with this verb, or None."""
        asked = ("robot", verb)
        return next((one for one in reversed(self.orders) if (one.order.device, one.order.verb) == asked), None)


@dataclass(frozen=True, slots=True)
class Defect:
    """One defect that was found on a part; what was not measured is None.

    Attributes:
        surface: Name of its class.
        patch: The patch that shows it best.
        confidence: 0 to 1, of that patch.
        angle_deg: Where on the turn the evidence lies, 0 at the index pulse.
        axial_mm: Where along the axis it lies, from the part's left edge.
        along_mm: Size of the evidence along the turn.
        across_mm: Size of the evidence along the axis.
    """

    surface: str
    patch: int
    confidence: float
    angle_deg: float | None
    axial_mm: float | None
    along_mm: float | None
    across_mm: float | None


@dataclass(frozen=True, slots=True)
class JudgedBy:
    """What judged a part, and by which rules.

    Attributes:
        model: The network.
        classes: Names of its classes, a column of the scores each, in its own order.
        config_sha256: Hash of the effective configuration.
        recipe: Name of the recipe, or None where there is none.
        recipe_sha256: Hash of that recipe; None without one.
        rule: How the scores became a verdict.
        archive: Names of the verdicts whose scans of such parts are archived; None for those of the records' settings.
        least_to_pass: The least confidence with which such a part may pass; None where nobody says.
        promise: What is promised of those that pass; None where nothing is.
    """

    model: ModelIdentity
    classes: tuple[str, ...]
    config_sha256: str
    recipe: str | None = None
    recipe_sha256: str | None = None
    rule: str = "algorithm1"
    archive: frozenset[str] | None = None
    least_to_pass: float | None = None
    promise: Promise | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was decided about a part and what that rests on, as it is stored.

    Attributes:
        decision: The decision.
        account: Where the lines went.
        roi: The part's columns, or None when they were not found.
        features: The camera's features during this scan.
        by: What judged.
        times: When each step up to the decision was done.
        ms_after_last_line: From the last line's exposure to the decision, or None.
        blocks: The raw blocks, for the archive.
        defects: What was found, the defect that matters most first.
        light: How the part was lit, and what was made of it; None where it was not seen.
        first_look: What the look before came to, of a part that was turned once more; else None.
        watched: What the scan shows beside the part, and what all parts of the type have come to; None where it shows
            nothing.
    """

    decision: Decision
    account: LineAccount
    roi: Roi | None
    features: FeatureSnapshot
    by: JudgedBy
    times: ScanTimes
    ms_after_last_line: float | None
    blocks: Sequence[Block]
    defects: tuple[Defect, ...] = ()
    light: Light | None = None
    first_look: FirstLook | None = None
    watched: Watched | None = None
