"""OPC UA without a client: certificates, arguments, states, node sets and what a configuration may say."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asyncua.crypto.cert_gen import generate_private_key, generate_self_signed_app_certificate
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from station.cell.packml import State
from station.core.errors import PlantError, StationError
from station.core.opcua_settings import OpcUaSettings
from station.plant.opcua.certificates import MOST_REJECTED, TrustedCertificates, own_certificate
from station.plant.opcua.commanding import CODES, code_of
from station.plant.opcua.machinery import _state_of
from station.plant.opcua.nodesets import _files, _stripped
from station.plant.opcua.vision import INITIALIZED, STATES, _text

NODESET = '<UANodeSet xmlns="http://opcfoundation.org/UA/2011/03/UANodeSet.xsd">{}</UANodeSet>'


@pytest.fixture(scope="module")
def certificates() -> list[bytes]:
    """Two of clients, as DER."""
    made = []
    for name in ("one", "other"):
        uri = x509.UniformResourceIdentifier(f"urn:client:{name}")
        certificate = generate_self_signed_app_certificate(generate_private_key(), name, {}, [uri], [], days=1)
        made.append(certificate.public_bytes(Encoding.DER))
    return made


def test_the_servers_certificate_is_made_once_and_its_key_is_its_owners_alone(tmp_path: Path) -> None:
    certificate, key = own_certificate(tmp_path, "cell", "urn:cell", "127.0.0.1")
    made = certificate.read_bytes()
    assert key.stat().st_mode & 0o777 == 0o600
    read = x509.load_der_x509_certificate(made)
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:cell"]
    assert read.not_valid_after_utc - datetime.now(UTC) > timedelta(days=3000)
    own_certificate(tmp_path, "cell", "urn:cell", "127.0.0.1")
    assert certificate.read_bytes() == made
    key.unlink()
    with pytest.raises(PlantError) as refused:
        own_certificate(tmp_path, "cell", "urn:cell", "127.0.0.1")
    assert refused.value.code == "opcua.bad_certificate"


def test_a_certificate_is_trusted_when_a_person_has_put_it_there(tmp_path: Path, certificates: list[bytes]) -> None:
    own_certificate(tmp_path, "cell", "urn:cell", "127.0.0.1")
    trusted = TrustedCertificates(tmp_path, every=False)
    one, other = certificates
    assert trusted.refusal(one) == "its certificate does not lie among the trusted ones"
    (kept,) = (tmp_path / "opcua" / "rejected").iterdir()
    assert kept.read_bytes() == one
    kept.rename(tmp_path / "opcua" / "trusted" / kept.name)
    (tmp_path / "opcua" / "trusted" / "notes.txt").write_text("of whom they are")
    pem = x509.load_der_x509_certificate(other).public_bytes(Encoding.PEM)
    assert (trusted.refusal(one), trusted.refusal(other) is None) == (None, False)
    (tmp_path / "opcua" / "trusted" / "other.pem").write_bytes(pem)
    assert trusted.refusal(other) is None
    assert "no certificate" in str(trusted.refusal(b"rubbish"))
    assert TrustedCertificates(tmp_path, every=True).refusal(one) is None
    for number in range(MOST_REJECTED):
        (tmp_path / "opcua" / "rejected" / f"{number}.der").touch()
    (tmp_path / "opcua" / "trusted" / "other.pem").unlink()
    before = set((tmp_path / "opcua" / "rejected").iterdir())
    assert trusted.refusal(other) is not None
    assert set((tmp_path / "opcua" / "rejected").iterdir()) == before, "a flood of them fills no disk"


def test_every_state_has_its_place_in_each_standard() -> None:
    for state in State:
        told = {"cell": {"state": state.name}}
        assert _state_of(told) in {"OutOfService", "NotExecuting", "Executing"}
    assert _state_of({}) == "NotAvailable"
    assert STATES.keys() | INITIALIZED <= State.__members__.keys()
    assert not STATES.keys() & INITIALIZED


@pytest.mark.parametrize(
    ("argument", "text"),
    [("A1", "A1"), (b"\x02\x00\x00\x00A1", "A1"), (b"\xff\xff\xff\xff", ""), (b"\x05", ""), (None, ""), (7, ""),
     (b"\xff\x00\x00\x00A", "A")],
)  # fmt: skip
def test_an_id_is_read_however_it_comes(argument: object, text: str) -> None:
    assert _text(argument) == text


def test_each_refusal_has_a_status_code() -> None:
    for code in CODES:
        assert code_of(StationError(code)).value & 0x80000000


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "has none of"), ({"notes.txt": "x"}, "has none of"),
        ({"Opc.Ua.PackML.NodeSet2.xml": "<a"}, "no element|unclosed"),
        ({"Opc.Ua.Di.NodeSet2.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a/>'}, "declares entities"),
    ],
)  # fmt: skip
def test_what_is_no_node_set_is_named(tmp_path: Path, files: dict[str, str], why: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(PlantError, match=why) as refused:
        _stripped(_files(tmp_path)[0])
    assert refused.value.code == "opcua.bad_nodesets"


def test_node_sets_are_loaded_in_the_order_of_their_needs_without_what_no_server_can_load(tmp_path: Path) -> None:
    for name in ("PackML", "MachineVision", "Di", "Machinery", "Robotics"):
        (tmp_path / f"Opc.Ua.{name}.NodeSet2.xml").write_text(
            NODESET.format('<UAObject NodeId="i=1" DesignToolOnly="true"/>')
        )
    assert [path.name.split(".")[2] for path in _files(tmp_path)] == ["Di", "Machinery", "PackML", "MachineVision"]
    assert "DesignToolOnly" not in _stripped(tmp_path / "Opc.Ua.Di.NodeSet2.xml")
    with pytest.raises(PlantError):
        _files(tmp_path / "gone")


@pytest.mark.parametrize(
    "wrong",
    [{"host": "cell.plant"}, {"host": "0.0.0.0", "security": "none"}, {"security": "sign"}, {"max_sessions": 0},
     {"session_timeout_s": 3600}],
    ids=str,
)  # fmt: skip
def test_a_server_that_others_could_listen_in_on_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        OpcUaSettings.model_validate(wrong)
    assert OpcUaSettings(host="0.0.0.0").security == "sign_and_encrypt"
