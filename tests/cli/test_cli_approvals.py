"""What an approval outlives and what it does not: every kind of edit of documents, options and
tenant, each compared with the content digest of a plan that was approved.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.sample import settle, teams_document, tenant_document

if TYPE_CHECKING:
    from tests.conftest import Run

SIM = ("--tenant", "sim:tenant.json")
TENANT, WEBINARS, TESTED = "tenant.yaml", "teams/webinars.yaml", "teams/test-policy.yaml"
HOSTS, SALES = "teams/meeting-hosts.csv", "exchange/tests.yaml"
CRM, OTHER = "7a774f0c-7a6f-11e0-85ad-07fb4824019b", "6d2b65ed-3c77-4f3c-bd7a-8e4e3704d672"
MARKETING, JONI = "d4e258ea-6876-4ece-b093-48f5230ef18d", "5a8146d2-d1ea-4a31-80fd-d1dad9e47a57"
LIMITS = ("--allow", "limits:teams.grant")

Edit = Callable[[Path], object]


def _write(file: str, before: str, after: str) -> Edit:
    def edit(folder: Path) -> None:
        path = folder / "policies" / file
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after, 1), encoding="utf-8")

    return edit


def _found(change: Callable[[Any], object]) -> Edit:
    """The tenant was changed by hand."""

    def edit(folder: Path) -> None:
        path = folder / "tenant.json"
        tenant = json.loads(path.read_text(encoding="utf-8"))
        change(tenant)
        path.write_text(json.dumps(tenant), encoding="utf-8")

    return edit


def _all(*edits: Edit) -> Edit:
    return lambda folder: [edit(folder) for edit in edits]


def _listed(folder: Path) -> None:
    """The file of users becomes a list in the document."""
    rows = (folder / "policies" / HOSTS).read_text(encoding="utf-8").splitlines()[1:]
    entries = "".join(f"      - {row.partition(',')[0]}\n" for row in rows)
    _write(TESTED, "    usersFrom: meeting-hosts.csv\n", entries)(folder)
    (folder / "policies" / HOSTS).unlink()


def _turned(folder: Path) -> None:
    head, *rows = (folder / "policies" / HOSTS).read_text(encoding="utf-8").splitlines()
    (folder / "policies" / HOSTS).write_text("\n".join([head, *rows[::-1]]), encoding="utf-8")


def _expected_backwards(folder: Path) -> None:
    path = folder / "policies" / SALES
    head, *rows = path.read_text(encoding="utf-8").split("    - {")
    path.write_text("    - {".join([head, *(f"{row.strip()}\n" for row in rows[::-1])]), "utf-8")


def _called(name: str, other: str) -> Edit:
    """An application gets another name, everywhere."""

    def edit(folder: Path) -> None:
        for path in (folder / "policies").rglob("*.yaml"):
            path.write_text(path.read_text("utf-8").replace(name, other), encoding="utf-8")

    return edit


def _holding(policy: str, *users: str) -> Callable[[Any], object]:
    """Somebody gives these users a policy."""

    def change(tenant: Any) -> None:
        names = {row["id"]: row["upn"] for row in tenant["directory"]["users"]}
        tenant["teams"]["users"] += [
            {
                "Identity": user,
                "UserPrincipalName": names.get(user, f"{user}@contoso.com"),
                "ApplicationAccessPolicy": {"Authority": "Tenant", "Name": policy},
            }
            for user in users
        ]

    return change


def _renamed(tenant: Any) -> None:
    for rows in tenant["directory"].values():
        for row in rows:
            row["displayName"] = f"{row['displayName']} (left)"
    for row in tenant["exchange"]["policies"]:
        row["ScopeName"] = f"{row['ScopeName']} (old)"


def _reversed(tenant: Any) -> None:
    for rows in (tenant["teams"]["users"], tenant["teams"]["policies"]):
        rows.reverse()
    tenant["exchange"]["policies"].reverse()


def _members(group: int, members: list[str] | None) -> Edit:
    return _found(lambda tenant: tenant["directory"]["groups"][group].update(members=members))


OUTLIVED: dict[str, Edit] = {
    "comments": _all(
        *(_write(file, "apiVersion", "# x\n\napiVersion") for file in (TENANT, WEBINARS, TESTED))
    ),
    "a file's name": lambda folder: (folder / "policies" / WEBINARS).rename(
        folder / "policies" / "another.yml"
    ),
    "the name of a list's file": _all(
        lambda folder: (folder / "policies" / HOSTS).rename(folder / "policies/teams/hosts.csv"),
        _write(TESTED, "meeting-hosts.csv", "hosts.csv"),
    ),
    "a list as CSV or YAML": _listed,
    "the order of a list": _turned,
    "the order of applications": _write(
        WEBINARS, "[event-registration, webinar-studio]", "[webinar-studio, event-registration]"
    ),
    "labels of people": _write(HOSTS, "Adele Vance", "A. Vance"),
    "labels of groups": _write(WEBINARS, "label: Marketing", "label: Mkt"),
    "a user by id": _write(
        WEBINARS, "patti.fernandez@contoso.com", "79368a13-cc26-4b3d-ab2c-9272547ae537"
    ),
    "the spelling of a user": _write(WEBINARS, "patti.fernandez@", "Patti.Fernandez@"),
    "an application by id": _write(
        WEBINARS, "[event-registration,", "[bbb80e06-92f3-4978-bc22-a0eee85e6a9e,"
    ),
    "an application's name": _all(
        _called("webinar-studio", "studio"), _called("ticket-sync", "tickets")
    ),
    "permissions for readers": _write("applications.yaml", "[Mail.Read]", "[Mail.ReadWrite]"),
    "the order of expectations": _expected_backwards,
    "limits at their defaults": _write(
        TENANT, "policies: {maxDeletes: 5, maxDeletePercent: 25}", "policies: {}"
    ),
    "a consent that is not needed": _write(
        TENANT, "consents:\n", f"consents:\n    - tenant-wide:teams.application/{OTHER}\n"
    ),
    "a guard's scope that is not needed": _write(
        TENANT, "  exchange: {guardScope: nobody@contoso.com}", ""
    ),
    "what is done with absent users, where none is": _write(
        TENANT, "  exchange:", "  unresolved: {users: refuse}\n  exchange:"
    ),
    "when it was read": _found(lambda tenant: tenant.update(clock="2027-01-01T00:00:00Z")),
    "names for people": _found(_renamed),
    "the order of rows": _found(_reversed),
    "a policy that nobody holds": _found(
        lambda tenant: tenant["teams"]["policies"].append(
            {"Identity": "Tag:New", "AppIds": [OTHER], "Description": ""}
        )
    ),
    "a policy of another application": _found(lambda tenant: tenant["exchange"]["policies"].pop()),
    "a new user": _found(
        lambda tenant: tenant["directory"]["users"].append(
            {"id": OTHER, "upn": "new@contoso.com", "displayName": "New"}
        )
    ),
    "members of a group that is granted": _members(0, [JONI]),
    "members of a group that leaves nothing": _members(1, []),
    "members that are not known": _members(0, None),
    "a group that is not known": _found(lambda tenant: tenant["directory"]["groups"].pop(0)),
}
CHANGED: dict[str, Edit] = {
    "maxDeletes": _write(TENANT, "maxDeletes: 5", "maxDeletes: 6"),
    "maxDeletePercent": _write(TENANT, "maxDeletePercent: 25", "maxDeletePercent: 26"),
    "maxRemovals": _write(TENANT, "maxRemovals: 100", "maxRemovals: 99"),
    "maxRemovalPercent": _write(TENANT, "maxRemovalPercent: 10", "maxRemovalPercent: 100"),
    "maxPeople": _write(TENANT, "  limits:\n", "  limits:\n    widening: {maxPeople: 5000}\n"),
    "unknownGroups": _write(
        TENANT, "  limits:\n", "  limits:\n    widening: {unknownGroups: refuse}\n"
    ),
    "how one signs in": _write(
        TENANT,
        "  exchange:",
        "  connect: {teams: {device: true}}\n  exchange:",
    ),
    "a test's name": _write(SALES, "name: sales-systems-stay-in-sales", "name: other"),
    "a test's expectation": _write(SALES, "reception@", "adele.vance@"),
    "a test that is gone": lambda folder: (folder / "policies" / SALES).unlink(),
    "a quarantine": _write(
        "applications.yaml", f"appId: {OTHER}", f"appId: {OTHER}\n  quarantine: true"
    ),
    "movedFrom": _write("exchange/even-users.yaml", "movedFrom:", "# movedFrom:"),
    "a description": _write(TESTED, "description here", "another description"),
    "a consent that is needed": _write(
        TENANT,
        "    - tenant-wide:teams.application/bbb",
        "    # - tenant-wide:teams.application/bbb",
    ),
    "who a name is": _found(
        lambda tenant: [
            row.update(id=OTHER)
            for row in tenant["directory"]["users"]
            if row["upn"] == "megan.bowen@contoso.com"
        ]
    ),
    "which tenant": _found(lambda tenant: tenant["tenant"].update(organization="other.com")),
    "what everyone has": _found(
        lambda tenant: tenant["teams"]["policies"][0].update(AppIds=[OTHER])
    ),
    "a policy that protects somebody": _found(lambda tenant: tenant["exchange"]["policies"].pop(3)),
    "a description that somebody changed": _found(
        lambda tenant: tenant["exchange"]["policies"][0].update(Description="by hand")
    ),
    "the ranks of groups": _found(
        lambda tenant: [
            row.update(Priority=3 - row["Priority"]) for row in tenant["teams"]["groupAssignments"]
        ]
    ),
    "the grant of somebody who moves": _found(
        lambda tenant: tenant["teams"]["users"][3]["ApplicationAccessPolicy"].update(
            Name="Legacy-recorder"
        )
    ),
    "what is not understood": _found(
        lambda tenant: tenant["teams"]["policies"][3]["AppIds"].append("not-a-guid")
    ),
}


@pytest.fixture(scope="module")
def approved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {}


def _digest(run: Run, folder: Path, *options: str) -> str:
    ran = run("plan", "--out", "plan.json", *SIM, *options, cwd=folder)
    assert (folder / "plan.json").exists(), ran.err
    return str(json.loads((folder / "plan.json").read_text(encoding="utf-8"))["content_digest"])


def _approval(run: Run, tmp_path: Path, approved: dict[str, str]) -> str:
    if not approved:
        (tmp_path / "approved").mkdir()
        approved["content"] = _digest(run, settle(tmp_path / "approved"))
    return approved["content"]


@pytest.mark.parametrize("kind", [*OUTLIVED, *CHANGED])
def test_an_approval_outlives_what_the_plan_does_not_rest_on_and_nothing_else(
    run: Run, tmp_path: Path, approved: dict[str, str], kind: str
) -> None:
    content = _approval(run, tmp_path, approved)
    (tmp_path / "edited").mkdir()
    folder = settle(tmp_path / "edited")
    (OUTLIVED.get(kind) or CHANGED[kind])(folder)
    assert (_digest(run, folder) == content) == (kind in OUTLIVED)


@pytest.mark.parametrize(
    ("options", "outlived"),
    [
        (("--ids", "--commands"), True),
        (LIMITS, True),
        (("--skip", "teams.grant/user:megan.bowen@contoso.com"), False),
        (("--only", "MY-APP-POLICY"), False),
    ],
)
def test_an_approval_outlives_options_that_change_nothing(
    run: Run, tmp_path: Path, approved: dict[str, str], options: tuple[str, ...], outlived: bool
) -> None:
    content = _approval(run, tmp_path, approved)
    (tmp_path / "again").mkdir()
    assert (_digest(run, settle(tmp_path / "again"), *options) == content) is outlived


# who holds the lists that change

STUDIO, REGISTRATION = (
    "ac213e06-2c06-4c80-a4a0-f1d5c58a2c09",
    "bbb80e06-92f3-4978-bc22-a0eee85e6a9e",
)
FEW = [f"5a8146d2-d1ea-4a31-80fd-{number:012}" for number in range(2)]
MANY = [f"5a8146d2-d1ea-4a31-80fd-{number:012}" for number in range(60)]
LISTS = {
    "longer": ("Webinars", [STUDIO, REGISTRATION, OTHER], ()),
    "made under a name that is held": ("Ghost", [OTHER], ()),
    "shorter beyond the limits": ("Webinars", [STUDIO], LIMITS),
}


@pytest.fixture
def listing(folder: Path) -> Callable[[str, list[str]], None]:
    """Makes documents of one policy, whose holders nobody declares."""

    def make(policy: str, applications: list[str]) -> None:
        for path in [path for path in (folder / "policies").rglob("*") if path.is_file()]:
            path.unlink()
        spec = json.dumps({"applications": applications})
        text = tenant_document() + teams_document(policy, spec)
        (folder / "policies" / "all.yaml").write_text(text, encoding="utf-8")

    return make


@pytest.mark.parametrize("kind", LISTS)
def test_an_approval_for_some_holders_serves_nobody_who_came_since(
    run: Run, folder: Path, listing: Callable[[str, list[str]], None], kind: str
) -> None:
    """Neither the digest of the plan, nor its file, which says whom it reaches."""
    policy, applications, options = LISTS[kind]
    listing(policy, applications)
    _found(_holding(policy, *FEW))(folder)
    content = _digest(run, folder, *options)
    (folder / "plan.json").rename(folder / "approved.json")
    _found(_holding(policy, *MANY[len(FEW) :]))(folder)
    before = (folder / "tenant.json").read_bytes()
    ran = run("apply", "approved.json", *SIM, "--auto-approve", "--digest", content)
    assert (ran.code, (folder / "tenant.json").read_bytes()) == (5, before)
    change = "shorter" if options else "longer"
    said = f"{policy}: had other holders when this was planned, and its list gets {change} now"
    assert said in ran.err
    assert _digest(run, folder, *options) != content
    shown = run("show", "plan.json", "--against", "approved.json")
    assert f"who holds the lists that get {change}" in shown.out
    assert run("apply", "plan.json", *SIM, "--auto-approve", "--approved", "plan.json").code == 0


def test_within_the_limits_a_list_that_gets_shorter_may_change_its_holders(
    run: Run, folder: Path, listing: Callable[[str, list[str]], None]
) -> None:
    listing("Webinars", [STUDIO])
    path = folder / "policies" / "all.yaml"
    tenant = tenant_document(more=", limits: {grants: {maxRemovals: 900, maxRemovalPercent: 100}}")
    text = path.read_text(encoding="utf-8").removeprefix(tenant_document())
    path.write_text(tenant + text, encoding="utf-8")
    content = _digest(run, folder)
    (folder / "plan.json").rename(folder / "approved.json")
    _found(_holding("Webinars", *MANY))(folder)
    assert _digest(run, folder) == content
    ran = run("apply", "approved.json", *SIM, "--auto-approve", "--digest", content)
    assert ran.code == 0, ran.err
