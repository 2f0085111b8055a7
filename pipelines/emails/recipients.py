"""Whom a mail may go to: somebody who is active and has one usable address, which is not the system's own (no loops)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from baton.pipelines.audience import EMAIL, sees

#: One address that a mail server takes: no spaces, no control characters, no list of several. Longer ones exist nowhere.
_ADDRESS = re.compile(r"[^\s@<>(),;:\\\"\x00-\x20\x7f]{1,64}@(?=.{1,253}$)[^\s@<>(),;:\\\"\[\]\x00-\x20\x7f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom a mail is for, as auth knows them. `language` and `time_zone` may be unknown (empty)."""

    user_id: str
    address: str
    name: str = ""
    is_active: bool = True
    roles: frozenset[str] = frozenset()
    language: str = ""
    time_zone: str = ""


def is_still_told(recipient: Recipient, type_: str, roles: Collection[str], choices: Mapping[tuple[str, str], bool]) -> bool:
    """
    Whether the recipient is still mailed of something: they hold one of these roles, if any are named, and want such mails.

    `choices` are (type, channel) -> on, where they chose. Both may have changed since the mail was written down.
    """
    return sees(recipient.user_id, roles, recipient.roles) and choices.get((type_, EMAIL), True)


def why_not(recipient: Recipient, own_addresses: frozenset[str]) -> tuple[str, bool] | None:
    """
    Return why the recipient gets no mail, and whether that is a failure to be seen to; None: they get it.

    `own_addresses` are those that the system sends from, in lower case.
    """
    if not recipient.is_active:
        return "the account is not active", False
    if not recipient.address:
        return "the account has no e-mail address", True
    if not _ADDRESS.fullmatch(recipient.address):
        return "the account's e-mail address cannot be used", True
    if recipient.address.lower() in own_addresses:
        return "the address is the one that our mail comes from", False
    return None
