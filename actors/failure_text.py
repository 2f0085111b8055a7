"""What may be told of an exception: kind, frames and masked text. Never local values, which hold what people wrote."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress

from baton.pipelines.issues import normal_file
from baton.pipelines.masking import mask, storable

#: Frames of an exception that are printed, the innermost ones, and exceptions of a chain.
MOST_FRAMES, MOST_CAUSES = 40, 5


def printed(error: BaseException) -> Iterator[str]:
    """Yield an exception and its causes, outermost last, as Python prints them but for the texts, which are masked."""
    for number, link in enumerate(reversed(list(_chain(error)))):
        if number:
            yield "\nwhich led to:\n"
        yield "Traceback (most recent call last):"
        for frame in _stack(link):
            yield f'  File "{normal_file(frame.filename)}", line {frame.lineno}, in {frame.name}'
            if frame.line:
                yield f"    {storable(frame.line)[:200]}"
        yield f"{kind(link)}: {said(link)}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and len(seen) < MOST_CAUSES:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def frames(error: BaseException) -> Iterator[tuple[str, str]]:
    """Return file and function of every frame that an exception passed through, outermost first."""
    return ((frame.f_code.co_filename, frame.f_code.co_name) for frame, _ in traceback.walk_tb(error.__traceback__))


def _stack(error: BaseException) -> Sequence[traceback.FrameSummary]:
    # Without local values, which is what personal text would come in by.
    return traceback.StackSummary.extract(traceback.walk_tb(error.__traceback__), limit=-MOST_FRAMES, capture_locals=False)


def kind(error: BaseException) -> str:
    """Return the full name of an exception's type."""
    type_ = type(error)
    return type_.__qualname__ if type_.__module__ == "builtins" else f"{type_.__module__}.{type_.__qualname__}"


def said(error: BaseException) -> str:
    """Return an exception's text, masked, in one line."""
    text = ""
    with suppress(Exception):  # an exception whose text cannot be made still has a kind
        text = str(error)
    return " ".join(mask(text).split())
