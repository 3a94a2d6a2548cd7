"""Lines of the runner's protocol: one JSON object each, request out, answer in.

What is not exactly an answer breaks the session.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, TypeAlias

from msgspec import Struct

from reconciler.errors import RefusedText
from reconciler.processes.child import Broken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.canonical import Json

ENDS: Final = ("value", "refused", "failed")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Part(Struct, frozen=True):
    """Some of the objects of a `run`."""

    objects: list[Json]


class End(Struct, frozen=True):
    """The end of an operation: which of the three ends, and what it carries."""

    kind: Literal["value", "refused", "failed"]
    content: Json


Line: TypeAlias = Part | End


def encode_line(number: int, operation: str, fields: Mapping[str, Json]) -> bytes:
    """One request line, pure ASCII.

    Raises:
        RefusedText: a string holds a lone surrogate, which would arrive as another character.
    """
    message = {"id": number, "op": operation, **fields}
    if _SURROGATE.search(json.dumps(message, ensure_ascii=False)):
        raise RefusedText(
            "a text holds a lone surrogate, which would arrive as another character; remove it"
        )
    return json.dumps(message).encode("ascii") + b"\n"


def decode_line(line: bytes, number: int, nonce: str) -> Line:
    """One answer line to the request of that number.

    Raises:
        Broken: it is anything else.
    """
    if not line.endswith(b"\n"):
        raise Broken("its last line was cut off")
    if not line.isascii():
        raise Broken("it printed something other than an answer")
    answer = _object(line)
    if answer.get("nonce") != nonce or type(answer.get("id")) is not int or answer["id"] != number:
        raise Broken("its answer does not match the request")
    return _line(answer)


def _object(line: bytes) -> dict[str, Any]:
    answer = None
    with suppress(
        ValueError, RecursionError
    ):  # raised out here, so that no exception carries the line with it
        answer = json.loads(line, parse_float=_no_number, parse_constant=_no_number)
    if not isinstance(answer, dict):
        raise Broken("it printed something other than an answer")
    return answer


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _line(answer: dict[str, Any]) -> Line:
    if answer.keys() == {"id", "nonce", "part"} and isinstance(answer["part"], list):
        return Part(answer["part"])
    kinds = [kind for kind in ENDS if kind in answer]
    if (
        len(kinds) != 1
        or answer.keys() != {"id", "nonce", "milliseconds", kinds[0]}
        or type(answer["milliseconds"]) is not int
    ):
        raise Broken("its answer has an unknown format")
    kind = kinds[0]
    return End(kind, answer[kind])
