"""What ends the state that the cell is in: a command of a person, the line, or nothing that anybody has to do."""

from collections.abc import Mapping
from typing import Literal

End = Literal["itself", "reset", "start", "unhold", "unsuspend", "clear"]
"""`itself`: the cell goes on without anybody; else the command with which it does."""

BY_COMMAND: Mapping[str, End] = {
    "STOPPED": "reset",
    "COMPLETE": "reset",
    "IDLE": "start",
    "HELD": "unhold",
    "ABORTED": "clear",
}


def what_ends(state: str, *, by_operator: bool) -> End | None:
    """What ends a state; None while the cell runs.

    Args:
        state: The PackML state, by name; those in which the cell is on its way to another end by themselves.
        by_operator: Whether an operator has brought the cell there.
    """
    if state == "EXECUTE":
        return None
    if state == "SUSPENDED" and by_operator:
        return "unsuspend"
    return BY_COMMAND.get(state, "itself")
