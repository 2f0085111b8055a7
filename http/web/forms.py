"""Reading forms: urlencoded or multipart, within limits, as texts and files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import falcon

from baton.http.problems import BadRequest
from baton.models.settings import Settings

#: Fields of one form at most: a workflow of two hundred steps has some three thousand.
MOST_FIELDS = 5_000
#: Bytes of one form without its files.
MOST_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file, whole."""

    name: str
    content_type: str
    data: bytes


@dataclass(slots=True)
class Form:
    """The fields of a form: `get` for one value, `all` for several, `files` for what was uploaded."""

    pairs: list[tuple[str, str]] = field(default_factory=list)
    files: list[tuple[str, File]] = field(default_factory=list)

    @classmethod
    def read(cls, request: falcon.Request, settings: Settings) -> Form:
        """
        Return the form of a request.

        Raises:
            BadRequest: it cannot be read as a form, or is too large.
        """
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            return _read_multipart(request, settings.max_body_bytes)
        if kind not in ("application/x-www-form-urlencoded", ""):
            raise BadRequest("a form must be sent as a form")
        raw = request.bounded_stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise BadRequest("the form is too large")
        try:
            return cls(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"))
        except ValueError:
            raise BadRequest("the form cannot be read") from None

    def get(self, name: str, default: str = "") -> str:
        """Return a field's value, the last where it came several times, with unified line ends."""
        found = default
        for key, value in self.pairs:
            if key == name:
                found = value
        return found.replace("\r\n", "\n")

    def all(self, name: str) -> list[str]:
        """Return every value of a field, in order."""
        return [value for key, value in self.pairs if key == name]

    def filled(self, *names: str) -> dict[str, str]:
        """Return those of these fields that hold more than blanks."""
        return {name: value for name in names if (value := self.get(name).strip())}

    def uploads(self, name: str) -> Iterator[File]:
        """Yield the files of a field; browsers send an empty one for a field left alone."""
        return (file for key, file in self.files if key == name and (file.name or file.data))


def _read_multipart(request: falcon.Request, limit: int) -> Form:
    form, total = Form(), 0
    try:
        for part in request.get_media():
            data = part.stream.read(limit + 1)
            total += len(data)
            if total > limit * 10 or len(data) > limit or len(form.pairs) + len(form.files) >= MOST_FIELDS:
                raise BadRequest("the form is too large")
            if part.filename is None:
                form.pairs.append((part.name or "", data.decode()))
            else:
                file = File(part.filename, part.content_type or "application/octet-stream", data)
                form.files.append((part.name or "", file))
    except (falcon.HTTPError, ValueError):
        raise BadRequest("the form cannot be read") from None
    return form
