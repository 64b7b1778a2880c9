"""Alarms and stops: what needs a person now, what there was, every stop with its end, every fault with its remedy."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse, Response

from station.core.errors import FAULTS, REACTIONS, PageError, RecordError
from station.core.records import AlarmFilter, JsonObject
from station.host.control import ask
from station.page.audit import Deed
from station.page.forms import json_object
from station.page.guard import Entry, Visit
from station.page.paint import painted
from station.page.roles import AT_THE_CELL, EVERY_ROLE
from station.page.said import maybe_line, one_line
from station.page.shelf import MINUTES, Shelf
from station.page.terms import moment_of

LISTED = 200


async def show_alarms(visit: Visit) -> Response:
    """The screen; what stands now is drawn by the browser as the station tells it.

    Raises:
        PageError: `page.refused`: a time that is none is asked for.
    """
    asked = {name: visit.request.query_params.get(name, "").strip() for name in ("code", "since", "until")}
    chosen = AlarmFilter(asked["code"] or None, *(_time(visit, asked[name]) for name in ("since", "until")))
    records = visit.desk.records
    history = await asyncio.to_thread(_rows, lambda: records.alarm_history(LISTED, chosen))
    stops = await asyncio.to_thread(_rows, lambda: records.stops(LISTED))
    reactions = {code: REACTIONS[fault.reaction].cleared for code, fault in FAULTS.items()}
    return painted(
        visit, "alarms", history=history, stops=stops, asked=asked, minutes=MINUTES, most=LISTED, remedies=reactions,
        may_operate=visit.who.role in AT_THE_CELL,
    )  # fmt: skip


async def show_faults(visit: Visit) -> Response:
    """Every fault that there is."""
    return painted(visit, "faults", faults=FAULTS.values(), reactions=REACTIONS)


async def acknowledge(visit: Visit) -> Response:
    """The person has seen an alarm, and may note something.

    Raises:
        PageError: `page.refused`: no code, or the station has no such alarm.
        ControlError: The station does not answer.
    """
    sent = await json_object(visit.request)
    code, note = _code(sent), maybe_line(sent.get("note"))
    answer = await ask(visit.desk.folder, f"ack {code} for {visit.who.name}{f': {note}' if note else ''}")
    if answer["refused"]:
        raise PageError("page.refused", answer["refused"])
    told = f"{code}: {note}" if note else code
    await asyncio.to_thread(
        visit.desk.doors.audit.write, Deed(visit.who.name, visit.address, "alarm_acknowledged", told)
    )
    return JSONResponse({"acknowledged": code})


async def shelve(visit: Visit) -> Response:
    """The person puts an alarm aside.

    Raises:
        PageError: `page.refused`: it does not stand, it is no mere warning, or there is no reason.
        ControlError: The station does not answer.
    """
    sent = await json_object(visit.request)
    code, why = _code(sent), one_line(sent.get("why"), "a reason")
    standing = (await ask(visit.desk.folder, "alarms"))["alarms"]
    alarm = next((one for one in standing if one["code"] == code), None)
    if alarm is None:
        raise PageError("page.refused", f"{code} does not stand on the list")
    await asyncio.to_thread(_shelf(visit).put, alarm, _minutes(sent), why, visit.hand)
    return JSONResponse({"shelved": code})


async def unshelve(visit: Visit) -> Response:
    """The person has an alarm back.

    Raises:
        PageError: `page.refused`: no code.
    """
    code = _code(await json_object(visit.request))
    await asyncio.to_thread(_shelf(visit).take, code, visit.hand)
    return JSONResponse({"unshelved": code})


async def shelved(visit: Visit) -> Response:
    """What is put aside now, and for how long still."""
    shelf = _shelf(visit)
    lying = await asyncio.to_thread(shelf.lying)
    rows = [
        {"code": one.code, "who": one.who, "until": one.until, "why": one.why, "left_ms": shelf.left_ms(one)}
        for one in lying
    ]
    return JSONResponse(rows)


ENTRIES = (
    Entry("/alarms", "GET", EVERY_ROLE, show_alarms),
    Entry("/alarms/shelved", "GET", EVERY_ROLE, shelved, touches=False),
    Entry("/alarms/shelve", "POST", AT_THE_CELL, shelve),
    Entry("/alarms/unshelve", "POST", AT_THE_CELL, unshelve),
    Entry("/acknowledge", "POST", AT_THE_CELL, acknowledge),
    Entry("/faults", "GET", EVERY_ROLE, show_faults),
)


def _time(visit: Visit, text: str) -> str | None:
    """A day or a time of the plant that is asked for; None where none is.

    Raises:
        PageError: `page.refused`: it is none.
    """
    try:
        return moment_of(text, visit.desk.settings.plant.zone) if text else None
    except (ValueError, OverflowError) as error:
        raise PageError("page.refused", f"{text} is no time; write it as 2026-05-01T06:00") from error


def _shelf(visit: Visit) -> Shelf:
    return Shelf(visit.desk.doors.audit, visit.desk.clock)


def _code(sent: dict[str, Any]) -> str:
    """The code of an alarm.

    Raises:
        PageError: `page.refused`: it is none.
    """
    code = sent.get("code")
    if not isinstance(code, str) or code not in FAULTS:
        raise PageError("page.refused", "this is no code of an alarm")
    return code


def _minutes(sent: dict[str, Any]) -> int:
    """For how long, as it was sent.

    Raises:
        PageError: `page.refused`: it is no number.
    """
    minutes = sent.get("minutes")
    if not isinstance(minutes, int):
        raise PageError("page.refused", "minutes are a number")
    return minutes


def _rows(read: Callable[[], list[JsonObject]]) -> list[JsonObject]:
    """What is recorded; nothing where the station has not recorded anything yet.

    Raises:
        RecordError: It cannot be read.
    """
    try:
        return read()
    except RecordError as error:
        if error.code == "record.unknown":
            return []
        raise
