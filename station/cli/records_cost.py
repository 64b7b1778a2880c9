"""`station records cost`: what the decisions of a shift are expected to have cost."""

import json
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from station.cli.terminal import ConfigOption, DataOption, JsonOption, out, settings_of
from station.core.errors import ConfigError
from station.core.records import RecordFilter
from station.host.records import read_records

WORDS = (
    "Expected, by the recorded probabilities, not counted. Beside it what each rule alone would have cost on the same "
    "parts, before the guard, with any number of reviews."
)


def records_cost(
    since: Annotated[str | None, typer.Option(help="Entered then or later, as 2026-05-01T06:00 (UTC).")] = None,
    until: Annotated[str | None, typer.Option(help="Entered before then.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """What the decisions of each shift are expected to have cost, by decision.prices."""
    from station.offline.money import Bookkeeper

    settings = settings_of(config, "simulate.toml")
    prices = settings.decision.prices
    if prices is None:
        raise ConfigError("config.bad_option", "decision.prices is not given: escape, overkill and review")
    chosen = RecordFilter.parse(since, until, (), None)
    book = Bookkeeper(settings.table, prices.value, settings.plant.calendar)
    accounts = book.accounts(read_records(settings, data).judged(chosen))
    if as_json:
        print(json.dumps({shift: account.as_json() for shift, account in accounts.items()}, indent=2))
        return
    rules = sorted({rule for account in accounts.values() for rule in account.by_rule})
    heads = ("shift", "parts", "passed", "rejected", "review", "escapes", "overkill", f"cost {prices.currency}".strip())
    table = Table(*heads, *rules, box=None)
    for shift, one in accounts.items():
        counts = (one.parts, one.passed, one.rejected, one.reviewed)
        money = (f"{one.escapes:.3f}", f"{one.overkill:.3f}", f"{one.money:.2f}")
        alone = (f"{one.by_rule[rule]:.2f}" if rule in one.by_rule else "" for rule in rules)
        table.add_row(*map(escape, (shift, *map(str, counts), *money, *alone)))
    out.print(table)
    out.print(WORDS, highlight=False)
