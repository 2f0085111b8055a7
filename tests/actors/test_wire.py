"""What is read from bytes, what is refused and why, and what other systems find in what is sent."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import dramatiq
import pytest

from baton.actors.broker_api import UnreadableMessageError, WireMessage
from baton.actors.wire import ENVELOPE_HEADER, decode, describe, encode, with_fresh_attempts
from baton.pipelines.messages import SendTicketStatus

ENVELOPE = {
    "message_id": "m-1",
    "trace_id": "t-1",
    "ticket_number": "HD-00000001",
    "version": 3,
    "sent_at": "2026-01-05T09:00:00+00:00",
    "schema": 1,
    "attempt": 2,
}
QUEUE, NAME = SendTicketStatus.queue, SendTicketStatus.name
KWARGS = '{"ticket_id": "HD-00000001",  "new_status":"\\u00c4nderung \\ud83d\\ude00"}'


def dramatiq_body(**changes: Any) -> bytes:
    message = {
        "queue_name": QUEUE,
        "actor_name": NAME,
        "args": [],
        "kwargs": {"ticket_id": "1"},
        "options": {},
        "message_id": "m",
    }
    return json.dumps({**message, **changes}).encode()


def celery(body: Any = None, **headers: Any) -> WireMessage:
    body = [[], {"ticket_id": "HD-1", "new_status": "Open"}, {"callbacks": None}] if body is None else body
    return WireMessage(QUEUE, json.dumps(body).encode(), "", {"lang": "py", "task": NAME, "id": "c-1", **headers})


def reason(wire: WireMessage) -> str:
    with pytest.raises(UnreadableMessageError) as refused:
        decode(wire)
    return str(refused.value)


def test_an_outbox_row_reads_back_as_it_was_in_both_wire_formats():
    for celery_queues in ((), (QUEUE,)):
        raw = decode(encode(QUEUE, NAME, KWARGS, json.dumps(ENVELOPE), celery_queues))
        assert (raw.queue, raw.actor_name, raw.kwargs, raw.envelope) == (QUEUE, NAME, json.loads(KWARGS), ENVELOPE)


def test_stored_fields_travel_byte_for_byte():
    assert KWARGS.encode() in encode(QUEUE, NAME, KWARGS, json.dumps(ENVELOPE)).body
    assert KWARGS.encode() in encode(QUEUE, NAME, KWARGS, json.dumps(ENVELOPE), [QUEUE]).body


def test_a_plain_dramatiq_worker_reads_what_is_sent():
    message = dramatiq.Message.decode(encode(QUEUE, NAME, KWARGS, json.dumps(ENVELOPE)).body)
    assert (message.actor_name, message.args, message.kwargs) == (NAME, (), json.loads(KWARGS))
    assert (message.message_id, message.message_timestamp) == ("m-1", 1767603600000)


def test_a_celery_worker_finds_body_and_headers_of_protocol_two():
    wire = encode(QUEUE, NAME, KWARGS, json.dumps(ENVELOPE), [QUEUE])
    args, kwargs, embed = json.loads(wire.body)
    assert (args, kwargs, set(embed)) == ([], json.loads(KWARGS), {"callbacks", "errbacks", "chain", "chord"})
    assert (wire.headers["lang"], wire.headers["task"], wire.headers["id"]) == ("py", NAME, "m-1")
    assert wire.properties["content_type"] == "application/json"


def test_a_foreign_dramatiq_message_gets_an_envelope():
    envelope = decode(WireMessage(QUEUE, dramatiq_body(message_timestamp=1767603600000), "")).envelope
    assert envelope["message_id"] == "m"
    assert len(envelope["trace_id"]) == 32
    assert (envelope["attempt"], envelope["version"], envelope["ticket_number"]) == (1, None, None)
    assert envelope["sent_at"] == "2026-01-05T09:00:00+00:00"


def test_a_celery_message_is_read_by_name_and_by_position():
    assert decode(celery()).kwargs == {"ticket_id": "HD-1", "new_status": "Open"}
    assert decode(celery([["HD-1"], {"new_status": "Open"}, {}])).kwargs == {"ticket_id": "HD-1", "new_status": "Open"}
    assert decode(celery()).envelope["message_id"] == "c-1"
    assert "positional" in reason(celery([["HD-1", "Open", "more"], {}, {}]))
    assert "by position and by name" in reason(celery([["HD-1"], {"ticket_id": "HD-2"}, {}]))


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compressed_bodies_are_read(pack):
    encoding = "gzip" if pack is gzip.compress else "zlib"
    wire = WireMessage(QUEUE, pack(dramatiq_body()), "", properties={"content_encoding": encoding})
    assert decode(wire).kwargs == {"ticket_id": "1"}
    assert "cut short" in reason(WireMessage(QUEUE, pack(dramatiq_body())[:-9], "", properties={"content_encoding": encoding}))


def test_a_small_body_that_unpacks_to_a_huge_one_is_refused():
    assert "16 MB" in reason(WireMessage(QUEUE, gzip.compress(b" " * 20_000_000), ""))


def test_times_decide_between_now_later_and_never():
    later = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    earlier = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    assert decode(celery(eta=later)).envelope["not_before"] == later
    assert "not_before" not in decode(celery(eta=earlier, expires=later)).envelope
    assert "expired" in reason(celery(expires=earlier))
    assert "not a time" in reason(celery(eta="soon"))


def test_messages_from_the_future_say_so():
    ahead = int((datetime.now(UTC) + timedelta(hours=2)).timestamp() * 1000)
    assert "from the future" in reason(WireMessage(QUEUE, dramatiq_body(message_timestamp=ahead), ""))
    assert "from the future" in reason(WireMessage(QUEUE, dramatiq_body(options={"envelope": {"schema": 2}}), ""))
    slightly = int((datetime.now(UTC) + timedelta(minutes=5)).timestamp() * 1000)
    decode(WireMessage(QUEUE, dramatiq_body(message_timestamp=slightly), ""))


UNREADABLE = {
    "not UTF-8": b"\xff\xfe\x00",
    "not JSON: Expecting": b"ticket HD-1",
    "NaN is not a JSON value": dramatiq_body(kwargs={"a": float("nan")}),
    "nested too deeply": b"[" * 100_000 + b"]" * 100_000,
    "not a JSON object but a list": b"[1, 2]",
    "not a JSON object but null": b"null",
    "lacks actor_name, kwargs": b'{"message_id": "1"}',
    "actor_name must be a string, not null": dramatiq_body(actor_name=None),
    "kwargs must be an object, not a list": dramatiq_body(kwargs=[1]),
    "args must be a list, not an object": dramatiq_body(args={"a": 1}),
    "options must be an object": dramatiq_body(options="x"),
    "options.envelope must be an object": dramatiq_body(options={"envelope": [1]}),
    "message_id must be a text": dramatiq_body(message_id=7),
    "version must be a whole number": dramatiq_body(options={"envelope": {"version": "3"}}),
    "attempt must be a whole number": dramatiq_body(options={"envelope": {"attempt": True}}),
    "ticket_number must be a text": dramatiq_body(options={"envelope": {"ticket_number": {}}}),
    "eta is not a time": dramatiq_body(options={"eta": [1]}),
    "sent_at is not a time": dramatiq_body(options={"envelope": {"sent_at": "yesterday"}}),
    "message_timestamp is not a time": dramatiq_body(message_timestamp=1e300),
    "NUL": dramatiq_body(kwargs={"a": [{"b\x00": 1}]}),
    "half a surrogate pair": dramatiq_body(kwargs={"a": "\ud800"}),
    "marked as gzip but is not": b"\x1f\x8bnonsense",
}


@pytest.mark.parametrize("because", UNREADABLE)
def test_what_cannot_be_read_is_refused_with_a_reason(because):
    assert because in reason(WireMessage(QUEUE, UNREADABLE[because], "x"))


@pytest.mark.parametrize("body", [{}, [1], [[], {}], [{}, {}, {}], [[], [], {}], "x"])
def test_malformed_celery_bodies_are_refused(body):
    assert reason(celery(body))


@pytest.mark.parametrize(
    ("embed", "what"), [("callbacks", "(link)"), ("errbacks", "(link_error)"), ("chain", "chain"), ("chord", "chord")]
)
def test_celery_callbacks_are_refused_rather_than_forgotten(embed, what):
    assert what in reason(celery([[], {"ticket_id": "1"}, {embed: [{"task": "other"}]}]))


def test_ids_of_groups_and_roots_change_nothing():
    wire = celery(group="g-1", group_index=2, root_id="r-1", parent_id="p-1", timelimit=[10, 5], retries=3)
    assert decode(wire).kwargs == {"ticket_id": "HD-1", "new_status": "Open"}


@pytest.mark.parametrize("content_type", ["application/x-python-serialize", "application/x-yaml", "application/x-msgpack"])
def test_other_serializers_are_refused_by_name(content_type):
    wire = WireMessage(
        QUEUE, b"\x80\x04", "", {"task": NAME, "id": "1"}, {"content_type": content_type, "content_encoding": "binary"}
    )
    assert content_type in reason(wire)
    assert "serializer='json'" in reason(wire)


def test_other_compressions_are_refused_by_name():
    wire = WireMessage(QUEUE, b"BZh9", "", {"task": NAME, "id": "1", "compression": "application/x-bz2"})
    assert "application/x-bz2, which is not read here" in reason(wire)
    assert "something follows" in reason(WireMessage(QUEUE, gzip.compress(dramatiq_body()) + b"x", ""))


def test_messages_of_celerys_first_protocol_are_told_apart():
    assert "task_protocol = 2" in reason(WireMessage(QUEUE, b'{"task": "a", "id": "1", "args": [], "kwargs": {}}', ""))


def test_values_that_celery_marks_by_type_are_read_as_texts():
    typed = {
        "at": {"__type__": "datetime", "__value__": "2026-06-01T08:00:00"},
        "id": {"__type__": "uuid", "__value__": {"hex": "0" * 32}},
    }
    body = [[], {"ticket_id": "1", "new_status": typed}, None]
    assert decode(celery(body)).kwargs["new_status"] == {
        "at": "2026-06-01T08:00:00",
        "id": "00000000-0000-0000-0000-000000000000",
    }
    assert "'base64'" in reason(celery([[], {"a": {"__type__": "base64", "__value__": "AA=="}}, None]))


def test_an_expiry_outlives_the_time_a_message_waits_in_the_database():
    later = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    waiting = decode(celery(eta=later, expires=later)).envelope
    assert waiting["expires"] == later
    again = json.dumps({**waiting, "expires": "2026-01-01T00:00:00+00:00"})
    for celery_queues in ((), (QUEUE,)):
        assert "it expired" in reason(encode(QUEUE, NAME, KWARGS, again, celery_queues))


def test_what_leaves_for_other_departments_is_always_celery():
    wire = encode("AMS_WORKFLOW_QUEUE", "ams.tasks.process_workflow_completion", "{}", json.dumps(ENVELOPE))
    assert wire.headers["task"] == "ams.tasks.process_workflow_completion"
    assert wire.headers["id"] == "m-1"


def test_an_escaped_backslash_is_not_a_nul():
    assert decode(WireMessage(QUEUE, dramatiq_body(kwargs={"a": "C:\\u0000"}), "")).kwargs == {"a": "C:\\u0000"}


def test_any_message_can_be_described_even_garbage():
    assert describe(encode(QUEUE, NAME, KWARGS, json.dumps(ENVELOPE))) == (NAME, "HD-00000001")
    assert describe(WireMessage(QUEUE, b"\xff", "x")) == (None, None)
    assert describe(WireMessage(QUEUE, b"\xff", "x", {"task": NAME})) == (NAME, None)


def test_attempts_start_afresh_in_both_wire_formats_and_garbage_stays_as_it_is():
    for celery_queues in ((), (QUEUE,)):
        fresh = with_fresh_attempts(encode(QUEUE, NAME, KWARGS, json.dumps(ENVELOPE), celery_queues))
        assert decode(fresh).envelope == {**ENVELOPE, "attempt": 1}
        assert decode(fresh).kwargs == json.loads(KWARGS)
    garbage = WireMessage(QUEUE, b"\xff", "x")
    assert with_fresh_attempts(garbage) is garbage
    assert with_fresh_attempts(celery()).headers.get(ENVELOPE_HEADER) is None
