"""No secret survives, in whatever spelling, cut or wrapped; and nothing else is touched."""

from __future__ import annotations

import base64
import html
import json
import os
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.powershell.door.hiding import HIDDEN, Hiding
from reconciler.powershell.door.log import Log

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = st.binary(min_size=60, max_size=300).map(
    lambda raw: base64.urlsafe_b64encode(raw).decode("ascii")
)


def passwords(characters: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.text(characters, min_size=8, max_size=30).filter(
        lambda text: text not in HIDDEN and not text.isspace()
    )


PASSWORDS = passwords(st.characters(codec="utf-8"))
SECRETS = st.lists(TOKENS | PASSWORDS, min_size=1, max_size=4)
AROUND = st.text(max_size=40)


def knowing(*secrets: str) -> Hiding:
    hiding = Hiding()
    hiding.learn(secrets)
    return hiding


@given(SECRETS, st.lists(AROUND, min_size=2, max_size=6), st.data())
def test_no_secret_survives(secrets: list[str], around: list[str], data: st.DataObject) -> None:
    hiding = knowing(*secrets)
    chosen = [data.draw(st.sampled_from(secrets)) for _ in around]
    text = "".join(piece for pair in zip(around, chosen, strict=True) for piece in pair)
    left = hiding.text(text).replace(HIDDEN, "\0")
    assert [secret for secret in secrets if secret in left] == []


@given(
    PASSWORDS,
    st.sampled_from(
        [json.dumps, html.escape, quote, lambda text: "'" + text.replace("'", "''") + "'"]
    ),
)
def test_other_spellings_are_hidden(password: str, spell: object) -> None:
    try:
        text = spell(password)  # type: ignore[operator]
    except UnicodeEncodeError:
        return
    left = knowing(password).text(f"<<{text}>>").replace(HIDDEN, "")
    assert text.strip("'\"") not in left


@given(TOKENS, AROUND, AROUND, st.data())
def test_pieces_of_tokens_are_hidden(
    token: str, before: str, behind: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(token) - 15))
    piece = token[start : data.draw(st.integers(start + 15, len(token)))]
    if all(
        len(set(piece[at : at + 8])) >= 4 for at in range(len(piece) - 7)
    ):  # padding is in many files
        assert piece not in knowing(token).text(before + piece + behind)


@given(SECRETS, st.text(max_size=7))
def test_what_shares_nothing_with_a_secret_stays(secrets: list[str], text: str) -> None:
    assert knowing(*secrets).text(text) == text
    assert knowing().text(secrets[0]) == secrets[0]


def test_names_that_begin_like_a_password_stay() -> None:
    assert (
        knowing("Contoso-Reader-2026!").text("Contoso-Reader of contoso.onmicrosoft.com")
        == "Contoso-Reader of contoso.onmicrosoft.com"
    )


def test_a_few_characters_of_a_token_stay() -> None:
    token = base64.b64encode(bytes(range(120))).decode()
    assert (
        knowing(token).text(f"12345678{token[40:50]}<>{token[8:22]}.")
        == f"12345678{token[40:50]}<>{token[8:22]}."
    )


def test_padding_is_not_taken_for_a_piece() -> None:
    assert knowing("QUFB" + "A" * 80 + "xyz").text("A" * 40) == "A" * 40


def test_a_short_secret_is_not_hidden() -> None:
    assert knowing("test").text("Test-policy of test") == "Test-policy of test"


def test_values_are_cleared_throughout() -> None:
    hiding = knowing("correct horse")
    value = {
        "a correct horse": ["correct horse", 1, None, True, {"b": "no"}],
        "c": "the correct horse!",
    }
    assert hiding.value(value) == {
        f"a {HIDDEN}": [HIDDEN, 1, None, True, {"b": "no"}],
        "c": f"the {HIDDEN}!",
    }
    assert knowing().value(value) is value
    assert "horse" not in repr(hiding)


@given(TOKENS, st.lists(st.integers(1, 50), max_size=20))
def test_a_log_that_comes_in_pieces_holds_no_secret(token: str, sizes: list[int]) -> None:
    log = Log(knowing(token))
    rest = f"one\n\x1b[31mBearer {token}\x1b[0m\x07\ntwo {token}".encode()
    for size in sizes:
        log.feed(rest[:size])
        rest = rest[size:]
    log.feed(rest)
    log.close()
    assert log.tail() == f"one\nBearer {HIDDEN}\ntwo {HIDDEN}"


def test_a_secret_that_a_cut_divides_is_hidden() -> None:
    token = base64.b64encode(os.urandom(1500)).decode()
    for shift in (0, 1000, 1990):
        log = Log(knowing(token))
        log.feed(b" " * (32 * 1024 - shift) + token.encode() * 40 + b"\nnext\n")
        assert [
            piece
            for piece in (token[at : at + 15] for at in range(2000 - 15))
            if piece in log.tail()
        ] == []
        assert log.tail().endswith("\nnext")


def test_a_full_file_says_so(tmp_path: Path) -> None:
    log = Log(knowing(), tmp_path / "log")
    for _ in range(300):
        log.feed(b"x" * 40_000 + b"\n")
    log.close()
    log.close()
    assert (tmp_path / "log").stat().st_size < 8 * 1024 * 1024 + 100
    assert (tmp_path / "log").read_bytes().endswith(b"(the log ends here: it is full)\n")


@pytest.mark.parametrize("fault", [ValueError, OSError])
def test_a_listener_that_fails_is_not_asked_again(fault: type[Exception]) -> None:
    log = Log(knowing())

    def listen(line: str) -> None:
        raise fault(line)

    log.show = listen
    log.feed(b"one\ntwo\n")
    assert (log.show, log.tail()) == (None, "one\ntwo")


def encoded(before: bytes, text: str, behind: bytes) -> list[str]:
    """Both alphabets, and what PowerShell encodes."""
    return [
        encode(before + text.encode(encoding) + behind).decode("ascii")
        for encode in (base64.b64encode, base64.urlsafe_b64encode)
        for encoding in ("utf-8", "utf-16-le")
    ]


RANDOM = st.binary(min_size=24, max_size=300).map(
    lambda raw: base64.b64encode(raw).decode("ascii").rstrip("=")
)
NEVER_IN_ONE = st.text(alphabet=" .:;,\"'<>\n…é", max_size=20)


@given(RANDOM, NEVER_IN_ONE, NEVER_IN_ONE, st.data())
def test_every_beginning_of_a_token_is_hidden(
    token: str, before: str, behind: str, data: st.DataObject
) -> None:
    length = data.draw(st.integers(8, len(token)))
    hidden = knowing(token).text(f"{before}{token[:length]}{behind}")
    assert hidden == f"{before}{HIDDEN}{behind}"


@given(RANDOM, st.binary(max_size=9), st.binary(max_size=9), st.data())
def test_every_beginning_of_a_token_is_hidden_in_base64(
    token: str, before: bytes, behind: bytes, data: st.DataObject
) -> None:
    length = data.draw(st.integers(12, len(token)))
    for text in encoded(before, token[:length], behind):
        hidden = knowing(token).text(text)
        assert HIDDEN in hidden
        # An end may share a character with what is beside it.
        assert not set(_runs(hidden)) & set(_runs(text[len(before) * 4 // 3 + 2 :][: length - 2]))


def _runs(text: str) -> list[str]:
    return [text[at : at + 8] for at in range(len(text) - 7)]


@given(RANDOM.filter(lambda token: "/" in token[8:-8] or "+" in token[8:-8]), st.data())
def test_every_beginning_of_a_token_is_hidden_in_an_address(
    token: str, data: st.DataObject
) -> None:
    address = quote(token, safe="")
    length = data.draw(st.integers(8, len(address)))
    for spelling in (address, address.replace("%2B", "%2b").replace("%2F", "%2f")):
        assert spelling[:8] not in knowing(token).text(f"?code={spelling[:length]}&more")


@given(passwords(st.characters(codec="ascii")), st.binary(max_size=9), st.binary(max_size=9))
def test_a_password_is_hidden_in_base64(password: str, before: bytes, behind: bytes) -> None:
    for text in encoded(before, password, behind):
        hidden = knowing(password).text(text)
        start = len(before) * 4 // 3 + 2
        assert text[start : start + 8] not in hidden


def test_a_header_that_holds_user_and_password_is_hidden() -> None:
    header = base64.b64encode(b"proxy-user:correct horse").decode("ascii")
    assert base64.b64encode(b"horse").decode("ascii")[:4] not in knowing("correct horse").text(
        f"Proxy-Authorization: Basic {header}"
    )


def test_a_short_beginning_in_an_object_is_no_secret_in_it() -> None:
    """Every token of one kind begins alike; the whole one or a longer piece is told."""
    token = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9." + "kQ7zR2Xw9bT4" * 8
    hiding = knowing(token)
    assert hiding.text(f"<{token[:9]}>") == f"<{HIDDEN}>"
    assert not hiding.holds([{"Description": f"<{token[:9]}>", "Identity": None}, 1])
    assert hiding.holds([{"Description": [f"<{token[:20]}>"]}])
    assert hiding.holds({token: "x"})
    assert not knowing().holds([token])


@given(RANDOM, st.recursive(st.none() | st.text(), lambda item: st.lists(item, max_size=3)))
def test_what_holds_no_secret_is_as_it_was(token: str, value: object) -> None:
    hiding = knowing(token)
    assert hiding.holds(value) or hiding.value(value) == value
