"""The plant's own database and store in the configuration: where they are, and under which name a cell tells them."""

from ipaddress import ip_address
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from station.core.section import Section

CellName = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]{0,64}$")]


class StoreSettings(Section):
    """Where archived scans are copied to: a bucket that is spoken to as Amazon's S3 is."""

    bucket: str = Field("", description="Name of the bucket; empty where no scans are copied.")
    endpoint: str = Field("", description="Address of the store, as https://s3.plant.example; empty for Amazon's.")
    region: str = Field("us-east-1", min_length=1, description="Its region; most stores of a plant take any.")
    prefix: str = Field(
        "scans", pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$", description="What every object's key begins with."
    )
    key_file: str = Field(
        "", description="File with the key's id in its first line and its secret in the second; others may not read it."
    )
    allow_http: bool = Field(False, description="Whether scans may go to an address that begins with http://.")

    @model_validator(mode="after")
    def _secrets_stay_secret(self) -> Self:
        if self.endpoint.startswith("http://") and not self.allow_http:
            raise ValueError("scans would go to the store in the clear: give an https:// address, or allow_http = true")
        if self.bucket and not self.key_file:
            raise ValueError("bucket is given with key_file")
        return self


class CentralSettings(Section):
    """The plant's PostgreSQL, in which the records of many cells lie beside each other."""

    host: str = Field("127.0.0.1", min_length=1, description="Name or address of the PostgreSQL server.")
    port: int = Field(5432, ge=1, le=65535, description="Its TCP port.")
    database: str = Field("inspection", min_length=1, description="Name of the database.")
    user: str = Field("station", min_length=1, description="Who the station is there.")
    password_file: str = Field("", description="File whose first line is the password; others may not read it.")
    tls: bool = Field(False, description="Whether the connection is encrypted, and the server's certificate checked.")
    tls_ca: str = Field(
        "", description="File with the certificates that the server's must rest on, PEM; empty for the system's."
    )
    cell: CellName = Field("", description="The cell's name in the plant, of its own there; empty for station.name.")
    store: StoreSettings = StoreSettings()

    @property
    def is_local(self) -> bool:
        """Whether the server is on this computer."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost" or self.host.startswith("/")

    @model_validator(mode="after")
    def _secrets_stay_secret(self) -> Self:
        if self.tls_ca and not self.tls:
            raise ValueError("tls_ca is for tls = true")
        if self.password_file and not self.tls and not self.is_local:
            raise ValueError(f"the password would go to {self.host} in the clear: give tls = true")
        return self
