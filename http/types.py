"""
Types of request and response fields: what a text may hold, how large a number may be, and the bases of bodies and queries.

Texts are kept byte for byte as they came. Only what no database and no JSON reader could carry is refused: the NUL character and
lone surrogates. Numbers end where a 64-bit column does.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

#: Longest description or comment, in characters. Bodies are capped in bytes besides (`settings.max_body_bytes`).
TEXT_LENGTH = 500_000
#: Longest subject, in characters.
SHORT_TEXT_LENGTH = 5_000
#: Longest name of a person, category, department or role, in characters.
NAME_LENGTH = 255
#: Largest value of a 64-bit column.
BIGGEST_INTEGER = 2**63 - 1

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
UNSTORABLE_MESSAGE = "must not contain the NUL character or a lone surrogate"


def is_storable(text: str) -> bool:
    """Whether a text holds neither NUL nor a lone surrogate, and so can be stored and sent as UTF-8."""
    return UNSTORABLE.search(text) is None


def storable(text: str) -> str:
    """Return the text unchanged; a validation error when it cannot be stored."""
    if UNSTORABLE.search(text) is not None:
        raise PydanticCustomError("unstorable_text", UNSTORABLE_MESSAGE)
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank_text", "must not be blank")
    return storable(text)


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("instant_range", "must lie within the years 1 to 9999 in UTC") from None


#: Free text of any kind, may be empty.
Text = Annotated[str, StringConstraints(max_length=TEXT_LENGTH), AfterValidator(storable)]
#: A line of text such as a subject, may be empty.
ShortText = Annotated[str, StringConstraints(max_length=SHORT_TEXT_LENGTH), AfterValidator(storable)]
#: A name: not blank.
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=NAME_LENGTH, pattern=r"\S"), AfterValidator(_not_blank)
]
#: A positive row id.
Id = Annotated[int, Field(ge=1, le=BIGGEST_INTEGER)]
#: A whole number that fits a column.
Integer = Annotated[int, Field(ge=-BIGGEST_INTEGER, le=BIGGEST_INTEGER)]
#: An instant with its offset, RFC 3339, that has a form in UTC (the first and last hours of the calendar may not).
Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Body(BaseModel):
    """The body of a request: unknown fields are refused, and no value is converted into another type."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Query(BaseModel):
    """The query string of a request: unknown parameters are refused; numbers, booleans and instants are read from text."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class View(BaseModel):
    """A thing as an answer shows it."""

    model_config = ConfigDict(frozen=True)


class PageQuery(Query):
    """The parameters of every list: how many items (at most 200), and where the previous page ended."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, StringConstraints(max_length=1_000), AfterValidator(storable)] | None = None


Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """A page of a list: its items, and the cursor of the next page (null on the last)."""

    items: list[Item]
    next: str | None = None


def unstorable_texts(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the paths of all texts (keys too) within a JSON value that cannot be stored."""
    if isinstance(value, str):
        return [] if is_storable(value) else [path]
    found: list[tuple[str | int, ...]] = []
    if isinstance(value, dict):
        for key, item in value.items():
            if not is_storable(key):
                found.append((*path, key))
            found.extend(unstorable_texts(item, (*path, key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found.extend(unstorable_texts(item, (*path, index)))
    return found


def instant_text(value: datetime) -> str:
    """Return an aware instant as RFC 3339 text in UTC."""
    return value.isoformat().replace("+00:00", "Z")
