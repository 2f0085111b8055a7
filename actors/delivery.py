"""What a message handler is given, and how a handler says what should become of it."""

from __future__ import annotations

import dataclasses
import functools
import uuid
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from baton.actors.broker_api import RawDelivery, WireMessage
from baton.pipelines.messages import Envelope, Message

M = TypeVar("M", bound=Message)
#: A row's id: no larger than a 64-bit column holds.
_WHOLE = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class RefusedError(Exception):
    """This message will never succeed: to the dead letters, now. The text is the reason a person reads there."""


class NotYetError(Exception):
    """What this message needs is not there yet: try again later, by the handler's back-off. Not a fault."""


class WrongFieldsError(Exception):
    """The fields of a message do not fit its catalogue entry; the text names every field and what is wrong with it."""


@dataclass(slots=True)
class Delivery(Generic[M]):
    """One message in a handler's hands."""

    message: M
    envelope: Envelope
    raw: RawDelivery
    refusal: str | None = None

    def refuse(self, reason: str) -> None:
        """Have this message dead-lettered after the commit; the rest of its batch is not affected."""
        self.refusal = reason


@functools.cache
def _shape(message_type: Any) -> type[BaseModel]:
    hints = get_type_hints(message_type)
    fields: dict[str, Any] = {
        field.name: (
            _WHOLE if hints[field.name] is int else hints[field.name],
            ... if field.default is dataclasses.MISSING else field.default,
        )
        for field in dataclasses.fields(message_type)
    }
    return create_model(message_type.__name__, __config__=ConfigDict(strict=True, extra="ignore"), **fields)


def read_delivery(message_type: type[M], raw: RawDelivery) -> Delivery[M]:
    """
    Return the typed message and its envelope. Fields the catalogue does not know are ignored.

    Raises:
        WrongFieldsError: a field is missing or of the wrong type.
    """
    try:
        kind: Any = message_type
        shaped = _shape(kind).model_validate(raw.kwargs)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise WrongFieldsError(f"wrong fields: {faults}") from None
    known = {key: value for key, value in raw.envelope.items() if key in Envelope.__dataclass_fields__}
    return Delivery(message_type(**shaped.__dict__), Envelope(**known), raw)


def delivery_of(message: M, **envelope: Any) -> Delivery[M]:
    """Build a delivery by hand, for tests: `delivery_of(SendTicketStatus(...), version=3)`."""
    facts: dict[str, Any] = {"message_id": str(uuid.uuid4()), "trace_id": uuid.uuid4().hex, **envelope}
    wire = WireMessage(queue=message.queue, body=b"", message_id=facts["message_id"])
    raw = RawDelivery(message.queue, message.name, message.to_kwargs(), facts, wire)
    return Delivery(message, Envelope(**facts), raw)
