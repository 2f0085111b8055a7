"""A workflow as a graph: steps by their place (from 0), and what leads where. The end is `END`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from baton.pipelines.definitions import Definition

#: The place of the end, after every step.
END = -1


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from a step to another or to the end; `way` is its place among the ways out of its step."""

    source: int
    target: int
    way: int


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps and the ways between them; a way to nowhere is no edge."""

    size: int
    edges: tuple[Edge, ...]

    def reached(self) -> frozenset[int]:
        """Return the steps that can be reached from the first."""
        return _closure([0] if self.size else [], _neighbours((edge.source, edge.target) for edge in self.edges))

    def ending(self) -> frozenset[int]:
        """Return the steps from which the end can be reached."""
        return _closure([END], _neighbours((edge.target, edge.source) for edge in self.edges)) - {END}


def graph_of(definition: Definition) -> Graph:
    """Return the graph of a definition. Of several steps with one name, ways lead to the first."""
    places: dict[str, int] = {}
    for index, step in enumerate(definition.steps):
        places.setdefault(step.name, index)
    edges = [
        Edge(source, END if way.to is None else places[way.to], number)
        for source, step in enumerate(definition.steps)
        for number, way in enumerate(step.transitions)
        if way.to is None or way.to in places
    ]
    return Graph(len(definition.steps), tuple(edges))


def _neighbours(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for source, target in pairs:
        found.setdefault(source, []).append(target)
    return found


def _closure(start: Iterable[int], neighbours: Mapping[int, Iterable[int]]) -> frozenset[int]:
    found = set(start)
    waiting = list(found)
    while waiting:
        for node in neighbours.get(waiting.pop(), ()):
            if node not in found:
                found.add(node)
                waiting.append(node)
    return frozenset(found)
