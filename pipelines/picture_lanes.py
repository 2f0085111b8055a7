"""The layers of a workflow's picture, and the lanes beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from baton.pipelines.workflow_graph import Edge, Graph


def stack_rows(graph: Graph) -> list[list[int]]:
    """Return the steps by layer, each layer from left to right."""
    before: dict[int, list[int]] = {}
    for edge in graph.edges:
        if edge.source < edge.target:
            before.setdefault(edge.target, []).append(edge.source)
    layers: dict[int, int] = {}
    for step in range(graph.size):
        layers[step] = max((layers[source] + 1 for source in before.get(step, ())), default=0)
    rows: list[list[int]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for step, layer in layers.items():
        rows[layer].append(step)
    at: dict[int, float] = {}
    for row in rows:
        # Below the middle of what leads here; what nothing leads to comes last, in the order of the definition.
        means = {s: sum(at[p] for p in before[s]) / len(before[s]) if s in before else float("inf") for s in row}
        row.sort(key=lambda step: (means[step], step))
        at.update({step: index - (len(row) - 1) / 2 for index, step in enumerate(row)})
    return rows


def assign_lanes(edges: Iterable[Edge], depth: Mapping[int, int]) -> dict[Edge, int]:
    """Return the lane of each line beside the boxes: short lines inside, and no two in one lane that meet."""
    taken: list[list[tuple[int, int]]] = []
    lanes: dict[Edge, int] = {}
    for edge in sorted(edges, key=lambda each: (abs(depth[each.target] - depth[each.source]), each.source, each.way)):
        low, high = sorted((depth[edge.source], depth[edge.target]))
        fits = (n for n, spans in enumerate(taken) if all(high < start or end < low for start, end in spans))
        lane = next(fits, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        lanes[edge] = lane
    return lanes
