"""The README says what the code does: its generated chapters are fresh, its commands exist as they are given."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from station.cli import app
from station.reference import with_generated_chapters

README = Path(__file__).parents[2] / "README.md"
MODELS = README.parent / "models" / "README.md"


def commands() -> Iterator[str]:
    """Every command line of `station` in the blocks of shell of both pages, continued lines joined."""
    for page in (README, MODELS):
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("station "):
                    yield " ".join(line.split())


def test_the_generated_chapters_are_fresh() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == with_generated_chapters(text), "run: python -m station.reference README.md"


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
