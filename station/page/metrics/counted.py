"""What is counted over the records, as metrics: each count only rises, and begins with the first part ever recorded."""

from collections.abc import Iterator, Mapping

from station.core.tally import BUCKETS_MS, Counts, Key
from station.page.metrics.exposition import Family, Sample


def counted(counts: Counts) -> Iterator[Family]:
    """The metrics of the records."""
    yield _counter("station_parts", "Parts by how they ended.", ("part_type", "verdict", "ended"), counts.parts)
    tried = "Golden parts and parts of studies, which station_parts, _judged and _reviews do not count."
    yield _counter("station_tried", tried, ("part_type", "kind"), counts.tried)
    yield _counter("station_judged", "Judged parts by what Algorithm 1 said.", ("part_type", "class"), counts.classes)
    yield _counter("station_reviews", "Parts sent to review, by reason.", ("part_type", "reason"), counts.reviews)
    yield _counter("station_stops", "Times that the cell left Execute.", ("state", "reason"), counts.stops)
    yield _counter("station_lines", "Lines of judged scans.", ("what",), counts.lines)
    yield _counter("station_blocks", "Blocks of judged scans.", ("what",), counts.blocks)
    yield _decisions(counts)
    models = tuple(
        ("", {"part_type": kind, "model": model, "sha256": sha256}, 1.0)
        for kind, (model, sha256) in counts.models.items()
    )
    yield Family("station_model_info", "gauge", "The network that judged last, by part type.", models)


def _counter(name: str, tells: str, labels: tuple[str, ...], counts: Mapping[Key, int]) -> Family:
    samples = tuple(("", dict(zip(labels, key, strict=True)), float(count)) for key, count in counts.items())
    return Family(f"{name}_total", "counter", tells, samples)


def _decisions(counts: Counts) -> Family:
    buckets: list[Sample] = [
        ("_bucket", {"le": f"{end_ms / 1e3:g}"}, float(count))
        for end_ms, count in zip(BUCKETS_MS, counts.within, strict=True)
    ]
    whole: list[Sample] = [
        ("_bucket", {"le": "+Inf"}, float(counts.decisions)),
        ("_sum", {}, counts.decisions_ms / 1e3),
        ("_count", {}, float(counts.decisions)),
    ]
    tells = "Seconds from the last line's exposure to the decision."
    return Family("station_decision_seconds", "histogram", tells, (*buckets, *whole))
