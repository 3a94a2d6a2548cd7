"""An error says the same whatever it is wrapped in, and whatever is passed, nothing breaks."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.diagnosing.received import MOST_BYTES, Received, read_error
from reconciler.diagnosing.signs import SIGNS, sign_of
from reconciler.errors import UsageFault

if TYPE_CHECKING:
    from collections.abc import Callable

PHRASES = [" ".join(phrases) for sign in SIGNS for phrases in sign.phrases]
_WORDS = st.text(st.characters(codec="utf-8", exclude_characters='{}[]"\\'), max_size=20)
MESSAGES = st.builds(
    lambda before, phrase, after: f"{before}. {phrase} .{after}",
    _WORDS,
    st.sampled_from(PHRASES),
    _WORDS,
)


def _body(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "innerError": {"date": "2026-11-02"}}}


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


WRAPPINGS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "body": lambda body: _text(body).encode(),
    "escaped": lambda body: json.dumps(body, ensure_ascii=True, indent=2).encode(),
    "bare": lambda body: _text(body["error"]).encode(),
    "utf-16": lambda body: _text(body).encode("utf-16"),
    "mark": lambda body: _text(body).encode("utf-8-sig"),
    "response": lambda body: f"HTTP/1.1 403 Forbidden\r\nA: b\r\n\r\n{_text(body)}".encode(),
    "proxied": lambda body: f"HTTP/1.1 200 OK\n\nHTTP/2 403\nA: b\n\n{_text(body)}".encode(),
    "entry": lambda body: _text({"id": "1", "status": 403, "body": body}).encode(),
    "batch": lambda body: _text(
        {"responses": [{"id": "0", "status": 204}, {"id": "1", "status": "403", "body": body}]}
    ).encode(),
    "nested": lambda body: _text({"error": {"code": "x", "message": _text(body)}}).encode(),
    "powershell": lambda body: (
        f"Invoke-MgGraphRequest: POST https://graph.microsoft.com/v1.0/x\nHTTP/1.1 403 Forbidden\n"
        f"\n{_text(body)}\n"
    ).encode(),
    "text": lambda body: f"{body['error']['code']}: {body['error']['message']}".encode(),
}


@given(message=MESSAGES, name=st.sampled_from(sorted(WRAPPINGS)))
def test_a_wrapping_changes_nothing(message: str, name: str) -> None:
    body = _body("Forbidden", message)
    bare = sign_of(read_error(WRAPPINGS["body"](body)))
    wrapped = sign_of(read_error(WRAPPINGS[name](body)))
    assert bare is not None
    assert wrapped == bare


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        received = read_error(raw)
    except UsageFault:
        return
    assert isinstance(received, Received)
    sign_of(received)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["error", "code", "message", "innerError", "status", "body", "responses", "id"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(_JSON)
def test_any_json_is_read_or_refused(value: Any) -> None:
    try:
        received = read_error(json.dumps(value).encode())
    except UsageFault:
        return
    assert all(isinstance(text, str) and text for text in (*received.codes, *received.messages))
    sign_of(received)


@pytest.mark.parametrize("piece", ["[", '{"a":', "{", "HTTP/", "/users/"])
def test_what_is_nested_deep_or_repeated_is_read_in_time(piece: str) -> None:
    def seconds(text: str) -> float:
        began = time.process_time()
        received = read_error(text.encode())
        assert (received.status, received.codes, received.user) == (None, (), None)
        return time.process_time() - began

    most = piece * (MOST_BYTES // len(piece))
    assert min(seconds(most) for _ in range(3)) < 2


@pytest.mark.parametrize(
    ("answer", "sign"),
    [
        ("HTTP/1.1 403 Forbidden\n\n", "silent"),
        ("HTTP/1.1 401 Unauthorized\n\n", None),
        ("HTTP/1.1 429 Too Many\n\n", None),
        ('HTTP/1.1 403 Forbidden\n\n{"error": {"code": "x", "message": "Why"}}', None),
        ("HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\n\nHTTP/1.1 403 Forbidden\n\n", "silent"),
        ('{"error": {"code": "Forbidden", "message": ""}}', "silent"),
        ('{"error": {"code": "Forbidden", "message": "", "inner": {"message": "Why"}}}', None),
    ],
)
def test_only_a_403_without_a_word_is_a_silent_refusal(answer: str, sign: str | None) -> None:
    found = sign_of(read_error(answer.encode()))
    assert (None if found is None else found.id) == sign


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"x" * (MOST_BYTES + 1), "is longer than"),
        (b'{"responses": []}', "no entry of the batch failed"),
        (b'{"responses": [{"id": "1", "status": 200}, 7]}', "no entry of the batch failed"),
    ],
)
def test_what_is_no_error_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(UsageFault, match=why):
        read_error(raw)


def test_a_batch_that_failed_in_two_ways_is_not_guessed() -> None:
    entries = [
        {"id": str(number), "status": 403, "body": _body("Forbidden", message)}
        for number, message in enumerate(("a", "b"))
    ]
    with pytest.raises(UsageFault, match="0, 1 of the batch failed for different reasons"):
        read_error(_text({"responses": entries}).encode())


def test_a_token_is_not_kept() -> None:
    token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2lnbmF0dXJl"  # noqa: S105
    for wrapping in WRAPPINGS.values():
        received = read_error(wrapping(_body(token, f"Bearer {token} is not accepted")))
        assert token not in repr(received)
        assert "(token)" in repr(received)


@pytest.mark.parametrize(
    ("text", "user"),
    [
        (
            "POST https://graph.microsoft.com/v1.0/users/Ada@Contoso.com/onlineMeetings",
            "ada@contoso.com",
        ),
        ("GET /v1.0/users('ada@contoso.com')/messages", "ada@contoso.com"),
        ("GET /v1.0/me/messages", None),
    ],
)
def test_the_address_of_the_request_names_the_user(text: str, user: str | None) -> None:
    assert read_error(text.encode()).user == user


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("HTTP/1.1 403 Forbidden", 403),
        ("The remote server returned an error: (403) Forbidden.", 403),
        ("Status: 401 (Unauthorized)", 401),
        ('{"statusCode": 404, "message": "x"}', 404),
        ('{"status": "later", "message": "x"}', None),
        ("nothing", None),
    ],
)
def test_the_status_is_read(text: str, status: int | None) -> None:
    assert read_error(text.encode()).status == status
