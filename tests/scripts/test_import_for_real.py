"""`baton import` against the help desk's own front, in this process, on its own database."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from baton.http.clients import ServiceClient
from baton.models import database as db
from baton.models.runtime import runtime_tables
from baton.scripts import importing
from tests.factories import BACKENDS, SERVICE, token_for

SAMPLES = Path(__file__).parent.parent / "samples"
FILES = sorted(SAMPLES.glob("*.csv"))


@pytest.fixture
def run(databases: Any, client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path], str]:
    monkeypatch.chdir(tmp_path)
    front = httpx.WSGITransport(app=client("helpdesk").app)

    class Network(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == "/api/v1/service-token":
                return httpx.Response(200, json={"access_token": token_for(SERVICE), "expires_in": 900})
            answer = front.handle_request(request)
            return httpx.Response(answer.status_code, headers=answer.headers, content=b"".join(answer.stream))  # type: ignore[arg-type]

    monkeypatch.setattr(importing, "_front", lambda *_: ServiceClient(databases, "import", patience=0, transport=Network()))

    def call(file: Path) -> str:
        result = CliRunner().invoke(importing.import_tickets, [str(file), "--patience", "5"])
        assert result.exit_code == 0, result.output
        return result.output

    return call


@pytest.mark.parametrize("backend", BACKENDS)
def test_subjects_and_bodies_are_stored_character_for_character(run: Callable[[Path], str]) -> None:
    from baton.models.helpdesk.tables import Ticket

    file = SAMPLES / "support-forum.csv"
    run(file)

    with file.open(encoding="utf-8", newline="") as handle:
        wanted = {row["id"]: (row["title"], row["content"]) for row in csv.DictReader(handle)}
    with db.read_tx("helpdesk"):
        stored = {row.source_id: (row.subject, row.description) for row in Ticket.select()}
    assert stored == wanted


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_mapping_passes_the_front_door_and_importing_again_adds_nothing(run: Callable[[Path], str], file: Path) -> None:
    from baton.models.helpdesk.tables import Ticket

    first = run(file)
    with db.read_tx("helpdesk"):
        count = Ticket.select().count()
        announced = runtime_tables("helpdesk").Outbox.select().count()
    again = run(file)

    assert f"{count} filed, 0 already there" in first
    assert f"0 filed, {count} already there" in again
    with db.read_tx("helpdesk"):
        assert Ticket.select().count() == count
        assert runtime_tables("helpdesk").Outbox.select().count() == announced == count


def test_the_time_of_the_first_report_is_kept(run: Callable[[Path], str]) -> None:
    from baton.models.helpdesk.tables import Ticket

    run(SAMPLES / "servicenow-incidents.csv")

    with db.read_tx("helpdesk"):
        ticket = Ticket.get(Ticket.source_id == "INC0000045")
    assert json.loads(ticket.extras)["reported_at"] == "2016-02-29T01:16:00Z"
