"""What ships for containers: an image that is small, pinned and not root's, and a compose file that trusts nobody."""

import re
from pathlib import Path

from config import bundled

ROOT = Path(__file__).parents[2]
CONTAINERFILE = bundled("deploy/Containerfile").read_text(encoding="utf-8")
COMPOSE = bundled("deploy/compose.yaml").read_text(encoding="utf-8")
BESIDE = ("page", "opcua", "sparkplug")


def instructions(text: str) -> list[tuple[str, str]]:
    """Each instruction of a Containerfile with its argument, on one line."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    return [(word.upper(), rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def services() -> dict[str, str]:
    """The services of the compose file, each with its text."""
    body = COMPOSE.split("\nservices:\n")[1].split("\nvolumes:\n")[0]
    found = re.split(r"^  (\w+):\n", body, flags=re.MULTILINE)[1:]
    return dict(zip(found[::2], found[1::2], strict=True))


def test_the_image_is_nobodys_that_is_root_and_takes_only_what_has_its_hash() -> None:
    found = instructions(CONTAINERFILE)
    last = len(found) - 1 - next(n for n, (word, _) in enumerate(reversed(found)) if word == "FROM")
    assert [rest for word, rest in found if word == "FROM"] == ["${BASE} AS build", "${BASE}"], "the base is chosen"
    assert [rest for word, rest in found[last:] if word == "USER"] == ["850:850"]
    (install,) = [rest for word, rest in found if word == "RUN" and "pip install" in rest]
    for wanted in ("--no-index", "--require-hashes", "--no-deps", "--find-links /wheelhouse", "|| exit 1"):
        assert wanted in install
    assert "pip uninstall" in install
    assert [rest for word, rest in found[last:] if word == "COPY"] == [
        "--from=build /opt/inspection-station /opt/inspection-station"
    ], "nothing else comes along"
    assert not {word for word, _ in found} & {"ADD", "EXPOSE"}


def test_what_the_image_installs_is_what_the_wheelhouse_holds() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (extras,) = re.findall(r'^ARG EXTRAS="(.*)"$', CONTAINERFILE, re.MULTILINE)
    for lock in extras.split():
        assert f"requirements/{lock} " in makefile.split("cp LICENSE NOTICE")[1].splitlines()[0] + " "


def test_every_service_has_few_rights_and_no_secret_of_ours() -> None:
    assert set(services()) == {"station", *BESIDE, "broker", "prometheus", "grafana"}
    for name, text in services().items():
        rights = COMPOSE.split("services:")[0] if "<<: *beside" in text else text
        for wanted in ("read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "restart: unless-stopped"):
            assert wanted in rights, (name, wanted)
        assert re.search(r"image: \$\{\w+:\?\}", rights), f"{name}: no image is chosen for the plant"
    assert re.findall(r"^ +(\w*(?:PASSWORD|TOKEN)\w*): ", COMPOSE, re.MULTILINE) == ["GF_SECURITY_ADMIN_PASSWORD__FILE"]
    assert "privileged" not in COMPOSE


def test_only_the_station_has_what_real_time_needs() -> None:
    station = services()["station"]
    assert "cap_add: [SYS_NICE, NET_BIND_SERVICE]" in station
    assert "rtprio: 2" in station
    assert "/dev/cpu_dma_latency" in station
    assert [name for name, text in services().items() if "cap_add" in text or "devices:" in text] == ["station"]


def test_each_process_beside_it_is_started_as_the_command_line_has_it() -> None:
    for name in BESIDE:
        assert f"command: [{name}, --config, /etc/inspection-station/line.toml" in services()[name]
