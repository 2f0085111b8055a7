"""
Settings: everything Baton reads from its environment, read once, typed, with the defaults visible.

With nothing set, Baton runs embedded: SQLite files and a SQLite broker under `var/`, on localhost. In production
(`BATON_ENV=production`) it refuses to start on a default secret.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from baton.models.attachment_settings import AttachmentSettings, AttachmentSettingsError, load_attachment_settings
from baton.models.mail_settings import MailSettings, MailSettingsError, load_mail_settings

#: Services that own tables, with the port each front listens on by default.
SERVICE_PORTS = {
    "auth": 8003,
    "helpdesk": 8000,
    "tickets": 8004,
    "workflow": 8002,
    "messaging": 8005,
    "notifications": 8006,
    "issues": 6001,
}
SERVICES = tuple(SERVICE_PORTS)
#: Fronts for people, which own no tables, with the port each listens on by default.
WEB_PORTS = {"console": 8001, "portal": 5173}
FRONT_PORTS = {**SERVICE_PORTS, **WEB_PORTS}
FRONTS = tuple(FRONT_PORTS)

_DEVELOPMENT_SECRET = "development-only-secret-do-not-use-in-production"


class SettingsError(Exception):
    """The environment cannot be used; the message names the variable and the remedy. Fix it and start again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    One immutable value, passed down to whatever needs it.

    Durations are in seconds. URLs have no trailing slash.
    """

    environment: str = "development"
    data_dir: Path = Path("var")
    database_urls: Mapping[str, str] = field(default_factory=dict)
    broker_url: str = ""
    host: str = "127.0.0.1"
    ports: Mapping[str, int] = field(default_factory=lambda: dict(FRONT_PORTS))
    urls: Mapping[str, str] = field(default_factory=dict)
    service_secret: str = _DEVELOPMENT_SECRET
    token_algorithm: str = "EdDSA"
    token_secret: str = _DEVELOPMENT_SECRET
    access_token_seconds: int = 900
    refresh_token_seconds: int = 14 * 86400
    log_level: str = "INFO"
    log_format: str = "auto"
    sqlite_synchronous: str = "FULL"
    pool_size: int = 6
    statement_timeout_seconds: int = 30
    celery_queues: frozenset[str] = frozenset()
    batch_size: int = 50
    worker_threads: int = 4
    max_body_bytes: int = 1_000_000
    notifications: bool = True
    notification_undo_seconds: int = 10
    notification_retention_days: int = 90
    time_zone: str = "UTC"
    mail: MailSettings = field(default_factory=MailSettings)
    attachments: AttachmentSettings = field(default_factory=AttachmentSettings)
    comment_edit_seconds: int = 86_400

    @property
    def production(self) -> bool:
        """Whether this is a production environment: secure cookies, no default secrets."""
        return self.environment == "production"

    @property
    def embedded_broker(self) -> bool:
        """Whether messages travel through the SQLite broker under `data_dir` rather than RabbitMQ."""
        return not self.broker_url

    def database_url(self, service: str) -> str:
        """Return where a service keeps its tables: `postgresql://...`, or `sqlite:///FILE` under `data_dir`."""
        return self.database_urls.get(service) or f"sqlite:///{self.data_dir / f'{service}.db'}"

    def url(self, service: str) -> str:
        """Return the base URL at which other processes reach a service's front."""
        return self.urls.get(service) or f"http://{self.host}:{self.ports[service]}"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """
    Read the environment into Settings.

    Raises:
        SettingsError: a value is malformed, or production would run on a default secret.
    """
    env = os.environ if environ is None else environ
    shared_database = env.get("BATON_DATABASE_URL", "")
    try:
        mail = load_mail_settings(env)
        attachments = load_attachment_settings(env)
    except (MailSettingsError, AttachmentSettingsError) as error:
        raise SettingsError(str(error)) from error
    settings = Settings(
        environment=_choice(env, "BATON_ENV", ("development", "test", "production"), "development"),
        data_dir=Path(env.get("BATON_DATA_DIR") or "var"),
        database_urls={service: env.get(f"BATON_DATABASE_URL_{service.upper()}") or shared_database for service in SERVICES},
        broker_url=env.get("BATON_BROKER_URL", ""),
        host=env.get("BATON_HOST") or "127.0.0.1",
        ports={service: _integer(env, f"BATON_{service.upper()}_PORT", port, least=0) for service, port in FRONT_PORTS.items()},
        urls={service: env.get(f"BATON_{service.upper()}_URL", "").rstrip("/") for service in FRONTS},
        service_secret=env.get("BATON_SERVICE_SECRET") or _DEVELOPMENT_SECRET,
        token_algorithm=_choice(env, "BATON_TOKEN_ALGORITHM", ("EdDSA", "RS256", "HS256"), "EdDSA"),
        token_secret=env.get("BATON_TOKEN_SECRET") or _DEVELOPMENT_SECRET,
        access_token_seconds=_integer(env, "BATON_ACCESS_TOKEN_SECONDS", 900),
        refresh_token_seconds=_integer(env, "BATON_REFRESH_TOKEN_SECONDS", 14 * 86400),
        log_level=_choice(
            {"BATON_LOG_LEVEL": env.get("BATON_LOG_LEVEL", "").upper()},
            "BATON_LOG_LEVEL",
            ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
            "INFO",
        ),
        log_format=_choice(env, "BATON_LOG_FORMAT", ("auto", "console", "json"), "auto"),
        sqlite_synchronous=_choice(env, "BATON_SQLITE_SYNCHRONOUS", ("FULL", "NORMAL"), "FULL"),
        pool_size=_integer(env, "BATON_POOL_SIZE", 6),
        statement_timeout_seconds=_integer(env, "BATON_STATEMENT_TIMEOUT_SECONDS", 30, least=0),
        celery_queues=frozenset(q.strip() for q in env.get("BATON_CELERY_QUEUES", "").split(",") if q.strip()),
        batch_size=_integer(env, "BATON_BATCH_SIZE", 50),
        worker_threads=_integer(env, "BATON_WORKER_THREADS", 4),
        max_body_bytes=_integer(env, "BATON_MAX_BODY_BYTES", 1_000_000),
        notifications=_choice(env, "BATON_NOTIFICATIONS", ("on", "off"), "on") == "on",
        notification_undo_seconds=_integer(env, "BATON_NOTIFICATION_UNDO_SECONDS", 10, least=0),
        notification_retention_days=_integer(env, "BATON_NOTIFICATION_RETENTION_DAYS", 90),
        time_zone=_zone(env, "BATON_TIME_ZONE"),
        mail=mail,
        attachments=attachments,
        comment_edit_seconds=_integer(env, "BATON_COMMENT_EDIT_SECONDS", 86_400, least=0),
    )
    _refuse_unsafe(settings)
    return settings


@functools.cache
def get_settings() -> Settings:
    """Return the process's settings, read on first use. Tests replace them with `get_settings.cache_clear()`."""
    return load_settings()


def _refuse_unsafe(settings: Settings) -> None:
    for service in SERVICES:
        url = settings.database_url(service)
        if not url.startswith(("postgresql://", "postgres://", "sqlite:///")):
            raise SettingsError(f"BATON_DATABASE_URL: {url.split(':')[0]!r} is not postgresql:// or sqlite:///")
        if url.startswith("postgres") and not _parts("BATON_DATABASE_URL", url).path.strip("/"):
            raise SettingsError("BATON_DATABASE_URL names no database: postgresql://USER@HOST:PORT/NAME")
    for broker in filter(None, settings.broker_url.split(";")):
        _parts("BATON_BROKER_URL", broker)
    if settings.environment == "test" and settings.broker_url == "stub://":
        return
    if settings.broker_url and not settings.broker_url.startswith(("amqp://", "amqps://")):
        raise SettingsError("BATON_BROKER_URL must start with amqp:// or amqps://; leave it empty for the embedded broker")
    if not settings.production:
        return
    if settings.service_secret == _DEVELOPMENT_SECRET or len(settings.service_secret) < 32:
        raise SettingsError("BATON_SERVICE_SECRET must be set to 32 or more random characters in production")
    if settings.token_algorithm == "HS256" and (settings.token_secret == _DEVELOPMENT_SECRET or len(settings.token_secret) < 32):
        raise SettingsError("BATON_TOKEN_SECRET must be set to 32 or more random characters when HS256 is used")


def _parts(name: str, url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # Neither the URL nor the error is shown: what looks like a port may be a piece of the password.
        raise SettingsError(
            f"{name} cannot be read: the port must be a number, and special characters in the password percent-encoded"
        ) from None
    return parts


def _integer(env: Mapping[str, str], name: str, default: int, least: int = 1) -> int:
    text = env.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise SettingsError(f"{name} must be a whole number, not {text[:40]!r}")
    if int(text) < least:
        raise SettingsError(f"{name} must be at least {least}, not {text}")
    return int(text)


def _zone(env: Mapping[str, str], name: str) -> str:
    zone = env.get(name) or "UTC"
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise SettingsError(f"{name} must be a zone of the tz database such as Europe/Berlin, not {zone[:60]!r}") from None
    return zone


def _choice(env: Mapping[str, str], name: str, choices: tuple[str, ...], default: str) -> str:
    value = env.get(name) or default
    if value not in choices:
        raise SettingsError(f"{name} must be one of {', '.join(choices)}, not {value!r}")
    return value
