"""The Python end of the stub modules' transport. Standard library only.

    with StubServer(answer) as server:                  # answer(request) -> items
        subprocess.Popen([...pwsh...], env={**env, **server.environment()})

The contract (request, answer, stream items, values) is in README.md beside this file.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

Json = Any
Item = dict[str, Json]
Request = dict[str, Json]
Handle = Callable[[Request], Iterable[Item]]
BATCH = 500  # items a line; a long list is replayed while the rest is still being written


class Drop(Exception):
    """Raised by a handler: send what was yielded so far, then close the connection without an end."""


# ---- items
# ------------------------------------------------------------------------------------------------------------


def thing(name: str, properties: Json, text: str | None = None) -> Json:
    """A value: an object with the type name `name`; `text` is what it prints as, where that
    matters.
    """
    return {
        "$type": "object",
        "name": name,
        "properties": properties,
        **({} if text is None else {"text": text}),
    }


def output(value: Json, *, enumerate_array: bool = False) -> Item:
    """One object on the output stream. An array is one object unless `enumerate_array`."""
    return {"stream": "output", "value": value, **({"enumerate": True} if enumerate_array else {})}


def warning(message: str) -> Item:
    return {"stream": "warning", "message": message}


def error(
    message: str,
    *,
    error_id: str = "",
    terminating: bool | str = False,
    category: str = "NotSpecified",
    exception_type: str = "System.Exception",
    **more: Json,
) -> Item:
    """An error record.

    `terminating`: False, True (ThrowTerminatingError) or "throw". `more`: the other keys of
    README.md.
    """
    return {
        "stream": "error",
        "terminating": terminating,
        "id": error_id,
        "category": category,
        "exception": {"type": exception_type, "message": message, **more.pop("exception", {})},
        **more,
    }


# ---- the server
# ---------------------------------------------------------------------------------------------------------


def encoded(request_id: Json, items: list[Item], *, end: bool) -> bytes:
    """One line of an answer: pure ASCII, so that any string survives, a lone surrogate too."""
    return json.dumps({"id": request_id, "items": items, "end": end}).encode("ascii") + b"\n"


def answer_lines(request: Request, items: Iterable[Item]) -> Iterator[bytes]:
    """The lines of an answer; ends early when the handler raises Drop."""
    pending: list[Item] = []
    try:
        for item in items:
            if len(pending) >= BATCH:
                yield encoded(request.get("id"), pending, end=False)
                pending = []
            pending.append(item)
    except Drop:
        yield encoded(request.get("id"), pending, end=False)
        raise
    # a broken handler must show in the test that called it
    except Exception as fault:  # noqa: BLE001
        pending.append(
            error(
                f"{type(fault).__name__}: {fault}", error_id="StubHandlerFailed", terminating=True
            )
        )
    yield encoded(request.get("id"), pending, end=True)


class Conversation(socketserver.StreamRequestHandler):
    """One connection of one stub module: request lines in, answer lines out, strictly one after the
    other.
    """

    disable_nagle_algorithm = True

    def handle(self) -> None:
        owner: StubServer = self.server.owner  # type: ignore[attr-defined]
        try:
            for line in self.rfile:
                request = json.loads(line)
                if not hmac.compare_digest(
                    str(request.pop("token", "")).encode(), owner.token.encode()
                ):
                    return
                for part in answer_lines(request, owner.items_for(request)):
                    self.wfile.write(part)
                    self.wfile.flush()
        except (Drop, ConnectionError):
            return


class Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, owner: StubServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), Conversation)


class StubServer:
    """Serves `handle` on a loopback port of its own, one call at a time, until the `with` block
    ends.

    `handle` gets the request without its token and returns or yields items. A call that the user
    declined (`-WhatIf`, a refused confirmation; `proceed` false) is answered with nothing unless
    `declined_too`.
    """

    def __init__(
        self, handle: Handle, *, token: str | None = None, declined_too: bool = False
    ) -> None:
        self.handle = handle
        self.token = token or secrets.token_hex(16)
        self.declined_too = declined_too
        self.turn = threading.Lock()
        self.listener = Listener(self)

    def items_for(self, request: Request) -> Iterator[Item]:
        if not request.get("proceed", True) and not self.declined_too:
            return
        with self.turn:
            yield from self.handle(request)

    @property
    def address(self) -> str:
        host, port = self.listener.server_address[:2]
        return f"{host!s}:{port}"

    def environment(self) -> dict[str, str]:
        """What the pwsh process needs, beside PSModulePath."""
        return {"RECONCILER_STUB_ADDRESS": self.address, "RECONCILER_STUB_TOKEN": self.token}

    def __enter__(self) -> Self:
        threading.Thread(target=self.listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.listener.shutdown()
        self.listener.server_close()


# ---- canned answers
# -------------------------------------------------------------------------------------------------------


class Script:
    """Replays answers from JSON lines: {"match": {"cmdlet": ..., "parameters": {...}}, "items":
    [...], "times": n, "then": "end"}.

    The first line that matches and is not used up answers; `match` compares only the keys it names;
    `times` is 1 unless given, 0 means for ever; `then` is "end" (default), "close" (the connection
    is cut after the items) or "hang".
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self.rules = [json.loads(line) for line in lines if line.strip()]
        for rule in self.rules:
            rule["left"] = rule.get("times", 1) or float("inf")

    def __call__(self, request: Request) -> Iterator[Item]:
        rule = next(
            (r for r in self.rules if r["left"] > 0 and matches(r.get("match", {}), request)), None
        )
        if rule is None:
            yield error(
                f"no canned answer for {request['cmdlet']}",
                error_id="StubNoAnswer",
                terminating=True,
            )
            return
        rule["left"] -= 1
        yield from rule.get("items", [])
        if rule.get("then") == "close":
            raise Drop
        if rule.get("then") == "hang":
            threading.Event().wait()


def matches(pattern: Json, value: Json) -> bool:
    """Maps match when every key they name does; anything else when equal."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            k in value and matches(v, value[k]) for k, v in pattern.items()
        )
    return bool(pattern == value)
