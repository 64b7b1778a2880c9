"""What one type of part is judged by: its network, what the network's answers mean, and how they decide."""

from dataclasses import dataclass

from station.core.algorithm1 import RuleName
from station.core.exposure import ExposureLimits
from station.core.geometry import Geometry
from station.core.light import AS_SEEN, Lighting
from station.core.novelty.conformal import NoveltyRule
from station.core.part import PartType
from station.core.ports.network import PatchClassifier
from station.core.promise import Promise
from station.core.rulings import Costing
from station.core.spot_check import NO_SPOT_CHECK, SpotCheck
from station.core.verdicts import Outputs, Verdict


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """How the scores of a part become its verdict.

    Attributes:
        outputs: What the columns of the network's answers mean.
        geometry: Into what the turn is cut.
        review: What becomes of a part that cannot be judged.
        rule: What several defective patches come to.
        min_confidence: Below it the part goes to REVIEW.
        deadline_ms: From the last line to the decision; later is REVIEW.
        novelty: From when on a part counts as unknown; None where its network cannot tell.
        promise: What is promised of the parts that pass; None where nothing is.
        costing: Prices, and the reviews that the cost rule may still ask for; None where nobody has given prices.
    """

    outputs: Outputs
    geometry: Geometry
    review: Verdict
    rule: RuleName
    min_confidence: float
    deadline_ms: float
    novelty: NoveltyRule | None = None
    promise: Promise | None = None
    costing: Costing | None = None

    @property
    def least_to_pass(self) -> float:
        """The least confidence with which a part may pass: a promise may ask for more than the configuration."""
        return max(self.min_confidence, self.promise.least if self.promise else 0.0)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One part type with all that judges it.

    Attributes:
        part_type: What turns, and how it is scanned.
        classifier: The network, loaded.
        rule: How its answers decide.
        archive: Names of the verdicts whose scans are archived.
        sha256: Hash of everything in the configuration that this recipe is made of, and of the network's manifest.
        lighting: What light its parts are judged in.
        exposure: Between what the station may set the exposure itself; None where it never does.
        spot_check: How many of the parts that would pass people look at.
    """

    part_type: PartType
    classifier: PatchClassifier
    rule: DecisionRule
    archive: frozenset[str]
    sha256: str
    lighting: Lighting = AS_SEEN
    exposure: ExposureLimits | None = None
    spot_check: SpotCheck = NO_SPOT_CHECK


@dataclass(frozen=True, slots=True)
class Recipes:
    """The recipes of all configured part types.

    Attributes:
        rows: One for each part type.
    """

    rows: tuple[Recipe, ...]

    def of_code(self, code: int) -> Recipe | None:
        """The recipe of the part type with this number on the PLC, or None."""
        return next((recipe for recipe in self.rows if recipe.part_type.code == code), None)

    def named(self, name: str) -> Recipe | None:
        """The recipe of the part type with this name, or None."""
        return next((recipe for recipe in self.rows if recipe.part_type.name == name), None)

    @property
    def classifiers(self) -> tuple[PatchClassifier, ...]:
        """Every network that is used, once."""
        return tuple({id(recipe.classifier): recipe.classifier for recipe in self.rows}.values())
