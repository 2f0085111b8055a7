"""
Logs: events with a stable name and key=value facts, readable on a terminal and JSON elsewhere.

Standard-library loggers (Dramatiq, pika, APScheduler) go through the same formatter. What is bound with
`structlog.contextvars.bind_contextvars` (message id, ticket number, trace id) appears on every line until it is cleared.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from baton.models.settings import Settings

#: Keys whose values never reach a log, whoever logs them.
SECRET_KEYS = ("password", "secret", "token", "authorization", "cookie", "private_key")


def hide_secrets(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Replace the value of any key that names a secret."""
    for key in event:
        if any(word in key.lower() for word in SECRET_KEYS):
            event[key] = "[hidden]"
    return event


def configure_logs(settings: Settings, process: str) -> None:
    """Send this process's logs to standard error, each line bearing the process's name."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info if as_json else _pass,
        hide_secrets,
    ]
    # Plain tracebacks: the pretty ones print every local value, secrets and people's texts too.
    terminal = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderer: Any = structlog.processors.JSONRenderer() if as_json else terminal
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    # pika reports each failed attempt in several lines and raises besides; whoever catches it logs one.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    for noisy in ("apscheduler", "httpx", "httpcore", "peewee", "peewee_migrate"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("dramatiq").setLevel(max(logging.INFO, root.level))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(process=process)


def _pass(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    return event
