"""
Bar charts of a report, in SVG: one group of bars for each label, one colour for each series.

A picture stands by itself and within a page that allows no styles: colours are attributes, lines and words have the colour of the
text around them, and the bars colours that can be told apart on light and on dark ground, and without seeing colours by their
order. Title and description say in words what is drawn. Every text is escaped, and nothing is fetched or run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

#: Bars' colours, in the order of the series.
_COLOURS = ("#2f8f5b", "#c8503c", "#b7791f", "#4078c0", "#8a63d2", "#7a7f87")
_LEFT, _TOP, _HEIGHT, _BOTTOM, _RIGHT = 84, 76, 260, 112, 24
_NARROWEST, _WIDEST = 6, 56
_WIDTH = 960
#: Labels that are written below the bars; of more, only some are, so that they do not overlap.
_MOST_LABELS = 16
_LONGEST_LABEL = 18
#: Values that the description tells.
_TOLD = 60
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Series:
    """One value for each label, None where there is none; not negative."""

    name: str
    values: Sequence[float | None]


def draw_bars(
    title: str, labels: Sequence[str], series: Sequence[Series], unit: str = "", *, name: str = "chart", width: int = _WIDTH
) -> str:
    """
    Return the SVG document of a bar chart, this wide in pixels unless it takes more.

    `name` sets its ids apart from those of others on the same page.
    """
    most = max((value for each in series for value in each.values if value is not None), default=0)
    top = _round_up(most)
    slot = max(_NARROWEST * len(series) + 2, (width - _LEFT - _RIGHT) / max(1, len(labels)))
    width = round(_LEFT + slot * max(1, len(labels)) + _RIGHT)
    height = _TOP + _HEIGHT + _BOTTOM
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"',
            f' role="img" aria-labelledby="{name}-title {name}-desc" font-family="system-ui, sans-serif" font-size="12"',
            ' fill="currentColor">',
            f'<title id="{name}-title">{_text(title)}</title>',
            f'<desc id="{name}-desc">{_text(describe(labels, series, unit))}</desc>',
            f'<text x="{_LEFT}" y="26" font-size="16" font-weight="600">{_text(title)}</text>',
            *_legend(series),
            *_grid(top, width, unit),
            *_bars(labels, series, top, slot, unit),
            *_labels(labels, slot),
            "</svg>",
        )
    )


def describe(labels: Sequence[str], series: Sequence[Series], unit: str = "") -> str:
    """Return a chart's values in words; of many, the first ones."""
    if not labels:
        return "There is nothing in this range."
    words = f" {unit}" if unit else ""
    told = [
        f"{label}: " + ", ".join(f"{each.name} {number(each.values[place])}{words}" for each in series)
        for place, label in enumerate(labels[:_TOLD])
    ]
    rest = f"; and {len(labels) - _TOLD} more" if len(labels) > _TOLD else ""
    return "; ".join(told) + rest + "."


def number(value: float | None) -> str:
    """Return a value as it is written in a chart."""
    return "none" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")


def _legend(series: Sequence[Series]) -> Iterator[str]:
    x = _LEFT
    for place, each in enumerate(series):
        yield f'<rect x="{x}" y="40" width="12" height="12" rx="2" fill="{_COLOURS[place % len(_COLOURS)]}"/>'
        yield f'<text x="{x + 18}" y="50">{_text(each.name)}</text>'
        x += 40 + 8 * len(each.name)


def _grid(top: float, width: int, unit: str) -> Iterator[str]:
    for step in range(5):
        y = _TOP + _HEIGHT - _HEIGHT * step / 4
        yield (
            f'<line x1="{_LEFT}" y1="{y:g}" x2="{width - _RIGHT}" y2="{y:g}" stroke="currentColor"'
            f' stroke-opacity="{0.5 if step == 0 else 0.15}"/>'
        )
        yield f'<text x="{_LEFT - 8}" y="{y + 4:g}" text-anchor="end" fill-opacity="0.75">{number(top * step / 4)}</text>'
    if unit:
        yield f'<text x="{_LEFT - 8}" y="{_TOP - 12}" text-anchor="end" fill-opacity="0.75">{_text(unit)}</text>'


def _bars(labels: Sequence[str], series: Sequence[Series], top: float, slot: float, unit: str) -> Iterator[str]:
    bar = min(_WIDEST, (slot - 2) / max(1, len(series)))
    for place, label in enumerate(labels):
        first = _LEFT + slot * place + (slot - bar * len(series)) / 2
        for index, each in enumerate(series):
            value = each.values[place]
            if value is None:
                continue
            tall = _HEIGHT * value / top
            said = f"{label}, {each.name}: {number(value)} {unit}".strip()
            yield (
                f'<rect x="{first + bar * index:.2f}" y="{_TOP + _HEIGHT - tall:.2f}" width="{max(1.0, bar - 1):.2f}"'
                f' height="{tall:.2f}" fill="{_COLOURS[index % len(_COLOURS)]}"><title>{_text(said)}</title></rect>'
            )


def _labels(labels: Sequence[str], slot: float) -> Iterator[str]:
    every = -(-len(labels) // _MOST_LABELS) if labels else 1
    for place in range(0, len(labels), every):
        x, y = _LEFT + slot * (place + 0.5), _TOP + _HEIGHT + 16
        text = labels[place]
        short = text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"
        turn = quoteattr(f"rotate(-35 {x:.2f} {y})")
        yield f'<text x="{x:.2f}" y="{y}" text-anchor="end" font-size="11" transform={turn}>{_text(short)}</text>'


def _round_up(most: float) -> float:
    """Return the top of the scale: at least 4, and a number whose quarters are round ones."""
    top = 4.0
    while top < most:
        for factor in (1, 2, 3, 4, 5, 6, 8, 10):
            if top * factor >= most:
                return top * factor
        top *= 10
    return top


def _text(text: str) -> str:
    return escape(_UNFIT.sub("\ufffd", text))
