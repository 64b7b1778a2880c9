"""The pages say what the code does.

Their generated chapters are fresh, their commands exist as they are given, their links lead somewhere, and the files
that they name are there.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from station.cell.packml import COMMANDS, Command, State
from station.cli.app import app
from station.core.errors import FAULTS
from station.core.settings import PlcSettings
from station.core.table import default_geometry
from station.offline.upkeep.reference import with_generated_chapters

ROOT = Path(__file__).parents[2]
PACKAGES = ("config", "drivers", "models", "sim", "station")
README = ROOT / "README.md"
PLC = ROOT / "config" / "registers" / "README.md"
PAGES = {
    str(page.relative_to(ROOT)): page
    for page in (README, *(page for package in PACKAGES for page in sorted((ROOT / package).rglob("*.md"))))
}
GENERATED = {
    "config/registers/README.md": "plc-registers", "config/registers/maps.md": "device-registers",
    "station/core/faults.md": "faults",
}  # fmt: skip
LARGEST_README_BYTES = 28_000
NUMBERS = {2: "two", 8: "eight"}


def commands() -> Iterator[str]:
    """Every command line of `station` in the blocks of shell of all pages, without the file that it writes to."""
    for page in PAGES.values():
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("station "):
                    yield " ".join(line.partition(" > ")[0].split())


def anchors(page: Path) -> set[str]:
    """What a link may name in a page: its headings, as GitHub makes anchors of them."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    found: list[str] = []
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        anchor = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        found.append(f"{anchor}-{found.count(anchor)}" if anchor in found else anchor)
    return set(found)


def links(page: Path) -> Iterator[str]:
    """Where the links and pictures of a page lead, but to other hosts."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    yield from (link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link)


@pytest.mark.parametrize("name", PAGES)
def test_the_generated_chapters_are_fresh(name: str) -> None:
    text = PAGES[name].read_text(encoding="utf-8")
    assert text == with_generated_chapters(text), "run: make pages"
    assert re.findall(r"^<!-- ([a-z-]+) -->$", text, re.MULTILINE) == ([GENERATED[name]] if name in GENERATED else [])


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(name: str) -> None:
    page = PAGES[name]
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached, ahead = set(), [README]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links(page) if ".md" in link}
        ahead.extend(targets - reached)
    cards = {page for page in PAGES.values() if page.name == "card.md"}
    assert set(PAGES.values()) - cards <= reached


@pytest.mark.parametrize("name", PAGES)
def test_every_file_of_the_project_that_a_page_names_is_there(name: str) -> None:
    text = PAGES[name].read_text(encoding="utf-8")
    named = re.findall(r"`((?:config|drivers|models|requirements|sim|station|tests)/[\w./-]+)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_readme_stays_what_one_reads_first() -> None:
    assert README.stat().st_size < LARGEST_README_BYTES


def test_the_glossary_is_in_order_and_gives_the_figures_of_the_default_geometry() -> None:
    glossary = README.read_text(encoding="utf-8").split("## Glossary")[1].split("## Licence")[0]
    meaning = dict(re.findall(r"^\| ([a-z ]+) \| (.+) \|$", glossary, re.MULTILINE)[1:])
    assert list(meaning) == sorted(meaning)
    geometry = default_geometry().value()
    rows, columns = geometry.strip_shape
    assert meaning["block"].startswith(f"{geometry.lines_per_block} lines as the camera delivers them; ")
    assert NUMBERS[geometry.blocks_per_turn] in meaning["block"]
    assert f"{geometry.lines_per_turn} are a turn" in meaning["line"]
    assert meaning["patch"].startswith(f"{geometry.patch_px} \N{MULTIPLICATION SIGN} {geometry.patch_px} pixels")
    assert (
        f"{rows} \N{MULTIPLICATION SIGN} {columns}: {NUMBERS[geometry.patches_per_strip]} patches" in meaning["strip"]
    )


def test_the_page_for_the_plcs_program_names_the_fault_numbers_and_defaults_that_are_so() -> None:
    text = PLC.read_text(encoding="utf-8")
    plc = PlcSettings.model_validate({"link": {"kind": "tcp"}})
    assert f"`plc.link.request_timeout_s` ({plc.link.request_timeout_s:g} s)" in text
    assert f"`plc.link.poll_s` ({1000 * plc.link.poll_s:g} ms)" in text
    assert f"`plc.heartbeat_s` ({plc.heartbeat_s:g} s)" in text
    assert f"`plc.stale_after_s` ({plc.stale_after_s:g} s)" in text
    assert f"`plc.result_timeout_s` ({plc.result_timeout_s:g} s)" in text
    assert f"`plc.starved_after_s` ({plc.starved_after_s:g} s)" in text
    assert f"`plc.idle_timeout_s` ({plc.idle_timeout_s:g} s)" in text
    assert f"`plc.connections_per_address` ({plc.connections_per_address})" in text
    assert f"`plc.requests_per_s` ({plc.requests_per_s:g})" in text
    assert f"`plc.result_not_taken` ({FAULTS['plc.result_not_taken'].number})" in text
    assert set(re.findall(r"`((?:plc|part)\.[a-z_]+)`", text)) - set(FAULTS) <= {
        f"plc.{key}" for key in PlcSettings.model_fields
    }


@pytest.mark.parametrize("command", Command)
def test_the_page_for_the_plcs_program_says_in_which_states_each_command_is_accepted(command: Command) -> None:
    row = re.search(rf"^\| {command.value} ([a-z]+) \| (.*?) \|", PLC.read_text(encoding="utf-8"), re.MULTILINE)
    assert row is not None
    numbers = {int(number) for number in re.findall(r"\d+", row[2])}
    states = set(map(int, State)) - numbers if row[2].startswith("all but") else numbers
    assert (row[1], states) == (command.name.lower(), set(map(int, COMMANDS[command])))


@pytest.mark.parametrize(
    "command",
    sorted({name for page in PAGES.values() for name in re.findall(r"`station ([a-z]+)", page.read_text("utf-8"))}),
)
def test_every_command_that_the_pages_name_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_every_command_line_of_the_pages_has_only_options_and_arguments_that_exist(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    command = typer.main.get_command(app)
    context = command.make_context("station", [*words], resilient_parsing=False)
    while not context.invoked_subcommand and isinstance(command, typer.core.TyperGroup) and context._protected_args:
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
        context = command.make_context(name, rest, parent=context)
