"""`reconciler drift` and `export --accept` on a simulated tenant: exit codes, what is told, and the
entry that makes a rogue object known, as it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.documents import load_documents
from tests.reports.html_pages import HtmlPage
from tests.strategies.tenants import (
    APPS,
    GROUPS,
    SCOPES,
    TENANT,
    USERS,
    assignment,
    empty,
    exchange_policy,
    grant,
    guid,
    teams_policy,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ran, Run

SIM = ("--tenant", "sim:tenant.json")
A, B, _ = APPS
DOCUMENTS = f"""\
# Who we are.
apiVersion: reconciler/v1
kind: Tenant
metadata: {{name: contoso}}
spec:
  tenantId: {TENANT}   # contoso
---
apiVersion: reconciler/v1
kind: Application
metadata: {{name: bot}}
spec: {{appId: {A}}}
---
apiVersion: reconciler/v1
kind: TeamsApplicationAccessPolicy
metadata: {{name: Alpha}}
spec:
  applications: [bot]
  grants: {{users: [{USERS[0]}]}}
"""


class Night:
    """A folder with documents and a tenant that has what they say, in which `drift` runs."""

    def __init__(self, run: Run, folder: Path) -> None:
        self._run, self.folder = run, folder
        self.tenant = empty()
        self.tenant["teams"]["policies"].append(teams_policy("Alpha", [A]))
        self.tenant["teams"]["users"] = [grant(USERS[0], "Alpha")]
        (folder / "policies").mkdir()
        self.file = folder / "policies" / "all.yaml"
        self.file.write_text(DOCUMENTS, encoding="utf-8")

    def __call__(self, *arguments: str) -> Ran:
        (self.folder / "tenant.json").write_text(json.dumps(self.tenant), encoding="utf-8")
        return self._run(*arguments, *SIM, cwd=self.folder)

    def accept(self, *typed: str, reason: str = "agreed", more: tuple[str, ...] = ()) -> Ran:
        options = [word for text in typed for word in ("--accept", text)]
        return self("export", *options, "--reason", reason, *more)

    def told(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self("drift", "--format", "json").out)
        return answer

    def rogue(self, name: str = "Rogue", apps: tuple[str, ...] = (B,)) -> None:
        self.tenant["teams"]["policies"].append(teams_policy(name, list(apps)))


@pytest.fixture
def night(run: Run, tmp_path: Path) -> Night:
    return Night(run, tmp_path)


def test_a_tenant_as_the_documents_say_is_clean(night: Night) -> None:
    ran = night("drift")
    assert ran.code == 0, ran.out
    assert "No drift." in ran.out
    assert night.told()["drift"]["clean"] is True


def test_a_change_by_hand_is_drift_that_a_plan_takes_back(night: Night) -> None:
    night.tenant["teams"]["users"].append(grant(USERS[1], "Alpha"))
    ran = night("drift")
    assert ran.code == 2
    assert "DRIFT: 1 object differs from the documents." in ran.out
    assert "+ bot: User 1" in ran.out
    assert "reconciler plan --tenant sim:tenant.json --out plan.json" in ran.out
    night.tenant["teams"]["users"] = []
    ran = night("drift")
    assert ran.code == 2
    assert "- bot: User 0" in ran.out


def test_a_rogue_policy_is_found_accepted_and_found_again_under_its_name(night: Night) -> None:
    night.rogue()
    night.tenant["teams"]["users"].append(grant(USERS[1], "Rogue"))
    ran = night("drift")
    assert ran.code == 2
    assert "DRIFT: 1 unmanaged and not accepted." in ran.out
    assert f"Teams policy Rogue: opens the meetings of User 1 to {B[:8]}" in ran.out
    before = night("plan", "--format", "json").out
    assert night.accept("teams.policy/Rogue").code == 0
    assert night("drift").code == 0
    assert night("plan", "--format", "json").out == before
    night.tenant["teams"]["policies"][-1]["AppIds"] = [A]
    ran = night("drift")
    assert ran.code == 2
    assert "DRIFT: 1 changed since accepted." in ran.out
    assert f"+ bot, - {B[:8]}" in ran.out
    assert "(accepted: agreed)" in ran.out
    (row,) = night.told()["drift"]["objects"]
    assert (row["address"], row["state"]) == ("teams.policy/Rogue", "accepted-changed")
    assert row["after"] == {"applications": [A]}
    night.tenant["teams"]["policies"].pop()
    night.tenant["teams"]["users"].pop()
    ran = night("drift")
    assert ran.code == 2
    assert "DRIFT: 1 gone since accepted." in ran.out


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("holder", "direct holders 1 -> 2"),
        ("other", "other direct holders, 1 as before"),
        ("group", "groups Group 2 (rank 1) -> Group 3 (rank 1)"),
        ("rank", "groups Group 2 (rank 1) -> Group 2 (rank 2)"),
    ],
)
def test_holders_are_accepted_with_their_policy_unless_they_are_free(
    night: Night, what: str, words: str
) -> None:
    teams = night.tenant["teams"]
    night.rogue()
    teams["users"].append(grant(USERS[1], "Rogue"))
    teams["groupAssignments"] = [assignment(GROUPS[2], "Rogue", 1)]
    assert night.accept("teams.policy/rogue").code == 0
    assert night("drift").code == 0
    match what:
        case "holder":
            teams["users"].append(grant(USERS[2], "Rogue"))
        case "other":
            teams["users"][-1] = grant(USERS[2], "Rogue")
        case "group":
            teams["groupAssignments"] = [assignment(GROUPS[3], "Rogue", 1)]
        case _:
            night.rogue("Second")
            teams["groupAssignments"] = [
                assignment(GROUPS[3], "Second", 1),
                assignment(GROUPS[2], "Rogue", 2),
            ]
    ran = night("drift")
    assert ran.code == 2
    assert words in ran.out
    free = ("--grants", "free")
    assert night.accept("teams.policy/Rogue", more=free).code == 0
    entry = night.file.read_text(encoding="utf-8").partition("teams.policy/Rogue")[2]
    assert "grants: free" in entry
    assert not any(part in entry.partition("---")[0] for part in ("users:", "groups:"))
    assert night("drift").code == (2 if what == "rank" else 0)  # there, Second is new


def test_an_exchange_policy_by_names_right_and_security_id(night: Night) -> None:
    exchange = night.tenant["exchange"]
    exchange["policies"] = [exchange_policy(A, SCOPES[0], "RestrictAccess")]
    ran = night("drift")
    assert "Exchange policy of bot on scope0@contoso.com: restricts the application" in ran.out
    assert night.accept("exchange.policy/bot@scope0@contoso.com").code == 0
    text = night.file.read_text(encoding="utf-8")
    assert f"    - address: exchange.policy/{A}@{SCOPES[0]}   # bot on scope0@contoso.com\n" in text
    assert night("drift").code == 0
    exchange["policies"] = [exchange_policy(A, SCOPES[0], "DenyAccess")]
    ran = night("drift")
    assert "access right RestrictAccess -> DenyAccess" in ran.out
    exchange["policies"] = [exchange_policy(A, SCOPES[1], "RestrictAccess")]
    ran = night("drift")
    assert "DRIFT: 1 unmanaged and not accepted, 1 gone since accepted." in ran.out


def test_a_grant_that_documents_leave_open_is_accepted_by_itself_or_with_its_policy(
    night: Night,
) -> None:
    text = DOCUMENTS.replace(f"  grants: {{users: [{USERS[0]}]}}\n", "")
    night.file.write_text(text, encoding="utf-8")
    ran = night("drift")
    assert ran.code == 2
    assert "documents leave open who holds it: User 0" in ran.out
    assert night.accept("teams.grant/user:user0@contoso.com").code == 0
    assert night("drift").code == 0
    night.tenant["teams"]["users"].append(grant(USERS[1], "Alpha"))
    ran = night("drift")
    assert "documents leave open who holds it: User 1" in ran.out
    assert night.accept("teams.policy/Alpha").code == 0
    assert night("drift").code == 0
    night.tenant["teams"]["groupAssignments"] = [assignment(GROUPS[1], "Alpha", 1)]
    ran = night.accept(f"teams.grant/group:{GROUPS[1]}")
    assert ran.code == 64
    assert "teams.policy/Alpha is accepted with who holds it" in ran.err
    assert night.accept(f"teams.grant/group:{GROUPS[1]}", "teams.policy/Alpha").code == 0
    assert night("drift").code == 0
    night.tenant["teams"]["groupAssignments"] = []
    assert "grant of group Group 1: does not exist any more" in night("drift").out


def test_what_documents_declare_by_now_is_no_drift(night: Night) -> None:
    night.rogue("Beta")
    assert night.accept("teams.policy/Beta").code == 0
    beta = "---\napiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\n"
    beta += f"metadata: {{name: Beta}}\nspec: {{applications: [{B}], grants: {{groups: [], users: []}}}}\n"
    night.file.write_text(night.file.read_text(encoding="utf-8") + beta, encoding="utf-8")
    ran = night("drift")
    assert ran.code == 0
    assert "take these out of `spec.accepted`" in ran.out
    assert "Teams policy Beta" in ran.out


def test_a_part_that_was_not_read_is_never_clean_and_comes_before_a_difference(
    run: Run, tmp_path: Path
) -> None:
    night = Night(run, tmp_path)
    assert night("fetch", "--out", "capture.json", "--directory", "all").code == 0
    capture = json.loads((tmp_path / "capture.json").read_text(encoding="utf-8"))
    capture["exchange"] |= {"complete": False, "policies": []}
    (tmp_path / "capture.json").write_text(json.dumps(capture), encoding="utf-8")
    command = ("drift", "--tenant", "capture.json")
    ran = run(*command, cwd=tmp_path)
    assert ran.code == 1, ran.out + ran.err
    assert "NOT READ IN FULL. Nothing that was read differs." in ran.out
    assert "Exchange was not read" in ran.out
    capture["teams"]["users"] = []
    capture["teams"]["reads"] = [
        {**read, "count": 0} if read["cmdlet"] == "Get-CsOnlineUser" else read
        for read in capture["teams"]["reads"]
    ]
    (tmp_path / "capture.json").write_text(json.dumps(capture), encoding="utf-8")
    ran = run(*command, cwd=tmp_path)
    assert ran.code == 1
    assert "NOT READ IN FULL. DRIFT: 1 object differs" in ran.out
    envelope = json.loads(run(*command, "--format", "json", cwd=tmp_path).out)
    assert envelope["drift"]["not_read"] == ["exchange"]
    assert envelope["drift"]["clean"] is False


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("teams.policy/*", "not found"),
        ("teams.policy/Nowhere", "no such object"),
        ("teams.policy/Alpha", "the documents declare it"),
        ("*", "is neither the name of an object nor an address"),
        (f"teams.grant/user:{USERS[0]}", "the documents declare it"),
    ],
)
def test_what_cannot_be_accepted_is_refused(night: Night, typed: str, words: str) -> None:
    ran = night.accept(typed)
    assert ran.code == 64
    assert words in ran.err or "no such object" in ran.err
    assert night.file.read_text(encoding="utf-8") == DOCUMENTS


def test_accepting_takes_a_reason_and_nothing_else(night: Night) -> None:
    night.rogue()
    assert night("export", "--accept", "teams.policy/Rogue").code == 64
    assert night.accept("teams.policy/Rogue", reason=" ").code == 64
    assert night.accept("teams.policy/Rogue", more=("--out-dir", "policies")).code == 64
    assert night("export", "--reason", "x", "--out-dir", "policies").code == 64
    assert night.file.read_text(encoding="utf-8") == DOCUMENTS


def test_what_cannot_be_edited_safely_is_printed_to_be_pasted(night: Night) -> None:
    night.rogue()
    flow = f"spec: {{tenantId: {TENANT}}}\n"
    text = DOCUMENTS.replace(f"spec:\n  tenantId: {TENANT}   # contoso\n", flow)
    night.file.write_text(text, encoding="utf-8")
    ran = night.accept("teams.policy/Rogue")
    assert ran.code == 4
    assert night.file.read_text(encoding="utf-8") == text
    assert "paste the lines above under `accepted:` in `spec`" in ran.err
    pasted = "".join(
        f"    {line}\n" for line in ran.out.splitlines() if line.startswith(("-", " "))
    )
    night.file.write_text(
        text.replace(flow, f"spec:\n  tenantId: {TENANT}\n  accepted:\n{pasted}"), encoding="utf-8"
    )
    assert night("drift").code == 0


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("begun", ["", "  accepted: []   # nothing yet\n", "list"])
def test_the_rest_of_the_file_stays_as_it_is(night: Night, begun: str, end: str) -> None:
    entry = (
        "  accepted:\n  # by hand\n  - address: teams.policy/Old\n    reason: old\n    was: {}\n"
    )
    text = DOCUMENTS.replace(
        "   # contoso\n", f"   # contoso\n{entry if begun == 'list' else begun}"
    )
    night.file.write_bytes(text.replace("\n", end).encode())
    night.rogue()
    night.rogue("it's # odd: {yes}")
    assert night.accept("teams.policy/Rogue", "teams.policy/it's # odd: {yes}").code == 0
    after = night.file.read_bytes().decode()
    assert after.replace(end, "") == after.replace("\r", "").replace("\n", "")
    lines, left = after.split(end), text.split("\n")
    if begun.startswith("  accepted: []"):
        left[left.index("  accepted: []   # nothing yet")] = "  accepted:   # nothing yet"
    assert [line for line in lines if line in left] == left
    tenant = load_documents([night.folder / "policies"]).tenant
    assert tenant is not None
    assert {entry.address for entry in tenant.accepted} >= {
        "teams.policy/Rogue",
        "teams.policy/it's # odd: {yes}",
    }


def test_every_format_tells_of_a_rogue_and_redaction_names_nobody(night: Night) -> None:
    night.rogue()
    night.tenant["teams"]["users"] += [grant(USERS[1], "Rogue"), grant(USERS[2], "Alpha")]
    for form in ("text", "markdown", "html"):
        ran = night("drift", "--format", form)
        assert ran.code == 2
        told = HtmlPage(ran.out).text if form == "html" else ran.out
        assert "Rogue" in told
        assert "User 1" in told
        ran = night("drift", "--format", form, "--redact", "names")
        assert "Rogue" in ran.out
        for hidden in ("User 1", "User 2", USERS[1], USERS[2]):
            assert hidden not in ran.out
    ran = night("drift", "--format", "json", "--redact", "names")
    assert not any(hidden in ran.out for hidden in ("User 1", USERS[1], USERS[2]))


def test_what_is_not_understood_is_never_clean(night: Night) -> None:
    night.rogue("Odd", ("x",))
    ran = night("drift")
    assert ran.code == 2
    ran = night.accept("teams.policy/Odd")
    assert ran.code == 64
    assert "an entry that is not a client id" in ran.err
    night.tenant["teams"]["policies"].pop()
    night.tenant["teams"]["users"].append(grant(guid("b", 9), "Missing"))
    ran = night("drift")
    assert ran.code == 2
    assert "it does not exist, and is held all the same by" in ran.out


def test_a_pipeline_gets_places(night: Night) -> None:
    """What differs at its document, what was accepted at its entry, a rogue at the Tenant document."""
    night.rogue("Known")
    assert night.accept("teams.policy/Known").code == 0
    night.tenant["teams"]["policies"][-1]["AppIds"] = [A]
    night.rogue()
    night.tenant["teams"]["users"] = []
    ran = night("drift", "--format", "github")
    assert ran.code == 2
    lines = night.file.read_text(encoding="utf-8").splitlines()
    entry = lines.index("    - address: teams.policy/Known") + 1
    alpha = lines.index("metadata: {name: Alpha}") - 1
    for place, rule, words in (
        (f"line={entry},", "drift.accepted", "Teams policy Known: + bot"),
        (f"line={alpha},", "drift.differs", "Teams  Alpha"),
        ("line=2,", "drift.unmanaged", "Teams policy Rogue"),
    ):
        assert any(
            place in line and rule in line and words in line for line in ran.out.splitlines()
        ), ran.out
    assert night("drift", "--format", "azure").out.count("##vso[task.logissue") == 3
    results = json.loads(night("drift", "--format", "sarif").out)["runs"][0]["results"]
    assert {row["ruleId"] for row in results} == {
        "drift.accepted",
        "drift.differs",
        "drift.unmanaged",
    }


# --- one product


def test_only_one_product_is_asked_about(night: Night) -> None:
    """A policy of the other product does not make it drift, and the report says what was left out."""
    night.tenant["exchange"]["policies"].append(exchange_policy(B, SCOPES[0], "RestrictAccess"))
    assert night("drift").code == 2
    ran = night("drift", "--product", "teams")
    assert ran.code == 0, ran.out
    assert "Only Teams was asked about (--product): the other product may differ." in ran.out
    assert night("drift", "--product", "exchange").code == 2


def test_a_tenant_of_which_one_product_was_read_is_clean_for_it(night: Night) -> None:
    capture = night.folder / "capture.json"
    assert night("fetch", "--out", "capture.json").code == 0
    content = json.loads(capture.read_text(encoding="utf-8"))
    content["exchange"] = {"complete": False, "reads": [], "policies": []}
    capture.write_text(json.dumps(content), encoding="utf-8")
    run = night._run
    for more, code in (((), 1), (("--product", "teams"), 0), (("--product", "exchange"), 1)):
        ran = run("drift", "--tenant", "capture.json", *more, cwd=night.folder)
        assert ran.code == code, (more, ran.out, ran.err)


def test_what_is_accepted_of_the_other_product_is_asked_about_all_the_same(night: Night) -> None:
    night.tenant["exchange"]["policies"].append(exchange_policy(B, SCOPES[0], "RestrictAccess"))
    assert night.accept(f"exchange.policy/{B}@{SCOPES[0]}").code == 0
    assert night("drift").code == 0
    ran = night("drift", "--product", "teams")
    assert ran.code == 1
    assert "NOT READ IN FULL" in ran.out


def test_a_patch_goes_to_standard_output_alone(night: Night) -> None:
    night.tenant["teams"]["users"].append(grant(USERS[1], "Alpha"))
    assert night("drift", "--patch", "x.patch").code == 2
    ran = night("drift", "--patch", "-")
    assert ran.code == 2
    assert ran.out == (night.folder / "x.patch").read_text(encoding="utf-8")
    assert "DRIFT: 1 object differs from the documents." in ran.err
    assert "on standard output, for `git apply`" in ran.err
    ran = night("drift", "--patch", "-", "--format", "markdown")
    assert ran.code == 64
    assert "name a file with --patch, or leave --format out" in ran.err
    assert night("drift", "--patch", "y.patch", "--format", "markdown").code == 2
