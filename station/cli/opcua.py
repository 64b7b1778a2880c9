"""`station opcua`: the station as an OPC UA server."""

import asyncio
from importlib.util import find_spec

from station.cli.terminal import ConfigOption, DataOption, out, settings_of, terminal_log, unhindered
from station.core.clock import SystemClock
from station.core.errors import PlantError
from station.core.logs import configure_logs
from station.core.settings import data_dir


def opcua(config: ConfigOption = None, data: DataOption = None) -> None:
    """Serve the station with this data folder over OPC UA, until it is told to stop.

    It needs no running station, hears one as soon as it runs, and can neither hold nor end it.
    """
    settings = settings_of(config, "simulate.toml")
    if missing := [name for name in ("argon2", "asyncua") if find_spec(name) is None]:
        how = "pip install --no-deps --require-hashes -r requirements/run.txt -r requirements/opcua.txt"
        raise PlantError("opcua.not_installed", f"{', '.join(missing)} is missing: {how}")
    from station.plant.opcua.serving import serve_opcua

    folder = data_dir(settings, data)
    with unhindered(out) as screen:
        logs = folder / "logs" / "opcua"
        configure_logs(settings.station.log_level, logs, terminal_log(screen), settings.records.reserve_bytes)

        def say(line: str) -> None:
            screen.print(line, highlight=False, markup=False, soft_wrap=True)

        asyncio.run(serve_opcua(settings, folder, SystemClock(), say))
