"""
Faults at random moments: processes killed, servers restarted, messages doubled and put out of order.

Everything is drawn from one seeded generator; a `Monkey` runs until it is told to stop and counts what it did.
"""

from __future__ import annotations

import contextlib
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pika
import pika.exceptions


class Monkey:
    """Calls `act` again and again, after pauses drawn from `pause` (least and most seconds)."""

    def __init__(self, act: Callable[[random.Random], str], pause: tuple[float, float], seed: str) -> None:
        self.deeds: Counter[str] = Counter()
        self._act, self._pause = act, pause
        self._chance = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> Monkey:
        """Begin."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Finish the deed under way and do no more."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._chance.uniform(*self._pause)):
            deed = self._act(self._chance)
            if deed:
                self.deeds[deed] += 1


def killer(stack: Any) -> Callable[[random.Random], str]:
    """Return an act that kills one process of a stack with SIGKILL."""

    def act(chance: random.Random) -> str:
        alive = sorted(stack.pids())
        if not alive:
            return ""
        name = chance.choice(alive)
        stack.kill(name)
        return f"killed {name}"

    return act


def server_restarter(postgres: Any, rabbitmq: Any) -> Callable[[random.Random], str]:
    """Return an act that restarts one private server, in order or by a crash."""

    def act(chance: random.Random) -> str:
        if chance.random() < 0.5:
            mode = chance.choice(("fast", "immediate"))
            postgres.restart(mode)
            return f"restarted PostgreSQL ({mode})"
        how = chance.choice((signal.SIGTERM, signal.SIGKILL))
        rabbitmq.restart(how)
        return f"restarted RabbitMQ ({how.name})"

    return act


def shuffler(broker_url: str, queues: Sequence[str]) -> Callable[[random.Random], str]:
    """Return an act that takes some messages off a queue and puts each back twice, in another order."""

    def act(chance: random.Random) -> str:
        with contextlib.suppress(pika.exceptions.AMQPError, OSError):
            parameters = pika.URLParameters(broker_url)
            parameters.socket_timeout = 2
            connection = pika.BlockingConnection(parameters)
            try:
                return "doubled and shuffled messages" if _double(connection.channel(), chance, queues) else ""
            finally:
                with contextlib.suppress(pika.exceptions.AMQPError):
                    connection.close()
        return ""

    return act


def _double(channel: Any, chance: random.Random, queues: Sequence[str]) -> int:
    """Compete with the workers for a queue's next messages: an idle system leaves none lying there to be fetched."""
    queue, wanted = chance.choice(list(queues)), chance.randint(1, 20)
    channel.queue_declare(queue, passive=True)
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=wanted)
    taken: list[tuple[int, Any, bytes]] = []
    for method, properties, body in channel.consume(queue, inactivity_timeout=0.5):
        if method is None:
            break
        taken.append((method.delivery_tag, properties, body))
        if len(taken) == wanted:
            break
    copies = [(properties, body) for _, properties, body in taken] * 2
    chance.shuffle(copies)
    for properties, body in copies:
        channel.basic_publish("", queue, body, properties)
    # Only now: had this process died before, the originals would have come back.
    for tag, _, _ in taken:
        channel.basic_ack(tag)
    return len(taken)


def file_doubler(path: Path) -> Callable[[random.Random], str]:
    """Return an act that copies messages of the embedded broker's file, to be delivered again behind what came meanwhile."""
    columns = "queue, visible_at, enqueued_at, message_id, body, headers, properties"
    chosen = f"select {columns} from message order by random() limit ?"

    def act(chance: random.Random) -> str:
        until = time.monotonic() + 1.0
        with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(path, timeout=5)) as broker:
            while time.monotonic() < until:
                if broker.execute("select 1 from message limit 1").fetchone():
                    with broker:
                        copied = broker.execute(f"insert into message ({columns}) {chosen}", (chance.randint(1, 20),)).rowcount
                    if copied > 0:
                        return "doubled messages"
                time.sleep(0.002)
        return ""

    return act
