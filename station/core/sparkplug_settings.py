"""Sparkplug in the configuration: which broker, under which name, and what may be commanded over it."""

from ipaddress import ip_address
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from station.core.section import Section

SparkplugId = Annotated[str, StringConstraints(pattern=r"^[^+/#\x00-\x1f]{1,64}$")]
"""A part of a topic. Source: Sparkplug 3.0.0, tck-id-topic-structure-namespace-valid-group-id."""

Commanded = Literal["start", "stop", "reset", "hold", "unhold", "suspend", "unsuspend", "complete", "abort", "clear"]
"""PackML commands by their names at the control socket."""


class SparkplugSettings(Section):
    """The station as an edge node of Sparkplug B at an MQTT broker."""

    host: str = Field("127.0.0.1", min_length=1, description="Name or address of the MQTT broker.")
    port: int = Field(1883, ge=1, le=65535, description="Its TCP port; 8883 is usual with tls.")
    group: SparkplugId = Field("inspection", description="Sparkplug's group id.")
    node: SparkplugId = Field("station", description="The station's edge node id, of its own within the group.")
    tls: bool = Field(False, description="Whether the connection is encrypted, and the broker's certificate checked.")
    tls_ca: str = Field(
        "", description="File with the certificates that the broker's must rest on, PEM; empty for the system's."
    )
    tls_certificate: str = Field("", description="File with the station's own certificate, PEM; empty for none.")
    tls_key: str = Field("", description="File with its key, PEM.")
    username: str = Field("", description="Name at the broker; empty for none.")
    password_file: str = Field("", description="File whose first line is the password; others may not read it.")
    keepalive_s: int = Field(
        10, ge=2, le=600, description="A broker that hears nothing for 1.5 times as long declares the station dead."
    )
    primary_host: Annotated[str, StringConstraints(pattern=r"^[^+/#\x00-\x1f]{0,64}$")] = Field(
        "", description="Host application without which nothing is published but kept; empty for none."
    )
    commands: list[Commanded] = Field(
        default=[], description="PackML commands that are taken from the broker; by default none but a rebirth."
    )

    @property
    def is_local(self) -> bool:
        """Whether the broker is on this computer."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @model_validator(mode="after")
    def _secrets_stay_secret(self) -> Self:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key are given together")
        if (self.tls_ca or self.tls_certificate) and not self.tls:
            raise ValueError("tls_ca and tls_certificate are for tls = true")
        if self.password_file and not self.username:
            raise ValueError("password_file is given with username")
        if self.password_file and not self.tls and not self.is_local:
            raise ValueError(f"the password would go to {self.host} in the clear: give tls = true")
        return self
