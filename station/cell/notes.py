"""The record of events at work: changes of state, commands, and who gave them, written without anybody waiting."""

import asyncio

import structlog

from station.cell.packml import Change
from station.core.errors import StationError
from station.core.ports.records import PartLedger

log = structlog.get_logger()

NOTES_WAITING = 1000
"""So many may wait for the disk; what comes then is lost, and told in the log."""


class Notes:
    """What is noted of one cell; used from its event loop.

    Args:
        ledger: Where it is written.
    """

    def __init__(self, ledger: PartLedger) -> None:
        self._ledger = ledger
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue(NOTES_WAITING)

    def note(self, event: str, detail: str) -> None:
        """Have it written; a disk that cannot keep up loses the note, not the cell."""
        try:
            self._waiting.put_nowait((event, detail))
        except asyncio.QueueFull:
            log.error("note_not_kept", fault="record.disk_failed", detail="too many are waiting", note=event)

    def command(self, command: str, by: str, refused: StationError | None) -> None:
        """Note what was commanded, by whom, and why it was refused, if it was."""
        if refused is None:
            self.note("command_taken", f"{command} by {by}")
        else:
            self.note("command_refused", f"{command} by {by}: {refused.detail}")

    def on_change(self, change: Change) -> None:
        """Log a change of the unit's state, or of the reason why it does not run, and have it written."""
        code, detail = (change.reason.fault.code, change.reason.detail) if change.reason else ("", "")
        if change.before is change.after:
            event, states = "reason_changed", {"state": change.after.name}
        else:
            event, states = "state_changed", {"before": change.before.name, "after": change.after.name}
        log.info(event, **states, reason=code, detail=detail)
        self.note(event, " ".join(filter(None, (*states.values(), code, detail))))

    async def save(self) -> None:
        """Write down what is noted; runs until cancelled."""
        while True:
            await self._write(*await self._waiting.get())

    async def flush(self) -> None:
        """Write down what is not written yet."""
        while not self._waiting.empty():
            await self._write(*self._waiting.get_nowait())

    async def _write(self, event: str, detail: str) -> None:
        try:
            await self._ledger.note(event, detail)
        except StationError as error:
            log.error("note_not_kept", fault=error.code, detail=error.detail, note=event)
