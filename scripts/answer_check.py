"""Whether the conversation service holds what a file of answers says: each ticket's answers, all of them, in their order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from baton.http.clients import ServiceClient
from baton.pipelines.answer_mapping import Answer
from baton.scripts.answer_sender import StoppedError, Ticket, told


@dataclass(frozen=True, slots=True)
class Compared:
    """How much was compared."""

    answers: int
    tickets: int


def differences(
    client: ServiceClient, url: str, answers: Iterable[Answer], tickets: Mapping[str, Ticket]
) -> tuple[Compared, list[str]]:
    """Compare answers with what the conversation service has; return how many, and a line for each ticket that differs."""
    wanted: dict[str, list[str]] = {}
    for answer in answers:
        wanted.setdefault(answer.ticket_source_id, []).append(answer.source_id)
    found = []
    for source_id, ids in wanted.items():
        ticket = tickets.get(source_id)
        stored = _imported(client, url, ticket.number) if ticket else []
        if stored != ids:
            name = ticket.number if ticket else "no ticket"
            order = "in another order" if sorted(stored) == sorted(ids) else f"{len(stored)} where the file has {len(ids)}"
            found.append(f"{source_id} ({name}): {order}")
    return Compared(sum(map(len, wanted.values())), len(wanted)), found


def _imported(client: ServiceClient, url: str, number: str) -> list[str]:
    """Return the ids at their source of the comments that were imported to a ticket, in the order of its stream."""
    found: list[str] = []
    since, more = 0, True
    while more:
        answer = client.get(f"{url}/api/v1/tickets/{number}/comments", params={"since": str(since), "limit": "200"})
        if answer.status_code == 404:
            return []
        if not answer.is_success:
            raise StoppedError(f"{number} cannot be read: {told(answer)}")
        page = answer.json()
        found += [each["client_id"] for each in page["items"] if each["imported"]]
        since, more = page["next"], page["more"]
    return found
