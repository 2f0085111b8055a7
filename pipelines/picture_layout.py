"""
Where the boxes and lines of a workflow's picture go, in whole pixels.

1. Ways ahead lead to a later step of the definition, ways back to an earlier one. A step stands one layer below the lowest step
   that leads ahead to it; the end stands below all.
2. Within a layer, steps stand below those that lead to them, so that few lines cross.
3. A line to the next layer goes down there. A line that skips layers takes a lane on the right of all boxes, a line back one
   on the left. Lines turn in the gaps between layers, each at a height of its own, so that none runs through a box.
4. A line's label stands where the line leaves its box.
"""

from __future__ import annotations

from dataclasses import dataclass

from baton.pipelines.definitions import Definition
from baton.pipelines.picture_lanes import assign_lanes, stack_rows
from baton.pipelines.workflow_graph import END, Edge, Graph, graph_of

BOX_WIDTH, BOX_HEIGHT = 240, 82
END_RADIUS = 13
#: Between neighbours, and from the boxes to the first lane and from lane to lane.
GAP_X, LANE_START, LANE_STEP = 70, 22, 16
#: Room beside the boxes for a label, and heights that a label and a turn of a line take.
LABEL_ROOM, LABEL_HEIGHT, TURN_HEIGHT = 190, 16, 8
_MARGIN, _HEADING = 24, 60
LEFT, RIGHT = "left", "right"
Point = tuple[int, int]


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
    points: tuple[Point, ...]
    label: Point
    anchor: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole picture. `end` is the middle of the end's upper edge, `lost` the steps that are not reached."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    end: Point
    lost: frozenset[int]


def lay_out(definition: Definition) -> Layout:
    """Return where everything goes. Any definition can be drawn, one that cannot work too."""
    graph = graph_of(definition)
    rows = stack_rows(graph)
    plan = _Plan(graph, rows)
    return Layout(
        width=max(plan.right + plan.room(RIGHT) + _MARGIN, 440),
        height=plan.end[1] + 2 * END_RADIUS + _MARGIN,
        boxes=tuple(Box(step, *plan.places[step]) for step in range(graph.size)),
        lines=tuple(plan.line(edge) for edge in graph.edges),
        end=plan.end,
        lost=frozenset(range(graph.size)) - graph.reached(),
    )


class _Plan:
    """The places of boxes, lanes and turns, from which lines follow one by one."""

    def __init__(self, graph: Graph, rows: list[list[int]]) -> None:
        self.graph, self.rows = graph, rows
        self.depth = {step: row for row, steps in enumerate(rows) for step in steps} | {END: len(rows)}
        self.outer = {LEFT: {row[0] for row in rows}, RIGHT: {row[-1] for row in rows}}
        self.side = {edge: self._side_of(edge) for edge in graph.edges}
        self.lanes = {side: assign_lanes([e for e in graph.edges if self.side[e] == side], self.depth) for side in (LEFT, RIGHT)}
        self._assign_ports()
        self._assign_turns()
        widest = max((len(row) for row in rows), default=1)
        self.left = _MARGIN + self.room(LEFT)
        self.right = self.left + widest * BOX_WIDTH + (widest - 1) * GAP_X
        self._place()

    def room(self, side: str) -> int:
        """Return how much room lanes and labels take on a side."""
        lanes = self.lanes[side]
        return max(LABEL_ROOM, LANE_START + max(lanes.values()) * LANE_STEP + 20) if lanes else 0

    def line(self, edge: Edge) -> Line:
        """Return the line of an edge."""
        side = self.side[edge]
        start, leaving = self._leave(edge)
        goal, entering = self._enter(edge)
        middle: list[Point] = []
        if side:
            lane = self.lanes[side][edge]
            x = self.left - LANE_START - lane * LANE_STEP if side == LEFT else self.right + LANE_START + lane * LANE_STEP
            first = start[1] if leaving is None else leaving
            last = goal[1] if entering is None else entering
            middle = [(x, first), (x, last)]
            middle = [*([] if leaving is None else [(start[0], leaving)]), *middle]
            middle = [*middle, *([] if entering is None else [(goal[0], entering)])]
        elif start[0] != goal[0] and leaving is not None:
            middle = [(start[0], leaving), (goal[0], leaving)]
        label, anchor = self._label(edge, start)
        return Line(edge.source, edge.target, edge.way, side == LEFT, (start, *middle, goal), label, anchor)

    def _side_of(self, edge: Edge) -> str | None:
        """Return in whose lanes the edge's line runs; None: straight down to the next layer."""
        if self.depth[edge.target] == self.depth[edge.source] + 1:
            return None
        return LEFT if self.depth[edge.target] <= self.depth[edge.source] else RIGHT

    def _assign_ports(self) -> None:
        """Decide at which side of its boxes each line leaves and arrives, and in which order along that side."""
        self.out: dict[tuple[int, str], list[Edge]] = {}
        self.into: dict[tuple[int, str], list[Edge]] = {}
        for edge in self.graph.edges:
            side = self.side[edge]
            self.out.setdefault((edge.source, self._port(edge.source, side, "below")), []).append(edge)
            self.into.setdefault((edge.target, self._port(edge.target, side, "above")), []).append(edge)

    def _port(self, step: int, side: str | None, otherwise: str) -> str:
        return side if side is not None and (step == END or step in self.outer[side]) else otherwise

    def _assign_turns(self) -> None:
        """Give every line that turns in a gap between layers a height of its own there, counted from the gap's first."""
        self.turns: dict[int, list[tuple[Edge, str]]] = {}
        for edge in self.graph.edges:
            if edge in self.out.get((edge.source, "below"), ()):
                self.turns.setdefault(self.depth[edge.source], []).append((edge, "leaving"))
            if self.side[edge] is not None and edge in self.into.get((edge.target, "above"), ()):
                self.turns.setdefault(self.depth[edge.target] - 1, []).append((edge, "entering"))

    def _place(self) -> None:
        """Place the boxes and the end, with gaps between the layers as high as what is in them."""
        self.places: dict[int, Point] = {}
        self.gaps: dict[int, int] = {}
        middle, y = (self.left + self.right) // 2, _HEADING
        for layer in range(-1, len(self.rows)):
            row = self.rows[layer] if layer >= 0 else []
            width = len(row) * BOX_WIDTH + (len(row) - 1) * GAP_X
            for index, step in enumerate(row):
                self.places[step] = (middle - width // 2 + BOX_WIDTH // 2 + index * (BOX_WIDTH + GAP_X), y)
            labels = max((len(self.out.get((step, "below"), ())) for step in row), default=0)
            turns = len(self.turns.get(layer, ()))
            self.gaps[layer] = y + (BOX_HEIGHT if row else 0) + 6 + LABEL_HEIGHT * labels
            if row or turns:
                y = self.gaps[layer] + TURN_HEIGHT * turns + 22
        self.end = (middle, y)

    def _turn(self, edge: Edge, layer: int, kind: str) -> int:
        return self.gaps[layer] + TURN_HEIGHT * self.turns[layer].index((edge, kind)) + 4

    def _leave(self, edge: Edge) -> tuple[Point, int | None]:
        """Return where the line leaves its box, and at which height it turns if it leaves below."""
        x, y = self.places[edge.source]
        side = self.side[edge]
        port = self._port(edge.source, side, "below")
        edges = self.out[edge.source, port]
        if port != "below":
            return (x + _half(port), y + _down(edges.index(edge))), None
        start = (x + _along(edges.index(edge), len(edges)), y + BOX_HEIGHT)
        return start, self._turn(edge, self.depth[edge.source], "leaving")

    def _enter(self, edge: Edge) -> tuple[Point, int | None]:
        """Return where the line arrives, and at which height it turns for that if it comes from a lane from above."""
        side = self.side[edge]
        port = self._port(edge.target, side, "above")
        edges = self.into[edge.target, port]
        if edge.target == END:
            x, y = self.end
            return ((x, y) if port == "above" else (x + END_RADIUS, y + END_RADIUS)), None
        x, y = self.places[edge.target]
        if port != "above":
            return (x + _half(port), y + BOX_HEIGHT - _down(edges.index(edge))), None
        if len(edges) == 1 and side is None and abs(self._leave(edge)[0][0] - x) < BOX_WIDTH // 2 - 10:
            return (self._leave(edge)[0][0], y), None
        turn = None if side is None else self._turn(edge, self.depth[edge.target] - 1, "entering")
        return (x + _along(edges.index(edge), len(edges)), y), turn

    def _label(self, edge: Edge, start: Point) -> tuple[Point, str]:
        port = self._port(edge.source, self.side[edge], "below")
        number = self.out[edge.source, port].index(edge)
        if port == LEFT:
            return (start[0] - 8, start[1] - 4), "end"
        if port == RIGHT:
            return (start[0] + 8, start[1] - 4), "start"
        return (start[0] + 7, start[1] + LABEL_HEIGHT * (number + 1)), "start"


def _half(side: str) -> int:
    return -BOX_WIDTH // 2 if side == LEFT else BOX_WIDTH // 2


def _down(number: int) -> int:
    """Return how far from a corner of the box its line of this number on one side is."""
    return 18 + 18 * (number % 4)


def _along(number: int, many: int) -> int:
    """Return how far from the middle of a box's edge its line of this number is."""
    return round((number - (many - 1) / 2) * min(56, 190 / max(many, 1)))
