"""Where Prometheus asks, with a token of its own like any program."""

import asyncio

from starlette.responses import Response

from station.core.errors import PageError
from station.page.guard import Entry, Visit
from station.page.metrics.exposition import KIND
from station.page.roles import EVERY_ROLE


async def metrics(visit: Visit) -> Response:
    """The station's figures.

    Raises:
        PageError: `page.no_metrics`: the configuration does not permit it.
        RecordError: The records cannot be read.
    """
    meter, follower = visit.desk.meter, visit.desk.follower
    if meter is None:
        raise PageError("page.no_metrics", "page.metrics is not set")
    _number, sections = follower.after(0)
    text = await asyncio.to_thread(meter.text, sections, live=follower.live)
    return Response(text, headers={"content-type": KIND})


ENTRIES = (Entry("/metrics", "GET", EVERY_ROLE, metrics, touches=False, programs=True),)
