"""Each service's migrations, run from nothing, give exactly the schema that its models describe."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from baton.models import database, full_text, migrate
from baton.models.settings import SERVICES, load_settings


def _schema(path: Path) -> dict[str, list[tuple[str, str, int]]]:
    """Return table -> columns (name, type, not null) plus its indexes, without the migration tool's own table."""
    with sqlite3.connect(path) as connection:
        tables = [row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")]
        schema = {}
        for table in tables:
            if table == "migratehistory" or table.startswith("sqlite_"):
                continue
            columns = [(row[1], row[2], row[3]) for row in connection.execute(f'pragma table_info("{table}")')]
            indexes = []
            for row in connection.execute(f'pragma index_list("{table}")').fetchall():
                names = tuple(info[2] for info in connection.execute(f'pragma index_info("{row[1]}")'))
                indexes.append((",".join(str(name) for name in names), "index", row[2]))
            triggers = connection.execute(
                "select name, sql, 0 from sqlite_master where type = 'trigger' and tbl_name = ?", (table,)
            )
            schema[table] = sorted(columns) + sorted(indexes) + sorted(triggers)
    return schema


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_give_the_schema_of_the_models(service: str, tmp_path: Path) -> None:
    migrated = load_settings({"BATON_DATA_DIR": str(tmp_path / "migrated")})
    created = load_settings({"BATON_DATA_DIR": str(tmp_path / "created")})

    database.configure(migrated)
    migrate.migrate(service)
    assert migrate.pending(service) == []
    assert migrate.migrate(service) == [], "a second run has nothing to do"

    database.configure(created)
    with database.connection(service) as connection:
        connection.create_tables(migrate.service_models(service))
        # The index of what is searched is made after the migrations, of the tables as they then are.
        full_text.ensure(service, connection)

    expected, actual = (_schema(tmp_path / which / f"{service}.db") for which in ("created", "migrated"))
    assert actual == expected, f"run `baton makemigration {service} NAME`"
