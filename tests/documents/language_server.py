"""The YAML language server of the editors, over standard input and output: a client as small as the
questions that an editor asks.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

PACKAGE = "yaml-language-server@1.25.0"
"""From npm; the newest that runs on the Node.js 20 of many machines."""
FOLDER = Path(os.environ.get("RECONCILER_TEST_NPM", Path(sys.prefix) / "npm"))
"""Where `npm install --prefix FOLDER PACKAGE` put it."""
PROGRAM = FOLDER / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
_SECONDS = 60.0


def missing() -> str:
    """Why it cannot be asked; empty if it can."""
    if shutil.which("node") is None:
        return "node is not on PATH"
    return "" if PROGRAM.is_file() else f"{PACKAGE} is not installed in {FOLDER}"


class LanguageServer:
    """A server that runs as long as the block, and one open document at a time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._number = 0
        self._told: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            ["node", str(PROGRAM), "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.root,
        )
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()
        folder = {"uri": self.root.as_uri(), "name": "repository"}
        completion = {"completionItem": {"documentationFormat": ["markdown"]}}
        hover = {"contentFormat": ["markdown"]}
        self.ask(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": folder["uri"],
                "workspaceFolders": [folder],
                "capabilities": {
                    "textDocument": {"completion": completion, "hover": hover},
                    "workspace": {"configuration": True},
                },
            },
        )
        self._send({"method": "initialized", "params": {}})
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _fault: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._listening.join()
        for pipe in (self._process.stdin, self._process.stdout):
            self._pipe(pipe).close()

    def open(self, file: Path) -> list[dict[str, Any]]:
        """Open a document; what the server says is wrong with it."""
        document = {"uri": file.as_uri(), "languageId": "yaml", "version": 1}
        text = {"textDocument": {**document, "text": file.read_text(encoding="utf-8")}}
        self._send({"method": "textDocument/didOpen", "params": text})
        return next(
            message["params"]["diagnostics"]
            for message in self._messages()
            if message.get("method") == "textDocument/publishDiagnostics"
            and message["params"]["uri"] == file.as_uri()
        )

    def at(self, question: str, file: Path, line: int, column: int) -> Any:
        """Ask `textDocument/QUESTION` about a place; lines and columns from 1."""
        place = {"line": line - 1, "character": column - 1}
        document = {"uri": file.as_uri()}
        return self.ask(f"textDocument/{question}", {"textDocument": document, "position": place})

    def ask(self, method: str, params: Any) -> Any:
        """Send a request and wait for its answer."""
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        answer = next(
            message
            for message in self._messages()
            if message.get("id") == number and "method" not in message
        )
        assert "error" not in answer, answer
        return answer.get("result")

    def _messages(self) -> Iterator[dict[str, Any]]:
        """What the server says, its own questions answered on the way."""
        while True:
            message = self._told.get(timeout=_SECONDS)
            if "id" in message and "method" in message:
                self._send({"id": message["id"], "result": self._answer(message)})
                continue
            yield message

    def _answer(self, message: dict[str, Any]) -> Any:
        if message["method"] != "workspace/configuration":
            return None
        settings = self.root / ".vscode" / "settings.json"
        chosen = json.loads(settings.read_text(encoding="utf-8")) if settings.is_file() else {}
        yaml = {key.removeprefix("yaml."): value for key, value in chosen.items()}
        ours = {
            "validate": True,
            "hover": True,
            "completion": True,
            "schemaStore": {"enable": False},
            **yaml,
        }
        return [
            ours if item.get("section") == "yaml" else {} for item in message["params"]["items"]
        ]

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        pipe = self._pipe(self._process.stdin)
        pipe.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        pipe.flush()

    def _listen(self) -> None:
        pipe = self._pipe(self._process.stdout)
        while head := pipe.readline():
            if head.lower().startswith(b"content-length:"):
                length = int(head.partition(b":")[2])
                while pipe.readline().strip():
                    pass
                self._told.put(json.loads(pipe.read(length)))

    def _pipe(self, stream: IO[bytes] | None) -> IO[bytes]:
        assert stream is not None
        return stream
