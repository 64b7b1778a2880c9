"""Networks reach a cell only as somebody signed them, and judge there only after they did in the shadow."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

pytest.importorskip("cryptography", reason="cryptography is of the extra `fleet`")

from models.fleet.channel import Channel, sign_bundle
from models.fleet.incoming import Incoming
from models.fleet.keys import fingerprint, make_key, public_text, read_key
from models.fleet.shadow import Shadow, came_in, demand_shadow, read_shadow, write_shadow
from models.fleet.signed import RINGS, SIGNATURE
from models.manifest import MANIFEST, load_bundle
from station.cli.app import app
from station.core.errors import ModelError
from tests.bundles import GREYS, make_grey_bundle
from tests.unit.housings import S

ME = "ada"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_key(tmp_path / "key.pem")
    return tmp_path / "key.pem"


@pytest.fixture
def public(key: Path) -> str:
    return public_text(read_key(key).public_key())


@pytest.fixture
def bundle(tmp_path: Path, key: Path) -> Path:
    folder = make_grey_bundle(tmp_path / "new-2", GREYS | {S.DEFECT_FREE: 59})
    sign_bundle(folder, read_key(key), ME)
    return folder


@pytest.fixture
def channel(tmp_path: Path, bundle: Path, key: Path) -> Channel:
    found = Channel(tmp_path / "channel")
    found.publish(bundle, [1], read_key(key), ME)
    return found


def refused(code: str, told: str) -> "pytest.RaisesExc[ModelError]":
    return pytest.raises(ModelError, match=told, check=lambda error: error.code == code)


def test_a_cell_has_what_its_ring_is_offered_and_no_more(tmp_path: Path, channel: Channel, public: str) -> None:
    first, second = (Incoming(tmp_path / f"cell-{number}", [public]) for number in (1, 2))
    pulled = first.pull(channel, 1)
    assert pulled.bundle is not None
    assert pulled.is_new
    assert pulled.bundle.identity == load_bundle(tmp_path / "new-2").identity
    assert not first.pull(channel, 1).is_new
    assert second.pull(channel, 2).bundle is None


def test_a_later_offer_leaves_the_other_rings_as_they_are(
    tmp_path: Path, channel: Channel, key: Path, public: str
) -> None:
    other = make_grey_bundle(tmp_path / "other-3", GREYS | {S.DEFECT_FREE: 58})
    sign_bundle(other, read_key(key), ME)
    rings = channel.publish(other, [2], read_key(key), ME)
    assert (rings.serial, sorted(rings.rings)) == (2, ["1", "2"])
    assert channel.rings([public]).rings["1"].bundle == load_bundle(tmp_path / "new-2").identity.name


def test_an_offer_that_was_there_before_is_refused(
    tmp_path: Path, channel: Channel, bundle: Path, key: Path, public: str
) -> None:
    old = (channel.folder / RINGS).read_bytes()
    channel.publish(bundle, [2], read_key(key), ME)
    cell = Incoming(tmp_path / "cell", [public])
    cell.pull(channel, 1)
    (channel.folder / RINGS).write_bytes(old)
    with refused("model.untrusted", "the offer is number 1, number 2 was seen here before"):
        cell.pull(channel, 1)


@pytest.mark.parametrize("name", [RINGS, SIGNATURE])
def test_what_was_changed_after_it_was_signed_is_refused(
    tmp_path: Path, channel: Channel, public: str, name: str
) -> None:
    (path,) = channel.folder.rglob(name)
    said = json.loads(path.read_text())
    said["by"] = "mallory"
    path.write_text(json.dumps(said))
    with refused("model.untrusted", "the signature is not of what stands there"):
        Incoming(tmp_path / "cell", [public]).pull(channel, 1)
    assert not (tmp_path / "cell" / "incoming").exists()


def test_a_file_that_was_changed_is_refused(tmp_path: Path, channel: Channel, public: str) -> None:
    (manifest,) = channel.folder.rglob(MANIFEST)
    name = next(iter(json.loads(manifest.read_text())["files"]))
    (manifest.parent / name).write_bytes(b"else")
    with refused("model.wrong_hash", name):
        Incoming(tmp_path / "cell", [public]).pull(channel, 1)


def test_the_signature_of_another_bundle_is_refused(tmp_path: Path, channel: Channel, key: Path, public: str) -> None:
    other = make_grey_bundle(tmp_path / "other-3", GREYS | {S.DEFECT_FREE: 58})
    sign_bundle(other, read_key(key), ME)
    (signature,) = channel.folder.rglob(SIGNATURE)
    shutil.copyfile(other / SIGNATURE, signature)
    with refused("model.untrusted", "it is of"):
        Incoming(tmp_path / "cell", [public]).pull(channel, 1)


def test_only_whom_the_cell_trusts_is_believed(tmp_path: Path, channel: Channel) -> None:
    stranger = make_key(tmp_path / "stranger.pem")
    with refused("model.untrusted", "fleet.trusted does not name"):
        Incoming(tmp_path / "cell", [stranger]).pull(channel, 1)
    with refused("model.untrusted", "names no key"):
        Incoming(tmp_path / "cell", []).pull(channel, 1)
    with refused("model.untrusted", "is no public key"):
        fingerprint("ed25519:AAAA")


def test_a_channel_that_is_away_costs_nothing(tmp_path: Path, channel: Channel, public: str) -> None:
    shutil.rmtree(channel.folder)
    with refused("model.bad_channel", "there is no such folder now"):
        Incoming(tmp_path / "cell", [public]).pull(channel, 1)
    assert not (tmp_path / "cell").exists()


def test_a_key_that_others_can_read_signs_nothing(tmp_path: Path, key: Path) -> None:
    key.chmod(0o644)
    with refused("config.file_failed", "others than its owner may read it"):
        read_key(key)
    with refused("model.exists", "is there already"):
        make_key(key)


def shadow(parts: int, **changed: object) -> Shadow:
    said = {"bundle": "new-2", "sha256": "a" * 64, "present": ("b" * 64,), "since": "2026-05-01T06:00:00.000000Z"}
    return Shadow.model_validate({**said, "parts": parts, **changed})


def test_enough_parts_beside_the_present_network_are_demanded(tmp_path: Path) -> None:
    place = tmp_path / "shadow.json"
    with refused("model.not_shadowed", "it judged no part of this cell yet"):
        demand_shadow(place, "a" * 64, ["b" * 64], 200)
    write_shadow(place, shadow(199))
    with refused("model.not_shadowed", "it judged 199 of 200 parts"):
        demand_shadow(place, "a" * 64, ["b" * 64], 200)
    write_shadow(place, shadow(200))
    assert demand_shadow(place, "a" * 64, ["b" * 64], 200) == read_shadow(place)
    with refused("model.not_shadowed", "held against another network"):
        demand_shadow(place, "a" * 64, ["c" * 64], 200)


def test_by_command_from_the_key_to_the_shadow(tmp_path: Path) -> None:
    """A cell that has judged three parts pulls a network, which judges them too before it may be promoted."""
    runner, data = CliRunner(), tmp_path / "data"

    def station(*words: str, code: int = 0) -> str:
        result = runner.invoke(app, [*words])
        assert result.exit_code == code, result.output
        return " ".join(f"{result.output} {result.exception!r}".split())

    public = station("model", "keys", str(tmp_path / "key.pem")).split("ed25519:")[1].split()[0]
    made = make_grey_bundle(tmp_path / "grey-2", GREYS)
    station("model", "sign", str(made), "--key", str(tmp_path / "key.pem"), "--by", ME)
    channel = str(tmp_path / "channel")
    assert "ring 1: " in station(
        "model", "publish", str(made), channel, "--ring", "1", "--key", str(tmp_path / "key.pem")
    )
    text = Path("config/simulate.toml").read_text(encoding="utf-8")
    config = tmp_path / "cell.toml"
    fleet = f'[fleet]\nchannel = "{channel}"\ntrusted = ["ed25519:{public}"]\nshadow_parts = 3\n'
    every = 'archive = ["defect_free", "imprinted", "pits", "roll_marks", "scratches", "review"]'
    config.write_text(f"{re.sub('(?m)^archive = .*$', every, text)}\n{fleet}")
    own = ("--config", str(config), "--data", str(data))
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    simulated = [sys.executable, "-c", "from station.cli import main; main()", "--simulate", "--speed", "max"]
    subprocess.run([*simulated, "--parts", "3", *own], check=True, capture_output=True, env=env)
    assert "fetched" in station("model", "pull", *own)
    (folder,) = (data / "models" / "incoming").iterdir()
    assert came_in(data / "models", folder)
    assert "model.not_shadowed" in station("model", "promote", str(folder), *own, code=1)
    assert "0 of 3 parts" in station("model", "shadow", str(folder), *own, code=1)
    told = station("model", "shadow", str(folder), "--since", "2020-01-01", *own)
    assert "3 parts judged beside the present network" in told
    kept = read_shadow(next((data / "models" / "shadow").iterdir()))
    assert kept is not None
    assert kept.parts == 3
    assert all(one.present != one.new for one in kept.differences)
    assert "model.not_passed" in station("model", "promote", str(folder), *own, code=1)
