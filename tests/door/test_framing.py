"""A line is an answer only if it is exactly one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import RefusedText
from reconciler.powershell.door.framing import End, Part, decode_line, encode_line
from reconciler.processes.child import Broken

NONCE = "0123456789abcdef"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
FIT = st.text(st.characters(exclude_categories=["Cs"]))


def line(**more: Any) -> bytes:
    return json.dumps({"id": 7, "nonce": NONCE, **more}).encode("ascii") + b"\n"


@given(st.sampled_from(["value", "refused", "failed"]), VALUES, st.integers(0))
def test_ends_are_read_as_they_are(kind: str, content: Any, milliseconds: int) -> None:
    assert decode_line(line(**{kind: content}, milliseconds=milliseconds), 7, NONCE) == End(
        kind, content
    )  # type: ignore[arg-type]


@given(st.lists(VALUES, max_size=4))
def test_parts_are_read_as_they_are(objects: Any) -> None:
    assert decode_line(line(part=objects), 7, NONCE) == Part(objects)


@given(st.binary(max_size=200))
def test_no_bytes_are_an_answer_by_chance(raw: bytes) -> None:
    with pytest.raises(Broken):
        decode_line(raw + b"\n", 7, NONCE)


@given(st.binary(max_size=3), st.integers(0, 80), st.integers(1, 3))
def test_a_changed_line_is_no_answer_or_has_the_form_of_one(
    piece: bytes, at: int, taken: int
) -> None:
    right = line(value={"objects": 0}, milliseconds=1)
    changed = right[:at] + piece + right[at + taken :]
    try:
        read = decode_line(changed, 7, NONCE)
    except Broken:
        return
    told = json.loads(changed)
    assert (told["id"], told["nonce"]) == (7, NONCE)
    assert isinstance(read, End)


def test_a_refusal_of_a_line_carries_nothing_of_it() -> None:
    with pytest.raises(Broken) as broken:
        decode_line(b'{"secret": "canary"\n', 7, NONCE)
    shown: BaseException | None = broken.value
    while shown is not None:
        assert "canary" not in repr(shown)
        assert "canary" not in str(getattr(shown, "doc", ""))
        shown = shown.__context__


@given(
    st.integers(1),
    FIT,
    st.dictionaries(FIT.filter(lambda key: key not in {"id", "op"}), FIT, max_size=4),
)
def test_requests_are_one_ascii_line(number: int, operation: str, fields: dict[str, str]) -> None:
    raw = encode_line(number, operation, fields)
    assert raw.isascii()
    assert raw.count(b"\n") == 1
    assert json.loads(raw) == {"id": number, "op": operation, **fields}


def test_a_request_with_a_lone_surrogate_is_not_written() -> None:
    with pytest.raises(RefusedText) as refused:
        encode_line(1, "connect", {"parameters": {"Token": ["canary\udfff"]}})
    assert "canary" not in repr((refused.value, refused.value.__context__))
