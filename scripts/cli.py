"""The `baton` program: one table of commands, each loaded only when it is called."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

#: Command -> `module:attribute`, in the order `baton --help` shows them.
COMMANDS: dict[str, str] = {
    # running
    "server": "run:server",
    "serve": "run:serve",
    "worker": "run:worker",
    "relay": "run:relay",
    "scheduler": "run:scheduler",
    "supervise": "supervise:supervise",
    # looking after it
    "migrate": "database:migrate",
    "makemigration": "database:makemigration",
    "doctor": "doctor:doctor",
    "schedule": "schedule:schedule",
    "trace": "trace:trace",
    "dead-letters": "dead_letters:dead_letters",
    "hooks": "hooks:hooks",
    "notifications": "notifications:notifications",
    "keys": "keys:keys",
    "workflows": "workflows:workflows",
    # tickets
    "import": "importing:import_tickets",
    "import-answers": "import_answers:import_answers",
    "create_test_ticket": "ticket_commands:create_test_ticket",
    "update_ticket_status": "ticket_commands:update_ticket_status",
    "get_ticket_status": "ticket_commands:get_ticket_status",
    "get_task_status": "task_commands:get_task_status",
    "resolve_ticket": "resolve_ticket:resolve_ticket",
    "tasks": "task_desk:tasks",
    # proving it
    "integration": "integration_check:integration",
    "replay": "replaying:replay",
    "sla": "sla:sla",
    # seeding
    "seed_systems": "seed_auth:seed_systems",
    "seed_tts": "seed_auth:seed_tts",
    "seed_hdts": "seed_auth:seed_hdts",
    "seed_employees": "seed_auth:seed_employees",
    "seed_role": "seed_workflow:seed_role",
    "seed_workflows": "seed_workflow:seed_workflows",
    "seed_tickets": "seed_tickets:seed_tickets",
    "seed_tickets_open": "seed_tickets:seed_tickets_open",
    "seed_all": "seed_all:seed_all",
    "seed_demo": "demo_day:seed_demo",
}


class LazyGroup(click.Group):
    """A group whose commands live in other modules of this folder."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module and return the command."""
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        command: Any = getattr(importlib.import_module(f"baton.scripts.{module}"), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with the whole first sentence of each: click would cut it at the width of the terminal."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(limit=1000)) for name, command in commands if command])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="baton")
def cli() -> None:
    """Baton: a help desk that cannot drop a ticket."""


#: Commands whose process waits on many connections at once: they run on green threads.
GEVENT_COMMANDS = ("server", "serve")


def main() -> None:
    """Run the program; settings and connection problems end in one line, not a traceback."""
    if sys.argv[1:2] and (sys.argv[1] in GEVENT_COMMANDS or "--gevent" in sys.argv):
        # Before anything else is imported: psycopg looks once, when imported, whether it must yield to green threads.
        import gevent.monkey

        gevent.monkey.patch_all()

    from baton.models.database import DatabaseUnavailableError
    from baton.models.settings import SettingsError

    try:
        cli(prog_name="baton")
    except SettingsError as error:
        raise SystemExit(f"baton: {error}") from None
    except DatabaseUnavailableError as error:
        raise SystemExit(f"baton: the database cannot be reached: {error}\nTry `baton doctor`.") from None


if __name__ == "__main__":
    main()
