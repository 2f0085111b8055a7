"""Calendars and policies as TOML files, as `baton sla` writes and reads them: what is written is read as the same document."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import tomli_w

from baton.pipelines.sla_policy_texts import PolicyError


def write_document(document: Mapping[str, Any]) -> str:
    """Return a document as TOML; what is null is left out, as nothing tells the two apart."""
    return tomli_w.dumps(_without_nulls(document), multiline_strings=False)


def read_document(text: str) -> tuple[str, dict[str, Any]]:
    """
    Return whether a TOML text is of a `calendar` or a `policy` (which names its calendar), and its document.

    Raises:
        PolicyError: it is no TOML, or has no name.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError([f"not TOML: {error}"]) from None
    if not isinstance(document.get("name"), str) or not document["name"].strip():
        raise PolicyError(["name is missing"])
    return ("policy" if "calendar" in document or "targets" in document else "calendar"), document


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list | tuple) else value
