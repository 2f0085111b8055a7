"""`baton import-answers` against the fronts in this process, with tickets of the sample and answers made for them."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from baton.actors.messaging.rooms import follow_ticket
from baton.http.clients import ServiceClient
from baton.models import database as db
from baton.models.messaging import Entry
from baton.models.transaction import write_tx
from baton.pipelines.permissions import Principal
from baton.scripts import import_answers, importing
from tests.conversing import followed
from tests.factories import SERVICE, token_for

SAMPLE = Path(__file__).parent.parent / "samples" / "support-forum.csv"
COLUMNS = ["id", "question_id", "created", "updated", "content", "creator", "is_spam", "num_helpful", "num_unhelpful"]


class Network(httpx.BaseTransport):
    """Both fronts, by their ports, and the part of auth that signs programs in. `trouble` may answer in their place."""

    def __init__(self, settings: Any, client: Callable[[str], Any], principal: Principal) -> None:
        self.fronts = {settings.ports[name]: httpx.WSGITransport(app=client(name).app) for name in ("helpdesk", "messaging")}
        self.principal = principal
        self.trouble: Callable[[httpx.Request], httpx.Response | None] = lambda request: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        if request.url.path == "/api/v1/service-token":
            return httpx.Response(200, json={"access_token": token_for(self.principal), "expires_in": 900})
        refusal = self.trouble(request)
        if refusal is not None:
            return refusal
        answer = self.fronts[request.url.port or 0].handle_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=b"".join(answer.stream))  # type: ignore[arg-type]


@pytest.fixture
def network(databases: Any, stub_broker: Any, client: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Network:
    """The fronts, with the sample's questions imported and told of to the conversation service."""
    monkeypatch.chdir(tmp_path)
    filing, found = (
        Network(databases, client, SERVICE),
        Network(databases, client, Principal("service", "operator", "operator")),
    )
    monkeypatch.setattr(importing, "_front", lambda *_: ServiceClient(databases, "import", patience=0, transport=filing))
    monkeypatch.setattr(import_answers, "_client", lambda: ServiceClient(databases, "operator", patience=0, transport=found))
    assert CliRunner().invoke(importing.import_tickets, [str(SAMPLE)]).exit_code == 0
    monkeypatch.setattr("baton.scripts.answer_sender.PAUSE", 0.01)
    return found


def tell_of_tickets(*, but: str = "") -> dict[str, str]:
    """Have the conversation service know the help desk's tickets; return their numbers by source id."""
    from baton.models.helpdesk.tables import Ticket

    with db.read_tx("helpdesk"):
        tickets = [(row.number, row.source_id, row.employee_id) for row in Ticket.select()]
    with write_tx("messaging") as tx:
        told = [
            followed(number, requester={"employee_id": employee, "user_id": None, "email": None, "name": employee})
            for number, source_id, employee in tickets
            if source_id != but
        ]
        follow_ticket.handle(tx, told)
    return {source_id: number for number, source_id, _ in tickets}


def answers_file(path: Path, questions: list[tuple[str, str]], each: int = 3) -> list[dict[str, str]]:
    """Write answers to questions (id, asker), the askers' own among them, in turn; return the rows."""
    rows = []
    for turn in range(each):
        for question, asker in questions:
            text = f"<p>answer {turn} to {question} <script>alert(1)</script>&lt;b&gt;</p>"
            row = {"id": f"{question}-{turn}", "question_id": question, "created": f"2024-01-05T09:12:{turn:02d}Z",
                   "content": text, "creator": asker if turn == 1 else "u09254"}  # fmt: skip
            rows.append({name: row.get(name, "") for name in COLUMNS})
    with gzip.open(path, "wt", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return rows


def questions() -> list[tuple[str, str]]:
    """Return id and asker of the sample's questions."""
    with SAMPLE.open(encoding="utf-8", newline="") as handle:
        return [(row["id"], row["creator"]) for row in csv.DictReader(handle)]


def run(*arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(import_answers.import_answers, ["answers.csv.gz", "--patience", "2", *arguments])


def test_every_answer_becomes_a_comment_of_its_ticket_in_the_order_of_the_file_once(network: Network) -> None:
    numbers, asked = tell_of_tickets(), questions()
    rows = answers_file(Path("answers.csv.gz"), asked)
    first, again = run(), run("--no-resume")

    assert first.exit_code == 0 and f"{len(rows)} filed, 0 already there, 0 rejected" in first.output
    assert again.exit_code == 0 and f"0 filed, {len(rows)} already there" in again.output
    with db.read_tx("messaging"):
        for question, asker in asked:
            stored = list(Entry.select().where(Entry.ticket_number == numbers[question]).order_by(Entry.number))
            wanted = [row for row in rows if row["question_id"] == question]
            assert [(each.client_id, each.original_html) for each in stored] == [(row["id"], row["content"]) for row in wanted]
            sides = ["requester" if row["creator"] == asker else "staff" for row in wanted]
            assert [each.side for each in stored] == sides
            assert all("<script" not in each.body_html and "&lt;b&gt;" in each.body_html for each in stored)
    assert run("--check").exit_code == 0


def test_the_check_finds_what_is_missing_or_out_of_order(network: Network) -> None:
    numbers, asked = tell_of_tickets(), questions()
    answers_file(Path("answers.csv.gz"), asked)
    run()
    with write_tx("messaging"):
        number = numbers[asked[0][0]]
        Entry.update(client_id="lost").where((Entry.ticket_number == number) & (Entry.number == 2)).execute()
    checked = run("--check")

    assert checked.exit_code == 1 and "1 tickets differ" in checked.output and number in checked.output


def test_answers_to_questions_that_were_not_imported_are_refused_by_name_and_the_others_taken(network: Network) -> None:
    tell_of_tickets()
    answers_file(Path("answers.csv.gz"), [("999", "u1"), *questions()[:1]], each=1)
    result = run()

    assert result.exit_code == 1 and "1 filed" in result.output and "1 rejected" in result.output
    rejects = Path("answers.csv.rejects.csv").read_text()
    assert "there is no ticket of support-forum 999" in rejects


def test_a_ticket_that_is_told_of_late_is_waited_for_and_keeps_its_order(network: Network) -> None:
    late = questions()[0]
    tell_of_tickets(but=late[0])
    answers_file(Path("answers.csv.gz"), questions()[:3])
    posts = 0

    def tell_after_the_second(request: httpx.Request) -> None:
        nonlocal posts
        posts += request.method == "POST"
        if posts == 2:
            tell_of_tickets()

    network.trouble = tell_after_the_second
    result = run()

    assert result.exit_code == 0, result.output
    assert posts >= 2 and run("--check").exit_code == 0


def test_a_server_that_fails_is_tried_again_and_nothing_is_taken_twice(network: Network) -> None:
    tell_of_tickets()
    rows = answers_file(Path("answers.csv.gz"), questions())
    answers: list[int] = []

    def lose_the_first_answer(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and not answers:
            answers.append(network.fronts[request.url.port or 0].handle_request(request).status_code)
            return httpx.Response(503, json={"title": "gone"})
        return None

    network.trouble = lose_the_first_answer
    result = run()

    assert answers == [200] and result.exit_code == 0, result.output
    with db.read_tx("messaging"):
        assert Entry.select().count() == len(rows)


def test_a_stopped_import_goes_on_where_it_stopped(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("baton.scripts.answer_sender.MOST", 2)
    tell_of_tickets()
    rows = answers_file(Path("answers.csv.gz"), questions())
    posts: list[int] = []

    def fail_from_the_third(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST":
            posts.append(1)
        return httpx.Response(403, json={"title": "no"}) if request.method == "POST" and len(posts) == 3 else None

    network.trouble = fail_from_the_third
    stopped = run()
    assert stopped.exit_code == 1 and "stopped: 403 no" in stopped.output
    going_on = run()

    assert going_on.exit_code == 0, going_on.output
    assert f"{len(rows) - 4} filed, 4 already there" in going_on.output
    assert run("--check").exit_code == 0


@pytest.mark.parametrize("mapping", ["nothing", "support-forum", "broken.toml"])
def test_an_import_that_cannot_begin_says_why(network: Network, mapping: str) -> None:
    Path("broken.toml").write_text('source = "x"\ncolumns = ["id"]\n[fields]\nid = "{other}"\n')
    answers_file(Path("answers.csv.gz"), questions())
    assert run("--mapping", mapping).exit_code == 2
