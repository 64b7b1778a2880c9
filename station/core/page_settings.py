"""The operator page in the configuration: where it listens, how long a person stays signed in, and the plant's day."""

from datetime import UTC, time, tzinfo
from ipaddress import ip_address
from itertools import pairwise
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from station.core.section import Section


def _is_address(text: str) -> str:
    ip_address(text)
    return text


def _is_zone(text: str) -> str:
    if text != "UTC":
        try:
            ZoneInfo(text)
        except (ZoneInfoNotFoundError, OSError, ValueError) as error:
            raise ValueError(f"{text!r} is no time zone of this computer; write it as Europe/Berlin") from error
    return text


Address = Annotated[str, AfterValidator(_is_address)]
"""An IP address of this computer; no name, for nothing is looked up."""
HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
"""What a browser's address may say, in small letters and without a port."""

ZoneName = Annotated[str, AfterValidator(_is_zone)]
"""A time zone of the IANA's database, which this computer must have."""
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""An hour and a minute of the plant's day."""


class PageSettings(Section):
    """The operator page."""

    host: Address = Field(
        "127.0.0.1", description="Address to listen on; any but this computer's own needs tls_certificate and tls_key."
    )
    port: int = Field(8480, ge=0, le=65535, description="TCP port; 0 lets the page choose a free one.")
    names: list[HostName] = Field(
        default=[], description="Names under which browsers reach the page, beside its address."
    )
    tls_certificate: str = Field(
        "", description="File with the certificate and those it rests on, PEM; empty for none."
    )
    tls_key: str = Field("", description="File with the certificate's key, PEM.")
    idle_minutes: int = Field(15, ge=1, le=12 * 60, description="Who touches nothing for so long has to sign in again.")
    session_hours: int = Field(12, ge=1, le=24, description="So long after signing in a person has to do so again.")
    time_zone: ZoneName = Field(
        "UTC", description="The plant's time zone, for example Europe/Berlin; shifts and searches are in it."
    )
    shifts: list[TimeOfDay] = Field(
        ["06:00", "14:00", "22:00"],
        min_length=1,
        max_length=24,
        description="When each shift begins, the earliest first.",
    )
    ideal_cycle_s: float = Field(
        0.0, ge=0, le=3600,
        description="Shortest time from one part to the next that the cell is made for; 0: no performance is told.",
    )  # fmt: skip
    metrics: bool = Field(
        False, description="Whether programs that may look on get the station's figures at /metrics, for Prometheus."
    )
    waiting_dir: str = Field(
        "",
        description="Folder in which bundles wait to be promoted, or what `station learn --out` makes; empty for "
        "`waiting` in the data folder.",
    )

    @property
    def zone(self) -> tzinfo:
        """The plant's time zone."""
        return UTC if self.time_zone == "UTC" else ZoneInfo(self.time_zone)

    @property
    def shift_times(self) -> tuple[time, ...]:
        """When each shift begins."""
        return tuple(map(time.fromisoformat, self.shifts))

    @property
    def is_local(self) -> bool:
        """Whether only this computer reaches it."""
        return ip_address(self.host).is_loopback

    @property
    def has_tls(self) -> bool:
        """Whether what is said is encrypted."""
        return bool(self.tls_certificate and self.tls_key)

    @model_validator(mode="after")
    def _shifts_follow_each_other(self) -> Self:
        if any(later <= earlier for earlier, later in pairwise(self.shifts)):
            raise ValueError(f"shifts begin one after the other: {', '.join(self.shifts)} do not")
        return self

    @model_validator(mode="after")
    def _others_are_talked_to_in_secret(self) -> Self:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key are given together")
        if not self.is_local and not self.has_tls:
            raise ValueError(f"host {self.host} is reached by other computers: give tls_certificate and tls_key")
        return self
