"""A module's end of the stubs' transport: one request line out, item lines back.

The contract is in stubs/README.md.
"""

from __future__ import annotations

import hmac
import json
import os
import socket
from typing import TYPE_CHECKING, Any

from tests.standin.binding import Opaque

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = Any
SECRET_TEXTS = frozenset(("AccessToken", "AccessTokens"))


class Gone(Exception):
    """The line to the service broke: whether it acted is unknown."""


class Link:
    """One connection, opened at the first call and again after a fault."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._lines: Any = None
        self._number = 0

    def call(self, request: dict[str, Json]) -> Iterator[Json]:
        """Send a request and yield the items of its answer.

        A caller that stops early makes the rest of the answer disappear.
        """
        self._number += 1
        whole = False
        try:
            self._send(
                {
                    "token": os.environ.get("RECONCILER_STUB_TOKEN", ""),
                    "id": self._number,
                    **request,
                }
            )
            while not whole:
                batch = self._batch()
                whole = bool(batch["end"])
                yield from batch["items"]
        except OSError as why:
            raise Gone(f"An error occurred while sending the request. {why.strerror}") from None
        finally:
            if not whole:
                self.close()

    def close(self) -> None:
        if self._socket:
            self._lines.close()
            self._socket.close()
        self._socket = None

    def _send(self, request: dict[str, Json]) -> None:
        if self._socket is None:
            host, _, port = os.environ.get("RECONCILER_STUB_ADDRESS", "127.0.0.1:1").rpartition(":")
            self._socket = socket.create_connection((host, int(port)))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._lines = self._socket.makefile("rb")
        self._socket.sendall(json.dumps(request).encode("ascii") + b"\n")

    def _batch(self) -> Json:
        line = self._lines.readline()
        batch = json.loads(line) if line.endswith(b"\n") else None
        if batch is None or batch["id"] != self._number:
            raise Gone(
                "An error occurred while sending the request. The stub server closed the"
                " connection."
            )
        return batch


def sent(name: str, value: Json) -> Json:
    """A bound value as the service is told of it: never a secret, only what recognises one."""
    if isinstance(value, Opaque):
        return value.shown
    if isinstance(value, list):
        return [sent(name, item) for item in value]
    if isinstance(value, dict):
        return {key: sent("", item) for key, item in sorted(value.items())}
    return _fingerprint(value) if name in SECRET_TEXTS and isinstance(value, str) else value


def _fingerprint(secret: str) -> Json:
    key = os.environ.get("RECONCILER_STUB_TOKEN", "").encode()
    return {
        "$type": "secret",
        "fingerprint": "hmac-sha256:" + hmac.new(key, secret.encode(), "sha256").hexdigest()[:32],
    }
