"""What a line over the control socket asks for, taken to the desk.

| line | from whom | what for |
|---|---|---|
| `status`, `alarms` | anybody | nothing but the answer |
| `ack CODE`, `ack all` | the command line | an alarm was seen |
| `ack CODE for NAME: NOTE` | a page, for a person | the same, with what the person notes |
| `challenge TYPE CAUSE`, `challenge all CAUSE` | the command line | golden parts are to be judged |
| `msa begin NAME TRIALS`, `msa end` | the command line | a study begins, ends |
| `COMMAND` | the command line | a PackML command |
| `stop for NAME`, `abort for NAME` | a page, for a person | the same; every other needs the hand (`hand_socket`) |
"""

from station.cell.desk import Desk
from station.cell.packml import Command
from station.core.errors import StationError
from station.core.peer import Peer, user_name
from station.core.study import Study

ALWAYS_OPEN = frozenset({Command.STOP, Command.ABORT})
"""What a person may command at once, whoever has the hand."""


def obey(desk: Desk, words: list[str], peer: Peer) -> str | None:
    """Do what these words ask for; why they were refused, or None."""
    try:
        _take_to(desk, words, user_name(peer.user))
    except KeyError:
        return f"{words[0]!r} is no command"
    except StationError as error:
        return str(error)
    return None


def named(words: list[str]) -> tuple[str, str]:
    """The name, which holds no colon, and what was said behind it: `Ada L.: was cleaned`."""
    name, _, said = " ".join(words).partition(":")
    return name.strip(), said.strip()


def _take_to(desk: Desk, words: list[str], user: str) -> None:
    """Do it.

    Raises:
        StationError: The desk refuses it.
        KeyError: It is no command.
    """
    match words:
        case ["status" | "alarms"]:
            pass
        case ["ack", code]:
            desk.acknowledge(_which(code), user)
        case ["ack", code, "for", *rest] if rest:
            name, note = named(rest)
            desk.acknowledge(_which(code), f"{name} ({user}){f': {note}' if note else ''}")
        case ["challenge", kind, *cause]:
            desk.challenge(None if kind == "all" else kind, " ".join(cause) or "asked for", user)
        case ["msa", "begin", name, trials] if trials.isdecimal():
            desk.begin_study(Study(name, int(trials)), user)
        case ["msa", "end"]:
            desk.end_study(user)
        case [word, "for", *rest] if rest:
            _command_for(desk, Command[word.upper()], f"{named(rest)[0]} ({user}) at the page")
        case [word]:
            desk.command(Command[word.upper()], f"{user} with `station command`")
        case _:
            raise KeyError(" ".join(words))


def _command_for(desk: Desk, command: Command, who: str) -> None:
    """Carry out what a person may command without the hand.

    Raises:
        StationError: `hand.needed`, or the desk refuses it.
    """
    if command not in ALWAYS_OPEN:
        raise StationError("hand.needed", command.name.lower())
    desk.command(command, who)


def _which(code: str) -> str | None:
    return None if code == "all" else code
