"""What the broker may ask of the station: a rebirth, and the PackML commands that are listed in the configuration.

    NCMD ──▶ retained? unreadable? not listed? ── ignored, counted and logged
         └──▶ Node Control/Rebirth = true ──▶ a birth
         └──▶ Command/Stop = true ──▶ the station's desk, as for a person at the page: Stop and Abort at once, for any
                                      other the hand is taken, and given back when it is done

Source: Eclipse Sparkplug 3.0.0, sections 5.11 and 6.4.20 (tck-id-payloads-ncmd-retain: a command is never retained).
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from station.core.errors import StationError
from station.host.control import ANSWER_TIMEOUT_S, ask
from station.host.hand import HeldHand, held_hand
from station.host.wishes import ALWAYS_OPEN
from station.plant.sparkplug.node import REBIRTH
from station.plant.sparkplug.payload import BadPayloadError, DataType, Metric, decode

PREFIX = "Command/"
TAKEN, REFUSED, IGNORED = f"{PREFIX}Taken", f"{PREFIX}Refused", f"{PREFIX}Ignored"
OPEN = frozenset(command.name.lower() for command in ALWAYS_OPEN)
HAND_S = 30


@dataclass(frozen=True, slots=True)
class Asked:
    """What one message asks for.

    Attributes:
        rebirth: Whether every metric is wanted anew.
        commands: PackML commands, in their order.
        ignored: Why something in it is not heeded, one line each.
    """

    rebirth: bool = False
    commands: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def metric_name(command: str) -> str:
    """The metric that a command is given by."""
    return f"{PREFIX}{command.title()}"


def command_metrics(listed: Iterable[str], told: tuple[str | None, str | None, int], at_ms: int) -> tuple[Metric, ...]:
    """What stands in the birth: a flag for each command, and what came of the last.

    Args:
        listed: The commands that are taken.
        told: What was taken last, why the last was refused, and how many messages were ignored.
        at_ms: When it is so.
    """
    taken, refused, ignored = told
    return (
        *(Metric(metric_name(command), DataType.BOOLEAN, value=False, at_ms=at_ms) for command in listed),
        Metric(TAKEN, DataType.STRING, taken, at_ms),
        Metric(REFUSED, DataType.STRING, refused, at_ms),
        Metric(IGNORED, DataType.UINT64, ignored, at_ms),
    )


def read_command(data: bytes, listed: Iterable[str], *, retained: bool) -> Asked:
    """What a message on the node's command topic asks for.

    Args:
        data: Its payload.
        listed: The commands that are taken.
        retained: Whether the broker had kept it for whoever comes.
    """
    if retained:
        return Asked(ignored=("it was retained, and a command is for now",))
    try:
        payload = decode(data)
    except BadPayloadError as error:
        return Asked(ignored=(str(error),))
    known = {metric_name(command): command for command in listed}
    ignored, commands, rebirth = [], [], False
    for metric in payload.metrics:
        if metric.datatype is not DataType.BOOLEAN or metric.value is not True:
            ignored.append(f"{metric.name!r} is not a true Boolean")
        elif metric.name == REBIRTH:
            rebirth = True
        elif metric.name in known:
            commands.append(known[metric.name])
        else:
            ignored.append(f"{metric.name!r} is not in sparkplug.commands")
    if not payload.metrics:
        ignored.append("it has no metric")
    return Asked(rebirth, tuple(commands), tuple(ignored))


async def carry_out(folder: Path, command: str, who: str) -> str | None:
    """Have the station do it; why it was refused, or None.

    Args:
        folder: The station's data folder.
        command: A PackML command by its name.
        who: For whom, as the records have it.
    """
    try:
        if command in OPEN:
            refused: str | None = (await ask(folder, f"{command} for {who}"))["refused"]
            return refused
        async with held_hand(folder, who, f"to {command} the cell", HAND_S) as hand:
            return await _in_hand(hand, command)
    except StationError as error:
        return str(error)


async def _in_hand(hand: HeldHand, command: str) -> str | None:
    """Command while the hand is held, and give it back."""
    listening = asyncio.create_task(hand.listen(), name="hand's end")
    try:
        refused = await hand.command(command)
        hand.give_back()
        await asyncio.wait({listening}, timeout=ANSWER_TIMEOUT_S)
        return refused
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
