"""How many reviews the cost rule may still ask for, by part type."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from station.core.cost import ReviewBudget
from station.core.errors import FAULTS
from station.core.part import Decision
from station.core.recipe import Recipe
from station.core.tried import TRIED


class ReviewBudgets:
    """Counts over the last hundred parts of each type; parts that try the station do not count."""

    def __init__(self) -> None:
        self._spent: defaultdict[str, ReviewBudget] = defaultdict(ReviewBudget)

    def go_on(self, reviews: Mapping[str, Sequence[bool]]) -> None:
        """Take over what was asked for before a stop: by part type, whether each part was one, the oldest first."""
        self._spent.clear()
        for part_type, reviewed in reviews.items():
            for one in reviewed:
                self._spent[part_type].take(reviewed=one)

    def granted(self, recipe: Recipe) -> Recipe:
        """The recipe with what is left for the next part of its type."""
        costing = recipe.rule.costing
        if costing is None or costing.reviews_left is None:
            return recipe
        left = self._spent[recipe.part_type.name].left(costing.reviews_left)
        return replace(recipe, rule=replace(recipe.rule, costing=replace(costing, reviews_left=left)))

    def take(self, recipe: Recipe, decision: Decision) -> None:
        """A part of this type was decided."""
        if decision.fault is None or decision.fault.code not in TRIED:
            self._spent[recipe.part_type.name].take(reviewed=decision.fault is FAULTS["part.review_cheaper"])
