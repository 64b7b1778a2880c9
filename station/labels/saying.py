"""Saying what a part is: everything that a label must hold to before it is added."""

from collections.abc import Sequence

from models.errors import LabelError
from station.core.moments import stamp
from station.core.verdicts import Classes
from station.labels.agreement import weight
from station.labels.label import BUILT_IN, WITHDRAWN, Box, Label, Patch
from station.labels.store import LabelStore
from station.labels.subjects import Labelled


def require_class(name: str, classes: Classes) -> None:
    """Make sure that a label may say this.

    Raises:
        LabelError: `label.unknown_class`, with those that there are.
    """
    if name not in {*classes.names, *BUILT_IN, WITHDRAWN}:
        there_are = f"configured are {', '.join(classes.names)}; beside them {', '.join((*BUILT_IN, WITHDRAWN))}"
        raise LabelError("label.unknown_class", f"no class {name!r}; {there_are}")


def patch_of(labelled: Labelled, index: int) -> Patch:
    """A patch of a part, counted from 0.

    Raises:
        LabelError: The part has no such patch, or no patches.
    """
    try:
        return Patch(index, labelled.geometry())
    except ValueError as error:
        raise LabelError("label.outside", f"{labelled.subject}: {error}") from error


def require_patch_fits(labelled: Labelled, patch: Patch) -> None:
    """Make sure that a patch, as of an imported label, is one of this part.

    Raises:
        LabelError: The part is cut by another geometry, or has no patches.
    """
    geometry = labelled.geometry()
    if patch.geometry != geometry:
        said = f"the label is of a patch of {patch.geometry}; the part is cut by {geometry}"
        raise LabelError("label.other_geometry", f"{labelled.subject}: {said}")


def require_box_fits(labelled: Labelled, box: Box) -> None:
    """Make sure that a box lies in the scan of a part.

    Raises:
        LabelError: It does not, or there is no scan that is whole.
    """
    lines, columns = labelled.size()
    if box.line + box.height > lines or box.column + box.width > columns:
        raise LabelError("label.outside", f"{labelled.subject}: {box}; the scan has {lines} lines, {columns} columns")


def say(store: LabelStore, label: Label) -> None:
    """Add a label of now; from here on it is what this person says of this place.

    Raises:
        LabelError: There is nothing to withdraw, the person's last word bears a later time, or the store refuses.
    """
    say_all(store, [label])


def say_all(store: LabelStore, labels: Sequence[Label]) -> None:
    """Add labels of now, each of another place; all of them, or none.

    Raises:
        LabelError: As for `say`.
    """
    for label in labels:
        _require_sayable(store, label)
    store.add(labels)


def _require_sayable(store: LabelStore, label: Label) -> None:
    said = [one for one in store.labels(label.subject) if (one.region, one.who) == (label.region, label.who)]
    last = max(said, key=weight, default=None)
    if last is not None and last.at > label.at:
        at, now = stamp(last.at), stamp(label.at)
        raise LabelError("label.said_later", f"{label.who} said {last.class_name} of it at {at}; it is {now}")
    if label.is_withdrawal and (last is None or last.is_withdrawal):
        raise LabelError("label.nothing_said", f"{label.subject}, {label.region}: nothing holds that {label.who} said")
