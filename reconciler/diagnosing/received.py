"""An error as somebody received it, whatever it is wrapped in: the body of an answer, the whole
answer with its headers, an entry of a batch, or what PowerShell printed.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.errors import UsageFault
from reconciler.guids import GUID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.canonical import Json

MOST_BYTES: Final = 1 << 20
"""An error is a page of text at most; whatever is longer is something else."""
_DEEPEST = 12
"""Levels of JSON, and of JSON inside texts of JSON, that are looked at."""
_MOST_TRIES = 20
"""Braces at which JSON inside other text may begin."""
_MARKS: Final = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))
"""`>` of Windows PowerShell writes UTF-16."""
_STATUSES: Final = (
    re.compile(r"HTTP/[0-9.]{1,3} ([1-5][0-9]{2})\b"),
    re.compile(r"\bStatus(?:Code)?: ([1-5][0-9]{2})\b"),
    re.compile(r"\(([45][0-9]{2})\)"),
)
_OF_USER: Final = re.compile(r"/users/([^\s/?'\"()<>]{3,120})|/users\('([^'\s]{3,120})'\)")
_TOKEN: Final = re.compile(r"eyJ[A-Za-z0-9_.-]{17,}+")
"""An access token (RFC 7519: JSON in base64), as a log of a request has it."""
_CODES: Final = frozenset({"code", "errorcode"})
_MESSAGES: Final = frozenset({"message", "error_description", "errormessage"})
_STATUS_KEYS: Final = frozenset({"status", "statuscode"})
_FAILURE = 400


class Received(Struct, frozen=True):
    """What an error says.

    Attributes:
        form: What it came in: `body`, `response`, `batch` or `text`.
        status: The HTTP status, if it says.
        codes: Its codes, the outermost first.
        messages: Its messages likewise; blank ones are left out.
        text: Where its words are looked for: codes and messages, or all of a text.
        user: Whom the address of the request names, lower-case.
        silent: It has a message, which is blank, or no content at all.
    """

    form: str
    status: int | None
    codes: tuple[str, ...]
    messages: tuple[str, ...]
    text: str
    user: str | None
    silent: bool


class _Said(Struct):
    """Collected on the way through JSON."""

    codes: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    status: int | None = None
    blank: bool = False


def read_error(raw: bytes) -> Received:
    """Read an error.

    Args:
        raw: the bytes of the file, as a program, a browser or a shell wrote them.

    Raises:
        UsageFault: it is empty, too long, or a batch of which not exactly one kind of entry failed.
    """
    if len(raw) > MOST_BYTES:
        raise UsageFault(
            f"the error is longer than {MOST_BYTES} bytes: pass only the answer that has the error"
        )
    text = _decoded(raw).strip()
    if not text:
        raise UsageFault("the error is empty: pass the answer that has the error")
    content = _json(text)
    if isinstance(content, dict) and isinstance(content.get("responses"), list):
        return _of_entry(_failed_entry(content["responses"]), text)
    if isinstance(content, dict) and "body" in content and "status" in content:
        return _of_entry(content, text)
    if isinstance(content, dict | list):
        return _of_json("body", content, None, text)
    if text.startswith("HTTP/"):
        return _of_response(text)
    return _of_text(text)


def _decoded(raw: bytes) -> str:
    encoding = next((name for mark, name in _MARKS if raw.startswith(mark)), "utf-8")
    text = raw.decode(encoding, errors="replace").lstrip("\ufeff")
    return _TOKEN.sub("(token)", text)


def _json(text: str) -> Json:
    """The value of a text that is JSON; None of any other."""
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def _failed_entry(entries: Sequence[Json]) -> Mapping[str, Json]:
    failed = [
        entry
        for entry in entries
        if isinstance(entry, dict) and (_status_of(entry.get("status")) or 0) >= _FAILURE
    ]
    if not failed:
        raise UsageFault("no entry of the batch failed: pass an answer that has an error")
    if len({json.dumps(_essence(entry)) for entry in failed}) > 1:
        ids = ", ".join(str(entry.get("id", "?")) for entry in failed[:_MOST_TRIES])
        raise UsageFault(
            f"the entries {ids} of the batch failed for different reasons: pass one of them"
        )
    return failed[0]


def _essence(entry: Mapping[str, Json]) -> list[Json]:
    words = _Said()
    _walk(entry.get("body"), words, 0)
    return [_status_of(entry.get("status")), [*words.codes], [*words.messages]]


def _of_entry(entry: Mapping[str, Json], text: str) -> Received:
    return _of_json("batch", entry.get("body"), _status_of(entry.get("status")), text)


def _of_response(text: str) -> Received:
    """An answer with its headers; of several (proxies, `100 Continue`) the last one."""
    unified = text.replace("\r\n", "\n")
    start = unified.rfind("\nHTTP/") + 1
    head, _, body = unified[start:].partition("\n\n")
    status = _STATUSES[0].match(head)
    number = int(status[1]) if status else None
    content = _json(body) if body.strip() else None
    if isinstance(content, dict | list):
        return _of_json("response", content, number, text)
    words = _Said(messages=[body.strip()] if body.strip() else [])
    return _received("response", words, number, text, silent=not body.strip())


def _of_text(text: str) -> Received:
    status = next((int(match[1]) for form in _STATUSES if (match := form.search(text))), None)
    content = next(_embedded(text), None)
    if content is None:
        return _received("text", _Said(messages=[text]), status, text, silent=False)
    words = _Said()
    _walk(content, words, 0)
    made = _received("text", words, status, text, silent=words.blank)
    return replace(made, text=f"{made.text}\n{text}")


def _embedded(text: str) -> Iterator[Mapping[str, Json]]:
    """JSON objects with an error in a text that is none itself."""
    decoder, start = json.JSONDecoder(), text.find("{")
    for _ in range(_MOST_TRIES):
        if start < 0:
            return
        try:
            value, _end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict) and _CODES.union(_MESSAGES, {"error"}) & set(
            map(str.lower, value)
        ):
            yield value
        start = text.find("{", start + 1)


def _of_json(form: str, content: Json, status: int | None, text: str) -> Received:
    words = _Said()
    _walk(content, words, 0)
    silent = words.blank or content in (None, "", {}, [])
    return _received(form, words, status, text, silent=silent)


def _received(form: str, words: _Said, status: int | None, text: str, *, silent: bool) -> Received:
    whom = _OF_USER.search(text)
    return Received(
        form=form,
        status=words.status if status is None else status,
        codes=tuple(dict.fromkeys(words.codes)),
        messages=tuple(dict.fromkeys(words.messages)),
        text="\n".join((*words.codes, *words.messages)),
        user=None if whom is None else (whom[1] or whom[2]).lower(),
        silent=silent and not words.messages,
    )


def _walk(value: Json, words: _Said, depth: int) -> None:
    """Collect codes, messages and the status, outermost first; texts may be JSON again."""
    if depth > _DEEPEST:
        return
    match value:
        case str() if value.lstrip().startswith(("{", "[")):
            _walk(_json(value), words, depth + 1)
        case dict():
            for key, item in value.items():
                _take(key.lower(), item, words)
            for item in value.values():
                _walk(item, words, depth + 1)
        case list():
            for item in value:
                _walk(item, words, depth + 1)
        case _:
            return


def _take(key: str, item: Json, words: _Said) -> None:
    if key in _STATUS_KEYS and words.status is None:
        words.status = _status_of(item)
    if not isinstance(item, str):
        return
    if key in _MESSAGES and not item.strip():
        words.blank = True
    elif key in _MESSAGES:
        words.messages.append(item.strip())
    elif (key in _CODES or key == "error") and item.strip():
        words.codes.append(item.strip())


def _status_of(value: Json) -> int | None:
    text = str(value)
    is_status = len(text) == len("403") and text.isascii() and text.isdigit()
    return int(text) if is_status and text[0] in "12345" else None


def ids_of(text: str) -> tuple[str, ...]:
    """The ids in a text, lower-case, in their order."""
    return tuple(GUID.findall(text.lower()))
