"""Conformance suite for the runner's contract (reconciler/powershell/protocol.md).

Standard library only.

Starts whatever speaks the contract, serves the stubs' transport to it
(tests/standin/stubs/README.md), and checks what comes back:

    python -m tests.standin.stubs.make_stubs --out MODULES python -m tests.door.check_runner
    --modules MODULES -- pwsh -NoLogo -NoProfile -NonInteractive -OutputFormat Text -File runner.ps1
    python -m tests.door.check_runner -- python tests/standin/stand_in.py

The process under test finds the server in RECONCILER_STUB_ADDRESS (host:port) and
RECONCILER_STUB_TOKEN, and, if it is a real PowerShell, the stub modules on PSModulePath. Last line:
'N passed, N failed'; exit 1 on failure.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

READ = Path(__file__).resolve().parents[1] / "data" / "powershell" / "read.jsonl"
TENANT = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
SECRET = "CANARY-do-not-print-me"  # noqa: S105  a canary
Json = Any
Check = Callable[["Runner", "Server"], None]
CHECKS: list[Check] = []


def check(function: Check) -> Check:
    CHECKS.append(function)
    return function


# ---- the service behind the stubs: answers what the current check has laid out
# --------------------------------------


class Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server: Server = self.server  # type: ignore[assignment]
        for line in self.rfile:
            request = json.loads(line)
            server.seen.append(request)
            if request["token"] != server.token:
                return
            if server.drop:
                return
            items = server.items_for(request)
            answer = {"id": request["id"], "items": items, "end": True}
            self.wfile.write(json.dumps(answer).encode() + b"\n")
            self.wfile.flush()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.token = "token-of-this-run"  # noqa: S105  of a server that lives as long as a check
        self.seen: list[Json] = []
        self.items: list[Json] = []
        self.drop = False
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        host, port = self.server_address[:2]
        return f"{host!s}:{port}"

    def items_for(self, request: Json) -> list[Json]:
        if request["cmdlet"].startswith("Connect-") and not self.items:
            return [output({"TenantId": TENANT, "Account": "app"}, "Connection")]
        if request["cmdlet"] == "Get-ConnectionInformation" and not self.items:
            return [
                output({"ModuleName": c["ModuleName"], "TenantID": TENANT, "State": "Connected"})
                for c in request["connections"]
            ]
        return self.items


def output(properties: Json, name: str = "Deserialized.Thing") -> Json:
    return {
        "stream": "output",
        "value": {"$type": "object", "name": name, "properties": properties},
    }


def error(message: str, *, id: str = "Probe", terminating: bool = False, **more: Json) -> Json:  # noqa: A002
    return {
        "stream": "error",
        "terminating": terminating,
        "id": id,
        "category": "NotSpecified",
        "exception": {"type": "System.Exception", "message": message},
        **more,
    }


# ---- the process under test
# ------------------------------------------------------------------------------------------


class Runner:
    """One process; `ask` sends an operation and returns its end line, with the parts joined under
    "parts".
    """

    def __init__(
        self, command: list[str], environment: dict[str, str], nonce: str = "nonce-1"
    ) -> None:
        self.nonce, self.number, self.log = nonce, 0, bytearray()
        self.lines: queue.Queue[bytes | None] = queue.Queue()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        self.readers = [
            threading.Thread(target=each, daemon=True)
            for each in (self._read_lines, self._read_log)
        ]
        for reader in self.readers:
            reader.start()

    def _read_lines(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def _read_log(self) -> None:
        assert self.process.stderr
        while block := self.process.stderr.read1(65536):  # type: ignore[attr-defined]
            self.log += block

    def send(self, message: Json) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, op: str, **fields: Json) -> Json:
        self.number += 1
        self.send({"id": self.number, "op": op, **fields})
        parts: list[Json] = []
        while True:
            line = self.lines.get(timeout=60)
            if line is None:
                return {"eof": True, "parts": parts}
            assert line.isascii(), line[:200]
            assert line.endswith(b"\n"), line[:200]
            answer = json.loads(line)
            assert (answer["nonce"], answer["id"]) == (self.nonce, self.number), answer
            if "part" in answer:
                parts += answer["part"]
                continue
            assert isinstance(answer["milliseconds"], int)
            assert len({"value", "refused", "failed"} & answer.keys()) == 1, answer
            return {**answer, "parts": parts}

    def run(
        self, text: str, cmdlet: str, select: list[str] | None = None, **parameters: Json
    ) -> Json:
        return self.ask(
            "run",
            text=text,
            cmdlet=cmdlet,
            parameters=parameters,
            **({"select": select} if select else {}),
        )

    def ready(self, module: str = "MicrosoftTeams") -> Runner:
        """Opened, module loaded, connected, its cmdlets resolved."""
        assert self.ask("open", nonce=self.nonce)["value"]["powershell"]
        assert self.ask("load", module=module, minimum="1.0")["value"]["found"]
        if module == "MicrosoftTeams":
            self.ask(
                "connect",
                cmdlet="Connect-MicrosoftTeams",
                module=module,
                parameters={"AccessTokens": [SECRET, SECRET + "2"]},
            )
            self.ask("resolve", cmdlets=TEAMS, modules=[module])
            return self
        self.ask(
            "connect",
            cmdlet="Connect-ExchangeOnline",
            module=module,
            parameters={
                "AccessToken": SECRET,
                "Organization": "contoso.onmicrosoft.com",
                "ShowBanner": False,
                "CommandName": EXCHANGE,
            },
        )
        self.ask("resolve", cmdlets=["Get-ConnectionInformation"], modules=[module])
        where = self.run("Get-ConnectionInformation", "Get-ConnectionInformation", ["ModuleName"])[
            "parts"
        ][0]["ModuleName"]
        self.ask("resolve", cmdlets=EXCHANGE, modules=[Path(where).name])
        return self

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for reader in self.readers:
            reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe
            with contextlib.suppress(OSError):  # what is left in it, nobody takes any more
                pipe.close()

    def close(self) -> int:
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(30)


TEAMS = [
    "Get-CsApplicationAccessPolicy",
    "New-CsApplicationAccessPolicy",
    "Set-CsApplicationAccessPolicy",
    "Remove-CsApplicationAccessPolicy",
    "Grant-CsApplicationAccessPolicy",
    "Get-CsOnlineUser",
]
EXCHANGE = [
    "Get-ApplicationAccessPolicy",
    "New-ApplicationAccessPolicy",
    "Remove-ApplicationAccessPolicy",
    "Test-ApplicationAccessPolicy",
]
GET = "Get-CsApplicationAccessPolicy"
GRANT = "Grant-CsApplicationAccessPolicy"


def same(got: Json, want: Json) -> None:
    assert got == want, f"got {json.dumps(got)[:600]}\n      want {json.dumps(want)[:600]}"


# ---- framing
# ------------------------------------------------------------------------------------------


@check
def open_tells_version_and_close_ends_with_zero(runner: Runner, server: Server) -> None:
    value = runner.ask("open", nonce=runner.nonce)["value"]
    assert tuple(map(int, value["powershell"].split(".")[:2])) >= (7, 6)
    assert isinstance(value["pid"], int)
    same(runner.close(), 0)


@check
def close_operation_ends_with_zero(runner: Runner, server: Server) -> None:
    runner.ask("open", nonce=runner.nonce)
    runner.send({"id": 2, "op": "close"})
    same(runner.process.wait(30), 0)


@check
def a_line_that_is_not_json_ends_the_process_without_an_answer(
    runner: Runner, server: Server
) -> None:
    runner.ask("open", nonce=runner.nonce)
    assert runner.process.stdin
    runner.process.stdin.write(b"not json\n")
    runner.process.stdin.flush()
    same(runner.process.wait(30), 1)
    same(runner.lines.get(timeout=5), None)


@check
def an_unknown_operation_fails_and_the_conversation_goes_on(runner: Runner, server: Server) -> None:
    runner.ask("open", nonce=runner.nonce)
    assert "failed" in runner.ask("explode")
    assert "value" in runner.ask("read", text="Get-X")


# ---- load, connect, resolve
# ------------------------------------------------------------------------------------------


@check
def load_by_minimum_by_exact_version_and_missing(runner: Runner, server: Server) -> None:
    runner.ask("open", nonce=runner.nonce)
    found = runner.ask("load", module="MicrosoftTeams", minimum="1.0")["value"]
    assert found["found"]
    assert found["name"] == "MicrosoftTeams"
    other = runner.ask("load", module="MicrosoftTeams", version="99.0.0")["value"]
    same((other["found"], other["others"]), (False, [found["version"]]))
    same(
        runner.ask("load", module="NoSuchModule", minimum="1.0")["value"],
        {"found": False, "others": []},
    )


@check
def connect_returns_the_tenant_once_and_keeps_secrets(runner: Runner, server: Server) -> None:
    runner.ask("open", nonce=runner.nonce)
    runner.ask("load", module="MicrosoftTeams", minimum="1.0")
    tokens = {"AccessTokens": [SECRET, SECRET + "2"]}
    refused = runner.ask(
        "connect",
        cmdlet="Set-CsApplicationAccessPolicy",
        module="MicrosoftTeams",
        parameters={"Identity": "Global"},
    )
    assert refused["refused"].startswith("gate:"), refused
    server.items = [error(f"the token {SECRET} is no good", terminating=True)]
    failed = runner.ask(
        "connect", cmdlet="Connect-MicrosoftTeams", module="MicrosoftTeams", parameters=tokens
    )
    assert "failed" in failed, failed
    assert SECRET not in json.dumps(failed), failed
    server.items = []
    value = runner.ask(
        "connect", cmdlet="Connect-MicrosoftTeams", module="MicrosoftTeams", parameters=tokens
    )["value"]
    same(value["output"][0]["TenantId"], TENANT)
    again = runner.ask(
        "connect", cmdlet="Connect-MicrosoftTeams", module="MicrosoftTeams", parameters=tokens
    )
    assert again["refused"].startswith("gate:"), again
    assert all(SECRET not in json.dumps(request) for request in server.seen)
    same(runner.close(), 0)
    assert server.seen[-1]["cmdlet"] == "Disconnect-MicrosoftTeams", server.seen[-1]
    assert SECRET.encode() not in runner.log


@check
def what_connect_tells_a_person_is_on_stderr_and_not_among_the_answers(
    runner: Runner, server: Server
) -> None:
    runner.ask("open", nonce=runner.nonce)
    runner.ask("load", module="MicrosoftTeams", minimum="1.0")
    server.items = [
        {"stream": "host", "message": "enter the code HOST"},
        {"stream": "warning", "message": "enter the code WARNING"},
        {"stream": "consoleWrite", "text": "enter the code CONSOLE\n"},
        {"stream": "output", "value": "enter the code OUTPUT"},
        output({"TenantId": TENANT}),
    ]
    value = runner.ask(
        "connect",
        cmdlet="Connect-MicrosoftTeams",
        module="MicrosoftTeams",
        parameters={"UseDeviceAuthentication": True},
    )["value"]
    same(value["output"], ["enter the code OUTPUT", {"TenantId": TENANT}])
    runner.close()
    for stream in (b"HOST", b"WARNING", b"CONSOLE", b"OUTPUT"):
        wait_for(lambda stream=stream: stream in runner.log)


def wait_for(true: Callable[[], bool]) -> None:
    """The log is read by a thread of its own."""
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


@check
def resolve_tells_parameters_and_null_for_what_is_not_there(runner: Runner, server: Server) -> None:
    runner.ask("open", nonce=runner.nonce)
    runner.ask("load", module="MicrosoftTeams", minimum="1.0")
    value = runner.ask("resolve", cmdlets=[GRANT, "Get-Nothing"], modules=["MicrosoftTeams"])[
        "value"
    ]
    same(value["Get-Nothing"], None)
    assert {"Identity", "PolicyName", "Global", "Group", "Rank"} <= set(value[GRANT]["parameters"])
    assert value[GRANT]["module"] == "MicrosoftTeams"
    assert len(value[GRANT]["parameterSets"]) > 1


@check
def exchange_cmdlets_come_from_the_generated_module_and_only_those_asked_for(
    runner: Runner, server: Server
) -> None:
    runner.ready("ExchangeOnlineManagement")
    server.items = [output({"Identity": "x"})]
    same(
        runner.run("Get-ApplicationAccessPolicy", "Get-ApplicationAccessPolicy", ["Identity"])[
            "parts"
        ],
        [{"Identity": "x"}],
    )
    value = runner.ask(
        "resolve", cmdlets=["Set-ApplicationAccessPolicy"], modules=["ExchangeOnlineManagement"]
    )["value"]
    same(value["Set-ApplicationAccessPolicy"], None)


# ---- values
# ------------------------------------------------------------------------------------------


@check
def every_kind_of_value_comes_through(runner: Runner, server: Server) -> None:
    runner.ready()
    server.items = [
        output(
            {
                "Text": "O’Brien \U0001f600 \u202e \x00 'q'",
                "Empty": "",
                "True": True,
                "Number": 7,
                "Null": None,
                "One": ["only"],
                "None": [],
                "Day": {"$type": "datetime", "value": "2024-01-02T03:04:05.0000000Z"},
                "Looks": "2024-01-01T00:00:00Z",
                "Id": {"$type": "guid", "value": TENANT},
                "Span": {"$type": "timespan", "value": "00:03:00"},
                "Colour": {"$type": "enum:System.ConsoleColor", "value": "Red"},
                "Small": {"$type": "uint32", "value": 3},
                "Inner": {"A": {"B": ["x", 1]}},
                "Map": {"$type": "hashtable", "value": {"k": "v"}},
            }
        )
    ]
    want = {
        "Text": "O’Brien \U0001f600 \u202e \x00 'q'",
        "Empty": "",
        "True": True,
        "Number": 7,
        "Null": None,
        "One": ["only"],
        "None": [],
        "Day": "2024-01-02T03:04:05.0000000Z",
        "Looks": "2024-01-01T00:00:00Z",
        "Id": TENANT,
        "Span": "00:03:00",
        "Colour": "Red",
        "Small": 3,
        "Inner": {"A": {"B": ["x", 1]}},
        "Map": {"k": "v"},
    }
    answer = runner.run(GET, GET)
    same(answer["parts"], [want])
    same(
        (answer["value"]["objects"], answer["value"]["errors"], answer["value"]["warnings"]),
        (1, [], []),
    )


@check
def select_names_what_is_absent_and_keeps_null(runner: Runner, server: Server) -> None:
    runner.ready()
    server.items = [output({"Identity": "a", "Description": None}), output({"Identity": "b"})]
    same(
        runner.run(GET, GET, ["Identity", "Description"])["parts"],
        [{"Identity": "a", "Description": None}, {"Identity": "b", "(absent)": ["Description"]}],
    )


@check
def many_objects_come_in_parts_in_order(runner: Runner, server: Server) -> None:
    runner.ready()
    server.items = [output({"N": n}) for n in range(1203)]
    answer = runner.run(GET, GET, ["N"])
    same(
        (answer["value"]["objects"], [row["N"] for row in answer["parts"]]),
        (1203, list(range(1203))),
    )


@check
def two_megabytes_come_through(runner: Runner, server: Server) -> None:
    runner.ready()
    server.items = [output({"Text": "x" * 2_000_000})]
    same(len(runner.run(GET, GET)["parts"][0]["Text"]), 2_000_000)


@check
def what_is_bound_is_what_was_written(runner: Runner, server: Server) -> None:
    runner.ready()
    server.items = []
    for text, parameters in [
        ("-Identity:'O’’Brien'", {"Identity": "O’Brien"}),
        (
            "-Identity:'Test-policy' -AppIds:@{Add=@('a','b')}",
            {"Identity": "Test-policy", "AppIds": {"Add": ["a", "b"]}},
        ),
        (
            "-Identity:'Test-policy' -AppIds:@{Remove=@('a')}",
            {"Identity": "Test-policy", "AppIds": {"Remove": ["a"]}},
        ),
        ("-Identity:'Global' -Description:''", {"Identity": "Global", "Description": ""}),
        (
            "-Identity:'Global' -Description:'2024-01-01T00:00:00Z'",
            {"Identity": "Global", "Description": "2024-01-01T00:00:00Z"},
        ),
    ]:
        answer = runner.run(
            f"Set-CsApplicationAccessPolicy {text}", "Set-CsApplicationAccessPolicy", **parameters
        )
        same(answer.get("value", answer).get("errors"), [])
        same(server.seen[-1]["parameters"], parameters)
    runner.run(f"{GRANT} -Identity:'u' -PolicyName:$null", GRANT, Identity="u", PolicyName=None)
    assert server.seen[-1]["parameters"]["PolicyName"] in (None, ""), server.seen[-1]
    runner.run(f"{GRANT} -Global:$true -PolicyName:'P'", GRANT, Global=True, PolicyName="P")
    same(server.seen[-1]["parameters"], {"Global": True, "PolicyName": "P"})
    runner.run(
        "New-CsApplicationAccessPolicy -Identity:'P' -AppIds:@('a')",
        "New-CsApplicationAccessPolicy",
        Identity="P",
        AppIds=["a"],
    )
    same(server.seen[-1]["parameters"]["AppIds"], ["a"])


# ---- errors and noise
# ------------------------------------------------------------------------------------------


@check
def errors_of_every_kind_are_errors(runner: Runner, server: Server) -> None:
    runner.ready()
    for terminating in (False, True):
        server.items = [
            output({"Identity": "first"}),
            error("it broke", id="Broke", terminating=terminating, details="more"),
        ]
        answer = runner.run(GET, GET, ["Identity"])
        same(answer["parts"], [{"Identity": "first"}])
        (got,) = answer["value"]["errors"]
        assert got["id"].startswith("Broke"), got
        same((got["exceptions"][0]["message"], got["details"]), ("it broke", "more"))


@check
def http_errors_carry_status_and_retry_after(runner: Runner, server: Server) -> None:
    runner.ready()
    server.items = [
        {
            "stream": "error",
            "terminating": True,
            "id": "Throttled",
            "category": "LimitsExceeded",
            "exception": {
                "type": "System.Net.Http.HttpRequestException",
                "message": "429",
                "response": {"status": 429, "retryAfter": 17},
                "inner": {"type": "System.TimeoutException", "message": "inner"},
            },
        }
    ]
    (got,) = runner.run(GET, GET)["value"]["errors"]
    same((got["status"], got["retryAfter"], got["category"]), ("429", "17", "LimitsExceeded"))
    same(
        [e["type"] for e in got["exceptions"]],
        ["System.Net.Http.HttpRequestException", "System.TimeoutException"],
    )


@check
def noise_never_reaches_the_answers(runner: Runner, server: Server) -> None:
    runner.ready()
    server.items = [
        {"stream": "host", "message": "BANNER"},
        {"stream": "consoleWrite", "text": '{"id":1}\n'},
        {"stream": "warning", "message": "careful"},
        {"stream": "information", "message": "info", "tags": ["t"]},
        {"stream": "verbose", "message": "v"},
        {"stream": "debug", "message": "d"},
        {"stream": "progress", "activity": "a", "status": "s", "percent": 5},
        output({"Identity": "x"}),
    ]
    answer = runner.run(GET, GET, ["Identity"])
    same(
        (answer["parts"], answer["value"]["warnings"], answer["value"]["errors"]),
        ([{"Identity": "x"}], ["careful"], []),
    )


@check
def a_server_that_goes_away_is_an_error(runner: Runner, server: Server) -> None:
    runner.ready()
    server.drop = True
    assert runner.run(GET, GET)["value"]["errors"]
    server.drop = False
    server.items = [output({"Identity": "x"})]
    same(runner.run(GET, GET, ["Identity"])["parts"], [{"Identity": "x"}])


@check
def a_process_that_dies_in_a_call_leaves_no_end_line(runner: Runner, server: Server) -> None:
    runner.ready()
    server.items = [{"stream": "exit", "how": "exit", "code": 3}]
    assert runner.run(GET, GET).get("eof")


@check
def binding_errors_are_errors_and_nothing_is_sent(runner: Runner, server: Server) -> None:
    runner.ready()
    before = len(server.seen)
    for text, cmdlet, parameters in [
        (
            f"{GRANT} -Global:$true -Group:'g' -PolicyName:'p'",
            GRANT,
            {"Global": True, "Group": "g", "PolicyName": "p"},
        ),
        (
            f"{GRANT} -Group:'g' -PolicyName:'p' -Rank:@('x')",
            GRANT,
            {"Group": "g", "PolicyName": "p", "Rank": ["x"]},
        ),
    ]:
        answer = runner.run(text, cmdlet, **parameters)
        assert answer["value"]["errors"], answer
    same(len(server.seen), before)


# ---- the gate
# ------------------------------------------------------------------------------------------


@check
def read_agrees_with_every_recorded_text(runner: Runner, server: Server) -> None:
    runner.ask("open", nonce=runner.nonce)
    wrong = []
    for line in READ.read_text(encoding="utf-8").split("\n"):
        if not line:
            continue
        row = json.loads(line)
        answer = runner.ask("read", text=row["text"])
        if ("value" in row and answer.get("value") != row["value"]) or (
            "refused" in row and "refused" not in answer
        ):
            wrong.append((row, {k: answer.get(k) for k in ("value", "refused", "failed")}))
    assert not wrong, f"{len(wrong)} texts differ, first: {wrong[0]}"


@check
def text_and_data_must_be_the_same_in_type_and_value(runner: Runner, server: Server) -> None:
    runner.ready()
    before = len(server.seen)
    for text, parameters in [
        ("-Identity:'a'", {"Identity": "b"}),
        ("-Identity:'a'", {"Identity": "A"}),
        ("-Identity:'a'", {}),
        ("", {"Identity": "a"}),
        ("-Identity:'a'", {"Identity": ["a"]}),
        ("-Identity:@('a')", {"Identity": "a"}),
        ("-Identity:'1'", {"Identity": 1}),
        ("-Identity:$true", {"Identity": "true"}),
        ("-Identity:$null", {"Identity": ""}),
        ("-Identity:''", {"Identity": None}),
        ("-Identity:'a'", {"Identity": "a\u200b"}),
        ("-Identity:'\u00e9'", {"Identity": "e\u0301"}),
        ("-identity:'a'", {"identity": "a"}),
        ("-Ident:'a'", {"Ident": "a"}),
        ("-Identity\u200b:'a'", {"Identity\u200b": "a"}),
        ("-Identity:'a' -WhatIf:$true", {"Identity": "a", "WhatIf": True}),
        ("-Identity:'a' -ErrorAction:'Ignore'", {"Identity": "a", "ErrorAction": "Ignore"}),
        ("-Identity:'a' -OutVariable:'x'", {"Identity": "a", "OutVariable": "x"}),
        ("-Identity:'a'; Get-Date", {"Identity": "a"}),
        ("-Identity:'a' | Remove-Item", {"Identity": "a"}),
        ("-Identity:'a’; Remove-Item ‘b'", {"Identity": "a’; Remove-Item ‘b"}),
    ]:
        answer = runner.run(
            f"Set-CsApplicationAccessPolicy {text}".rstrip(),
            "Set-CsApplicationAccessPolicy",
            **parameters,
        )
        assert answer.get("refused", "").startswith("gate:"), (text, parameters, answer)
    for text, cmdlet in [
        ("Get-Date", "Get-Date"),
        ("Set-csApplicationAccessPolicy -Identity:'a'", "Set-CsApplicationAccessPolicy"),
        ("Set-CsApplicationAccessPolicy\u200b -Identity:'a'", "Set-CsApplicationAccessPolicy"),
    ]:
        answer = runner.run(text, cmdlet, Identity="a")
        assert answer.get("refused", "").startswith("gate:"), (text, answer)
    same(len(server.seen), before)


@check
def a_thousand_calls_in_a_reasonable_time(runner: Runner, server: Server) -> None:
    runner.ready()
    server.items = []
    start = time.monotonic()
    for n in range(1000):
        runner.run(
            f"{GRANT} -Identity:'u{n}' -PolicyName:'P'", GRANT, Identity=f"u{n}", PolicyName="P"
        )
    print(f"      {1000 / (time.monotonic() - start):.0f} calls a second")
    same(len([r for r in server.seen if r["cmdlet"] == GRANT]), 1000)


# ---- main
# ------------------------------------------------------------------------------------------


def environment_for(server: Server, modules: str | None) -> dict[str, str]:
    keep = {
        name: os.environ[name]
        for name in (
            "PATH",
            "HOME",
            "LANG",
            "SYSTEMROOT",
            "TEMP",
            "TMP",
            "TMPDIR",
            "DOTNET_ROOT",
            "PYTHONPATH",
            "VIRTUAL_ENV",
        )
        if name in os.environ
    }
    quiet = {
        "POWERSHELL_TELEMETRY_OPTOUT": "1",
        "POWERSHELL_UPDATECHECK": "Off",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
    }
    stubs = {"RECONCILER_STUB_ADDRESS": server.address, "RECONCILER_STUB_TOKEN": server.token}
    return {**keep, **quiet, **stubs, **({"PSModulePath": modules} if modules else {})}


@contextmanager
def started(command: list[str], modules: str | None) -> Iterator[tuple[Runner, Server]]:
    server = Server()
    runner = Runner(command, environment_for(server, modules))
    try:
        yield runner, server
    finally:
        runner.end()
        server.shutdown()
        server.server_close()


def attempt(one: Check, command: list[str], modules: str | None) -> bool:
    name = one.__name__.replace("_", " ")
    with started(command, modules) as (runner, server):
        try:
            one(runner, server)
        # (a failing check is reported, whatever it raised)
        except Exception as problem:  # noqa: BLE001
            print(f"FAIL  {name}\n      {type(problem).__name__}: {problem}")
            if runner.log:
                print(
                    "      stderr: "
                    + bytes(runner.log[-600:]).decode(errors="replace").replace("\n", "\n      ")
                )
            return False
    print(f"ok    {name}")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--modules", help="folder with the stub modules, for a real PowerShell")
    parser.add_argument("--only", default="", help="run the checks whose name contains this")
    parser.add_argument("command", nargs="+", help="what to start, after --")
    arguments = parser.parse_args()
    chosen = [one for one in CHECKS if arguments.only in one.__name__]
    results = [attempt(one, arguments.command, arguments.modules) for one in chosen]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) and results else 1


if __name__ == "__main__":
    raise SystemExit(main())
