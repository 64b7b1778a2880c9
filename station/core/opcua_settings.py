"""The OPC UA server in the configuration: where it listens, whom it lets in, and which node sets it reads."""

from ipaddress import ip_address
from typing import Literal, Self

from pydantic import Field, model_validator

from station.core.page_settings import Address
from station.core.section import Section


class OpcUaSettings(Section):
    """The OPC UA server."""

    host: Address = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(4840, ge=0, le=65535, description="TCP port; 0 lets the server choose a free one.")
    security: Literal["sign_and_encrypt", "none"] = Field(
        "sign_and_encrypt", description="none: nothing is signed or encrypted, for this computer alone."
    )
    anonymous: bool = Field(False, description="Whether clients without a name may look on; they call no method.")
    trust_any_certificate: bool = Field(
        False, description="Whether a client's certificate need not lie in opcua/trusted of the data folder."
    )
    nodesets: str = Field(
        "", description="Folder with the node sets of OPC 40100-1, 30050 and 40001-1; empty: the station's own alone."
    )
    max_sessions: int = Field(50, ge=1, le=500, description="So many clients at a time; one more is refused.")
    session_timeout_s: int = Field(
        60, ge=5, le=600, description="A client that is silent for so long has no session any more, nor subscriptions."
    )

    @model_validator(mode="after")
    def _others_are_talked_to_in_secret(self) -> Self:
        if self.security == "none" and not ip_address(self.host).is_loopback:
            raise ValueError(f"host {self.host} is reached by other computers: keep security = 'sign_and_encrypt'")
        return self
