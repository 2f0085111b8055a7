"""The rules of the house that a machine can check: who imports whom, who sends, what stays pure, what is catalogued."""

from __future__ import annotations

import ast
import functools
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from baton.models.settings import SERVICES

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("actors", "http", "models", "pipelines", "scripts")
#: Folder -> the folders it may import from, besides itself.
MAY_IMPORT = {
    "actors": {"models", "pipelines"},
    "http": {"models", "pipelines"},
    "models": set(),
    "pipelines": set(),
    "scripts": set(FOLDERS),
}
#: Modules that may hand a message to a broker: the relay, the scheduler for its ticks, the brokers themselves, and the handler,
#: which gives a message that it could not handle back to its queue.
SENDERS = ("actors/relay.py", "actors/scheduler.py", "_broker.py", "actors/handling.py")
#: What is measured against: bare drivers, sockets and queues of their own, which hand no message of ours to a broker.
BESIDE = "scripts/benchmarks/"
IMPURE_MODULES = {
    "peewee", "playhouse", "dramatiq", "time", "random", "secrets", "os", "logging", "structlog", "socket", "httpx", "pika",
    "psycopg", "falcon", "gevent", "threading", "subprocess", "uuid",
}  # fmt: skip
IMPURE_CALLS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "dt.datetime.now", "datetime.datetime.now"}
ACTOR_OPTIONS = {"max_retries", "min_backoff", "max_backoff", "time_limit", "throws"}


def modules(folder: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield each module of a folder: its path from the root and its syntax tree."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path.relative_to(ROOT).as_posix(), parsed(path)


@functools.cache
def parsed(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(), str(path))


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the full name of everything that is imported anywhere in a module, `from a import b` as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_point_one_way(folder: str) -> None:
    wrong = []
    for path, tree in modules(folder):
        for name in imported(tree):
            parts = name.split(".")
            if parts[0] == "tests" or (parts[0] in FOLDERS and parts[0] != "http"):
                wrong.append(f"{path}: {name} is not a name of the package")
            elif parts[0] == "baton" and set(parts[1:2]) & set(FOLDERS) - MAY_IMPORT[folder] - {folder}:
                wrong.append(f"{path} imports {name}")
    assert wrong == []


def test_services_do_not_import_each_others_tables() -> None:
    services = set(SERVICES)
    wrong = []
    for folder in ("actors", "http", "models"):
        for path, tree in modules(folder):
            owner = Path(path).parts[1].removesuffix(".py")
            if owner in services:
                for name in imported(tree):
                    parts = name.split(".")
                    if parts[:2] == ["baton", "models"] and len(parts) > 2 and parts[2] in services - {owner}:
                        wrong.append(f"{path} imports {name}")
    assert wrong == []


def test_only_the_relay_and_the_scheduler_send() -> None:
    wrong = []
    for folder in FOLDERS:
        for path, tree in modules(folder):
            if path.startswith(BESIDE):
                continue
            for node in ast.walk(tree):
                called = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
                if called in ("send", "send_with_options", "enqueue") and not path.endswith(SENDERS):
                    wrong.append(f"{path}:{node.lineno}: .{called}(")
    assert wrong == []


def test_pipelines_are_pure() -> None:
    wrong = []
    for path, tree in modules("pipelines"):
        wrong += [f"{path} imports {name}" for name in imported(tree) if name.split(".")[0] in IMPURE_MODULES]
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in IMPURE_CALLS:
                wrong.append(f"{path}:{node.lineno}: {ast.unparse(node)}")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("open", "print"):
                wrong.append(f"{path}:{node.lineno}: {node.func.id}()")
    assert wrong == []


def test_every_actor_states_its_options() -> None:
    wrong = []
    for path, tree in modules("actors"):
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef):
                continue
            for decorator in node.decorator_list:
                name = ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)
                if name.split(".")[-1] in ("handles", "actor"):
                    stated = {key.arg for key in decorator.keywords} if isinstance(decorator, ast.Call) else set()
                    if not stated >= ACTOR_OPTIONS:
                        wrong.append(f"{path}:{node.lineno}: {node.name} leaves {sorted(ACTOR_OPTIONS - stated)} unsaid")
    assert wrong == []


def test_every_message_has_one_actor_on_its_queue_at_its_receiver() -> None:
    from baton.pipelines.messages import CATALOGUE
    from tests.actors_of import every_actor

    actors = {actor.actor_name: actor for actor in every_actor()}
    wrong = []
    # Receivers outside this project, or not built yet, have their actors elsewhere.
    for name, message in CATALOGUE.items():
        actor = actors.get(name)
        if message.receiver not in SERVICES:
            continue
        if actor is None:
            wrong.append(f"{name} has no actor")
        elif actor.queue_name != message.queue:
            wrong.append(f"{name}: actor on {actor.queue_name}, message on {message.queue}")
        elif not actor.fn.__module__.startswith(f"baton.actors.{message.receiver}"):
            wrong.append(f"{name}: its actor is in {actor.fn.__module__}, its receiver is {message.receiver}")
    wrong += [f"actor {name} handles no message of the catalogue" for name in actors if name not in CATALOGUE]
    assert wrong == []


def test_a_message_is_announced_only_by_its_senders() -> None:
    from baton.pipelines.external_messages import EXTERNAL
    from baton.pipelines.messages import CATALOGUE

    by_class = {message.__name__: message for message in (*CATALOGUE.values(), *EXTERNAL.values())}
    wrong = []
    for folder in ("actors", "http", "models"):
        for path, tree in modules(folder):
            owner = Path(path).parts[1].removesuffix(".py")
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in by_class:
                    senders = by_class[node.func.id].senders
                    if owner in SERVICES and owner not in senders:
                        wrong.append(f"{path}:{node.lineno} makes {node.func.id}, whose senders are {senders}")
    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_asks_for_a_permission_of_the_table(service: str) -> None:
    from baton.pipelines.permissions import PERMISSIONS

    operations = importlib.import_module(f"baton.http.{service}").OPERATIONS
    assert operations
    assert [op.path for op in operations if op.permission not in PERMISSIONS] == []


def test_no_module_outgrows_300_lines() -> None:
    files = [path for folder in (*FOLDERS, "tests") for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts]
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in files}
    assert {path: length for path, length in lengths.items() if length > 300} == {}


def test_every_module_says_what_it_is() -> None:
    silent = [path for folder in FOLDERS for path, tree in modules(folder) if tree.body and not ast.get_docstring(tree)]
    assert silent == []


def test_the_standard_librarys_http_is_not_shadowed() -> None:
    assert not (ROOT / "http" / "__init__.py").exists()
    program = "import http.client, sys; print(http.client.__file__); sys.exit(not hasattr(http.client, 'HTTPConnection'))"
    for arguments in (["-c", program], ["-m", "http.server", "--help"]):
        done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert str(ROOT / "http") not in done.stdout


def test_everything_goes_by_its_full_name() -> None:
    program = (
        "import importlib, pkgutil, sys, baton.actors, baton.pipelines, baton.models\n"
        "for package in (baton.actors, baton.pipelines, baton.models):\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        if '.migrations' not in module.name: importlib.import_module(module.name)\n"
        "print([name for name in ('actors', 'models', 'pipelines', 'scripts') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
