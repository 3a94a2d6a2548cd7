"""One envelope for every command and every exit code: on standard output alone, or in a file, and
always what its schema says.
"""

from __future__ import annotations

import errno
import json
import stat
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from reconciler.cli import collecting, enveloping, executing, printing
from reconciler.cli.main import COMMANDS
from reconciler.errors import LockHeld
from reconciler.tenants.protocol import Failed, Fault
from reconciler.tenants.simulated import Simulator
from tests.cli.sample import teams_document, tenant_document
from tests.cli.test_cli_apply import _answering
from tests.reports.output_schemas import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.applying.host import Host
    from tests.conftest import Ran, Run

SIM = ("--tenant", "sim:tenant.json")


def _schema(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return schema


VALIDATOR = Draft7Validator(
    _schema("output.schema.json"),
    registry=Registry().with_resource(
        "plan.schema.json", Resource.from_contents(_schema("plan.schema.json"))
    ),
)


def envelope(text: str) -> dict[str, Any]:
    assert text.endswith("\n")
    assert text.count("\n") == 1, "one envelope and nothing else"
    output: dict[str, Any] = json.loads(text)
    VALIDATOR.validate(output)
    return output


def _faulty(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    (folder / "policies" / "bad.yaml").write_text(teams_document("B", "{nonsense: 1}"))
    return ("validate",)


def _faulty_plan(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    _faulty(run, folder, patch)
    return ("plan", *SIM)


def _failing_test(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    return ("test", *SIM)


def _no_plan(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    return ("fetch", *SIM, "--out", "tenant.json/capture.json")


def _no_tenant(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    patch.setattr(Simulator, "capture", lambda *_: 1 / 0)
    return ("plan", *SIM)


def _interrupted(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    patch.setattr(Simulator, "capture", interrupt)
    return ("plan", *SIM)


def _refused(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    (folder / "more.yaml").write_text(
        tenant_document(more=", unresolved: {users: refuse}")
        + teams_document("R", "{applications: [], grants: {users: [no@b.co]}}")
    )
    return ("plan", "more.yaml", *SIM)


def _tampered(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    (folder / "plan.json").write_text("{}")
    return ("show", "plan.json")


def _uncovered(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    assert run("plan", *SIM, "--out", "approved.json").code == 0
    (folder / "policies" / "more.yaml").write_text(teams_document("More", "{applications: []}"))
    assert run("plan", *SIM, "--out", "plan.json").code == 0
    return ("show", "plan.json", "--against", "approved.json")


def _in_part(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    patch.setattr(Simulator, "run", _answering(Failed(Fault.DENIED, "no rights\n##vso[a.b]x")))
    return ("apply", "--auto-approve", *SIM)


def _not_verified(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    assert run("plan", *SIM, "--out", "plan.json").code == 0
    state = json.loads((folder / "tenant.json").read_text())
    for recipient in state["directory"]["recipients"]:
        if recipient["primary"] == "crm-mailboxes@contoso.com":
            recipient["members"] = []
    (folder / "tenant.json").write_text(json.dumps(state))
    return ("apply", "plan.json", "--auto-approve", *SIM)


def _locked(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    def held(_directories: object, _host: Host, *, timeout: int) -> None:
        raise LockHeld("another apply is running")

    patch.setattr(executing, "hold", held)
    return ("apply", "--auto-approve", *SIM)


def _rehearsed(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    assert run("plan", *SIM, "--out", "plan.json").code == 0
    return ("rehearse", "plan.json", "--most", "1")


def _shown(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
    assert run("plan", *SIM, "--out", "plan.json").code == 0
    return ("show", "plan.json")


def typed(*arguments: str) -> Callable[..., tuple[str, ...]]:
    def command(run: Run, folder: Path, patch: pytest.MonkeyPatch) -> tuple[str, ...]:
        return arguments

    return command


CASES: list[tuple[int, str, set[str], Callable[..., tuple[str, ...]]]] = [
    (0, "ok", {"plan", "digests", "tenant", "simulated"}, typed("plan", *SIM)),
    (0, "ok", {"plan", "digests", "tenant"}, _shown),
    (0, "ok", {"rules"}, typed("validate", "--rules")),
    (0, "ok", set(), typed("validate")),
    (0, "ok", {"capture", "tenant", "simulated"}, typed("fetch", *SIM, "--out", "capture.json")),
    (0, "ok", {"applied", "plan", "digests"}, typed("apply", "--auto-approve", *SIM)),
    (0, "ok", {"rehearsal", "digests"}, _rehearsed),
    (
        0,
        "ok",
        {"explanation"},
        typed(*("explain", *SIM, "--app", "crm", "--mailbox", "zoe.lindqvist@contoso.com")),
    ),
    (1, "error", {"error"}, _no_plan),
    (1, "error", {"error"}, _no_tenant),
    (1, "error", {"checks"}, typed("doctor")),
    (2, "changes-pending", {"plan"}, typed("plan", *SIM, "--detailed-exitcode")),
    (3, "findings", set(), _faulty),
    (3, "findings", {"error"}, _faulty_plan),
    (3, "findings", {"tenant"}, _failing_test),
    (4, "refused", {"plan"}, _refused),
    (5, "stale", {"error"}, _tampered),
    (5, "stale", {"differences"}, _uncovered),
    (6, "applied-in-part", {"applied", "plan"}, _in_part),
    (7, "not-verified", {"applied", "error", "digests"}, _not_verified),
    (8, "locked", {"error"}, _locked),
    (64, "usage", {"error"}, typed("plan", "--nonsense")),
    (64, "usage", {"error"}, typed("plna")),
    (64, "usage", {"error"}, typed("show")),
    (64, "usage", {"error"}, typed("plan", "--tenant", "missing.json")),
    (64, "usage", {"error"}, typed("plan", *SIM, "--product", "teams")),
    (64, "usage", {"error"}, typed("explain", "--app", "crm")),
    (130, "interrupted", {"error"}, _interrupted),
]


@pytest.mark.parametrize(
    ("code", "name", "members", "prepare"),
    CASES,
    ids=[f"{code}-{number}" for number, (code, *_) in enumerate(CASES)],
)
def test_every_exit_code_has_its_envelope(
    run: Run,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    name: str,
    members: set[str],
    prepare: Callable[..., tuple[str, ...]],
) -> None:
    with monkeypatch.context() as patch:
        arguments = prepare(run, folder, patch)
        ran = run(*arguments, "--format", "json", "--json-into", "output.json")
    assert ran.code == code, ran
    told = envelope(ran.out)
    assert (told["exit_code"], told["exit_name"]) == (code, name)
    assert told["command"] == (arguments[0] if arguments[0] in COMMANDS else "")
    assert members <= told.keys()
    assert (folder / "output.json").read_text(encoding="utf-8") == ran.out
    assert stat.S_IMODE((folder / "output.json").stat().st_mode) == 0o600
    assert "##vso[" not in ran.out


def test_every_exit_code_is_among_the_cases() -> None:
    from reconciler.model.outputs import EXIT_NAMES

    assert {code for code, *_ in CASES} == EXIT_NAMES.keys()
    assert {name for _, name, *_ in CASES} == set(EXIT_NAMES.values())


def test_what_people_read_stays_beside_the_file(run: Run, folder: Path) -> None:
    plain = run("plan", *SIM)
    beside = run("plan", *SIM, "--json-into", "output.json")
    assert beside == plain
    assert envelope((folder / "output.json").read_text(encoding="utf-8"))["command"] == "plan"


def test_an_envelope_of_findings_has_each_with_its_place(run: Run, folder: Path) -> None:
    (folder / "policies" / "bad.yaml").write_text(teams_document("B", "{nonsense: 1}"))
    told = envelope(run("validate", "--format", "json").out)
    (finding,) = told["findings"]
    assert (finding["file"], finding["line"], finding["rule"]) == (
        "policies/bad.yaml",
        5,
        "schema.unknown-key",
    )
    assert told["summary"] == {"findings.errors": 1, "findings.warnings": 0} | {
        f"tests.{name}": 0 for name in ("excused", "failed", "passed", "total", "undecided")
    }


def test_an_apply_tells_each_step(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        arguments = _in_part(run, folder, patch)
        told = envelope(run(*arguments, "--format", "json").out)
    applied = told["applied"]
    assert applied["done"] == [1, 2, 3, 4]
    assert applied["failed"]["step"] == 5
    assert applied["not_tried"] == list(range(6, 14))
    assert told["summary"]["applied.steps"] == 4
    assert told["summary"]["steps"] == 13


def test_a_file_alone_needs_no_format(type_: Callable[..., Ran], run: Run, folder: Path) -> None:
    ran = type_("apply", *SIM, "--json-into", "output.json", answer="no\n")
    assert ran.code == 1
    assert ran.out.startswith("SIMULATED TENANT")
    told = envelope((folder / "output.json").read_text(encoding="utf-8"))
    assert (told["exit_name"], told["error"]) == ("error", "declined: nothing was changed")
    asked = run("apply", *SIM, "--format", "json")
    assert asked.code == 64
    assert "requires --auto-approve" in envelope(asked.out)["error"]


@pytest.mark.parametrize("fault", [(), ("--nonsense",), ("--max-age", "x")])
@pytest.mark.parametrize(
    "file",
    ["tenant.json", "policies/tenant.yaml", "policies/teams/meeting-hosts.csv", "notes.txt"],
)
def test_nothing_of_others_is_written_over(
    run: Run, folder: Path, file: str, fault: tuple[str, ...]
) -> None:
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    before = (folder / file).read_bytes()
    ran = run("plan", *SIM, "--json-into", file, *fault)
    if file == "notes.txt" and not fault:
        assert ran.code == 0, "whoever names a file wants it to be written"
    else:
        assert ran.code == 64
        assert (folder / file).read_bytes() == before


@pytest.mark.parametrize("option", ["--out", "--json-into", "--events"])
def test_nothing_is_written_through_a_link_to_a_document(
    run: Run, folder: Path, option: str
) -> None:
    document = folder / "policies" / "tenant.yaml"
    (folder / "link.json").symlink_to(document)
    before = document.read_bytes()
    command = ("apply", "--auto-approve") if option == "--events" else ("plan",)
    ran = run(*command, *SIM, option, "link.json")
    assert (ran.code, ran.out) == (64, "")
    assert "would be overwritten" in ran.err
    assert document.read_bytes() == before


@pytest.mark.parametrize("option", ["--out", "--json-into"])
def test_two_options_do_not_name_one_file(run: Run, folder: Path, option: str) -> None:
    assert run("plan", *SIM, "--out", "plan.json").code == 0
    before = (folder / "plan.json").read_bytes()
    ran = run("plan", *SIM, "--out", "plan.json", "--json-into", "./plan.json")
    assert ran.code == 64
    shown = run("show", "plan.json", option, "plan.json")
    assert shown.code == 64
    assert (folder / "plan.json").read_bytes() == before


def test_the_report_of_an_earlier_run_gives_way_to_that_of_a_mistyped_one(
    run: Run, folder: Path
) -> None:
    """Nobody takes what was said yesterday for what is so today."""
    assert run("plan", *SIM, "--json-into", "output.json").code == 0
    assert run("plan", *SIM, "--nonsense", "--json-into=output.json").code == 64
    told = envelope((folder / "output.json").read_text(encoding="utf-8"))
    assert told["exit_name"] == "usage"


def test_show_writes_its_envelope_to_a_file(run: Run, folder: Path) -> None:
    assert run("plan", *SIM, "--out", "plan.json").code == 0
    printed = run("show", "plan.json", "--format", "json")
    wrote = run("show", "plan.json", "--format", "json", "--out", "shown.json")
    assert (wrote.code, wrote.out, wrote.err) == (0, "", "")
    assert (folder / "shown.json").read_text(encoding="utf-8") == printed.out


def test_help_and_version_have_no_envelope(run: Run) -> None:
    assert run("plan", "--format", "json", "--help").out.startswith("Usage:")
    assert "exit_name" not in run("plan", "--format", "json", "--help").out


def test_a_file_that_cannot_be_written_changes_no_exit_code_of_an_apply(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(enveloping, "write_atomically", full)
        planned = run("plan", *SIM, "--json-into", "output.json")
        ran = run("apply", "--auto-approve", *SIM, "--json-into", "output.json")
    assert (planned.code, ran.code) == (1, 0)
    assert "Apply complete!" in ran.out
    for told in (planned, ran):
        assert "output.json: No space left on device" in told.err


def test_a_folder_that_is_not_there_is_told_before_anything_is_done(run: Run, folder: Path) -> None:
    before = (folder / "tenant.json").read_bytes()
    ran = run("apply", "--auto-approve", *SIM, "--json-into", "no/such/folder.json")
    assert (ran.code, ran.out) == (64, "")
    assert "--json-into no/such/folder.json: folder not found" in ran.err
    assert (folder / "tenant.json").read_bytes() == before


def test_nothing_of_a_run_is_left_for_the_next_one(run: Run, folder: Path) -> None:
    assert run("validate", "--format", "json").code == 0
    assert not collecting.current().quiet
    assert run("validate").out.startswith("17 documents are valid.\n")


def test_an_envelope_that_cannot_be_printed_says_so(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unprinted(_: str) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(printing, "_print_raw", unprinted)
        planned = run("plan", *SIM, "--format", "json")
        applied = run("apply", "--auto-approve", *SIM, "--format", "json")
    assert (planned.code, applied.code) == (1, 0), "what is applied stays applied"
    for ran in (planned, applied):
        assert "cannot write to standard output: Input/output error" in ran.err


def test_show_says_where_its_envelope_cannot_go(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("plan", *SIM, "--out", "plan.json").code == 0
    ran = run("show", "plan.json", "--format", "json", "--out", "no/such/file.json")
    assert ran.code == 1
    assert "no/such/file.json: No such file or directory" in ran.err
