"""The environment becomes settings, or a message that names the variable and the remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from baton.models import database
from baton.models.settings import SERVICES, SettingsError, load_settings


def test_with_nothing_set_everything_is_embedded_and_local() -> None:
    settings = load_settings({})
    assert settings.embedded_broker
    assert {settings.database_url(service) for service in SERVICES} == {f"sqlite:///var/{service}.db" for service in SERVICES}
    assert settings.url("helpdesk") == "http://127.0.0.1:8000"


def test_two_urls_make_it_distributed_and_one_service_may_differ() -> None:
    settings = load_settings(
        {
            "BATON_DATABASE_URL": "postgresql://localhost/baton",
            "BATON_DATABASE_URL_AUTH": "postgresql://elsewhere/auth",
            "BATON_BROKER_URL": "amqp://localhost/",
        }
    )
    assert not settings.embedded_broker
    assert settings.database_url("auth") == "postgresql://elsewhere/auth"
    assert settings.database_url("workflow") == "postgresql://localhost/baton"


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"BATON_ENV": "production"}, "BATON_SERVICE_SECRET"),
        ({"BATON_ENV": "production", "BATON_SERVICE_SECRET": "short"}, "BATON_SERVICE_SECRET"),
        ({"BATON_ENV": "production", "BATON_SERVICE_SECRET": "s" * 32, "BATON_TOKEN_ALGORITHM": "HS256"}, "BATON_TOKEN_SECRET"),
        ({"BATON_ENV": "staging"}, "BATON_ENV"),
        ({"BATON_AUTH_PORT": "eighty"}, "BATON_AUTH_PORT"),
        ({"BATON_DATABASE_URL": "mysql://localhost/baton"}, "BATON_DATABASE_URL"),
        ({"BATON_DATABASE_URL": "postgresql://localhost:port/baton"}, "BATON_DATABASE_URL"),
        ({"BATON_DATABASE_URL": "postgresql://localhost"}, "BATON_DATABASE_URL names no database"),
        ({"BATON_DATABASE_URL": "postgresql://[::1/baton"}, "BATON_DATABASE_URL"),
        ({"BATON_BROKER_URL": "amqp://localhost;amqp://localhost:port"}, "BATON_BROKER_URL"),
        ({"BATON_BATCH_SIZE": "0"}, "BATON_BATCH_SIZE must be at least 1"),
        ({"BATON_WORKER_THREADS": "9" * 5000}, "BATON_WORKER_THREADS"),
        ({"BATON_LOG_LEVEL": "loud"}, "BATON_LOG_LEVEL"),
        ({"BATON_BROKER_URL": "redis://localhost"}, "BATON_BROKER_URL"),
        ({"BATON_BROKER_URL": "stub://"}, "BATON_BROKER_URL"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(environ: dict[str, str], names: str) -> None:
    with pytest.raises(SettingsError, match=names):
        load_settings(environ)


def test_production_starts_on_secrets_of_its_own() -> None:
    assert load_settings({"BATON_ENV": "production", "BATON_SERVICE_SECRET": "s" * 32}).production


def test_a_malformed_url_is_refused_without_a_piece_of_its_password() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({"BATON_DATABASE_URL": "postgresql://baton:half/other@localhost/baton"})
    assert "half" not in str(refused.value)


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match=r"BATON_DATA_DIR: .*file cannot be made"):
        database._open(load_settings({"BATON_DATA_DIR": str(tmp_path / "file")}), "auth")
