"""What the cell does about a fault: what the fault's row of the table says, as soon as its state allows it."""

import structlog

from station.cell.alarms import Alarms
from station.cell.packml import Command, State, Unit
from station.core.errors import Reaction, StationError
from station.core.reason import Reason

log = structlog.get_logger()

_LEAVING = frozenset({State.STOPPING, State.HOLDING, State.SUSPENDING, State.COMPLETING})

_COMMANDS = {Reaction.ABORT: Command.ABORT, Reaction.SUSPEND: Command.SUSPEND}
"""Any other reaction that the cell itself has to have is Hold."""


class Reactions:
    """Moves the unit where a fault wants it, and raises the alarm that a person has to act on.

    Args:
        unit: Is moved.
        alarms: Are raised.
    """

    def __init__(self, unit: Unit, alarms: Alarms) -> None:
        self._unit = unit
        self._alarms = alarms
        self._pending: StationError | None = None

    def react(self, error: StationError) -> None:
        """React to a fault; one that is met while the cell leaves for another reason waits until it has arrived."""
        log.error("fault_met", fault=error.code, text=error.fault.text, detail=error.detail)
        if error.fault.reaction is not Reaction.SUSPEND:
            latching = Reaction.ABORT if error.fault.reaction is Reaction.ABORT else Reaction.HOLD
            self._alarms.raise_(error.fault, latching, error.detail)
        self._move(error)

    def catch_up(self) -> None:
        """React to what was met while the cell left, once it has arrived; harmless at any other time."""
        if self._pending is not None and self._unit.state not in _LEAVING:
            pending, self._pending = self._pending, None
            self._move(pending)

    def _move(self, error: StationError) -> None:
        wanted = _COMMANDS.get(error.fault.reaction, Command.HOLD)
        if self._unit.state in _LEAVING and wanted is not Command.ABORT:
            self._pending = error
            return
        if self._unit.state in (State.HELD, State.STOPPED):
            return
        accepted = next((one for one in (wanted, Command.HOLD, Command.STOP) if self._unit.accepts(one)), None)
        if wanted is Command.SUSPEND and accepted is not Command.SUSPEND:
            self._alarms.raise_(error.fault, Reaction.HOLD, error.detail)
        if accepted is not None:
            self._unit.command(accepted, Reason.of(error))
