"""Stands in for PowerShell, the runner and the stub modules together: speaks the runner's protocol,
binds as PowerShell does, forwards what
was bound over the stubs' transport.

    python tests/standin/stand_in.py            (the switches and the script that pwsh gets are
    taken and ignored)

RECONCILER_STUB_ADDRESS and RECONCILER_STUB_TOKEN say where the service is. STAND_IN_MODULES, if
set, is what is installed instead of the stubs: `NAME VERSION;NAME VERSION`. STAND_IN_VERSION is the
version of PowerShell to play. Standard library only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import secrets
import signal
import sys
import tempfile
import time
import uuid
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.standin import binding, gate, values
from tests.standin.stubs.make_stubs import MODULES
from tests.standin.transport import Gone, Link, sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = Any
EXCHANGE = "ExchangeOnlineManagement"
CONNECTS = {
    "Connect-MicrosoftTeams": "Disconnect-MicrosoftTeams",
    "Connect-ExchangeOnline": "Disconnect-ExchangeOnline",
}
SESSION = ("Connect-ExchangeOnline", "Disconnect-ExchangeOnline", "Get-ConnectionInformation")


class Failed(Exception):
    """The call, or the operation, ends in an error record."""

    def __init__(self, record: Json) -> None:
        super().__init__(record["id"])
        self.record = record


class Replay:
    """What one call put out."""

    def __init__(self, emit: Callable[[Json], None]) -> None:
        self.emit = emit
        self.warnings: list[str] = []
        self.swallowed: list[Json] = []
        self.available: list[str] | None = None


class StandIn:
    """One conversation."""

    def __init__(self) -> None:
        self.answers = os.fdopen(os.dup(1), "wb")
        self.nonce: Json = None
        self.part_size = 500
        self.installed = _installed()
        self.loaded: dict[str, str] = {}
        self.generated: dict[str, list[str]] = {}
        self.commands: dict[str, str] = {}
        self.connections: list[dict[str, str]] = []
        self.disconnect: str | None = None
        self.links: dict[str, Link] = {}

    # ---- the loop

    def converse(self) -> int:
        try:
            for line in sys.stdin.buffer:
                try:
                    request = json.loads(line)
                except ValueError:
                    return 1
                if request.get("op") == "close":
                    break
                self.send(self.answer(request))
        finally:
            self.end()
        return 0

    def answer(self, request: Json) -> Json:
        start = time.monotonic()
        operation = getattr(self, "do_" + str(request["op"]), self.unknown)
        answer: dict[str, Json] = {"id": request["id"]}
        try:
            answer["value"] = operation(request)
        except gate.Refused as why:
            answer["refused"] = str(why)
        except Failed as failed:
            answer["failed"] = failed.record
        answer["milliseconds"] = int(1000 * (time.monotonic() - start))
        return answer

    def send(self, line: Json) -> None:
        self.answers.write(json.dumps({"nonce": self.nonce, **line}).encode("ascii") + b"\n")
        self.answers.flush()

    def end(self) -> None:
        if self.disconnect:
            try:
                confirm = (
                    {"Confirm": False}
                    if binding.facts(self.disconnect)["supportsShouldProcess"]
                    else {}
                )
                for _ in self.call(self.disconnect, confirm):
                    pass
            except (Failed, Gone) as why:
                print(f"disconnect: {why}", file=sys.stderr)

    # ---- operations

    def unknown(self, request: Json) -> NoReturn:
        raise Failed(values.failure("NotSupportedException", f"operation {request['op']}"))

    def do_open(self, request: Json) -> Json:
        self.nonce = request["nonce"]
        self.part_size = request.get("partSize") or self.part_size
        return {
            "powershell": os.environ.get("STAND_IN_VERSION", "7.6.5"),
            "os": "stand-in",
            "pid": os.getpid(),
            "culture": "",
        }

    def do_load(self, request: Json) -> Json:
        name, version = request["module"], self.installed.get(request["module"])
        if version is None or not _wanted(version, request):
            return {"found": False, "others": [version] if version else []}
        self.loaded[name] = version
        return {
            "found": True,
            "name": name,
            "version": version,
            "path": f"/modules/{name}/{version}",
        }

    def do_connect(self, request: Json) -> Json:
        name = request["cmdlet"]
        if name not in CONNECTS:
            raise gate.Refused(f"gate: {name} is no connect command")
        if self.disconnect:
            raise gate.Refused("gate: connected already")
        if name not in self.visible(request["module"]):
            raise Failed(
                values.failure(
                    "CommandNotFoundException",
                    f"The term '{name}' is not recognized as a name of a cmdlet.",
                )
            )
        given = dict(request["parameters"])
        if request.get("pfx"):
            given[request["certificateParameter"]] = _certificate(request["pfx"])
        hidden = [
            *_texts(request["parameters"]),
            *filter(None, (request.get("pfx"), request.get("pfxPassword"))),
        ]
        try:
            output = [values.plain(item) for item in self.connected(name, given)]
        except Failed as failed:
            raise Failed(_hidden(failed.record, hidden)) from None
        except Gone as gone:
            raise Failed(_gone(gone)) from None
        self.disconnect = CONNECTS[name]
        return {"output": output}

    def connected(self, name: str, given: dict[str, Json]) -> list[Json]:
        """Call the connect cmdlet; what is not an object goes to the log, where a person with a
        code to type can see it.
        """
        objects: list[Json] = []
        call = self.call(name, given, Replay(objects.append))
        for item in call:
            if item["stream"] in {"warning", "host"}:
                print(
                    ("WARNING: " if item["stream"] == "warning" else "") + item["message"],
                    file=sys.stderr,
                    flush=True,
                )
        for text in (one for one in objects if isinstance(one, str)):
            print(text, file=sys.stderr, flush=True)
        return objects

    def do_resolve(self, request: Json) -> Json:
        return {name: self.resolved(name, request["modules"]) for name in request["cmdlets"]}

    def resolved(self, name: str, modules: list[str]) -> Json:
        homes = [module for module in modules if name in self.visible(module)]
        if len(homes) != 1:
            return None
        self.commands[name] = homes[0]
        return {
            "module": homes[0],
            "version": self.loaded.get(homes[0], "1.0"),
            "parameters": binding.parameter_names(name),
            "parameterSets": list(binding.sets_of(name)),
        }

    def do_read(self, request: Json) -> Json:
        name, parameters = gate.read(_received(request["text"]))
        return {"cmdlet": name, "parameters": parameters}

    def do_run(self, request: Json) -> Json:
        name, parameters = self.checked(request)
        part: list[Json] = []
        sent_objects = 0

        def emit(value: Json) -> None:
            nonlocal sent_objects
            part.append(values.selected(value, request.get("select") or []))
            sent_objects += 1
            if len(part) >= self.part_size:
                self.send({"id": request["id"], "part": part})
                part.clear()

        replay = Replay(emit)
        errors = []
        try:
            for _ in self.call(name, parameters, replay):
                pass
        except Failed as failed:
            errors.append(failed.record)
        except Gone as gone:
            errors.append(_gone(gone))
        if part:
            self.send({"id": request["id"], "part": part})
        return {
            "objects": sent_objects,
            "warnings": replay.warnings,
            "errors": errors,
            "swallowed": [] if errors else replay.swallowed[:5],
        }

    # ---- the gate

    def checked(self, request: Json) -> tuple[str, dict[str, Json]]:
        name, parameters = gate.read(_received(request["text"]))
        if name != request["cmdlet"] or name not in self.commands:
            raise gate.Refused(f"gate: command {name!a} was not resolved, or is another")
        known = set(binding.parameter_names(name))
        for key in parameters:
            if key not in known or key == "WhatIf" or key in binding.COMMON:
                raise gate.Refused(f"gate: parameter {key!a}")
        if _spelled(parameters) != _spelled(request["parameters"]):
            raise gate.Refused("gate: the text and the data differ")
        return name, parameters

    # ---- cmdlets

    def visible(self, module: str) -> list[str]:
        if module in self.generated:
            return self.generated[module]
        return binding.exported_names(module) if module in self.loaded else []

    def call(
        self, name: str, given: dict[str, Json], replay: Replay | None = None
    ) -> Iterator[Json]:
        """Bind and forward one call, and replay what comes back; yields what goes to other streams."""
        try:
            bound = binding.bind(name, given)
        except binding.Unbound as why:
            kind = "System.Management.Automation.ParameterBindingException"
            raise Failed(values.failure(f"{why.code},{name}", str(why), kind=kind)) from None
        if bound.common.get("Confirm"):
            kind = "System.Management.Automation.PSInvalidOperationException"
            raise Failed(
                values.failure(
                    f"PSInvalidOperationException,{name}",
                    "PowerShell is in NonInteractive mode.",
                    kind=kind,
                )
            )
        link, request = self.request(name, bound)
        replay = replay or Replay(lambda value: None)
        source = "Write-ErrorMessage" if request["connection"] and name not in SESSION else None
        for item in link.call(request):
            yield from self.replayed(item, name, source, replay)
        self.after(name, request, bound.parameters, replay)

    def request(self, name: str, bound: binding.Bound) -> tuple[Link, dict[str, Json]]:
        module = EXCHANGE if name in binding.of_module(EXCHANGE) else "MicrosoftTeams"
        connection = (
            self.connections[-1]["ConnectionId"]
            if self.connections and name not in SESSION and module == EXCHANGE
            else None
        )
        request = {
            "module": module,
            "cmdlet": name,
            "parameterSet": bound.parameter_set,
            "parameters": {key: sent(key, value) for key, value in bound.parameters.items()},
            "common": bound.common,
            "proceed": True,
            "connection": connection,
        }
        if name in SESSION:
            request["connections"] = (
                [_new_connection()] if name == SESSION[0] else list(self.connections)
            )
        if name == SESSION[0]:
            request["connection"] = request["connections"][0]["ConnectionId"]
        return self.links.setdefault(connection or module, Link()), request

    def after(self, name: str, request: Json, parameters: dict[str, Json], replay: Replay) -> None:
        """Connecting to Exchange makes a module with the cmdlets that are wanted and allowed;
        disconnecting takes it away.
        """
        if name == SESSION[0]:
            (connection,) = request["connections"]
            patterns = [parameters.get("CommandName"), replay.available]
            names = [
                one
                for one in binding.imported_names()
                if all(known is None or _matches(one, known) for known in patterns)
            ]
            self.generated[Path(connection["ModuleName"]).name] = names
            self.connections.append(connection)
        elif name == SESSION[1]:
            self.connections.clear()
            self.generated.clear()

    def replayed(self, item: Json, name: str, source: str | None, replay: Replay) -> Iterator[Json]:
        match item["stream"]:
            case "output":
                value = item["value"]
                for one in value if item.get("enumerate") else [value]:
                    replay.emit(one)
            case "error":
                raise Failed(values.error(item, name, source))
            case "swallowed":
                replay.swallowed.insert(0, values.error(item, name, source))
            case "warning":
                replay.warnings.append(item["message"])
                yield item
            case "consoleWrite":
                _console(item)
            case "sleep":
                time.sleep(item["milliseconds"] / 1000)
            case "exit":
                _die(item)
            case "available":
                replay.available = item["cmdlets"]
            case _:
                yield item


def _installed() -> dict[str, str]:
    told = os.environ.get("STAND_IN_MODULES")
    if told is None:
        return {module.name: module.version for module in MODULES}
    return dict(one.split(" ") for one in told.split(";") if one)


def _wanted(version: str, request: Json) -> bool:
    if request.get("version"):
        return bool(version == request["version"])
    return _numbers(version) >= _numbers(request["minimum"])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _received(text: str) -> str:
    return str(values.plain(text))


def _spelled(value: Json) -> Json:
    """Equal in type too: True is not 1."""
    return json.dumps(value, sort_keys=True)


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def _new_connection() -> dict[str, str]:
    folder = (
        Path(tempfile.gettempdir()) / f"tmpEXO_{secrets.token_hex(4)}.{secrets.token_hex(2)[:3]}"
    )
    return {"ConnectionId": str(uuid.uuid4()), "ModuleName": str(folder), "ModulePrefix": ""}


def _certificate(pfx: str) -> binding.Opaque:
    """What the transport shows of a certificate. It is not opened: the standard library cannot."""
    try:
        raw = base64.b64decode(pfx, validate=True)
    except binascii.Error:
        raise Failed(
            values.failure("FormatException", "The input is not a valid Base-64 string.")
        ) from None
    thumbprint = hashlib.sha1(raw, usedforsecurity=False).hexdigest().upper()
    return binding.Opaque(
        {
            "$type": "X509Certificate2",
            "thumbprint": thumbprint,
            "subject": "",
            "hasPrivateKey": True,
        }
    )


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


def _hidden(record: Json, secret_texts: list[str]) -> Json:
    """An error of connect may repeat what it was given."""
    text = json.dumps(record)
    for secret in secret_texts:
        if len(secret) >= 8:
            text = text.replace(json.dumps(secret)[1:-1], "(hidden)")
    return json.loads(text)


def _gone(gone: Gone) -> Json:
    return values.failure(
        "StubServerGone",
        str(gone),
        kind="System.Net.Http.HttpRequestException",
        category="ConnectionError",
    )


def _console(item: Json) -> None:
    """What is printed on the console goes to the log, except past .NET, straight to the descriptor."""
    os.write(1 if item.get("to") == "descriptor" else 2, item["text"].encode("utf-8"))


def _die(item: Json) -> NoReturn:
    if item.get("how") == "exit":
        os._exit(item["code"])
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


if __name__ == "__main__":
    if "--version" in sys.argv:
        print("PowerShell " + os.environ.get("STAND_IN_VERSION", "7.6.5"))
        sys.exit(0)
    sys.exit(StandIn().converse())
