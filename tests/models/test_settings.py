"""The environment becomes settings, or a message that names the variable and the remedy."""

from __future__ import annotations

import pytest

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
        ({"BATON_BROKER_URL": "redis://localhost"}, "BATON_BROKER_URL"),
        ({"BATON_BROKER_URL": "stub://"}, "BATON_BROKER_URL"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(environ: dict[str, str], names: str) -> None:
    with pytest.raises(SettingsError, match=names):
        load_settings(environ)


def test_production_starts_on_secrets_of_its_own() -> None:
    assert load_settings({"BATON_ENV": "production", "BATON_SERVICE_SECRET": "s" * 32}).production
