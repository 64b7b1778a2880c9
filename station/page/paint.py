"""The page's HTML: Jinja's templates, in the language that the browser asks for first among those there are."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from station.page.guard import Visit
from station.page.local import PlantTime
from station.page.statics import assets_of, modules_of
from station.page.words import translations


@cache
def _environment(language: str) -> Environment:
    made = Environment(
        loader=PackageLoader("station.page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    return made


def painted(visit: Visit, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of HTML.

    Args:
        visit: For whom.
        template: Which, without `.html`.
        status: Of the answer.
        values: What the template shows.
    """
    language = visit.language
    table = visit.desk.table
    classes = [[verdict.name, verdict.label] for verdict in table.verdicts]
    plant = visit.desk.settings.plant
    known = {
        "station": visit.desk.name, "person": visit.person, "table": table, "classes": classes, "language": language,
        "assets": assets_of(table), "modules": modules_of,
        "zone": plant.time_zone, "local": PlantTime(plant.zone).told,
    }  # fmt: skip
    page = _environment(language).get_template(f"{template}.html")
    return HTMLResponse(page.render({**known, **values}), status)
