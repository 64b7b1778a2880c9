"""What the simulated cell tells on standard output: where it listens, and what happens; as text or as JSON lines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sim.ledger import Entry
from station.core.errors import StationError
from station.core.outlet import Outlet

Json = Mapping[str, object]


class Format(StrEnum):
    """The choice of `--report`."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the station finds the simulated devices.

    Attributes:
        robot: Host and port of the robot's Modbus TCP server.
        jig: Link that leads to the jig's serial line; or, where the jig is reached by TCP, host and port.
        plc: Host and port of the PLC's Modbus TCP server; in the other role, of the station's server that it visits.
        plc_role: The station's role: `client` or `server`.
        terminal: The pseudo-terminal that the jig's link leads to; empty where the jig is reached by TCP.
        scene: Name of the shared memory in which the camera looks.
        closed_turns: Whether every scan that is fed is a whole turn, whose end meets its beginning.
        composed: Whether a scan that is fed was put together from pictures.
    """

    robot: tuple[str, int]
    jig: str | tuple[str, int]
    plc: tuple[str, int]
    plc_role: str
    terminal: str
    scene: str
    closed_turns: bool = True
    composed: bool = False


class Report(Protocol):
    """Whoever wants to know what the simulated cell does; must not block."""

    def ready(self, where: Listening) -> None:
        """All devices answer from now on."""

    def happened(self, entry: Entry) -> None:
        """The ledger has a new entry."""

    def scan_left_out(self, file: str, error: StationError) -> None:
        """A scan of the recording cannot be used; the feed goes on with the next one."""

    def result_read(self, number: int, decision: str) -> None:
        """The PLC has read a result."""

    def infeed_empty(self, fed: int) -> None:
        """The last part was picked up, and no other will come."""

    def fault_struck(self, name: str, part_id: str | None) -> None:
        """A named fault has struck, this part where it waited for one."""

    def answered(self, answer: Json) -> None:
        """A line on the control channel was obeyed, or refused."""


class _Lines:
    """Writes lines, one at a time."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet

    def _say(self, line: str) -> None:
        self._outlet.write(line + "\n")


class JsonReport(_Lines):
    """One JSON object a line; `event` says which."""

    def ready(self, where: Listening) -> None:
        """Print where everything is."""
        jig = {"device": where.jig, "terminal": where.terminal} if isinstance(where.jig, str) else _address(where.jig)
        plc = {"plc": _address(where.plc), "plc_role": where.plc_role}
        seen = {"scene": where.scene, "closed_turns": where.closed_turns, "composed": where.composed}
        self._print({"event": "ready", "robot": _address(where.robot), "jig": jig, **plc, **seen})

    def happened(self, entry: Entry) -> None:
        """Print the entry."""
        self._print(entry.as_json())

    def scan_left_out(self, file: str, error: StationError) -> None:
        """Print the error with its code."""
        self._print({"event": "scan_left_out", "file": file, "code": error.code, "message": str(error)})

    def result_read(self, number: int, decision: str) -> None:
        """Print the decision that the PLC has read."""
        self._print({"event": "result_read", "number": number, "decision": decision})

    def infeed_empty(self, fed: int) -> None:
        """Print how many parts came."""
        self._print({"event": "infeed_empty", "fed": fed})

    def fault_struck(self, name: str, part_id: str | None) -> None:
        """Print which, and whom."""
        self._print({"event": "fault", "name": name, "part_id": part_id})

    def answered(self, answer: Json) -> None:
        """Print the answer."""
        self._print(answer)

    def _print(self, values: Json) -> None:
        self._say(json.dumps(values))


class TextReport(_Lines):
    """Lines for people."""

    def ready(self, where: Listening) -> None:
        """Print where everything is."""
        jig = f"{where.jig} -> {where.terminal}" if isinstance(where.jig, str) else _text(where.jig)
        plc = {"client": "listens on", "server": "visits the station at"}[where.plc_role]
        self._say("The simulated cell is ready.")
        self._say(f"  robot   Modbus TCP  listens on {_text(where.robot)}")
        self._say(f"  jig     Modbus {'RTU  at' if where.terminal else 'TCP  listens on'} {jig}")
        self._say(f"  PLC     Modbus TCP  {plc} {_text(where.plc)}")
        self._say(f"  camera  scene {where.scene}")
        if where.composed:
            self._say("  The recording holds scans from pictures: a station that is not told so sends them to review.")
        elif not where.closed_turns:
            self._say('  The recording holds scans that are no whole turns: leave "closed" out of turn.proofs.')

    def happened(self, entry: Entry) -> None:
        """Print the entry."""
        label = f" ({entry.label})" if entry.label else ""
        self._say(f"{entry.time:%H:%M:%S.%f}  {entry.event:<9}  {entry.part_id or '-'}{label}  {entry.place}")

    def scan_left_out(self, file: str, error: StationError) -> None:
        """Print the operator's text."""
        self._say(f"left out: {file}: {error}")

    def result_read(self, number: int, decision: str) -> None:
        """Print the decision that the PLC has read."""
        self._say(f"the PLC has read result {number}: {decision}")

    def infeed_empty(self, fed: int) -> None:
        """Print how many parts came."""
        self._say(f"The infeed is empty; {fed} parts were fed.")

    def fault_struck(self, name: str, part_id: str | None) -> None:
        """Print which, and whom."""
        self._say(f"fault {name} strikes {part_id or 'the cell'}")

    def answered(self, answer: Json) -> None:
        """Print the answer."""
        self._say(json.dumps(answer))


def report_as(form: Format, outlet: Outlet) -> Report:
    """The report in this format; whoever reads it slowly, or not at all, does not hinder the cell."""
    return TextReport(outlet) if form is Format.TEXT else JsonReport(outlet)


def _address(address: tuple[str, int]) -> dict[str, object]:
    return {"host": address[0], "port": address[1]}


def _text(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"
