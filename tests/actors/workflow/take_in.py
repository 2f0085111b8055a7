"""A process that takes tickets in, one transaction each: `python take_in.py FIRST COUNT`, once its standard input closes."""

from __future__ import annotations

import sys

import baton.actors  # noqa: F401 - sets the broker
from baton.actors.handling import delivery_of
from baton.actors.workflow import intake
from baton.models import database
from baton.models.settings import get_settings
from baton.models.transaction import write_tx
from baton.pipelines.messages import ReceiveTicket


def main(first: int, count: int) -> None:
    database.configure(get_settings(), ["workflow"])
    with database.read_tx("workflow"):
        print("ready", flush=True)
    sys.stdin.read()
    for number in range(first, first + count):
        ticket = {"ticket_number": f"HD-{number:08}", "category": "IT Support"}
        with write_tx("workflow") as tx:
            intake.receive_ticket.handle(tx, [delivery_of(ReceiveTicket(payload=ticket))])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
