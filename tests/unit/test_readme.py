"""The README says what the code does: its generated chapters are fresh, its commands exist."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from station.cli import app
from station.reference import with_generated_chapters

README = Path(__file__).parents[2] / "README.md"


def test_the_generated_chapters_are_fresh() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == with_generated_chapters(text), "run: python -m station.reference README.md"


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`station ([a-z]+)", README.read_text(encoding="utf-8")))))
def test_every_command_that_the_readme_names_explains_itself(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output
