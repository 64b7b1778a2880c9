"""Ed25519 keys: a private one that signs, a public one that every cell trusts by its text in the configuration.

Source: RFC 8032; the private key is PKCS 8 in PEM, unencrypted, for its owner's eyes alone (mode 0600).
"""

import base64
import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from models.release.new_folder import refuse_existing
from station.core.durable import staged_file
from station.core.errors import ModelError

PRIVATE_MODE = 0o600
PREFIX = "ed25519:"


def make_key(place: Path) -> str:
    """Write a new private key; its public one as text.

    Raises:
        ModelError: `model.exists`, or `config.file_failed`.
    """
    key = Ed25519PrivateKey.generate()
    content = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    refuse_existing(place)
    try:
        with staged_file(place, mode=PRIVATE_MODE) as file:
            file.write(content)
    except OSError as error:
        raise ModelError("config.file_failed", f"{place}: {error.strerror}") from error
    return public_text(key.public_key())


def read_key(place: Path) -> Ed25519PrivateKey:
    """The private key of a file.

    Raises:
        ModelError: `config.file_failed`: it cannot be read, others may read it, or it is no such key.
    """
    try:
        if place.stat().st_mode & 0o077:
            told = f"{place}: others than its owner may read it; chmod 600, and make a new key if they did"
            raise ModelError("config.file_failed", told)
        key = serialization.load_pem_private_key(place.read_bytes(), None)
    except OSError as error:
        raise ModelError("config.file_failed", f"{place}: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise ModelError("config.file_failed", f"{place}: it is no private key without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ModelError("config.file_failed", f"{place}: it is a key of another kind than Ed25519")
    return key


def public_text(key: Ed25519PublicKey) -> str:
    """A public key as a configuration has it."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return PREFIX + base64.b64encode(raw).decode()


def fingerprint(public: str) -> str:
    """The first digits of a public key's SHA-256, for people to compare."""
    return hashlib.sha256(_raw(public)).hexdigest()[:16]


def is_signed(public: str, signature: bytes, content: bytes) -> bool:
    """Whether the owner of a public key signed this."""
    try:
        Ed25519PublicKey.from_public_bytes(_raw(public)).verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _raw(public: str) -> bytes:
    """The bytes of a public key.

    Raises:
        ModelError: `model.untrusted`: it is none.
    """
    try:
        raw = base64.b64decode(public.removeprefix(PREFIX), validate=True)
    except ValueError:
        raw = b""
    if not public.startswith(PREFIX) or len(raw) != 32:
        raise ModelError("model.untrusted", f"fleet.trusted: {public!r} is no public key ({PREFIX} and 44 characters)")
    return raw
