"""Documents that somebody signed: plain JSON, whose signature covers all of it but itself."""

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from models.fleet.keys import is_signed, public_text
from models.manifest import Bundle
from station.core.durable import write_whole
from station.core.errors import ModelError
from station.core.section import Section

SIGNATURE, RINGS = "signature.json", "rings.json"
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Signed(Section):
    """What every signed document says.

    A document is signed as the JSON of its values without `signature`, keys sorted, without spaces.
    """

    at: str = Field(..., description="When it was signed, in UTC.")
    by: str = Field(..., min_length=1, description="Who signed it.")
    key: str = Field(..., description="The public key.")
    signature: str = Field("", description="Of all the rest, base64.")

    def content(self) -> bytes:
        """What is signed."""
        values = self.model_dump(mode="json", exclude={"signature"})
        return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()

    def signed(self, key: Ed25519PrivateKey) -> Self:
        """The same with its signature, and the key that it can be checked with."""
        named = self.model_copy(update={"key": public_text(key.public_key())})
        signature = base64.b64encode(key.sign(named.content())).decode()
        return named.model_copy(update={"signature": signature})

    def demand(self, trusted: Iterable[str], where: Path) -> None:
        """Refuse a document that no trusted person signed as it is now.

        Raises:
            ModelError: `model.untrusted`.
        """
        if self.key not in set(trusted):
            raise ModelError(
                "model.untrusted", f"{where}: it is signed with {self.key}, which fleet.trusted does not name"
            )
        try:
            signature = base64.b64decode(self.signature, validate=True)
        except ValueError:
            signature = b""
        if not is_signed(self.key, signature, self.content()):
            raise ModelError("model.untrusted", f"{where}: the signature is not of what stands there; it was changed")


class BundleSignature(Signed):
    """That somebody answers for a bundle."""

    format: Literal[1] = 1
    bundle: str
    sha256: Sha256 = Field(..., description="Of the bundle's manifest, which names the hash of every file.")


class Offer(BaseModel):
    """A bundle that a ring of cells shall have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bundle: str
    sha256: Sha256

    @property
    def folder(self) -> str:
        """Its folder's name."""
        return f"{self.bundle}-{self.sha256[:12]}"


class Rings(Signed):
    """Which ring of cells shall have which bundle.

    A later document has a higher serial number, so that an old one that is put back is noticed.
    """

    format: Literal[1] = 1
    serial: int = Field(..., ge=1)
    rings: dict[str, Offer] = Field(default_factory=dict, description="By the ring's number.")


Document = TypeVar("Document", bound=Signed)


def read_signed(path: Path, kind: type[Document], trusted: Iterable[str]) -> Document:
    """A document that a trusted person signed.

    Raises:
        ModelError: `model.untrusted`: there is none, it cannot be read, or its signature is not good.
    """
    try:
        document = kind.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ModelError("model.untrusted", f"{path}: there is none; `station model sign` writes it") from error
    except OSError as error:
        raise ModelError("model.bad_channel", f"{path}: {error.strerror}") from error
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ModelError("model.untrusted", f"{path}: {told}") from error
    document.demand(trusted, path)
    return document


def write_signed(path: Path, document: Signed) -> None:
    """Put a document in its place, whole.

    Raises:
        ModelError: `config.file_failed`.
    """
    try:
        write_whole(path, f"{document.model_dump_json(indent=1)}\n".encode())
    except OSError as error:
        raise ModelError("config.file_failed", f"{path}: {error.strerror}") from error


def demand_signature(bundle: Bundle, trusted: Iterable[str]) -> BundleSignature:
    """A bundle's signature.

    Raises:
        ModelError: `model.untrusted`: no trusted person signed this very bundle.
    """
    path = bundle.folder / SIGNATURE
    found = read_signed(path, BundleSignature, trusted)
    if found.sha256 != bundle.identity.sha256:
        told = f"{path}: it is of {found.bundle} {found.sha256[:12]}, here lies {bundle.identity.sha256[:12]}"
        raise ModelError("model.untrusted", told)
    return found
