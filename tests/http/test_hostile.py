"""Hostile requests: each gets a clear 4xx problem document, and nothing changes."""

from __future__ import annotations

import json
import time
from typing import Any

import falcon.testing
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from baton.models.settings import get_settings
from tests.factories import ADMIN, EMPLOYEE, bearer, how_many, token_for
from tests.http.demo import DemoNote

JSON = {"Content-Type": "application/json"}


def refused(answer: Any, *statuses: int) -> dict[str, Any]:
    """Check that an answer is a problem document of one of these statuses and that nothing was stored; return it."""
    assert answer.status_code in statuses, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == answer.status_code
    assert how_many("helpdesk", DemoNote.select()) == 0
    document: dict[str, Any] = answer.json
    return document


def post(demo: Any, body: bytes | str, **headers: str) -> Any:
    return demo.simulate_post("/notes", body=body, headers={**JSON, **bearer(EMPLOYEE), **headers})


@pytest.mark.parametrize("value", ["null", "[]", '"text"', "1", "true", "{}", '[{"subject":"a"}]'])
def test_a_body_of_another_shape_is_refused(demo: Any, value: str) -> None:
    refused(post(demo, value), 422)


@pytest.mark.parametrize("value", [None, True, 1, 1.5, [], {}, ["a"], {"a": "b"}])
def test_a_field_of_another_type_is_refused(demo: Any, value: Any) -> None:
    document = refused(post(demo, json.dumps({"subject": value})), 422)
    assert [item["field"] for item in document["errors"]] == ["subject"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"subject": NaN}',
        b'{"extra": {"x": Infinity}, "subject": "a"}',
        b'{"subject": "a"} trailing',
        b'{"subject": "a", "subject": "b"}',
        b'\xff\xfe{"subject": "a"}',
        b'{"subject": "\xed\xa0\x80"}',
        b'\xef\xbb\xbf{"subject": "a"}',
        b'{"subject": "a\nb"}',
        b'{"subject": "a", "weight": ' + b"9" * 5000 + b"}",
        b"'subject'",
        b"\x00" * 100,
    ],
)
def test_broken_json_is_refused(demo: Any, body: bytes) -> None:
    refused(post(demo, body), 400, 422)


@pytest.mark.parametrize("depth", [70, 500, 5_000, 200_000])
@pytest.mark.parametrize("brackets", ["[]", '{"a":}'])
def test_deep_json_is_refused(demo: Any, depth: int, brackets: str) -> None:
    opening, closing = brackets[:-1], brackets[-1]
    body = '{"subject": "a", "extra": {"x": ' + opening * depth + "1" + closing * depth + "}}"
    refused(post(demo, body), 400, 413)


@pytest.mark.parametrize("chunked", [False, True])
def test_ten_megabytes_are_refused(demo: Any, chunked: bool) -> None:
    body = b'{"subject": "' + b"a" * 10_000_000 + b'"}'
    environ = falcon.testing.create_environ("/notes", method="POST", body=body, headers={**JSON, **bearer(EMPLOYEE)})
    if chunked:
        del environ["CONTENT_LENGTH"]
        environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    started: list[Any] = []
    answer = b"".join(demo.app(environ, lambda *a: started.extend(a)))
    assert started[0].startswith("413")
    assert json.loads(answer)["status"] == 413
    assert environ["wsgi.input"].tell() <= get_settings().max_body_bytes + 1
    assert how_many("helpdesk", DemoNote.select()) == 0


@pytest.mark.parametrize("length", ["-1", "abc", "1_0", "9" * 30, "1000000000000"])
def test_a_length_that_lies_is_refused(demo: Any, length: str) -> None:
    environ = falcon.testing.create_environ("/notes", method="POST", body=b"{}", headers={**JSON, **bearer(EMPLOYEE)})
    environ["CONTENT_LENGTH"] = length
    started: list[Any] = []
    demo.app(environ, lambda *a: started.extend(a))
    assert started[0][:3] in ("400", "413")


@pytest.mark.parametrize(
    "media",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/jsonp",
        "application/json\x00",
    ],
)
def test_another_content_type_is_refused(demo: Any, media: str) -> None:
    refused(post(demo, b'{"subject": "a"}', **{"Content-Type": media}), 415)


@pytest.mark.parametrize("bad", ["\\u0000", "\\ud800", "\\udfff", "\\uDBFF x", "\\udc00\\ud800"])
def test_text_that_cannot_be_stored_is_refused_wherever_it_is(demo: Any, bad: str) -> None:
    body = f'{{"subject": "a{bad}", "extra": {{"k{bad}": 1, "list": ["fine", "b{bad}"]}}, "weight": "x", "author": "{bad}"}}'
    document = refused(post(demo, body), 422)
    fields = [item["field"] for item in document["errors"]]
    assert {"subject", "author", "weight", "extra.list.1"} <= set(fields)
    assert len(fields) == len(set(fields))


def test_what_only_looks_like_an_escape_is_kept(demo: Any) -> None:
    answer = post(demo, r'{"subject": "\\u0000 \\ud800 \ud83d\ude00"}')
    assert (answer.status_code, answer.json["subject"]) == (201, "\\u0000 \\ud800 😀")


@pytest.mark.parametrize(
    "query",
    [
        "subject=%00",
        "subject=%ED%A0%80",
        "subject=%FF",
        "subject=a&subject=b",
        "limit=0",
        "limit=201",
        "limit=1e3",
        "limit=ten",
        "nope=1",
        "above=99999999999999999999",
        "above=-1",
        "cursor=%00",
        "cursor=nonsense",
        "cursor=" + "W10",
        "cursor=" + "a" * 5000,
        "limit=",
        "&".join(f"a{n}=1" for n in range(200)),
        "subject=" + "a" * 6000,
        "%00=1",
        "cursor=W3sidCI6MX0sMV0",
        "cursor=W251bGwsbnVsbF0",
    ],
)
def test_a_hostile_query_is_refused(demo: Any, query: str) -> None:
    refused(demo.simulate_get("/notes", query_string=query, headers=bearer(EMPLOYEE)), 400, 422)


@pytest.mark.parametrize(
    "number", ["%00", "1%00", "%ED%A0%80", "%FF", "0", "-1", "1.0", "１", "9" * 19, "9" * 400, "..", "%2e%2e%2f", "a'--"]
)
def test_a_hostile_path_is_refused(demo: Any, number: str) -> None:
    refused(demo.simulate_get(f"/notes/{number}", headers=bearer(EMPLOYEE)), 400, 404, 422)


@pytest.mark.parametrize("key", ["", " ", "a" * 256, "ä", "a\x00b", "a\nb", "\x7f"])
def test_a_hostile_idempotency_key_is_refused(demo: Any, key: str) -> None:
    refused(post(demo, b'{"subject": "a"}', **{"Idempotency-Key": key}), 400)


def sign(claims: dict[str, Any], **header: Any) -> str:
    return jwt.encode(claims, get_settings().token_secret, algorithm="HS256", headers=header)


def claims(**changes: Any) -> dict[str, Any]:
    content = jwt.decode(token_for(ADMIN), options={"verify_signature": False})
    return {key: value for key, value in {**content, **changes}.items() if value is not None}


def bad_tokens() -> dict[str, Any]:
    """Return functions that make tokens which must not count, by what is wrong with them."""
    foreign = Ed25519PrivateKey.generate()
    return {
        "nonsense": lambda: "x",
        "three dots": lambda: "a.b.c",
        "empty parts": lambda: "..",
        "no signature": lambda: token_for(ADMIN).rpartition(".")[0] + ".",
        "wrong secret": lambda: jwt.encode(claims(), "another secret of thirty-two bytes!", algorithm="HS256"),
        "alg none": lambda: jwt.encode(claims(), None, algorithm="none"),
        "foreign key": lambda: jwt.encode(claims(), foreign, algorithm="EdDSA", headers={"kid": "hs256"}),
        "other audience": lambda: sign(claims(aud="bank")),
        "other issuer": lambda: sign(claims(iss="elsewhere")),
        "from the future": lambda: sign(claims(iat=int(time.time()) + 3600)),
        "not yet": lambda: sign(claims(nbf=int(time.time()) + 3600)),
        "odd subject": lambda: sign(claims(sub="root")),
        "odd kind": lambda: sign(claims(sub="god:1")),
        "odd roles": lambda: sign(claims(roles="tts:Admin")),
        "odd expiry": lambda: sign(claims(exp=True)),
        "endless expiry": lambda: sign(claims(exp=float("inf"))),
        "no expiry": lambda: sign(claims(exp=None)),
        "no jti": lambda: sign(claims(jti=None)),
        "no subject": lambda: sign(claims(sub=None)),
        "no times": lambda: sign(claims(iat=None)),
        "very long": lambda: "a" * 9_000,
        "not ascii": lambda: "ä.ö.ü",
        "deep": lambda: "W1tb" * 1500 + ".e30.x",
    }


@pytest.mark.parametrize("fault", bad_tokens())
def test_a_token_that_is_not_auths_is_invalid(demo: Any, fault: str) -> None:
    token = bad_tokens()[fault]()
    for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"access_token={token}"}):
        document = refused(demo.simulate_get("/notes", headers=headers), 401)
        assert document["title"] == "invalid token"


def test_an_expired_token_is_told_apart(demo: Any) -> None:
    document = refused(demo.simulate_get("/notes", headers=bearer(EMPLOYEE, exp=int(time.time()) - 60)), 401)
    assert (document["title"], document["type"]) == ("token expired", "urn:baton:problem:token-expired")
    assert demo.simulate_get("/notes", headers=bearer(EMPLOYEE, exp=int(time.time()) - 2)).status_code == 200


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "bearer  ", "Token x", ""])
def test_another_scheme_is_invalid(demo: Any, header: str) -> None:
    refused(demo.simulate_get("/notes", headers={"Authorization": header}), 401)


def test_nobody_is_401_and_the_wrong_role_403(demo: Any) -> None:
    anonymous = demo.simulate_get("/notes")
    assert "Bearer" in anonymous.headers["www-authenticate"]
    refused(anonymous, 401)
    stranger = {"roles": ["ams:Staff"], "sub": "user:9"}
    refused(demo.simulate_get("/notes", headers=bearer(ADMIN, **stranger)), 403)


def test_a_public_operation_ignores_a_bad_token(demo: Any) -> None:
    assert demo.simulate_get("/health", headers={"Authorization": "Bearer x"}).status_code == 200


class TestAnotherSitesPage:
    """Writes that a foreign page could start with a person's cookie."""

    def send(self, demo: Any, **headers: str) -> Any:
        return demo.simulate_post(
            "/notes", json={"subject": "a"}, headers={"Cookie": f"access_token={token_for(EMPLOYEE)}", **headers}
        )

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://[", "http://helpdesk.evil", "file://"])
    def test_cannot_write(self, demo: Any, origin: str) -> None:
        refused(self.send(demo, Origin=origin), 403)

    def test_cannot_write_even_with_a_csrf_header(self, demo: Any) -> None:
        refused(self.send(demo, **{"Origin": "https://evil.example", "X-CSRF-Token": "1"}), 403)

    def test_cannot_write_without_an_origin(self, demo: Any) -> None:
        refused(self.send(demo), 403)

    def test_cannot_sign_anybody_in(self, demo: Any) -> None:
        refused(demo.simulate_post("/sign-in", json={"subject": "a"}, headers={"Origin": "https://evil.example"}), 403)

    def test_is_not_our_own(self, demo: Any) -> None:
        assert self.send(demo, Origin="http://falconframework.org").status_code == 201
        assert self.send(demo, Origin=get_settings().url("workflow")).status_code == 201
        assert self.send(demo, **{"X-CSRF-Token": "1"}).status_code == 201

    def test_is_no_concern_of_programs_with_bearer_tokens(self, demo: Any) -> None:
        answer = demo.simulate_post(
            "/notes", json={"subject": "a"}, headers={**bearer(EMPLOYEE), "Origin": "https://app.example"}
        )
        assert answer.status_code == 201
