"""The seeders of auth: in the right and the wrong order, once and again."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from click.testing import CliRunner, Result

from baton.models.auth import Employee, Grant, Role, System, User
from baton.models.auth.passwords import passwords
from baton.models.database import read_tx
from baton.models.runtime import runtime_tables
from baton.models.settings import get_settings
from baton.models.transaction import write_tx
from baton.scripts import keys, seed_auth
from baton.scripts.seed_people import DEPARTMENTS, SYSTEMS, TTS_STAFF, employees
from tests.factories import BACKENDS

ORDER = ("seed_systems", "seed_tts", "seed_hdts", "seed_employees")


def run(command: str, *options: str) -> Result:
    """Run a seeder."""
    result = CliRunner().invoke(getattr(seed_auth, command), list(options))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def counts(result: Result) -> dict[str, tuple[int, int, int]]:
    """Return kind -> (created, changed, left) from what a seeder printed."""
    lines = re.findall(r"^(\w+) +created (\d+) +changed (\d+) +left (\d+)", result.output, re.M)
    return {kind: (int(created), int(changed), int(left)) for kind, created, changed, left in lines}


def rows() -> dict[str, list[Any]]:
    """Return everything that seeding writes."""
    with read_tx("auth"):
        return {model.__name__: list(model.select().dicts()) for model in (System, Role, User, Grant, Employee)}


def outbox() -> Counter[str]:
    """Return how many messages of each name wait to leave."""
    table = runtime_tables("auth").Outbox
    with read_tx("auth"):
        return Counter(row.name for row in table.select())


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_seeder_twice_leaves_what_the_first_run_made(databases: Any) -> None:
    first = {command: run(command) for command in ORDER}
    assert [result.exit_code for result in first.values()] == [0] * 4, [result.output for result in first.values()]
    made, told = rows(), outbox()
    assert len(made["System"]) == 4 and len(made["Employee"]) == 150

    again = {command: run(command) for command in ORDER}

    assert rows() == made
    for command, result in again.items():
        assert result.exit_code == 0
        for created, changed, left in counts(result).values():
            assert (created, changed) == (0, 0) and left, f"{command}: {result.output}"
    assert outbox() - told == {"workflow_seed": 1}, "only the workflow seeder is asked again"


@pytest.mark.parametrize(
    ("command", "first"), [("seed_tts", "seed_systems"), ("seed_hdts", "seed_systems"), ("seed_employees", "seed_systems")]
)
def test_out_of_order_a_seeder_names_the_command_to_run_first(databases: Any, command: str, first: str) -> None:
    result = run(command)

    assert result.exit_code == 1
    assert f"`baton {first}`" in result.output
    assert not any(rows().values()) and not outbox()


def test_employees_need_the_roles_of_the_help_desk(databases: Any) -> None:
    run("seed_systems")

    result = run("seed_employees")

    assert result.exit_code == 1 and "`baton seed_hdts`" in result.output


def test_without_tables_the_migration_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("BATON_DATA_DIR", str(tmp_path / "empty"))
    get_settings.cache_clear()

    result = run("seed_systems")

    assert result.exit_code == 1 and "`baton migrate`" in result.output


def test_each_system_has_an_admin_who_can_sign_in(databases: Any) -> None:
    run("seed_systems")

    with read_tx("auth"):
        users = {user.email: user for user in User.select()}
        grants = {(grant.user.email, f"{grant.role.system.slug}:{grant.role.name}") for grant in Grant.select()}
    assert grants == {(f"Admin{slug}@example.com", f"{slug}:Admin") for slug in SYSTEMS}
    assert all(passwords(True).matches(user.password_hash, "Password123") for user in users.values())


def test_roles_have_enough_holders_to_take_turns_and_news_of_them_leave(databases: Any) -> None:
    for command in ORDER[:3]:
        run(command)

    with read_tx("auth"):
        holders = Counter(grant.role.name for grant in Grant.select().join(Role).join(System).where(System.slug == "tts"))
        alex = User.get(User.email_key == "alex.johnson@gmail.com")
        roles = [grant.role.name for grant in Grant.select().where(Grant.user == alex)]
    assert set(holders) == set(TTS_STAFF) and min(holders.values()) >= 3
    assert roles == ["Ticket Coordinator"]
    sent = outbox()
    assert sent["tts.user_system_role.sync"] == sum(holders.values())
    assert sent["workflow_seed"] == 1 and sent["hdts.user.sync"] == 6


def test_more_employees_only_add_people(databases: Any) -> None:
    for command in ORDER[:3]:
        run(command)
    run("seed_employees", "--count", "10")

    result = run("seed_employees", "--count", "25")

    assert counts(result) == {"employees": (15, 0, 10)}
    assert outbox()["hdts.employee.sync"] == 25
    with read_tx("auth"):
        assert {employee.department for employee in Employee.select()} == set(DEPARTMENTS)


def test_what_somebody_edited_is_brought_back_but_never_the_password(databases: Any) -> None:
    for command in ORDER[:3]:
        run(command)
    with write_tx("auth"):
        User.update(full_name="Changed", password_hash="own").where(User.email_key == "maria.santos@example.com").execute()

    result = run("seed_tts")

    assert counts(result)["users"] == (0, 1, 14)
    with read_tx("auth"):
        maria = User.get(User.email_key == "maria.santos@example.com")
    assert (maria.full_name, maria.password_hash) == ("Maria Santos", "own")


def test_many_employees_are_entered_without_hashing_each_password(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ORDER[:3]:
        run(command)
    hashed = []
    hasher = passwords(True)
    monkeypatch.setattr(type(hasher), "hash", lambda self, password: hashed.append(password) or "hash")

    run("seed_employees")

    assert len(hashed) == 1


def test_seeded_employees_are_the_same_everywhere_and_distinct() -> None:
    people = list(employees(3_000))

    assert people[:150] == list(employees(150))
    assert len({person.email for person in people}) == 3_000
    assert people[0].email == "adaeze.abara@example.com"


def test_production_is_seeded_only_when_asked_twice_and_with_a_random_password(
    databases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATON_ENV", "production")
    monkeypatch.setenv("BATON_SERVICE_SECRET", "s" * 40)
    monkeypatch.setenv("BATON_TOKEN_SECRET", "t" * 40)
    get_settings.cache_clear()

    refused = run("seed_systems")
    assert refused.exit_code == 1 and "--yes" in refused.output

    done = run("seed_systems", "--yes")
    shown = done.output.strip().splitlines()[-1].rsplit(" ", 1)[1]
    with read_tx("auth"):
        stored = User.get(User.email == "Adminhdts@example.com").password_hash
    assert passwords(False).matches(stored, shown) and not passwords(False).matches(stored, "Password123")
    assert "password" not in run("seed_systems", "--yes").output


def test_keys_are_listed_and_rotated(databases: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def command(name: str) -> Result:
        return CliRunner().invoke(keys.keys, [name])

    assert "HS256" in command("rotate").output and command("rotate").exit_code == 1
    monkeypatch.setenv("BATON_TOKEN_ALGORITHM", "EdDSA")
    get_settings.cache_clear()
    assert "no key yet" in command("list").output

    first, second = command("rotate"), command("rotate")

    assert first.exit_code == second.exit_code == 0 and first.output != second.output
    listed = command("list").output
    assert [line.split()[2] for line in listed.splitlines()[1:]] == ["retired", "retired", "active", "next"]
    assert "PRIVATE" not in listed
