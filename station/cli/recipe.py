"""`station recipe`: what each part type is judged by, whether that can be used, and a new one after another."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from station.cli.terminal import UNWELL, ConfigOption, DataOption, JsonOption, err, out, settings_of
from station.core.errors import ConfigError, StationError
from station.core.settings import Settings

recipe_app = typer.Typer(
    help="List, show, check and copy recipes: what each part type is scanned and judged by.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the part type.")]


@recipe_app.command("list")
def recipe_list(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the recipes of the configuration."""
    settings = settings_of(config, "simulate.toml")
    rows = [_row(settings, name, data) for name in settings.part_types]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table("name", "code", "px", "geometry", "bundle", "rule", "least confidence", "hash", box=None)
    for row in rows:
        shown = (row["name"], row["code"], row["width_px"], row["geometry"], row["bundle"], row["rule"])
        table.add_row(*(escape(str(one)) for one in (*shown, row["min_confidence"], (row["sha256"] or "?")[:12])))
    out.print(table)


@recipe_app.command("show")
def recipe_show(
    name: NameArgument, config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """Show everything that a part type is scanned and judged by."""
    settings = settings_of(config, "simulate.toml")
    row = _row(settings, _known(settings, name), data)
    if as_json:
        print(json.dumps(row, indent=2))
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for key, value in row.items():
        table.add_row(key, escape("" if value is None else str(value)))
    out.print(table)


@recipe_app.command("check")
def recipe_check(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this part type.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Load the network of each recipe, and see whether classes, geometry and engine fit; nothing moves."""
    from station.host.recipes import make_recipes, only

    settings = settings_of(config, "simulate.toml")
    names = list(settings.part_types) if name is None else [_known(settings, name)]
    unwell = False
    for one in names:
        try:
            (recipe,) = make_recipes(only(settings, one), data).rows
        except StationError as error:
            unwell = True
            err.print(f"{one}: {error}", markup=False, soft_wrap=True, highlight=False)
        else:
            model = f"{recipe.classifier.model}, {recipe.rule.geometry}, recipe {recipe.sha256[:12]}"
            out.print(f"{one}: ok, {model}", markup=False, soft_wrap=True, highlight=False)
    if unwell:
        raise typer.Exit(UNWELL)


@recipe_app.command("copy")
def recipe_copy(
    name: NameArgument,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Name of the new part type.")],
    code: Annotated[int, typer.Option(min=1, max=65535, help="Its number on the PLC.")],
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="The configuration file; it is added to.")],
) -> None:
    """Add a part type to the configuration file, with all keys of another one."""
    from station.host.recipe_file import copy_recipe

    out.print(copy_recipe(config, name, new, code), end="", markup=False, highlight=False, soft_wrap=True)
    err.print(f"was added to {config}; change there what differs, then: station recipe check {new} --config {config}")


def _known(settings: Settings, name: str) -> str:
    if name not in settings.part_types:
        raise ConfigError(
            "config.bad_option", f"there is no part type {name}; configured are {', '.join(settings.part_types)}"
        )
    return name


def _row(settings: Settings, name: str, data: Path | None) -> dict[str, Any]:
    from station.host.recipes import describe_recipe

    return describe_recipe(settings, name, data)
