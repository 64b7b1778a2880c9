"""The report's section on parts that were asked to be something: a defect in a place, a kind that no class names."""

from collections.abc import Sequence

from models.evaluation.figures.wording import name, percent, within
from models.evaluation.measuring.groups import By, GroupFigures
from models.evaluation.report import page

HEADINGS: dict[By, str] = {"place": "By place of the defect", "kind": "Kinds that no class names"}
SAID: dict[By, str] = {
    "place": "Where the defect was asked to lie, by how the station cuts a turn into patches. Found is a defect of "
    "which a patch that shows it is called defective, of whatever class.",
    "kind": "No training has seen them, and the only right place for them is review.",
}


def groups_section(groups: Sequence[GroupFigures]) -> str:
    """Found, right, escaped and sent to review, group by group; nothing where nothing was asked for."""
    return "".join(_section(by, [group for group in groups if group.by == by]) for by in HEADINGS)


def _section(by: By, groups: Sequence[GroupFigures]) -> str:
    if not groups:
        return ""
    rows = [
        (
            "" if group.defect else name(group.name),
            name(group.defect) if group.defect else "all",
            f"{group.found.trials:,}",
            within(group.found),
            within(group.right),
            within(group.escapes),
            percent(group.reviews.share),
        )
        for group in groups
    ]
    headings = (by.capitalize(), "Class", "Parts", "Found", "Judged rightly", "Escapes", "Review")
    return page.section(HEADINGS[by], page.paragraph(SAID[by]), page.table(headings, rows))
