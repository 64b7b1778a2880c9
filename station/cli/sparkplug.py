"""`station sparkplug`: the station as an edge node at the plant's MQTT broker."""

import asyncio
from importlib.util import find_spec

from station.cli.terminal import ConfigOption, DataOption, out, settings_of, terminal_log, unhindered
from station.core.clock import SystemClock
from station.core.errors import PlantError
from station.core.logs import configure_logs
from station.core.settings import data_dir


def sparkplug(config: ConfigOption = None, data: DataOption = None) -> None:
    """Publish the station with this data folder at an MQTT broker, as Sparkplug B wants it, until it is told to stop.

    It needs neither a running station nor a broker that is there, and can neither hold nor end the cell.
    """
    settings = settings_of(config, "simulate.toml")
    if find_spec("aiomqtt") is None:
        how = "pip install --no-deps --require-hashes -r requirements/run.txt -r requirements/sparkplug.txt"
        raise PlantError("sparkplug.not_installed", f"aiomqtt is missing: {how}")
    from station.plant.sparkplug.serving import serve_sparkplug

    folder = data_dir(settings, data)
    with unhindered(out) as screen:
        logs = folder / "logs" / "sparkplug"
        configure_logs(settings.station.log_level, logs, terminal_log(screen), settings.records.reserve_bytes)

        def say(line: str) -> None:
            screen.print(line, highlight=False, markup=False, soft_wrap=True)

        asyncio.run(serve_sparkplug(settings, folder, SystemClock(), say))
