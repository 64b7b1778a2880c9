"""The pieces of a self-contained HTML page: head and style, sections, tables, pictures. It loads nothing."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root { --ink: #1d2733; --soft: #5b6876; --line: #d9dee4; --wash: #f4f6f8; --right: #1f6f8b; --escape: #c0392b;
  --overkill: #d68910; --review: #7d5ba6; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 32px 40px 64px; max-width: 1080px; color: var(--ink); background: #fff;
  font: 15px/1.5 "Segoe UI", "Helvetica Neue", Roboto, Arial, "DejaVu Sans", sans-serif; }
header { border-bottom: 3px solid var(--ink); padding-bottom: 14px; margin-bottom: 22px; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 19px; margin: 40px 0 8px; border-bottom: 1px solid var(--line);
  padding-bottom: 4px; } h3 { font-size: 15px; margin: 22px 0 6px; }
p, ul { margin: 6px 0 12px; max-width: 78ch; } .soft, figcaption, dt { color: var(--soft); }
.soft { font-size: 13.5px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; margin: 0; font-size: 13.5px; }
dd { margin: 0; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(4, 1fr); gap: 14px; margin: 16px 0; }
.card { border: 1px solid var(--line); border-top: 4px solid var(--right); border-radius: 3px;
  padding: 10px 14px; }
.card.bad { border-top-color: var(--escape); } .card.warn { border-top-color: var(--overkill); }
.card b { display: block; font-size: 25px; font-weight: 600; line-height: 1.25; }
.card span { font-size: 13px; }
.card small { display: block; color: var(--soft); font-size: 12.5px; line-height: 1.35; margin-top: 3px; }
table { border-collapse: collapse; font-size: 13.5px; margin: 8px 0 14px; font-variant-numeric: tabular-nums; }
th, td { white-space: nowrap; padding: 4px 12px; text-align: right; border-bottom: 1px solid var(--line); }
th { background: var(--wash); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
td.ok { background: #e3f1f5; } td.off { background: #fbe6e3; font-weight: 600; } td.zero { color: #b4bcc5; }
.charts { display: grid; grid-template-columns: 1fr 1fr; gap: 8px 22px; align-items: start; }
.charts.three { grid-template-columns: repeat(3, 1fr); }
figure { margin: 8px 0; break-inside: avoid; } figcaption { font-size: 13px; line-height: 1.4; }
figure img { display: block; max-width: 100%; border: 1px solid var(--line); }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(440px, 1fr)); gap: 12px 20px; }
.legend { font-size: 13px; }
.legend i { display: inline-block; width: 18px; height: 3px; margin: 0 6px 3px 14px; }
svg.chart { width: 100%; height: auto; display: block; } svg text { font-size: 11px; fill: var(--soft); }
svg .label { font-size: 12px; fill: var(--ink); } .grid { stroke: #e8ebef; fill: none; }
.axis { stroke: #8b97a3; fill: none; } .line { fill: none; stroke-width: 1.8; }
.dashed { stroke-dasharray: 5 4; stroke-width: 1.3; }
.band { opacity: .16; stroke: none; } .limit { stroke-width: 1; fill: none; opacity: .55; }
.cross { fill: none; stroke-width: 1.4; }
.bar { stroke: none; } .bar.c-share { fill: #dfe5ea; }
.line.c-right, .limit.c-right, .cross.c-right { stroke: var(--right); }
.dot.c-right, .band.c-right, .bar.c-right { fill: var(--right); }
.line.c-escape, .limit.c-escape, .cross.c-escape { stroke: var(--escape); }
.dot.c-escape { fill: var(--escape); }
.line.c-overkill { stroke: var(--overkill); } .dot.c-overkill { fill: var(--overkill); }
.line.c-review { stroke: var(--review); } .dot.c-review { fill: var(--review); }
.line.c-neutral, .limit.c-neutral { stroke: #7b8794; } .dot.c-neutral { fill: #4a5663; }
i.c-right { background: var(--right); } i.c-escape { background: var(--escape); }
i.c-overkill { background: var(--overkill); }
i.c-review { background: var(--review); }
@page { size: A4; margin: 14mm; }
@media print { body { padding: 0; max-width: none; font-size: 10pt; }
  table, .soft, figcaption, dl { font-size: 8.5pt; } th, td { padding: 3px 8px; } h2, h3 { break-after: avoid; }
  tr, .card, .charts > * { break-inside: avoid; }
* { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def page(title: str, *content: str) -> str:
    """A whole document."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{''.join(content)}</body></html>\n"
    )


def section(title: str, *content: str) -> str:
    """A part of the page under a heading; nothing without content."""
    return f"<section><h2>{escape(title)}</h2>{''.join(content)}</section>" if any(content) else ""


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text; of kind `soft` it is small and grey."""
    return f'<p class="{kind}">{escape(text)}</p>'


def points(texts: Iterable[str]) -> str:
    """A list of plain texts."""
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values."""
    return f"<dl>{''.join(f'<dt>{escape(name)}</dt><dd>{escape(value)}</dd>' for name, value in pairs)}</dl>"


def card(value: str, name: str, note: str, kind: str = "") -> str:
    """A figure that is to be seen first; of kind `bad` or `warn` it is marked so."""
    return (
        f'<div class="card {kind}"><b>{escape(value)}</b><span>{escape(name)}</span><small>{escape(note)}</small></div>'
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain texts; the first column is aligned to the left."""
    cells = "".join(f"<th>{escape(text)}</th>" for text in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>"


def confusion_table(classes: Sequence[str], answers: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Who is taken for whom: what is right is tinted, what is wrong is marked, zeros are pale."""
    head = "".join(f"<th>{escape(text)}</th>" for text in ("true ↓  found →", *answers, "all"))
    rows = []
    for number, (name, row) in enumerate(zip(classes, counts, strict=True)):
        kinds = ["zero" if not count else "ok" if column == number else "off" for column, count in enumerate(row)]
        cells = "".join(f'<td class="{kind}">{count:,}</td>' for kind, count in zip(kinds, row, strict=True))
        rows.append(f"<tr><td>{escape(name)}</td>{cells}<td>{sum(row):,}</td></tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def figure(content: str, caption: str) -> str:
    """A chart or a picture with a caption of plain text."""
    return f"<figure>{content}<figcaption>{escape(caption)}</figcaption></figure>"


def image(jpeg: bytes, described: str) -> str:
    """A picture inside the page."""
    return f'<img alt="{escape(described)}" src="data:image/jpeg;base64,{b64encode(jpeg).decode()}">'


def grid(content: Iterable[str], kind: str) -> str:
    """Several figures beside each other."""
    inside = "".join(content)
    return f'<div class="{kind}">{inside}</div>' if inside else ""
