"""A benchmark as a picture: accuracy against the time of an image, each network where its fastest engine puts it."""

import io

from matplotlib.figure import Figure

from models.benchmark.document import Benchmark


def draw(benchmark: Benchmark) -> bytes:
    """A PNG; those that none beats in both stand on a line."""
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    axes = figure.subplots()
    best, line = benchmark.worth_choosing(), []
    for one in benchmark.networks:
        if one.fastest is None or one.accuracy.share is None:
            continue
        accuracy, run = 100 * one.accuracy.share, one.fastest
        below, above = accuracy - 100 * one.accuracy.lower, 100 * one.accuracy.upper - accuracy
        chosen = one.network in best
        colour = "tab:blue" if chosen else "tab:grey"
        axes.errorbar(run.ms, accuracy, yerr=[[below], [above]], fmt="o", color=colour, capsize=3)
        told = f"{one.network}\n{run.engine} {run.precision}"
        axes.annotate(told, (run.ms, accuracy), textcoords="offset points", xytext=(6, 4), fontsize=7)
        line += [(run.ms, accuracy)] if chosen else []
    axes.plot(*zip(*sorted(line), strict=True), color="tab:blue", alpha=0.4) if line else None
    axes.set_xscale("log")
    axes.set_xlabel(f"ms an image of {benchmark.image[0]}x{benchmark.image[1]} px, {benchmark.computer}")
    axes.set_ylabel("judged rightly, %, with limits of 95 %")
    axes.grid(alpha=0.3, which="both")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    return content.getvalue()
