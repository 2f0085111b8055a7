"""
S-6 and N-7: every path of the conversation service, tried as everybody.

A path that somebody may not take answers as it does for a ticket that does not exist, and nowhere in any answer of a requester is
a word of an internal note, the name of its file, or anything of another's ticket.
"""

from __future__ import annotations

from typing import Any

import pytest

from baton.http.messaging import OPERATIONS
from baton.models.messaging import Attachment, Entry
from tests.factories import BACKENDS, EMPLOYEE, OTHER_EMPLOYEE
from tests.http.messaging.conftest import COORDINATOR, MANAGER, NUMBER, OTHER, PEOPLE, SEE, SEE_NOTES, Talk

SECRET = "zanzibar"
MISSING = "HD-09999999"
SEE_ALL = {"coordinator", "admin", "operator", "help desk coordinator", "requester, as staff"}
#: Everybody who does not see every ticket, with the tickets they do not see.
BLIND = [(person, OTHER) for person in PEOPLE if person not in SEE_ALL | {"another requester"}]
BLIND += [(person, NUMBER) for person in PEOPLE if person not in SEE]


@pytest.fixture
def office(talk: Talk) -> Talk:
    """Entry 1 is public with a file, 2 an internal note with a file, 3 a staff event; all but 1 hold SECRET. On OTHER all do."""
    for number, requester in ((NUMBER, EMPLOYEE), (OTHER, OTHER_EMPLOYEE)):
        word = SECRET if number == OTHER else "hello"
        own = talk.attached(requester, word.encode(), f"{word}.txt", number)
        talk.written(requester, f"I say {word}", number, attachments=[own])
        file = talk.attached(COORDINATOR, SECRET.encode(), f"{SECRET}.txt", number)
        talk.written(COORDINATOR, f"They say {SECRET}", number, visibility="internal", attachments=[file], client_id=SECRET)
        talk.tell(number, f"event-{SECRET}", kind="sla_breach", text=f"breach of {SECRET}", detail={"word": SECRET})
    talk.ask(COORDINATOR, "PATCH", f"/tickets/{NUMBER}/comments/2", json={"body": f"They said {SECRET} again"})
    return talk


def file_of(number: str, entry: int) -> str:
    """Return the id of the file of an entry."""
    found: Attachment = Attachment.get(Attachment.ticket_number == number, Attachment.entry_number == entry)
    return found.id


def reads(number: str) -> list[tuple[str, str, int]]:
    """Return every way to read of a ticket: method, path, and the entry it is about (0: the ticket)."""
    base, known = f"/tickets/{number}", NUMBER if number == MISSING else number
    found = [("GET", f"{base}/{path}", 0) for path in ("comments", "conversation.jsonl", "participants", "talk")]
    for entry in (1, 2, 3):
        found.append(("GET", f"{base}/comments/{entry}", entry))
        found.append(("GET", f"{base}/comments/{entry}/history", entry))
    return found + [("GET", f"{base}/attachments/{file_of(known, entry)}", entry) for entry in (1, 2)]


def writes(number: str) -> list[tuple[str, str, int, dict[str, Any]]]:
    """Return every way to change something of a ticket, with a body that would do."""
    base, known = f"/tickets/{number}", NUMBER if number == MISSING else number
    found: list[tuple[str, str, int, dict[str, Any]]] = [
        ("POST", f"{base}/comments", 0, {"json": {"body": "hello"}}),
        ("POST", f"{base}/comments", 2, {"json": {"body": "hello", "visibility": "internal"}}),
        ("POST", f"{base}/attachments", 0, {"params": {"filename": "a.txt"}, "body": b"text"}),
        ("POST", f"{base}/typing", 0, {"json": {"visibility": "internal"}}),
        ("POST", f"{base}/leave", 0, {"json": {"watch": "page"}}),
    ]
    for entry in (1, 2, 3):
        found.append(("PATCH", f"{base}/comments/{entry}", entry, {"json": {"body": "changed"}}))
        found.append(("DELETE", f"{base}/comments/{entry}", entry, {}))
    return found + [("DELETE", f"{base}/attachments/{file_of(known, entry)}", entry, {}) for entry in (1, 2)]


def covered() -> set[tuple[str, str]]:
    """Return the operations, by method and kind of path, that the tests of this module try."""
    kinds = {"comments", "conversation.jsonl", "participants", "talk", "comments/{number}", "comments/{number}/history",
             "attachments/{attachment_id}"}  # fmt: skip
    tried = {("GET", kind) for kind in kinds} | {("POST", kind) for kind in ("comments", "attachments", "typing", "leave")}
    return tried | {("PATCH", "comments/{number}"), ("DELETE", "comments/{number}"), ("DELETE", "attachments/{attachment_id}")}


def test_every_operation_is_tried_here() -> None:
    root = "/api/v1/tickets/{ticket_number}/"
    plain = [each for each in OPERATIONS if not each.live]
    tickets = {(each.method, each.path.removeprefix(root)) for each in plain if each.path.startswith(root)}
    assert tickets - covered() == set()
    # The import is tried below; searching is tried as everybody in test_finding.
    elsewhere = {"/api/v1/comments/import", "/api/v1/comments/search"}
    assert {each.path for each in plain if not each.path.startswith(root)} == elsewhere


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("person", "number"), BLIND)
def test_s_6_whoever_does_not_see_a_ticket_is_answered_as_if_there_were_none(office: Talk, person: str, number: str) -> None:
    who = PEOPLE[person]
    before = Entry.select().count()
    for method, path, _, options in [(*read, {}) for read in reads(number)] + writes(number):
        answer = office.ask(who, method, path, **options)
        missing = office.ask(who, method, path.replace(number, MISSING), **options)
        assert answer.status_code in ((401,) if person == "anonymous" else (403, 404)), (method, path)
        assert answer.status_code == missing.status_code, (method, path)
        assert shown(answer, number) == shown(missing, MISSING), (method, path)
        assert SECRET not in answer.text
    assert (Entry.select().count(), Attachment.select().count()) == (before, 4)


def shown(answer: Any, number: str) -> dict[str, Any]:
    """Return a problem without what differs from one request to the next."""
    return {key: str(value).replace(number, "N") for key, value in answer.json.items() if key != "trace_id"}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("person", sorted(SEE))
def test_n_7_who_sees_a_ticket_sees_notes_only_as_staff_of_it(office: Talk, person: str) -> None:
    who, notes = PEOPLE[person], person in SEE_NOTES
    for method, path, entry in reads(NUMBER):
        answer = office.ask(who, method, path)
        history = path.endswith("history")
        if entry in (2, 3) and not notes:
            assert answer.status_code == (403 if person == "requester" and history else 404), path
        elif history and person in ("requester", "requester, as staff"):
            assert answer.status_code == 403, path
        else:
            assert answer.status_code == 200, path
        assert (SECRET in answer.text + str(answer.headers)) == (notes and entry in (0, 2, 3) and told_there(path)), path
    numbers = [each["number"] for each in office.entries(who)]
    assert numbers == ([1, 2, 3, 4] if notes else [1])


def told_there(path: str) -> bool:
    """Whether a path shows anything of the note or the staff event to those who see them."""
    return not path.endswith(("participants", "comments/3/history"))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("person", sorted(SEE - SEE_NOTES))
def test_who_sees_no_notes_writes_and_changes_none(office: Talk, person: str) -> None:
    who = PEOPLE[person]
    before = Entry.get(Entry.ticket_number == NUMBER, Entry.number == 2).__data__
    for method, path, entry, options in writes(NUMBER):
        if entry in (2, 3):
            answer = office.ask(who, method, path, **options)
            assert answer.status_code in (404, 422), path
            assert SECRET not in answer.text
    assert Entry.get(Entry.ticket_number == NUMBER, Entry.number == 2).__data__ == before
    assert Attachment.select().where(Attachment.removed_at.is_null()).count() == 4


def test_resending_under_the_client_id_of_a_note_shows_nothing_of_it(office: Talk) -> None:
    """Whoever wrote a note and is the requester now (the ticket names their address since) sees it no longer."""
    office.note(f"my own {SECRET}", client_id="mine")
    office.follow(NUMBER, 5, requester={"employee_id": "101", "user_id": "31", "email": None, "name": "Mia"})
    answer = office.write(MANAGER, "again", client_id="mine", visibility="internal")

    assert answer.status_code == 404 and SECRET not in answer.text
    assert SECRET not in str(office.entries(MANAGER))


def test_a_ticket_that_changes_hands_is_seen_by_its_new_people_only(office: Talk) -> None:
    office.follow(NUMBER, 7, participants=[], assignees=[], owner=None, roles=["tts:Asset Manager"])
    assert office.ask(MANAGER, "GET", f"/tickets/{NUMBER}/comments").status_code == 404
    assert office.ask(PEOPLE["requester"], "GET", f"/tickets/{NUMBER}/comments").status_code == 200


def test_an_employee_with_the_requesters_address_but_another_number_is_somebody_else(office: Talk) -> None:
    from dataclasses import replace

    twin = replace(OTHER_EMPLOYEE, id="777", email=EMPLOYEE.email)
    assert office.ask(twin, "GET", f"/tickets/{NUMBER}/comments").status_code == 404
    office.follow(NUMBER, 7, requester={"employee_id": None, "user_id": None, "email": EMPLOYEE.email, "name": "Eve"})
    assert office.ask(twin, "GET", f"/tickets/{NUMBER}/comments").status_code == 200


@pytest.mark.parametrize("person", sorted(set(PEOPLE) - {"operator"}))
def test_only_operators_programs_import(office: Talk, person: str) -> None:
    comment = {"ticket_number": NUMBER, "source": "forum", "client_id": "1", "author": "u1", "side": "staff", "body": "x",
               "written_at": "2024-01-01T00:00:00Z"}  # fmt: skip
    answer = office.ask(PEOPLE[person], "POST", "/comments/import", json={"comments": [comment]})
    assert answer.status_code == (401 if person == "anonymous" else 403)
    assert Entry.select().where(Entry.imported).count() == 0


@pytest.mark.parametrize("number", ["0", "-1", "01x", "9" * 30, "²", "%00", "1%2F..%2F2"])
def test_odd_numbers_of_entries_are_no_entries(office: Talk, number: str) -> None:
    answer = office.ask(PEOPLE["requester"], "GET", f"/tickets/{NUMBER}/comments/{number}")
    assert answer.status_code in (404, 422)
