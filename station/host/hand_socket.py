"""The hand over the control socket: the connection is the hand, so that it ends with whoever holds it.

    page ── hand 600 for Ada: the belt was changed ──▶ station
         ◀── {"kind": "held", "who", "until"} ──
         ── start ──▶    ◀── {"kind": "answer", "refused": null, …} ──     as often as wanted
         ── back ──▶     ◀── {"kind": "ended", "why": …} ──                 or the station says so by itself

A page that dies, or its computer's user who ends it, closes the connection, and with it the hand is over at once. A
station that ends closes it as well. What comes after the end is not carried out.
"""

import asyncio
import json
from typing import Any

from station.cell.desk import Desk
from station.cell.hand import Grip
from station.cell.packml import Command
from station.core.errors import StationError
from station.core.moments import stamp
from station.core.peer import Peer, user_name
from station.core.pulse import first_of
from station.host.wishes import named

PATIENCE_S = 2.0
"""So long who has the hand may take nothing."""
BACK = "back"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def hold(words: list[str], peer: Peer, desk: Desk, streams: Streams) -> None:
    """Give the hand to who asks, and obey until it is over; or say why it is refused.

    Raises:
        OSError: The connection broke.
        TimeoutError: Who has it takes nothing.
    """
    reader, writer = streams
    try:
        grip = _taken(words, user_name(peer.user), desk)
    except StationError as error:
        return await _tell(writer, {"kind": "refused", "code": error.code, "detail": error.detail})
    try:
        holder = grip.holder
        await _tell(writer, {"kind": "held", "who": holder.who, "until": stamp(holder.until)})
        await first_of(_obeying(reader, writer, desk, grip), grip.over())
    finally:
        grip.give_back("who had it is gone")
    await _tell(writer, {"kind": "ended", "why": grip.why})
    return None


def _taken(words: list[str], user: str, desk: Desk) -> Grip:
    """The hand.

    Raises:
        StationError: It is refused.
    """
    match words:
        case ["hand", seconds, "for", *rest] if seconds.isdecimal():
            name, why = named(rest)
            return desk.take_hand(f"{name} ({user})", why, int(seconds))
        case _:
            raise StationError("hand.refused", "the words are `hand SECONDS for NAME: REASON`")


async def _obeying(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, desk: Desk, grip: Grip) -> None:
    """Obey until nothing more comes, or the hand is given back."""
    while line := await reader.readline():
        word = line.decode(errors="replace").strip()
        if word == BACK:
            grip.give_back("given back")
            return
        await _tell(writer, {"kind": "answer", "refused": _refused(desk, word, grip), "state": desk.view.state.name})


def _refused(desk: Desk, word: str, grip: Grip) -> str | None:
    """Carry out one command; why it was refused, or None."""
    try:
        desk.command_in_hand(Command[word.upper()], grip)
    except KeyError:
        return f"{word!r} is no command"
    except StationError as error:
        return str(error)
    return None


async def _tell(writer: asyncio.StreamWriter, told: dict[str, Any]) -> None:
    writer.write(json.dumps(told).encode() + b"\n")
    async with asyncio.timeout(PATIENCE_S):
        await writer.drain()
