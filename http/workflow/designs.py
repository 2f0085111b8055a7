"""Designing workflows: drafts made and changed, judged, drawn, and carried in and out as TOML."""

from __future__ import annotations

from dataclasses import asdict

from baton.http.api import Call, Conflict, Invalid, NotFound, Reply
from baton.http.workflow.definition_views import DefinitionBody, FaultView, ImportBody, NewVersion, PictureQuery, ValidationView
from baton.http.workflow.workflows import (
    definition_in,
    faults_of,
    find_version,
    find_workflow,
    lock_workflow,
    show_version,
    show_workflow,
)
from baton.models.workflow import Workflow, definition_store
from baton.pipelines.definition_texts import read_definition, write_definition
from baton.pipelines.definitions import Definition, DefinitionError, definition_of, document_of
from baton.pipelines.picture import draw
from baton.pipelines.validation import blocking

SVG = "image/svg+xml"
TOML = "application/toml"
#: A picture may style itself and nothing else, also when it is opened on its own.
PICTURE_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}


def create_workflow(call: Call, body: DefinitionBody) -> Reply:
    """A new workflow, with its first version as a draft."""
    return _created(call, read(body))


def create_version(call: Call, body: NewVersion) -> Reply:
    """A new draft of a workflow: as given, or as another of its versions."""
    workflow = lock_workflow(call)
    if body.definition is not None:
        definition = _named(read(body.definition), workflow, "definition.name")
    else:
        basis = (
            definition_store.newest_version(call.tx, workflow.id)
            if body.from_version is None
            else definition_store.find_version(call.tx, workflow.id, body.from_version)
        )
        if basis is None:
            raise NotFound(f"workflow {workflow.name} has no version {body.from_version}")
        definition = definition_in(workflow, basis)
    return _new_version(call, workflow, definition)


def change_version(call: Call, body: DefinitionBody) -> Reply:
    """A draft is as given now; a version that was deployed never changes."""
    workflow = lock_workflow(call)
    version = find_version(call, workflow)
    call.require_match(version.revision)
    definition = _named(read(body), workflow, "name")
    try:
        changed = definition_store.change_draft(call.tx, version, definition, document_of(definition))
    except definition_store.ImmutableVersionError as error:
        raise Conflict(f"{error} and never changes; make a new version of it", state=version.state) from None
    return show_version(workflow, changed)


def check_version(call: Call) -> ValidationView:
    """What is wrong with a version, as things are now."""
    workflow = find_workflow(call)
    return _judged(workflow, definition_in(workflow, find_version(call, workflow)))


def check_definition(call: Call, body: DefinitionBody) -> ValidationView:
    """What is wrong with a definition that is not stored; that of a workflow's name is judged as its next version."""
    definition = read(body)
    return _judged(definition_store.find_workflow(None, definition.name), definition)


def draw_version(call: Call, query: PictureQuery) -> Reply:
    """The picture of a version, with the step where a ticket is now if one is named."""
    workflow = find_workflow(call)
    version = find_version(call, workflow)
    heading = f"{workflow.name}, version {version.number} ({version.state})"
    return _picture(definition_in(workflow, version), heading, query.current)


def draw_definition(call: Call, body: DefinitionBody) -> Reply:
    """The picture of a definition that is not stored."""
    return _picture(read(body), "")


def export_version(call: Call) -> Reply:
    """The TOML text of a version."""
    workflow = find_workflow(call)
    return Reply(write_definition(definition_in(workflow, find_version(call, workflow))))


def import_workflow(call: Call, body: ImportBody) -> Reply:
    """A TOML text becomes a draft: of a new workflow, or of the one of its name."""
    try:
        definition = read_definition(body.toml)
    except DefinitionError as error:
        raise Invalid([{"field": "toml", "message": each, "type": "definition"} for each in error.errors]) from None
    known = definition_store.find_workflow(call.tx, definition.name)
    if known is None:
        return _created(call, definition)
    workflow = definition_store.lock_workflow(call.tx, known.id)
    assert workflow is not None
    _new_version(call, workflow, definition)
    return Reply(show_workflow(workflow), headers={"Location": f"/api/v1/workflows/{workflow.id}"})


def read(body: DefinitionBody) -> Definition:
    """Return a body as a definition."""
    try:
        return definition_of(body.model_dump(exclude_none=True))
    except DefinitionError as error:
        raise Invalid([{"field": "", "message": each, "type": "definition"} for each in error.errors]) from None


def _named(definition: Definition, workflow: Workflow, field: str) -> Definition:
    if definition.name != workflow.name:
        raise Invalid.of(field, f"must be the workflow's: {workflow.name}")
    return definition


def _created(call: Call, definition: Definition) -> Reply:
    made = definition_store.store_workflow(call.tx, definition, document_of(definition), call.principal.subject)
    if made is None:
        raise Conflict(f"there is a workflow called {definition.name}; make a new version of it")
    return Reply(show_workflow(made[0]), status=201, headers={"Location": f"/api/v1/workflows/{made[0].id}"})


def _new_version(call: Call, workflow: Workflow, definition: Definition) -> Reply:
    by = call.principal.subject
    version = definition_store.store_version(call.tx, workflow, definition, document_of(definition), by)
    reply = show_version(workflow, version)
    reply.headers = {"Location": f"/api/v1/workflows/{workflow.id}/versions/{version.number}"}
    return reply


def _judged(workflow: Workflow | None, definition: Definition) -> ValidationView:
    faults = faults_of(workflow, definition)
    return ValidationView(is_deployable=not blocking(faults), faults=[FaultView(**asdict(fault)) for fault in faults])


def _picture(definition: Definition, heading: str, current: str | None = None) -> Reply:
    return Reply(draw(definition, heading=heading, current=current), headers=PICTURE_POLICY)
