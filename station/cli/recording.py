"""`station record`: run the cell, and keep what it scans as a recording."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from station.cli.terminal import UNWELL, DataOption, err, out, refuse_auto_reset, terminal_log, unhindered
from station.core.logs import configure_logs
from station.core.priority import precedence
from station.core.settings import Settings, data_dir, load_settings


def record(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the recording goes; a new or empty folder.")],
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="The configuration file.")],
    parts: Annotated[int, typer.Option(min=1, max=99_999, help="After so many complete scans the cell is stopped.")],
    data: DataOption = None,
    auto_reset: Annotated[
        bool, typer.Option("--auto-reset", help="Reset and Start without an operator; refused outside simulation.")
    ] = False,
) -> None:
    """Run the cell as `station run` does, and keep its complete scans as a recording.

    The parts are inspected and sorted as always. The recording is PNG files and a recording.jsonl with part ids and
    types; `station --simulate --recordings DIR` replays it. What a surface really is, nobody knows yet: write the class
    into `label` where you do. Exit status 1 if the cell was stopped before all scans were there.
    """
    settings = load_settings(config)
    refuse_auto_reset(settings, config, auto_reset=auto_reset)
    data_folder = data_dir(settings, data)
    with unhindered(out) as screen, precedence():
        reserve = settings.records.reserve_bytes
        configure_logs(settings.station.log_level, data_folder / "logs", terminal_log(screen), reserve)
        written = asyncio.run(_record(settings, data_folder, folder, parts, screen, auto_reset=auto_reset))
    said = f"{written} of {parts} scans recorded in {folder}"
    if written < parts:
        err.print(escape(f"{said}: the cell was stopped before"), soft_wrap=True)
        raise typer.Exit(UNWELL)
    out.print(escape(f"{said}; replay them: station --simulate --recordings {folder}"), soft_wrap=True, highlight=False)


async def _record(
    settings: Settings, data: Path, folder: Path, parts: int, screen: Console, *, auto_reset: bool
) -> int:
    from station.core.events import ScanJudged
    from station.core.watchers import Watchers
    from station.host.recorder import ScanRecorder
    from station.host.service import serve
    from station.view.live import CellView

    recorder = ScanRecorder(folder, parts, settings.records.reserve_bytes)
    with CellView(screen, settings.table) as view:
        watchers = Watchers()
        watchers.add(view.watch)
        watchers.add(recorder.watch, ScanJudged)
        try:
            await serve(settings, data, watchers, auto_reset=auto_reset, until=recorder.enough)
        finally:
            recorder.close()
    return recorder.written
