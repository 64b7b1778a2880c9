"""The control channel of `python -m sim`: JSON objects in, one a line, and answers out as events.

    {"do": "fault", "name": NAME, "part": NUMBER or ID or nothing}    arm a fault, or let it begin
    {"do": "clear", "name": NAME}                                     mend or disarm it
    {"do": "permit", "value": "given" or "withdrawn"}                 the line PLC's permission
    {"do": "command", "command": NAME}                                the line PLC's operator: a PackML command
    {"do": "where"}                                                   tell how everything truly stands

The answer is `{"event": "done", "do": …}`, `{"event": "refused", "message": …}`, or `{"event": "where", …}`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sim.faults import Wish, named_fault
from sim.ledger import Place
from sim.report import Json
from sim.running import RunningCell
from station.core.errors import StationError


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Fault(_Request):
    do: Literal["fault"]
    name: str
    part: int | str | None = None


class _Clear(_Request):
    do: Literal["clear"]
    name: str


class _Permit(_Request):
    do: Literal["permit"]
    value: Literal["given", "withdrawn"]


class _Command(_Request):
    do: Literal["command"]
    command: str


class _Where(_Request):
    do: Literal["where"]


_REQUEST: TypeAdapter[_Fault | _Clear | _Permit | _Command | _Where] = TypeAdapter(
    Annotated[_Fault | _Clear | _Permit | _Command | _Where, Field(discriminator="do")]
)


def obey(running: RunningCell, line: str | bytes) -> Json:
    """Do what a line asks for; the answer."""
    try:
        request = _REQUEST.validate_json(line)
        match request:
            case _Fault():
                part = None if request.part is None else str(request.part)
                running.broken.arm([Wish(named_fault(request.name), part)])
            case _Clear():
                running.broken.clear(named_fault(request.name).name)
            case _Permit():
                running.plc.permit(request.value)
            case _Command():
                running.plc.command(request.command)
            case _:
                return whereabouts(running)
    except ValidationError as error:
        return {"event": "refused", "message": "; ".join(problem["msg"] for problem in error.errors())}
    except StationError as error:
        return {"event": "refused", "message": str(error)}
    return {"event": "done", "do": request.do}


def whereabouts(running: RunningCell) -> Json:
    """How everything truly stands: parts, arm, jig, bins, what the PLC sees of the station, and the faults."""
    cell, plc = running.cell, running.plc
    spindle = cell.spindle
    answered, answer = plc.command_answer()
    return {
        "event": "where",
        **{place.value: cell.part_id_at(place) for place in (Place.INFEED, Place.GRIPPER, Place.JIG)},
        "arm": cell.arm.name.lower(),
        "jig_rpm": round(spindle.speed_rpm, 1),
        "standstill": spindle.standstill,
        "sorted": dict(cell.sorted_parts),
        "state": plc.state(),
        "answered_command": answered,
        "command_result": answer,
        "armed": list(running.broken.armed),
        "broken": list(running.broken.struck),
    }
