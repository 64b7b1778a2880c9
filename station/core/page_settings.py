"""The operator page in the configuration: where it listens, and how long a person stays signed in."""

from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from station.core.section import Section


def _is_address(text: str) -> str:
    ip_address(text)
    return text


Address = Annotated[str, AfterValidator(_is_address)]
"""An IP address of this computer; no name, for nothing is looked up."""
HostName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
"""What a browser's address may say, in small letters and without a port."""


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
    ideal_cycle_s: float = Field(
        0.0, ge=0, le=3600,
        description="Shortest time from one part to the next that the cell is made for; 0: no performance is told.",
    )  # fmt: skip
    backup_days: int = Field(
        7, ge=0, le=366, description="An older backup is shown as amiss, and so is none at all; 0: neither is."
    )
    metrics: bool = Field(
        False, description="Whether programs that may look on get the station's figures at /metrics, for Prometheus."
    )
    waiting_dir: str = Field(
        "",
        description="Folder in which bundles wait to be promoted, or what `station learn --out` makes; empty for "
        "`waiting` in the data folder.",
    )

    @property
    def is_local(self) -> bool:
        """Whether only this computer reaches it."""
        return ip_address(self.host).is_loopback

    @property
    def has_tls(self) -> bool:
        """Whether what is said is encrypted."""
        return bool(self.tls_certificate and self.tls_key)

    @model_validator(mode="after")
    def _others_are_talked_to_in_secret(self) -> Self:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key are given together")
        if not self.is_local and not self.has_tls:
            raise ValueError(f"host {self.host} is reached by other computers: give tls_certificate and tls_key")
        return self
