"""The workflow front with a calendar that is always open and policies of the tests' own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from baton.models import database as db
from baton.models.database import InstantField
from baton.models.transaction import write_tx
from baton.models.workflow import TABLES, SlaClock
from baton.models.workflow.sla_policy_store import store_calendar, store_policy
from tests.http.workflow.design_office import DesignOffice, open_office

ALWAYS = {"time_zone": "UTC", "windows": "always"}
OFFICE = {"time_zone": "Europe/Berlin", "windows": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}


def policy(**changes: Any) -> dict[str, Any]:
    """Return the document of a policy that promises a response in 4 h and the end in 8 h, of any time."""
    return {
        "name": "Everything",
        "calendar": "Always",
        "targets": {"first_response": "4h", "resolution": "8h"},
        "steps": {"share": False},
        "warnings": [{"percent": 75}],
        **changes,
    }


#: The resolution in 2 h instead of 8 h, the response as before.
TIGHTER = policy(targets={"first_response": "4h", "resolution": "2h"})
LOOSER = policy(targets={"first_response": "4h", "resolution": "80h"})


def open_sla_office(client: Callable[[str], Any], *policies: dict[str, Any]) -> DesignOffice:
    """Return an office with the calendars Always and Office, and these policies (one of everything, if there are none)."""
    office = open_office(client)
    with write_tx("workflow") as tx:
        store_calendar(tx, "Always", ALWAYS, "system")
        store_calendar(tx, "Office", OFFICE, "system")
        for document in policies or (policy(),):
            store_policy(tx, document["name"], document, "system")
    return office


def file(office: DesignOffice, *numbers: str, **changes: Any) -> None:
    """Take tickets in, and let everything that follows happen."""
    for number in numbers:
        office.file(number, **{"submitted_at": None, **changes})
    office.run()


def clock(number: str, metric: str = "resolution") -> SlaClock:
    """Return a ticket's clock of a metric."""
    found: SlaClock = SlaClock.get(SlaClock.ticket_number == number, SlaClock.metric == metric)
    return found


def pass_time(seconds: int) -> None:
    """Let so much time pass for the workflow service: everything it has stored happened so much earlier."""
    with write_tx("workflow") as tx:
        sqlite = db.is_sqlite(tx.database)
        for model in TABLES:
            for field in model._meta.sorted_fields:
                if isinstance(field, InstantField):
                    name, column = model._meta.table_name, field.column_name
                    whole, fraction = f'substr("{column}", 1, 19)', f'substr("{column}", 20)'
                    earlier = (
                        f"strftime('%Y-%m-%d %H:%M:%S', {whole}, '-{seconds} seconds') || {fraction}"
                        if sqlite
                        else f"\"{column}\" - interval '{seconds} seconds'"
                    )
                    tx.database.execute_sql(f'update "{name}" set "{column}" = {earlier} where "{column}" is not null')


def statements(act: Callable[[], Any], monkeypatch: Any) -> int:
    """Return how many statements something takes of the workflow service's database."""
    seen: list[str] = []
    database = db.service_database("workflow")
    target = getattr(database, "obj", None) or database
    plain = target.execute_sql
    with monkeypatch.context() as patched:
        patched.setattr(target, "execute_sql", lambda sql, *rest, **more: (seen.append(sql), plain(sql, *rest, **more))[1])
        act()
    assert seen
    return len(seen)


def change(office: DesignOffice, *policies: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Carry a proposal out; return the change as it is when everything was done."""
    answer = office.call("POST", "/sla/changes", {"policies": list(policies), **more})
    assert answer.status_code == 202, answer.text
    office.run()
    done: dict[str, Any] = office.call("GET", f"/sla/changes/{answer.json['id']}").json
    return done


def undo(office: DesignOffice, change_id: int) -> dict[str, Any]:
    """Take a change back; return the undoing as it is when everything was done."""
    answer = office.call("POST", f"/sla/changes/{change_id}/undo")
    assert answer.status_code == 202, answer.text
    office.run()
    return dict(office.call("GET", f"/sla/changes/{answer.json['id']}").json)
