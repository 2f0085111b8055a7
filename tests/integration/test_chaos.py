"""The short form of `scripts/chaos`: tickets flow while processes and servers die, and every promise holds."""

from __future__ import annotations

import pytest

from baton.scripts import chaos
from tests import servers

pytestmark = pytest.mark.usefixtures("alone")


def test_nothing_is_lost_when_the_embedded_server_is_killed(capsys: pytest.CaptureFixture[str]) -> None:
    violations = chaos.run("embedded", seed=1, tickets=200, seconds=20)

    assert violations == [], capsys.readouterr().out


@pytest.mark.distributed
def test_nothing_is_lost_when_processes_and_servers_die(capsys: pytest.CaptureFixture[str]) -> None:
    violations = servers.obtain(
        "private PostgreSQL and RabbitMQ", lambda: chaos.run("distributed", seed=2, tickets=400, seconds=30)
    )

    assert violations == [], capsys.readouterr().out


@pytest.mark.long
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_nothing_is_lost_in_two_minutes_of_chaos(seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("embedded", "distributed"):
        violations = chaos.run(kind, seed=seed, tickets=2_000, seconds=120)
        assert violations == [], capsys.readouterr().out
