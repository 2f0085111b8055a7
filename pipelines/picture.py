"""
The picture of a workflow: a graph in SVG, drawn from a definition alone.

1. Steps stand in layers from top to bottom, so that ways lead down; ways back and ways that skip a layer run in lanes beside.
2. A box shows the step's name, its role, and what is special about it; what is too long is cut, and shown in full on hovering.
   The step where a ticket is now, if one is named, has a second frame and a flag that says "now".
3. Colours follow the reader's light or dark scheme. Every text is escaped, and nothing in the picture is fetched or run.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from baton.pipelines.definitions import Definition, StepDefinition
from baton.pipelines.picture_layout import BOX_HEIGHT, BOX_WIDTH, END_RADIUS, Box, Layout, Line, lay_out
from baton.pipelines.workflow_graph import END

#: Characters that XML 1.0 cannot hold, and those that would turn the direction of what follows them.
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]")
#: Widths that fit, in columns: a wide character takes two.
_NAME_COLUMNS, _ROLE_COLUMNS, _LABEL_COLUMNS, _TITLE_COLUMNS = 23, 32, 22, 40

_STYLE = """
svg{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;background:#fff}
.box{fill:#f6f8fa;stroke:#57606a;stroke-width:1.5}
.first .box{stroke:#0969da;stroke-width:2.5}
.lost .box{stroke:#cf222e;stroke-dasharray:6 4}
.now .frame{fill:none;stroke:#0a5d2c;stroke-width:3}
.flag{fill:#0a5d2c}
.said{font-size:12px;font-weight:700;fill:#fff}
.name{font-size:15px;font-weight:600;fill:#1f2328}
.role,.note{font-size:12px;fill:#57606a}
.label{font-size:12px;fill:#1f2328}
.halo{font-size:12px;fill:#fff;stroke:#fff;stroke-width:5px;stroke-linejoin:round}
.head{font-size:17px;font-weight:600;fill:#1f2328}
.way{fill:none;stroke:#57606a;stroke-width:1.5}
.back .way{stroke:#9a6700;stroke-dasharray:5 3}
.tip{fill:#57606a}
.back .tip{fill:#9a6700}
.end{fill:none;stroke:#57606a;stroke-width:1.5}
.dot{fill:#57606a}
@media (prefers-color-scheme:dark){
svg{background:#0d1117}
.box{fill:#161b22;stroke:#8b949e}
.first .box{stroke:#58a6ff}
.lost .box{stroke:#ff7b72}
.now .frame{stroke:#56d364}
.flag{fill:#56d364}
.said{fill:#0d1117}
.name,.label,.head{fill:#e6edf3}
.halo{fill:#0d1117;stroke:#0d1117}
.role,.note{fill:#9da7b3}
.way,.end{stroke:#8b949e}
.tip,.dot{fill:#8b949e}
.back .way{stroke:#d29922}
.back .tip{fill:#d29922}
}
"""


def draw(definition: Definition, *, heading: str = "", current: str | None = None) -> str:
    """
    Return the SVG document that shows a definition; `heading` stands above it, the workflow's name if empty.

    `current` names the step where a ticket is now; a name that no step bears marks nothing.
    """
    layout = lay_out(definition)
    title = heading or definition.name
    width, height = layout.width, layout.height
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
            ' role="img" aria-labelledby="title desc">',
            f'<title id="title">{_text(title)}</title><desc id="desc">{_text(describe(definition, current))}</desc>',
            f"<style>{_STYLE}</style>",
            f'<text class="head" x="24" y="34">{_text(_cut(title, _TITLE_COLUMNS))}</text>',
            *(_line(line) for line in layout.lines),
            *(_box(box, definition.steps[box.step], layout, current) for box in layout.boxes),
            _end(layout),
            *(_label(line, definition) for line in layout.lines),
            "</svg>",
        )
    )


def describe(definition: Definition, current: str | None = None) -> str:
    """Return the graph in words, for those who cannot see it."""
    return " ".join(_sentences(definition, current))


def _sentences(definition: Definition, current: str | None) -> Iterator[str]:
    yield f"A workflow of {len(definition.steps)} {'step' if len(definition.steps) == 1 else 'steps'}."
    for number, step in enumerate(definition.steps, start=1):
        ways = "; ".join(f"{way.name} leads to {way.to or 'the end'}" for way in step.transitions)
        yield f"{number}. {step.name}, role {step.role}: {ways or 'no way out'}."
    if any(step.name == current for step in definition.steps):
        yield f"The ticket is at {current} now."


def _box(box: Box, step: StepDefinition, layout: Layout, current: str | None) -> str:
    is_now = step.name == current
    marks = {" first": box.step == 0, " lost": box.step in layout.lost, " now": is_now}
    kind = "step" + "".join(mark for mark, holds in marks.items() if holds)
    middle, top = box.x, box.y
    notes = _notes(step, lost=box.step in layout.lost)
    full = f"{step.name} ({step.role})" + (f"\n{step.instructions}" if step.instructions else "")
    lines = (("name", step.name, _NAME_COLUMNS), ("role", step.role, _ROLE_COLUMNS), ("note", notes, _ROLE_COLUMNS))
    texts = "".join(
        f'<text class="{name}" x="{middle}" y="{top + 26 + 19 * row}" text-anchor="middle">{_text(_cut(text, columns))}</text>'
        for row, (name, text, columns) in enumerate(lines)
        if text
    )
    flag = _flag(box) if is_now else ""
    return (
        f"<g class={quoteattr(kind)}><title>{_text(full)}</title>"
        f'<rect class="box" x="{middle - BOX_WIDTH // 2}" y="{top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/>'
        f"{texts}{flag}</g>"
    )


def _flag(box: Box) -> str:
    """Return what marks the step where the ticket is, by its shape and in words: colour alone would not do."""
    left, top = box.x - BOX_WIDTH // 2, box.y
    # At the corner, where no line arrives: lines keep to the middle of an edge.
    return (
        f'<rect class="frame" x="{left - 5}" y="{top - 5}" width="{BOX_WIDTH + 10}" height="{BOX_HEIGHT + 10}" rx="12"/>'
        f'<path class="flag" d="M{left - 6} {top - 15}h42l8 10l-8 10h-42z"/>'
        f'<text class="said" x="{left + 18}" y="{top - 1}" text-anchor="middle">now</text>'
    )


def _notes(step: StepDefinition, *, lost: bool) -> str:
    notes = ["not reached"] if lost else []
    if step.approvals_needed:
        notes.append(f"{step.approvals_needed} approval{'s' if step.approvals_needed != 1 else ''}")
    if step.sla_share is not None:
        notes.append(f"{step.sla_share:.0%} of time")
    if step.escalation_role:
        notes.append(f"\u2191 {step.escalation_role}")
    return " \u00b7 ".join(notes)


def _end(layout: Layout) -> str:
    x, y = layout.end
    return (
        f'<g><title>The end</title><circle class="end" cx="{x}" cy="{y + END_RADIUS}" r="{END_RADIUS}"/>'
        f'<circle class="dot" cx="{x}" cy="{y + END_RADIUS}" r="{END_RADIUS - 5}"/></g>'
    )


def _line(line: Line) -> str:
    x, y = line.points[-1]
    before = line.points[-2]
    if before[0] == x:
        tip = f"{x},{y} {x - 5},{y - 9} {x + 5},{y - 9}"
    else:
        side = -9 if before[0] < x else 9
        tip = f"{x},{y} {x + side},{y - 5} {x + side},{y + 5}"
    kind = "back" if line.is_back else "ahead"
    return f'<g class="{kind}"><path class="way" d="{_path(line)}"/><polygon class="tip" points="{tip}"/></g>'


def _path(line: Line) -> str:
    """Return the path with rounded corners, ending just before the arrow's tip."""
    points = list(line.points)
    parts = [f"M{points[0][0]} {points[0][1]}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        (ax, ay), (bx, by) = _towards(corner, before), _towards(corner, after)
        parts.append(f"L{ax} {ay}Q{corner[0]} {corner[1]} {bx} {by}")
    x, y = _towards(points[-1], points[-2], 7)
    parts.append(f"L{x} {y}")
    return "".join(parts)


def _towards(start: tuple[int, int], goal: tuple[int, int], by: int = 8) -> tuple[int, int]:
    """Return the point at most `by` from `start` on the straight, axis-parallel line to `goal`, at most half way."""
    dx, dy = goal[0] - start[0], goal[1] - start[1]
    distance = max(abs(dx), abs(dy))
    if distance == 0:
        return start
    step = min(by, distance // 2)
    return start[0] + dx * step // distance, start[1] + dy * step // distance


def _label(line: Line, definition: Definition) -> str:
    way = definition.steps[line.source].transitions[line.way]
    x, y = line.label
    shown = _cut(way.name, _LABEL_COLUMNS) + ("" if way.who == "assignee" else f" ({_cut(way.who, 12)})")
    goal = "the end" if line.target == END else way.to or ""
    placed = f'x="{x}" y="{y}" text-anchor="{line.anchor}"'
    # The halo is a text of its own: not every viewer knows paint-order.
    return (
        f'<text class="halo" {placed} aria-hidden="true">{_text(shown)}</text><text class="label" {placed}>'
        f"<title>{_text(f'{way.name}: to {goal}, by {way.who}')}</title>{_text(shown)}</text>"
    )


def _cut(text: str, columns: int) -> str:
    """Return a text on one line that takes at most so many columns, an ellipsis for what is left out."""
    flat, used = " ".join(text.split()), 0
    for index, character in enumerate(flat):
        used += 2 if unicodedata.east_asian_width(character) in "WF" else 0 if unicodedata.combining(character) else 1
        if used > columns:
            return flat[: max(index - 1, 1)] + "\u2026"
    return flat


def _text(text: str) -> str:
    return escape(_UNFIT.sub("\ufffd", text))
