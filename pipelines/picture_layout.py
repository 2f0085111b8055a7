"""
Where the boxes and lines of a workflow's picture go, in whole pixels.

1. Layers: a step stands one layer below the lowest step that leads to it, ways back left aside; the end stands below all.
2. Within a layer, steps stand below those that lead to them, so that few lines cross.
3. A line to the next layer goes straight there. A line that skips layers takes a lane on the right of all boxes, a line back one
   on the left; lanes are shared by lines that do not meet.
"""

from __future__ import annotations

from dataclasses import dataclass

from baton.pipelines.definitions import Definition
from baton.pipelines.workflow_graph import END, Edge, Graph, graph_of

BOX_WIDTH, BOX_HEIGHT = 230, 74
END_RADIUS = 13
_GAP_X, _GAP_Y = 70, 66
_MARGIN, _HEADING = 24, 60
#: Room for the label of a line in a lane.
_LANE = 34
_LABEL_ROOM = 185
_Lanes = dict[Edge, int]


@dataclass(frozen=True, slots=True)
class Box:
    """A step's box: the middle of its upper edge."""

    step: int
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Line:
    """A way's line through its points; its label's place and how it is aligned there."""

    source: int
    target: int
    way: int
    is_back: bool
    points: tuple[tuple[int, int], ...]
    label: tuple[int, int]
    anchor: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole picture. `end` is the middle of the end's upper edge, `lost` the steps that are not reached."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    end: tuple[int, int]
    lost: frozenset[int]


def lay_out(definition: Definition) -> Layout:
    """Return where everything goes. Any definition can be drawn, one that cannot work too."""
    graph = graph_of(definition)
    back = graph.back_edges()
    layers = _layers(graph, back)
    rows = _rows(graph, layers, back)
    last = max(layers.values(), default=-1) + 1
    depth = {**layers, END: last}
    straight = [edge for edge in graph.edges if depth[edge.target] == depth[edge.source] + 1]
    aside = [edge for edge in graph.edges if depth[edge.target] != depth[edge.source] + 1]
    left = _lanes([edge for edge in aside if depth[edge.target] <= depth[edge.source]], depth)
    right = _lanes([edge for edge in aside if depth[edge.target] > depth[edge.source]], depth)
    widest = max((len(row) for row in rows), default=1)
    body = widest * BOX_WIDTH + (widest - 1) * _GAP_X
    left_room = (_LABEL_ROOM + max(left.values(), default=0) * _LANE) if left else 0
    right_room = (_LABEL_ROOM + max(right.values(), default=0) * _LANE) if right else 0
    edge_left = _MARGIN + left_room
    middle = edge_left + body // 2
    places = _places(rows, middle)
    end = (middle, _top(last))
    drawing = _Drawing(graph, places, end, edge_left, edge_left + body)
    lines = [drawing.straight(edge) for edge in straight]
    lines += [drawing.lane(edge, lane, left=True) for edge, lane in left.items()]
    lines += [drawing.lane(edge, lane, left=False) for edge, lane in right.items()]
    return Layout(
        width=max(edge_left + body + right_room + _MARGIN, 440),
        height=_top(last) + 2 * END_RADIUS + _MARGIN,
        boxes=tuple(Box(step, *places[step]) for step in range(graph.size)),
        lines=tuple(lines),
        end=end,
        lost=frozenset(range(graph.size)) - graph.reached(),
    )


def _top(layer: int) -> int:
    return _HEADING + layer * (BOX_HEIGHT + _GAP_Y)


def _layers(graph: Graph, back: frozenset[Edge]) -> dict[int, int]:
    """Return each step's layer: the length of the longest way to it."""
    ahead = [edge for edge in graph.edges if edge not in back and edge.target != END]
    waits = dict.fromkeys(range(graph.size), 0)
    for edge in ahead:
        waits[edge.target] += 1
    out: dict[int, list[int]] = {}
    for edge in ahead:
        out.setdefault(edge.source, []).append(edge.target)
    layers = dict.fromkeys(range(graph.size), 0)
    free = [step for step, count in waits.items() if count == 0]
    while free:
        step = free.pop()
        for target in out.get(step, ()):
            layers[target] = max(layers[target], layers[step] + 1)
            waits[target] -= 1
            if waits[target] == 0:
                free.append(target)
    return layers


def _rows(graph: Graph, layers: dict[int, int], back: frozenset[Edge]) -> list[list[int]]:
    """Return the steps of each layer from left to right."""
    rows: list[list[int]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for step, layer in layers.items():
        rows[layer].append(step)
    before: dict[int, list[int]] = {}
    for edge in graph.edges:
        if edge not in back:
            before.setdefault(edge.target, []).append(edge.source)
    at: dict[int, float] = {}
    for row in rows:
        # Sort by the mean place of what leads here; who nothing leads to comes last, in the order of the definition.
        means = {s: sum(at[p] for p in before[s]) / len(before[s]) if s in before else float("inf") for s in row}
        row.sort(key=lambda step: (means[step], step))
        at.update({step: index - (len(row) - 1) / 2 for index, step in enumerate(row)})
    return rows


def _places(rows: list[list[int]], middle: int) -> dict[int, tuple[int, int]]:
    places = {}
    for layer, row in enumerate(rows):
        width = len(row) * BOX_WIDTH + (len(row) - 1) * _GAP_X
        for index, step in enumerate(row):
            places[step] = (middle - width // 2 + BOX_WIDTH // 2 + index * (BOX_WIDTH + _GAP_X), _top(layer))
    return places


def _lanes(edges: list[Edge], depth: dict[int, int]) -> _Lanes:
    """Return the lane of each line beside the boxes: short lines inside, and no two in one lane that meet."""
    taken: list[list[tuple[int, int]]] = []
    lanes = {}
    for edge in sorted(edges, key=lambda each: (abs(depth[each.target] - depth[each.source]), each.source, each.way)):
        low, high = sorted((depth[edge.source], depth[edge.target]))
        for lane, spans in enumerate(taken):
            if all(high < start or end < low for start, end in spans):
                spans.append((low, high))
                break
        else:
            lane = len(taken)
            taken.append([(low, high)])
        lanes[edge] = lane
    return lanes


class _Drawing:
    """Turns edges into lines. Lines that leave or reach a box at the same side are spread over it."""

    def __init__(self, graph: Graph, places: dict[int, tuple[int, int]], end: tuple[int, int], left: int, right: int) -> None:
        self._places, self._end, self._left, self._right = places, end, left, right
        self._used: dict[tuple[int, str], int] = {}
        self._gaps: dict[int, int] = {}
        self._down: dict[int, list[Edge]] = {}
        for edge in graph.edges:
            self._down.setdefault(edge.source, []).append(edge)

    def straight(self, edge: Edge) -> Line:
        """Return the line to the next layer: down, across where it must, down."""
        x, top = self._places[edge.source]
        goal_x, goal_y = self._end if edge.target == END else self._places[edge.target]
        bottom = top + BOX_HEIGHT
        number, many = self._place_of(edge)
        x += self._spread(number, many)
        if edge.target != END:
            goal_x += self._spread(number, many) if goal_x == self._places[edge.source][0] else 0
        turn = bottom + 22
        points = ((x, bottom), (x, goal_y)) if x == goal_x else ((x, bottom), (x, turn), (goal_x, turn), (goal_x, goal_y))
        # Beside the line below its turn, so that labels of several ways out stand apart.
        label_y = goal_y - 16 - 15 * (number % 3 if many > 1 else 0)
        return Line(edge.source, edge.target, edge.way, False, points, (goal_x + 8, label_y), "start")

    def lane(self, edge: Edge, lane: int, *, left: bool) -> Line:
        """Return the line in a lane: out to the side, along it, back in to the box or the end."""
        side = "left" if left else "right"
        x, top = self._places[edge.source]
        half = -BOX_WIDTH // 2 if left else BOX_WIDTH // 2
        leave = top + 16 + 14 * (self._next(edge.source, side) % 4)
        outer = self._left - 20 - lane * _LANE if left else self._right + 20 + lane * _LANE
        start = (x + half, leave)
        if edge.target == END:
            goal = (self._end[0] + END_RADIUS, self._end[1] + END_RADIUS)
        else:
            goal_x, goal_y = self._places[edge.target]
            goal = (goal_x + half, goal_y + 16 + 14 * (self._next(edge.target, side) % 4))
        points = (start, (outer, start[1]), (outer, goal[1]), goal)
        label = (outer - 6, (start[1] + goal[1]) // 2) if left else (outer + 6, (start[1] + goal[1]) // 2)
        return Line(edge.source, edge.target, edge.way, left, points, label, "end" if left else "start")

    def _place_of(self, edge: Edge) -> tuple[int, int]:
        below = [each for each in self._down[edge.source] if self._is_below(each)]
        return below.index(edge), len(below)

    def _is_below(self, edge: Edge) -> bool:
        return edge.target == END or self._places[edge.target][1] > self._places[edge.source][1]

    def _spread(self, number: int, many: int) -> int:
        return round((number - (many - 1) / 2) * min(56, 170 / max(many, 1)))

    def _next(self, step: int, side: str) -> int:
        count = self._used.get((step, side), 0)
        self._used[step, side] = count + 1
        return count
