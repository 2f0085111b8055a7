"""
`scripts/chaos`: a whole Baton of its own, thousands of tickets, and everything that can die dying at random moments.

Clients file tickets over HTTP with retries. Meanwhile processes are killed with SIGKILL, RabbitMQ and PostgreSQL (private ones)
are restarted or crashed, messages are doubled and shuffled. Then the faults end, the system comes to rest, and what became of the
tickets is counted. Seeded: the same seed draws the same tickets and faults (their interleaving is the machine's).
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator

import click
import httpx

from baton.models import database
from baton.models.database import DatabaseUnavailableError
from baton.models.settings import SERVICES
from baton.pipelines import messages
from baton.scripts.experiments import counting, faults
from baton.scripts.experiments.load import Clients, Filed
from baton.scripts.private_servers import postgres as postgres_servers
from baton.scripts.private_servers import rabbitmq as rabbitmq_servers
from baton.scripts.stack import Stack

#: Seconds that clients get to have everything acknowledged, and the system to come to rest, after the faults have ended.
ACKNOWLEDGE_SECONDS, REST_SECONDS = 120.0, 240.0

Act = Callable[..., str]


@click.command()
@click.option("--seed", type=int, default=1, show_default=True, help="What is drawn: tickets, victims, moments.")
@click.option("--tickets", type=int, default=2_000, show_default=True)
@click.option("--seconds", type=float, default=120.0, show_default=True, help="How long tickets are filed and faults happen.")
@click.option("--kind", type=click.Choice(["embedded", "distributed", "both"]), default="both", show_default=True)
@click.option("--keep-logs", is_flag=True, help="Leave the logs where they are, whatever the outcome.")
def main(seed: int, tickets: int, seconds: float, kind: str, keep_logs: bool) -> None:
    """File tickets while everything dies; exit 1 if a promise was broken."""
    violations: list[str] = []
    for one in ("embedded", "distributed") if kind == "both" else (kind,):
        click.echo(f"{one}: seed {seed}, {tickets} tickets over {seconds:.0f} s")
        violations += run(one, seed, tickets, seconds, keep_logs)
    raise SystemExit(1 if violations else 0)


def run(kind: str, seed: int, tickets: int, seconds: float, keep_logs: bool = False) -> list[str]:
    """Run one experiment, print its figures, return what was violated."""
    with _stack(kind) as (stack, acts), stack:
        database.configure(stack.settings)
        urls = {service: stack.url(service) for service in ("helpdesk", "tickets")}
        clients = Clients(urls, stack.service_token, seed=seed, count=tickets, seconds=seconds)
        clients.start()
        monkeys = [faults.Monkey(act, pause, f"{seed}/{name}").start() for name, act, pause in acts(seconds)]
        started = time.monotonic()
        while not clients.done and time.monotonic() - started < seconds:
            time.sleep(0.2)
        for monkey in monkeys:
            monkey.stop()
        clients.join(ACKNOWLEDGE_SECONDS)
        rested = _rest(stack, clients.filed)
        stock = counting.take_stock(stack.settings, clients.filed)
        if not clients.done:
            stock.violations.append(f"clients still without an answer {ACKNOWLEDGE_SECONDS:.0f} s after the faults")
        if not rested:
            stock.violations.append(f"did not come to rest within {REST_SECONDS:.0f} s")
        stock.figures["deaths"] = stack.deaths
        _print(stock, clients.filed, sum((monkey.deeds for monkey in monkeys), Counter()))
        if stock.violations or keep_logs:
            stack.keep_files = True
            click.echo(f"  logs: {stack.directory}/logs")
        for service in SERVICES:
            database.close(service)
        return stock.violations


@contextlib.contextmanager
def _stack(kind: str) -> Iterator[tuple[Stack, Callable[[float], list[tuple[str, Act, tuple[float, float]]]]]]:
    """Give a stack and, for a length in seconds, the faults that suit it: name, act, pauses."""
    if kind == "embedded":
        stack = Stack.embedded()
        # One process is everything: it must live long enough to answer between two deaths.
        yield (
            stack,
            lambda _seconds: [
                ("kill", faults.killer(stack), (4.0, 9.0)),
                ("double", faults.file_doubler(stack.settings.data_dir / "broker.db"), (0.1, 0.5)),
            ],
        )
        return
    with contextlib.ExitStack() as cleanup:
        postgres = postgres_servers.start_private(durable=True)
        cleanup.callback(postgres.close)
        rabbitmq = rabbitmq_servers.start_private()
        cleanup.callback(rabbitmq.close)
        stack = Stack.distributed(postgres.fresh_url(), url := rabbitmq.fresh_url())
        # The queues that tickets travel on; the others are silent once the people are known.
        busy = (messages.ReceiveTicket, messages.AllocateTicket, messages.AssignItem)
        queues = [message.queue for message in (*busy, messages.SendTicketStatus, messages.UpdateGatewayStatus)]
        yield (
            stack,
            lambda seconds: [
                ("kill", faults.killer(stack), (0.5, 2.5)),
                ("restart", faults.server_restarter(postgres, rabbitmq), (seconds / 8, seconds / 4)),
                ("shuffle", faults.shuffler(url, queues), (0.1, 0.5)),
            ],
        )


def _rest(stack: Stack, filed: Filed) -> bool:
    """Wait until nothing is under way any more; return whether that came to pass in time."""
    deadline = time.monotonic() + REST_SECONDS
    calm = 0
    while time.monotonic() < deadline:
        with contextlib.suppress(DatabaseUnavailableError, OSError, httpx.HTTPError):
            quiet = not counting.waiting(stack.settings) and not counting.unfinished(filed)
            # Three times in a row: a message in a worker's hands is in no queue.
            calm = calm + 1 if quiet else 0
            if calm == 3:
                return True
        time.sleep(1.0)
    return False


def _print(stock: counting.Stock, filed: Filed, deeds: Counter[str]) -> None:
    click.echo(f"  attempts {filed.attempts}, of which repeated {filed.repeated}")
    for name, value in stock.figures.items():
        click.echo(f"  {name}: {value}")
    click.echo("  faults: " + ("; ".join(f"{deed} {count}" for deed, count in sorted(deeds.items())) or "none"))
    for violation in stock.violations:
        click.echo(f"  VIOLATED {violation}")
    click.echo("  every promise held" if not stock.violations else f"  {len(stock.violations)} promises broken")


if __name__ == "__main__":
    main()
