"""What is asked of the records, and the lines of their list: plain values, whatever the records are kept in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from station.core.errors import ConfigError
from station.core.moments import moment, stamp

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which inspections are asked for; None or nothing for all.

    Attributes:
        since: Entered at this moment or later, as `station.core.moments` writes it.
        until: Entered before this moment.
        verdicts: With one of these final verdicts, by name.
        part_id: Of this part.
        before: Older than the inspection of this whole id; the key by which a list is read on.
    """

    since: str | None = None
    until: str | None = None
    verdicts: tuple[str, ...] = ()
    part_id: str | None = None
    before: str | None = None

    @classmethod
    def parse(cls, since: str | None, until: str | None, verdicts: Iterable[str], part_id: str | None) -> Self:
        """The filter that a command line asks for; a time without a zone is UTC.

        Raises:
            ConfigError: No time.
        """
        return cls(time_asked(since), time_asked(until), tuple(verdicts), part_id)


@dataclass(frozen=True, slots=True)
class AlarmFilter:
    """Which alarms are asked for; None for all.

    Attributes:
        text: Whose code holds this.
        since: That stood at this moment or later, as `station.core.moments` writes it.
        until: Raised before this moment.
    """

    text: str | None = None
    since: str | None = None
    until: str | None = None


EVERY_ALARM = AlarmFilter()


class LastTold(NamedTuple):
    """The inspection after which somebody wants to be told more.

    Attributes:
        number: Its number.
        inspection_id: Its id: records that were put back from a backup give a number anew.
        entered_at: When it was entered; where the number is another's, what was entered later is told.
    """

    number: int
    inspection_id: str
    entered_at: str

    @classmethod
    def of(cls, record: JsonObject) -> Self:
        """This inspection, from its flat columns."""
        return cls(record["number"], record["inspection_id"], record["entered_at"])


class ListedRecord(NamedTuple):
    """One line of the list, all of it text."""

    inspection_id: str
    entered_at: str
    part_id: str
    part_type: str
    verdict: str
    confidence: str
    reason: str
    confirmed_bin: str

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """From the columns of these names; what is not known is empty, and a confidence has four decimals."""
        texts = {name: "" if values[name] is None else str(values[name]) for name in cls._fields}
        if values["confidence"] is not None:
            texts["confidence"] = f"{values['confidence']:.4f}"
        return cls(**texts)


def time_asked(text: str | None) -> str | None:
    """The time that a command line names, as `station.core.moments` writes it; one without a zone is UTC.

    Raises:
        ConfigError: No time.
    """
    if text is None:
        return None
    try:
        return stamp(moment(text))
    except ValueError as error:
        raise ConfigError("config.bad_option", f"{text!r} is no time; write it as 2026-05-01T06:00") from error
