"""The picture of a workflow: readable XML whatever is written in it, boxes that do not overlap, lines that go round them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given

from baton.pipelines.definitions import Definition
from baton.pipelines.outline import outline
from baton.pipelines.picture import draw
from baton.pipelines.picture_layout import BOX_HEIGHT, BOX_WIDTH, lay_out
from tests.designs import definitions, purchase

SVG = "{http://www.w3.org/2000/svg}"


def texts(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def test_a_picture_shows_steps_roles_ways_and_what_is_special() -> None:
    root = ET.fromstring(draw(purchase()))
    shown = texts(root) + [title.tail or "" for title in root.iter(f"{SVG}title")]
    for text in ("Purchase", "Triage", "Budget Manager", "2 approvals \u00b7 \u2191 Admin", "Send back (coordinator)"):
        assert text in shown
    assert root.find(f"{SVG}title").text == "Purchase"  # type: ignore[union-attr]
    words = root.find(f"{SVG}desc").text  # type: ignore[union-attr]
    assert words is not None and "3. Order, role Asset Manager: Done leads to the end." in words
    assert root.get("role") == "img" and root.get("aria-labelledby") == "title desc"
    assert "prefers-color-scheme:dark" in draw(purchase())


def test_the_step_where_a_ticket_is_now_is_marked_by_its_shape_and_in_words() -> None:
    root = ET.fromstring(draw(purchase(), current="Approve"))
    marked = [group for group in root.iter(f"{SVG}g") if "now" in (group.get("class") or "").split()]
    assert [group.find(f"{SVG}title").text.split(" (")[0] for group in marked] == ["Approve"]  # type: ignore[union-attr]
    assert len(marked[0].findall(f"{SVG}rect")) == 2
    assert "now" in [text.text for text in marked[0].iter(f"{SVG}text")]
    assert "The ticket is at Approve now." in (root.find(f"{SVG}desc").text or "")  # type: ignore[union-attr]
    assert draw(purchase(), current="No such step") == draw(purchase())


@pytest.mark.parametrize(
    "name",
    ["<script>1</script>", "]]>", "&amp;&#0;", "a\x00b\x1f\ufffe", "\u202eevil", "</svg>", '"onload="x', "漢" * 200, "\ud800"],
)
def test_hostile_names_stay_text(name: str) -> None:
    definition = purchase(steps=[{"name": "A", "role": "R", "action": "Go"}])
    step = definition.steps[0]
    hostile = Definition(
        name=name,
        rules=(),
        description=name,
        steps=(type(step)(name=name, role=name, escalation_role=name, instructions=name, transitions=step.transitions),),
    )
    root = ET.fromstring(draw(hostile).encode())
    allowed = {"svg", "title", "desc", "style", "text", "g", "path", "polygon", "rect", "circle"}
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= allowed
    assert not [key for element in root.iter() for key in element.attrib if key.startswith("on") or "href" in key]
    assert len(root.findall(f".//{SVG}rect")) == 1


@given(definitions)
def test_any_definition_can_be_drawn_and_outlined(definition: Definition) -> None:
    root = ET.fromstring(draw(definition).encode())
    assert len(root.findall(f".//{SVG}rect")) == len(definition.steps)
    assert not any("\n" in line or "\x1b" in line for line in outline(definition))


@given(definitions)
def test_boxes_keep_apart_and_everything_lies_within_the_picture(definition: Definition) -> None:
    layout = lay_out(definition)
    boxes = [(box.x - BOX_WIDTH // 2, box.y) for box in layout.boxes]
    for index, (x, y) in enumerate(boxes):
        assert 0 <= x <= layout.width - BOX_WIDTH and 0 <= y <= layout.height - BOX_HEIGHT
        for other_x, other_y in boxes[:index]:
            assert abs(x - other_x) >= BOX_WIDTH or abs(y - other_y) >= BOX_HEIGHT
    for line in layout.lines:
        assert all(0 <= x <= layout.width and 0 <= y <= layout.height for x, y in line.points)


@given(definitions)
def test_lines_run_along_the_axes_and_through_no_box(definition: Definition) -> None:
    layout = lay_out(definition)
    for line in layout.lines:
        for (ax, ay), (bx, by) in zip(line.points, line.points[1:], strict=False):
            assert ax == bx or ay == by
            for box in layout.boxes:
                left, right = box.x - BOX_WIDTH // 2, box.x + BOX_WIDTH // 2
                across = max(ax, bx) > left and min(ax, bx) < right
                assert not (across and max(ay, by) > box.y and min(ay, by) < box.y + BOX_HEIGHT)


def test_the_outline_marks_the_way_ahead_and_back() -> None:
    lines = list(outline(purchase()))
    assert "\u25b6 1 Triage  [Admin]" in lines
    assert "    \u251c\u2500 Send back \u25c0\u2500 1 Triage  (coordinator)" in lines
    assert lines[-1] == "    \u2514\u2500 Done \u2500\u25b6 \u25a0 end"
