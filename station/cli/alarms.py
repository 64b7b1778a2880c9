"""`station alarms`: what needs a person's action, seen and acknowledged; and why the cell stopped."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from station.cli.terminal import ConfigOption, DataOption, JsonOption, err, out, settings_of
from station.core.errors import ControlError
from station.core.ports.records import RecordReader
from station.core.records import JsonObject
from station.core.settings import data_dir
from station.host.records import read_records

alarms_app = typer.Typer(
    help="List and acknowledge alarms; list why the cell stopped.", no_args_is_help=True, rich_markup_mode=None
)

LimitOption = Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")]


def _folder(config: Path | None, data: Path | None) -> Path:
    return data or data_dir(settings_of(config, "simulate.toml"))


def _reader(config: Path | None, data: Path | None) -> RecordReader:
    return read_records(settings_of(config, "simulate.toml"), data)


@alarms_app.command("list")
def alarms_list(
    history: Annotated[
        bool, typer.Option("--history", help="All that there ever were, not only those listed.")
    ] = False,
    limit: LimitOption = 50,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the alarms that are active, or over and not acknowledged: of the running station, or as it left them."""
    reader = _reader(config, data)
    rows = reader.alarm_history(limit) if history else _listed(_folder(config, data), reader)[:limit]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    if not rows:
        out.print("no alarms")
        return
    table = Table("raised", "alarm", "", "times", "last", "what to do", box=None)
    for row in rows:
        what = f"{row['text']} ({row['detail']})" if row["detail"] else row["text"]
        table.add_row(
            *map(escape, (row["raised_at"], row["code"], _state(row), str(row["count"]), row["last_at"], what))
        )
    out.print(table)


@alarms_app.command("ack")
def alarms_ack(
    code: Annotated[str, typer.Argument(help="The alarm's code, for example camera.lost; or all.")] = "all",
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Acknowledge one alarm, or all of them, at the running station: you have seen it. It goes when it is over too."""
    from station.host.control import ask

    answer = asyncio.run(ask(_folder(config, data), f"ack {code}"))
    if answer["refused"]:
        err.print(escape(answer["refused"]), highlight=False, soft_wrap=True)
        raise typer.Exit(1)
    left = len(answer["alarms"])
    out.print(f"acknowledged; {left or 'no'} {'alarm is' if left == 1 else 'alarms are'} left on the list")


@alarms_app.command("stops")
def alarms_stops(
    limit: LimitOption = 50,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every time that the cell left Execute, and why."""
    rows = _reader(config, data).stops(limit)
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table("at", "state", "reason", "", box=None)
    for row in rows:
        what = f"{row['text']} ({row['detail']})" if row["detail"] else row["text"]
        table.add_row(*map(escape, (row["at"], row["state"], row["reason"] or "complete", what)))
    out.print(table)


def _listed(folder: Path, reader: RecordReader) -> list[JsonObject]:
    """What the running station says, or what is written where none runs."""
    from station.host.control import ask

    try:
        answer = asyncio.run(ask(folder, "alarms"))
    except ControlError as error:
        if error.code != "control.no_station":
            raise
        return reader.alarms()
    return list(answer["alarms"])


def _state(row: JsonObject) -> str:
    seen = f"acknowledged by {row['acknowledged_by']}" if row["acknowledged"] else "not acknowledged"
    return f"{'active' if row['active'] else 'over'}, {seen}"
