"""From templates to pages: Jinja2, with everything escaped, and the few helpers that templates use."""

from __future__ import annotations

import functools
import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import jinja2
from markupsafe import Markup

from baton.http.web import said, times
from baton.http.web.assets import address
from baton.http.web.pages import Visit
from baton.http.web.texts import LANGUAGES


@functools.cache
def environment(front: str) -> jinja2.Environment:
    """Return the templates of a front: its own first, then those that both share."""
    found = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(f"baton.http.{front}"), jinja2.PackageLoader("baton.http.web")]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(asset=address, LANGUAGES=LANGUAGES)
    found.filters["trusted"] = Markup
    return found


def render(front: str, template: str, visit: Visit, values: dict[str, Any], now: datetime) -> str:
    """Return the page; `values` are the template's, beside what every page has."""

    def when(value: str | datetime | None) -> Markup:
        return times.element(value, now, visit.zone, visit.texts)

    def exactly(value: str | datetime | None) -> str:
        moment = times.parse(value)
        return "" if moment is None else times.exact(moment, visit.zone, visit.texts)

    def with_query(**changed: Any) -> str:
        """Return this page's address with some of its query parameters changed, those set to None left out."""
        pairs = [(key, value) for key, value in visit.request.params.items() if key not in changed]
        pairs += [(key, value) for key, value in changed.items() if value is not None]
        return visit.request.path + ("?" + urlencode(pairs, doseq=True) if pairs else "")

    common = {
        "visit": visit,
        "principal": visit.principal,
        "t": visit.t,
        "word": visit.texts.word,
        "spoken": lambda text: said.in_language(visit.texts, str(text or "")),
        "when": when,
        "exactly": exactly,
        "with_query": with_query,
        "fresh_id": lambda: uuid.uuid4().hex,
        "language": visit.texts.language,
        "path": visit.request.path,
        "now": now,
    }
    return environment(front).get_template(template).render({**common, **values})
