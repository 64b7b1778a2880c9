"""The pages say what the code does: their generated chapters are fresh, their commands exist as they are given."""

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
from station.upkeep.reference import with_generated_chapters

README = Path(__file__).parents[2] / "README.md"
MODELS = README.parent / "models" / "README.md"
PLC = README.parent / "config" / "registers" / "README.md"


def commands() -> Iterator[str]:
    """Every command line of `station` in the blocks of shell of both pages, continued lines joined."""
    for page in (README, MODELS):
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("station "):
                    yield " ".join(line.split())


@pytest.mark.parametrize("page", [README, PLC], ids=["README", "PLC"])
def test_the_generated_chapters_are_fresh(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    command = "python -m station.upkeep.reference README.md config/registers/README.md"
    assert text == with_generated_chapters(text), f"run: {command}"


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


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`station ([a-z]+)", README.read_text(encoding="utf-8")))))
def test_every_command_that_the_readme_names_explains_itself(command: str) -> None:
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
