"""What the buttons of the workflow form do: rows added, removed and moved. Anything else leaves the form as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from baton.http.console.admin.design_forms import END, Design, StepRow, Way

#: Button -> what it does, given the form and the places that it names.
_DOES: dict[str, Callable[..., None]] = {}


def press(design: Design, button: str) -> bool:
    """Do what a button says (`up-step:3`, `remove-way:3.1`); return whether it was one that changes rows."""
    name, _, places = button.partition(":")
    does = _DOES.get(name)
    numbers = [int(each) for each in places.split(".") if each.isdecimal() and len(each) < 6]
    if does is None:
        return False
    try:
        does(design, *numbers)
    except (IndexError, TypeError):
        return False  # a row that is not there: the form was sent twice, or made up
    return True


def _does(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def keep(function: Callable[..., None]) -> Callable[..., None]:
        _DOES[name] = function
        return function

    return keep


@_does("add-rule")
def _add_rule(design: Design) -> None:
    design.rules.append(("", ""))


@_does("remove-rule")
def _remove_rule(design: Design, place: int) -> None:
    del design.rules[place]


@_does("add-step")
def _add_step(design: Design, place: int) -> None:
    """Add a step at a place. A way of the step before that led on to the next one leads to the new one, and that leads on."""
    following: StepRow | str = design.steps[place] if place < len(design.steps) else END
    made = StepRow(ways=[Way("Complete", following)])
    if place:
        onward = [way for way in design.steps[place - 1].ways if way.to is following]
        for way in onward[:1]:
            way.to = made
    design.steps.insert(place, made)


@_does("remove-step")
def _remove_step(design: Design, place: int) -> None:
    """Remove a step. Ways to it lead to where its first way led."""
    removed = design.steps.pop(place)
    onward: StepRow | str = removed.ways[0].to if removed.ways else END
    if onward is removed:
        onward = END
    for step in design.steps:
        for way in step.ways:
            if way.to is removed:
                way.to = onward


@_does("up-step")
def _up_step(design: Design, place: int) -> None:
    _swap(design.steps, place - 1)


@_does("down-step")
def _down_step(design: Design, place: int) -> None:
    _swap(design.steps, place)


@_does("add-way")
def _add_way(design: Design, place: int) -> None:
    design.steps[place].ways.append(Way())


@_does("remove-way")
def _remove_way(design: Design, place: int, number: int) -> None:
    del design.steps[place].ways[number]


@_does("up-way")
def _up_way(design: Design, place: int, number: int) -> None:
    _swap(design.steps[place].ways, number - 1)


def _swap(rows: list[Any], place: int) -> None:
    """Exchange a row and the one after it."""
    if 0 <= place < len(rows) - 1:
        rows[place], rows[place + 1] = rows[place + 1], rows[place]
