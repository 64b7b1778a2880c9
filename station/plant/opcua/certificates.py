"""The server's own certificate, made at its first start, and which certificates of clients are trusted.

DATA/opcua/  server.der, server.pem (the key, its owner's alone)
             trusted/   certificates of clients, DER or PEM: put there by a person
             rejected/  those of clients that were refused, to be looked at and moved
"""

import hashlib
import os
import socket
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import structlog
from asyncua.crypto.cert_gen import dump_private_key_as_pem, generate_private_key, generate_self_signed_app_certificate
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from station.core.durable import make_folder, staged_file
from station.core.errors import PlantError

FOLDER = "opcua"
CERTIFICATE, KEY = "server.der", "server.pem"
OWNERS_ONLY, FOLDER_MODE = 0o600, 0o750
DAYS = 3650
MOST_REJECTED = 50
"""So many rejected certificates are kept; a flood of them fills no disk."""
MOST_BYTES = 65_536

log = structlog.get_logger()


def own_certificate(folder: Path, name: str, uri: str, host: str) -> tuple[Path, Path]:
    """The server's certificate and its key; made, if neither is there.

    Args:
        folder: The data folder.
        name: Of the station.
        uri: Of the application; it stands in the certificate.
        host: At which address it listens.

    Raises:
        PlantError: `opcua.bad_certificate`: they cannot be made, or one lies there without the other.
    """
    place = folder / FOLDER
    certificate, key = place / CERTIFICATE, place / KEY
    try:
        for made in (place, place / "trusted", place / "rejected"):
            make_folder(made, FOLDER_MODE)
        if certificate.exists() != key.exists():
            raise PlantError("opcua.bad_certificate", f"{place} has only one of {CERTIFICATE} and {KEY}")
        if not key.exists():
            _make(certificate, key, name, uri, host)
    except OSError as error:
        raise PlantError("opcua.bad_certificate", f"{place}: {error.strerror}") from error
    return certificate, key


def _make(certificate: Path, key: Path, name: str, uri: str, host: str) -> None:
    private = generate_private_key()
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri), x509.DNSName(socket.gethostname())]
    if not ip_address(host).is_unspecified:
        names.append(x509.IPAddress(ip_address(host)))
    made = generate_self_signed_app_certificate(
        private, name, {"organizationName": "inspection station"}, names, [ExtendedKeyUsageOID.SERVER_AUTH], days=DAYS
    )
    with staged_file(key, mode=OWNERS_ONLY) as file:
        file.write(dump_private_key_as_pem(private))
    with staged_file(certificate) as file:
        file.write(made.public_bytes(Encoding.DER))


class TrustedCertificates:
    """Which certificates of clients are trusted. Blocks, for as long as it reads a small folder.

    Args:
        folder: The data folder.
        every: Whether any certificate is, whoever has it.
    """

    def __init__(self, folder: Path, *, every: bool) -> None:
        self._folder = folder / FOLDER
        self._every = every

    def refusal(self, certificate: bytes) -> str | None:
        """Why a client with this certificate is refused, or None.

        One that is not trusted is kept among the rejected ones.

        Args:
            certificate: DER, as the client has proven to hold the key of.
        """
        try:
            read = x509.load_der_x509_certificate(certificate)
        except ValueError as error:
            return f"it is no certificate: {error}"
        now = datetime.now(UTC)
        if not read.not_valid_before_utc <= now <= read.not_valid_after_utc:
            return f"its certificate holds from {read.not_valid_before_utc} to {read.not_valid_after_utc}"
        if self._every or any(self._is(path, certificate) for path in (self._folder / "trusted").iterdir()):
            return None
        self._keep(certificate)
        return "its certificate does not lie among the trusted ones"

    def _is(self, path: Path, certificate: bytes) -> bool:
        try:
            if not path.is_file() or path.stat().st_size > MOST_BYTES:
                return False
            content = path.read_bytes()
            if content.lstrip().startswith(b"-----BEGIN"):
                content = x509.load_pem_x509_certificate(content).public_bytes(Encoding.DER)
        except (OSError, ValueError) as error:
            log.warning("certificate_not_read", path=str(path), detail=str(error))
            return False
        return content == certificate

    def _keep(self, certificate: bytes) -> None:
        rejected = self._folder / "rejected"
        try:
            place = rejected / f"{hashlib.sha256(certificate).hexdigest()}.der"
            if not place.exists() and len(list(rejected.iterdir())) < MOST_REJECTED:
                descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(certificate)
        except OSError as error:
            log.warning("certificate_not_read", path=str(rejected), detail=str(error))
