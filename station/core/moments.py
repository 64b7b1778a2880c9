"""How the records write a moment: UTC, ISO 8601, three decimals and a Z, so that text sorts as time does."""

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """The moment as text, for example `2026-05-01T06:00:00.250Z`; a moment without a zone is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The moment that a text tells.

    Raises:
        ValueError: The text is no ISO 8601 date or time.
    """
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
