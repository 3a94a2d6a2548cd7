"""What inputs cost that are ten times as long: a text of others must not hold anybody up.

Each shape is one that some reader once took quadratic or cubic time for, or might: blanks, line
ends, digits, one character again and again, where a pattern or a loop may begin anew at each.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from reconciler.applying.journal import read_journal
from reconciler.captures import reading
from reconciler.documents import examine_documents
from reconciler.errors import ReconcilerError
from reconciler.kinds.exchange.parse import is_empty_store
from reconciler.planning import making, planfile
from reconciler.powershell.answers import Raised, ServiceError
from reconciler.powershell.door.hiding import Hiding
from reconciler.powershell.door.log import Log
from reconciler.powershell.literals import literal
from reconciler.powershell.reading import read_invocation
from reconciler.reports import findings, terminal
from reconciler.reports.lines import plain_text
from reconciler.tenants.live.classes import meaning
from reconciler.tenants.simulated import Simulator
from tests.benchmarks.rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Work = Callable[[], object]
    Shape = Callable[[int, Path], Work]

SMALL: Final = 20_000
TIMES: Final = 10
BUDGET: Final = 15.0
"""Ten times as long may take ten times as long; sorting and caches take a little more."""
LEAST: Final = 0.005
"""CPU seconds below which a ratio says nothing."""

_APP = "ddb80e06-92f3-4978-bc22-a0eee85e6a9e"
_GUID = "566b8d39-5c5c-4aaa-bc07-4f36278a1b38"
_POLICY = (
    "apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\nmetadata: {name: P}\nspec:\n"
    f"  applications: [{_APP}]\n"
)
_EXCHANGE = (
    "apiVersion: reconciler/v1\nkind: ExchangeApplicationAccessPolicy\nmetadata: {{name: e{0}}}\n"
    f"spec:\n  applications: [{_APP}]\n  scope: {{1}}\n  accessRight: RestrictAccess\n"
)
_CONFLICT = "<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n"
_TENANT = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
_BOTH: Final = frozenset(("teams", "exchange"))


def _id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def _documents(text: Callable[[int], str]) -> Shape:
    def shape(size: int, folder: Path) -> Work:
        (folder / "a.yaml").write_text(text(size), encoding="utf-8", newline="")

        def work() -> None:
            found = examine_documents([folder]).findings
            plain_text(findings.finding_lines(found))

        return work

    return shape


def _listed(name: str, text: Callable[[int], str]) -> Shape:
    def shape(size: int, folder: Path) -> Work:
        (folder / name).write_text(text(size), encoding="utf-8", newline="")
        written = f"{_POLICY}  grants: {{usersFrom: {name}}}\n"
        return _documents(lambda _size: written)(size, folder)

    return shape


def _capture(change: Callable[[dict[str, Any], int], object]) -> Shape:
    def shape(size: int, folder: Path) -> Work:
        raw = _raw()
        change(raw, size)
        (folder / "capture.json").write_text(json.dumps(raw), encoding="utf-8")

        def work() -> None:
            reading.load_capture(folder / "capture.json", tenant_id=None, needs=_BOTH)

        return work

    return shape


def _raw() -> dict[str, Any]:
    reads = [
        {"cmdlet": cmdlet, "parameters": {}, "count": 1}
        for cmdlet in (
            "Get-CsApplicationAccessPolicy",
            "Get-CsGroupPolicyAssignment",
            "Get-CsOnlineUser",
        )
    ]
    return {
        "format_version": "1.0",
        "tool": "x",
        "tenant": {"tenantId": _TENANT, "organization": "contoso.onmicrosoft.com"},
        "taken_at": "2026-11-02T09:00:00Z",
        "teams": {
            "complete": True,
            "reads": reads,
            "policies": [{"Identity": "Tag:A", "AppIds": [_APP], "Description": ""}],
            "groupAssignments": [
                {
                    "GroupId": _GUID,
                    "PolicyName": "A",
                    "Priority": 1,
                    "PolicyType": "ApplicationAccessPolicy",
                }
            ],
            "users": [
                {
                    "Identity": _GUID,
                    "UserPrincipalName": "a@contoso.com",
                    "ApplicationAccessPolicy": {"Name": "A"},
                }
            ],
        },
        "exchange": {
            "complete": True,
            "reads": [{"cmdlet": "Get-ApplicationAccessPolicy", "parameters": {}, "count": 1}],
            "policies": [
                {
                    "Identity": rf"{_TENANT}\{_APP}:S-1-5-21-1;{_GUID}",
                    "AppId": _APP,
                    "AccessRight": "RestrictAccess",
                    "Description": "",
                    "ScopeName": "scope",
                    "ScopeIdentityRaw": f"S-1-5-21-1;{_GUID}",
                }
            ],
        },
        "directory": {
            "users": [{"id": _GUID, "upn": "a@contoso.com", "displayName": ""}],
            "groups": [{"id": _GUID, "displayName": ""}],
            "recipients": [
                {
                    "id": _GUID,
                    "primary": "s@contoso.com",
                    "addresses": ["s@contoso.com"],
                    "displayName": "",
                    "type": "UserMailbox",
                    "isValidSecurityPrincipal": True,
                }
            ],
            "absent": [],
        },
    }


_DEFAULT = (
    "AppId: {0}; ScopeIdentitySid: {0}; ScopeIdentityOid: {0}; AccessRight: {0}; ShardType: {0}"
)
TEXTS: Final[Mapping[str, Callable[[int], str]]] = {
    "blanks": lambda n: "a" + " " * n + "b",
    "blanks only": lambda n: " " * n,
    "line ends": lambda n: "a" + "\n" * n + "b",
    "semicolons": lambda n: "AppId: " + ";" * n,
    "default": lambda n: _DEFAULT.format("x;" * (n // 10)),
    "default, unspaced": lambda n: (
        "AppId:" + "a;ScopeIdentitySid:a;ScopeIdentityOid:a;AccessRight:" * (n // 54)
    ),
    "default keys": lambda n: "AppId: a; ScopeIdentitySid: " * (n // 28),
    "backslashes": lambda n: "\\" * n,
    "digits": lambda n: "S-" + "1-" * (n // 2),
    "quotes": lambda n: "'" * n,
    "colons": lambda n: ":" * n,
    "dots": lambda n: "a." * (n // 2) + "@",
    "letters": lambda n: "a" * n,
    "guids": lambda n: f"{_GUID} " * (n // 37),
}
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "teams policy Identity": ("teams", "policies", "Identity"),
    "teams policy Description": ("teams", "policies", "Description"),
    "teams group PolicyName": ("teams", "groupAssignments", "PolicyName"),
    "teams user Identity": ("teams", "users", "Identity"),
    "exchange Identity": ("exchange", "policies", "Identity"),
    "exchange Description": ("exchange", "policies", "Description"),
    "exchange ScopeName": ("exchange", "policies", "ScopeName"),
    "exchange ScopeIdentityRaw": ("exchange", "policies", "ScopeIdentityRaw"),
    "exchange AppId": ("exchange", "policies", "AppId"),
    "directory upn": ("directory", "users", "upn"),
    "directory displayName": ("directory", "users", "displayName"),
    "directory group displayName": ("directory", "groups", "displayName"),
    "directory primary": ("directory", "recipients", "primary"),
    "directory id": ("directory", "recipients", "id"),
}


def _set(way: tuple[str, ...], text: Callable[[int], str]) -> Callable[[dict[str, Any], int], None]:
    section, rows, field = way

    def change(raw: dict[str, Any], size: int) -> None:
        raw[section][rows][0][field] = text(size)

    return change


def _filtered(text: Callable[[int], str]) -> Callable[[dict[str, Any], int], None]:
    def change(raw: dict[str, Any], size: int) -> None:
        raw["teams"]["reads"][2]["parameters"] = {"Filter": text(size)}

    return change


def _rows(raw: dict[str, Any], size: int) -> None:
    raw["teams"]["users"] = [
        {
            "Identity": _id(number),
            "UserPrincipalName": f"u{number}@contoso.com",
            "ApplicationAccessPolicy": {"Name": "A"},
        }
        for number in range(size // 10)
    ]
    raw["teams"]["reads"][2]["count"] = size // 10


def _faulty_rows(raw: dict[str, Any], size: int) -> None:
    raw["teams"]["users"] = [{"Identity": "x"} for _ in range(size // 10)]


def _of(work: Callable[[str], object], text: Callable[[int], str]) -> Shape:
    def shape(size: int, _folder: Path) -> Work:
        given = text(size)
        return lambda: work(given)

    return shape


def _flipped(size: int, folder: Path) -> Work:
    """One application's denials become restrictions: every scope is in what it reached and in what
    it will reach.
    """
    raw = _raw()
    exchange, directory = raw["exchange"], raw["directory"]
    scopes = [(_id(number), f"S-1-5-21-1-1-1-{number}") for number in range(size // 800)]
    exchange["reads"][0]["count"] = len(scopes)
    exchange["policies"] = [
        exchange["policies"][0]
        | {
            "Identity": rf"{_TENANT}\{_APP}:{sid};{scope}",
            "AccessRight": "DenyAccess",
            "ScopeIdentityRaw": f"{sid};{scope}",
        }
        for scope, sid in scopes
    ]
    addresses = [(scope, f"s{number}@contoso.com") for number, (scope, _) in enumerate(scopes)]
    directory["recipients"] = [
        directory["recipients"][0] | {"id": scope, "primary": address, "addresses": [address]}
        for scope, address in addresses
    ]
    (folder / "capture.json").write_text(json.dumps(raw), encoding="utf-8")
    (folder / "a.yaml").write_text("---\n".join(_EXCHANGE.format(*each) for each in addresses))

    def work() -> None:
        examined = examine_documents([folder / "a.yaml"])
        observed = reading.load_capture(folder / "capture.json", tenant_id=None, needs=_BOTH)
        making.make_plan(examined.documents, observed, making.PlanOptions())

    return work


def _journal(line: Callable[[int], str], per: int) -> Shape:
    def shape(size: int, folder: Path) -> Work:
        path = folder / "apply-000001.jsonl"
        path.write_text("".join(line(number) for number in range(max(size // per, 1))), "utf-8")
        return lambda: read_journal(path)

    return shape


def _simulated(size: int, folder: Path) -> Work:
    raw = _raw()
    _rows(raw, size)
    raw["directory"]["users"] = [
        {"id": row["Identity"], "upn": row["UserPrincipalName"], "displayName": ""}
        for row in raw["teams"]["users"]
    ]
    path = folder / "tenant.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    return lambda: Simulator(path)


def _plan_file(text: Callable[[int], str]) -> Shape:
    def shape(size: int, folder: Path) -> Work:
        path = folder / "plan.json"
        path.write_text(text(size), encoding="utf-8")

        def work() -> None:
            planfile.load_plan(path)

        return work

    return shape


def _error(message: str) -> object:
    error = ServiceError("id", "c", "r", "t", message, (Raised("System.Exception", message),))
    return meaning(error, "Get-ApplicationAccessPolicy")


def _hidden(text: str) -> object:
    hiding = Hiding()
    hiding.learn(["eyJ" + "".join(map(str, range(100, 400))), "password-with-blank 1"])
    return hiding.text(text)


def _logged(text: str) -> None:
    log = Log(Hiding())
    data = text.encode("utf-8", "replace")
    for start in range(0, len(data), 4096):
        log.feed(data[start : start + 4096])
    log.close()


_MESSAGES: Final[Mapping[str, Callable[[int], str]]] = {
    **TEXTS,
    "OU": lambda n: "ManagementObjectNotFoundException " + "'OU=" * (n // 4),
    "pipes": lambda n: "|" * n,
    "escapes": lambda n: "\x1b[0" * (n // 3),
    "escape and digits": lambda n: "\x1b[" + "0" * n,
    "pieces of a token": lambda n: "eyJ1001011021031041 " * (n // 20),
    "hashes": lambda n: "##" * (n // 2),
}
_TO_READ_BACK: Final[Mapping[str, Callable[[int], str]]] = {
    "quotes": lambda n: "New-A -B:'" + "''" * (n // 2),
    "a literal": lambda n: "New-A -B:" + literal("a" * n),
    "a list": lambda n: "New-A -B:" + literal(["a"] * (n // 4)),
    "an open list": lambda n: "New-A -B:@(" + "'a'," * (n // 4),
    "escapes": lambda n: 'New-A -B:"' + "`n" * (n // 2) + '"',
    "a long name": lambda n: "New-" + "A" * n + ":",
    "parameters": lambda n: "New-A" + "".join(f" -B{i}:1" for i in range(n // 8)),
}
SHAPES: Final[Mapping[str, Shape]] = {
    "yaml: line ends": _documents(lambda n: "\n" * n),
    "yaml: line ends before": _documents(lambda n: "\n" * n + _POLICY),
    "yaml: blank lines": _documents(lambda n: "  \n" * (n // 3) + "x: 1\n"),
    "yaml: CRLF": _documents(lambda n: "\r\n" * (n // 2)),
    "yaml: blanks in a value": _documents(lambda n: f"{_POLICY}  description: a{' ' * n}b\n"),
    "yaml: blanks in a name": _documents(
        lambda n: _POLICY.replace("{name: P}", f"{{name: 'a{' ' * n}b'}}")
    ),
    "yaml: long value": _documents(lambda n: f"{_POLICY}  description: {'a' * n}\n"),
    "yaml: long quoted value": _documents(
        lambda n: f'{_POLICY}  description: "{"a " * (n // 2)}"\n'
    ),
    "yaml: empty documents": _documents(lambda n: "---\n" * (n // 4)),
    "yaml: syntax faults": _documents(lambda n: "---\na: b: c\n" * (n // 12)),
    "yaml: deep flow": _documents(lambda n: "[" * n),
    "yaml: too deep again and again": _documents(
        lambda n: ("---\n" + "[" * 40 + "]" * 40 + "\n") * (n // 85)
    ),
    "yaml: comments": _documents(lambda n: "#\n" * (n // 2)),
    "yaml: nearly repeated lines": _documents(
        lambda n: ("  - a\n" * 60 + "  - 'a'\n") * (n // 370)
    ),
    "yaml: faulty users": _documents(
        lambda n: f"{_POLICY}  grants:\n    users:\n" + "      - x\n" * (n // 10)
    ),
    "yaml: users listed twice": _documents(
        lambda n: f"{_POLICY}  grants:\n    users:\n" + f"      - {_GUID}\n" * (n // 10)
    ),
    "yaml: duplicate keys": _documents(lambda n: "a: 1\n" * (n // 5)),
    "yaml: unknown keys": _documents(
        lambda n: _POLICY + "".join(f"  k{i}: 1\n" for i in range(n // 20))
    ),
    "yaml: invisible on one line": _documents(lambda n: "a: [" + '"x\u200b", ' * (n // 6) + "]\n"),
    "yaml: invisible in a value": _documents(lambda n: 'a: "' + "\u200b" * n + '"\n'),
    "yaml: merge conflicts": _documents(lambda n: _CONFLICT * (n // 40)),
    "yaml: merge keys": _documents(lambda n: "a: &a {x: 1}\nb:\n" + "  <<: *a\n" * (n // 9)),
    "yaml: anchors that refer to anchors": _documents(
        lambda n: "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(n // 30))
    ),
    "yaml: documents of one name": _documents(lambda n: f"{_POLICY}---\n" * (n // 170)),
    "yaml: tabs": _documents(lambda n: "a: b\t\n" * (n // 6)),
    "yaml: anchors": _documents(lambda n: "a: [" + "&a x, " * (n // 6) + "]\n"),
    "txt: blanks in a line": _listed("u.txt", lambda n: "a@contoso.com" + " " * n + "b\n"),
    "txt: blanks before a comment": _listed("u.txt", lambda n: "a@contoso.com" + " " * n + "# x\n"),
    "txt: blanks and hashes": _listed("u.txt", lambda n: " #" * (n // 2)),
    "txt: only blanks": _listed("u.txt", lambda n: " " * n),
    "txt: a long entry": _listed("u.txt", lambda n: "a." * (n // 2) + "@contoso.com"),
    "txt: no users": _listed("u.txt", lambda n: "x\n" * (n // 2)),
    "txt: line ends": _listed("u.txt", lambda n: "\n" * n),
    "txt: one user again and again": _listed("u.txt", lambda n: f"{_GUID}\n" * (n // 37)),
    "csv: blanks in a line": _listed(
        "u.csv", lambda n: "user,label\na@contoso.com," + " " * n + "\n"
    ),
    "csv: quotes": _listed(
        "u.csv", lambda n: 'label,user\n"' + '""' * (n // 2) + '",a@contoso.com\n'
    ),
    "csv: columns": _listed(
        "u.csv", lambda n: "user," + "a," * (n // 4) + "\na@contoso.com" + "," * (n // 4) + "\n"
    ),
    "csv: quoted lines": _listed("u.csv", lambda n: "user,label\n" + 'a,"b\nc"\n' * (n // 9)),
    "csv: merge conflicts": _listed("u.csv", lambda n: "user\n" + _CONFLICT * (n // 40)),
    "csv: unclosed quotes": _listed("u.csv", lambda n: "user\n" + '"a\n' * (n // 3)),
    "csv: commas": _listed("u.csv", lambda n: "user\n" + "," * n + "\n"),
    "csv: a long header": _listed("u.csv", lambda n: "u" * n + "\n"),
    "csv: labels": _listed("u.csv", lambda n: "label,user\n" + "é,a@contoso.com\n" * (n // 18)),
    **{
        f"capture: {field}, {name}": _capture(_set(way, text))
        for field, way in _FIELDS.items()
        for name, text in TEXTS.items()
    },
    "capture: filter, blanks": _capture(_filtered(lambda n: " " * n)),
    "capture: filter, blanks at the end": _capture(
        _filtered(lambda n: "ApplicationAccessPolicy -ne $null" + " " * n + "x")
    ),
    "capture: filter, quotes": _capture(
        _filtered(lambda n: "ApplicationAccessPolicy -eq '" + "' " * (n // 2))
    ),
    "capture: rows": _capture(_rows),
    "capture: faulty rows": _capture(_faulty_rows),
    "capture: brackets": _plan_file(lambda n: "[" * n),
    "plan: brackets": _plan_file(lambda n: '{"a":' * (n // 5)),
    "plan: a long text": _plan_file(lambda n: json.dumps({"format_version": "1.0", "x": "a" * n})),
    "plan: denials of an application become restrictions": _flipped,
    "journal: lines": _journal(
        lambda _number: '{"state":"done","step":1,"at":"2026-11-02T09:00:00+00:00"}\n', 60
    ),
    "journal: no JSON": _journal(lambda _number: "x\n", 2),
    "simulator: state": _simulated,
    **{f"PowerShell: {name}": _of(read_invocation, text) for name, text in _TO_READ_BACK.items()},
    **{f"error: {name}": _of(_error, text) for name, text in _MESSAGES.items()},
    **{f"secrets: {name}": _of(_hidden, text) for name, text in _MESSAGES.items()},
    **{f"log: {name}": _of(_logged, text) for name, text in _MESSAGES.items()},
    **{f"printed: {name}": _of(terminal.line, text) for name, text in _MESSAGES.items()},
    **{
        f"empty store: {name}": _of(lambda text: is_empty_store("", text), text)
        for name, text in _MESSAGES.items()
    },
}


def seconds(shape: Shape, size: int) -> float:
    """CPU seconds of this process to read a text of about so many characters."""
    with TemporaryDirectory() as folder:
        work = shape(size, Path(folder))
        begun = time.process_time()
        with suppress(ReconcilerError):
            work()
        return time.process_time() - begun


def rows(rounds: int, size: int = SMALL) -> Iterator[Row]:
    """The ratio of CPU seconds of ten times the size to those of the size."""
    for name, shape in SHAPES.items():
        seconds(shape, 10)
        small, large = (
            min(seconds(shape, many) for _ in range(min(rounds, 3)))
            for many in (size, size * TIMES)
        )
        yield Row(
            "inputs", name, large, large, "a tenth", max(large, LEAST) / max(small, LEAST), BUDGET
        )
