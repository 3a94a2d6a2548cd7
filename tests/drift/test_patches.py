"""The patch that accepts what a tenant has: `git apply` takes it, drift is clean afterwards but for
what it says it cannot say, and comments, order and other lines stay.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from reconciler.cli import drifting, patching
from reconciler.documents import load_documents
from reconciler.errors import UnfitText
from reconciler.exporting.composing import exported
from reconciler.exporting.diffs import FileChange, unified_diff
from reconciler.exporting.editing import LineEdit, edited
from reconciler.model.addresses import name_key
from tests.drift.test_drift_laws import judged, some
from tests.exporting.test_round_trip import observed, opened, put
from tests.exporting.worlds import hostile_tenants
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
    teams_policy,
    tenants,
)

if TYPE_CHECKING:
    from reconciler.model.documents import Documents
    from reconciler.model.observed import Observed
    from tests.conftest import Run

EXAMPLES = 12
QUICKLY = (Phase.explicit, Phase.reuse, Phase.generate)
"""A pair of tenants that fails takes minutes to make smaller."""
A, B, C = APPS
SIM = ("--tenant", "sim:tenant.json")


def git_apply(folder: Path, patch: str) -> None:
    """What a person types, in a folder that is a working tree."""
    (folder / ".git").mkdir(exist_ok=True)
    (folder / "x.patch").write_bytes(patch.encode())
    done = subprocess.run(
        ["git", "apply", "--unsafe-paths", f"--directory={folder}", "x.patch"],
        cwd=folder,
        env={"GIT_DIR": "/nowhere", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode() + patch


lines = st.lists(
    st.sampled_from(["a", "b", "  c: [1]", "# x", "", "ü", "+", "-", "@@"]), max_size=30
)


@st.composite
def changes(draw: st.DrawFn) -> FileChange:
    """A file and edits of it."""
    rows = [*draw(lines), "last"]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    text = end.join(rows) + draw(st.sampled_from([end, end, ""]))
    edits, number = [], 1
    while number <= len(rows) and draw(st.booleans()):
        start = draw(st.integers(number, len(rows)))
        stop = draw(st.integers(start, min(start + 2, len(rows) + 1)))
        edits.append(
            LineEdit(start, stop, tuple(draw(st.lists(st.sampled_from("xyz"), max_size=2))))
        )
        number = stop + 1
    return FileChange("policies/some file.yaml", text, tuple(edits))


@settings(max_examples=60)
@example(
    FileChange(
        "policies/some file.yaml",
        "a\n" * 7 + "last\n",
        (LineEdit(1, 1, ()), LineEdit(8, 9, ())),
    )
)
@given(changes())
def test_git_makes_of_a_patch_what_the_edits_make(change: FileChange) -> None:
    assert change.before is not None
    if change.after == change.before:
        return
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / change.path
        path.parent.mkdir()
        path.write_bytes(change.before.encode())
        git_apply(Path(name), unified_diff([change]))
        assert path.read_bytes().decode() == edited(change.before, change.edits)


def remarked(folder: Path) -> None:
    """A comment of somebody above each document, and one inside of it."""
    for path in folder.rglob("*.yaml"):
        if path.name != "tenant.yaml":
            text = path.read_text(encoding="utf-8")
            named = f"# mine: {path.stem}"
            text = text.replace("\nspec:\n", f"\n{named}, inside\nspec:\n")
            path.write_text(f"{named}, above\n{text}", encoding="utf-8")


def patched(
    folder: Path, documents: Documents, reading: Observed
) -> tuple[patching.Patch, set[str]]:
    """Make a patch and apply it; the addresses that differ afterwards."""
    before = judged(documents, reading)
    made = drifting.Drifted(before, documents, reading, None, {}, {}, ())  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        value = patching.patch_of(made, [Path("documents")])
    if value.text:
        git_apply(folder, value.text)
    after = judged(load_documents([folder / "documents"]), reading)
    plan = after.plan
    differing = {str(change.address) for change in plan.changes}
    differing |= {note.address for note in (*plan.held, *plan.unresolved, *plan.refusals)}
    known = {(note.address, note.code) for note in before.objects}
    unmanaged = {note.address for note in after.objects if (note.address, note.code) not in known}
    assert unmanaged == {*value.unmanaged}
    return value, differing


def both(
    then: dict[str, Any], now: dict[str, Any], folder: Path, chance: Any
) -> tuple[Documents, Observed]:
    """Documents of a part of a tenant as it was, remarked, and a reading of it now."""
    now["directory"] = then["directory"]
    some(then, folder, chance)
    remarked(folder / "documents")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        documents = load_documents([Path("documents")])
    return documents, observed(opened(folder, now))


@settings(max_examples=30, phases=QUICKLY)
@given(tenants(), tenants(), st.randoms(use_true_random=False))
def test_after_the_patch_nothing_differs_and_comments_are_there(
    then: dict[str, Any], now: dict[str, Any], chance: Any
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        documents, reading = both(then, now, folder, chance)
        value, differing = patched(folder, documents, reading)
        assert differing == set()
        assert value.left == ()
        kept = {
            name_key(policy["Identity"].removeprefix("Tag:")) for policy in now["teams"]["policies"]
        }
        texts = "".join(
            path.read_text(encoding="utf-8") for path in (folder / "documents").rglob("*.yaml")
        )
        for document in documents.teams:
            if name_key(document.name) in kept:
                stem = Path(document.position.file).stem
                assert f"# mine: {stem}, above" in texts
                assert f"# mine: {stem}, inside" in texts


@settings(max_examples=EXAMPLES, phases=QUICKLY)
@given(hostile_tenants(), hostile_tenants(), st.randoms(use_true_random=False))
def test_what_differs_after_the_patch_is_what_it_says(
    then: dict[str, Any], now: dict[str, Any], chance: Any
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        documents, reading = both(then, now, folder, chance)
        try:
            judged(documents, reading)
        except UnfitText:
            return  # no plan can be made that leads back
        value, differing = patched(folder, documents, reading)
        assert differing == {*value.left}


HEAD = f"""\
apiVersion: reconciler/v1
kind: Tenant
metadata: {{name: contoso}}
spec: {{tenantId: {TENANT}}}
---
apiVersion: reconciler/v1
kind: Application
metadata: {{name: bot}}
spec: {{appId: {A}}}
"""
TEAMS = "apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\n"
EXCHANGE = "apiVersion: reconciler/v1\nkind: ExchangeApplicationAccessPolicy\n"


class Repository:
    """Documents as somebody writes them, and a tenant."""

    def __init__(self, run: Run, folder: Path) -> None:
        self._run, self.folder = run, folder
        self.tenant = empty()
        (folder / "policies").mkdir()
        self.write("all.yaml", HEAD)
        subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / "policies" / name
        path.write_bytes(text.encode())
        return path

    def patch(self) -> str:
        """Make the patch, apply it, and see that there is no drift; what is printed."""
        tenant = json.dumps(self.tenant)
        (self.folder / "tenant.json").write_text(tenant, encoding="utf-8")
        ran = self._run("drift", *SIM, "--patch", "drift.patch", cwd=self.folder)
        assert ran.code == 2, ran.out + ran.err
        subprocess.run(["git", "apply", "drift.patch"], cwd=self.folder, check=True)
        again = self._run("drift", *SIM, cwd=self.folder)
        assert again.code == 0, again.out + again.err
        return ran.out


@pytest.fixture
def repository(run: Run, tmp_path: Path) -> Repository:
    return Repository(run, tmp_path)


STYLES = {
    "blocks": f"""\
{TEAMS}metadata: {{name: P}}
spec:
  # what it may
  applications:
    - bot   # the bot
    - {B}   # the other
  description: >-
    folded
    text
  grants:
    users:
    # people
    - {USERS[0]}   # zero
    - user1@contoso.com   # one
""",
    "flow": (
        f"{TEAMS}metadata: {{name: P}}\n"
        f"spec: {{applications: [bot, {B}], grants: {{users: [{USERS[0]}, {USERS[1]}]}}}}\n"
    ),
    "mixed": f"""\
{TEAMS}metadata: {{name: P}}
spec:
  applications: [bot, {B}]   # both
  grants: {{users: [{USERS[0]}, {USERS[1]}]}}   # people
""",
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_style_of_a_document_is_edited(repository: Repository, style: str, end: str) -> None:
    path = repository.write("p.yaml", f"# mine\n{STYLES[style]}".replace("\n", end))
    repository.tenant["teams"]["policies"].append(teams_policy("P", [A, C], "new"))
    repository.tenant["teams"]["users"] = [grant(USERS[1], "P"), grant(USERS[2], "P")]
    repository.patch()
    text = path.read_bytes().decode()
    assert text.startswith(f"# mine{end}")
    assert text.count("\n") == text.count(end)
    if style == "blocks":
        for line in (
            "# what it may",
            "- bot   # the bot",
            "# people",
            "- user1@contoso.com   # one",
        ):
            assert line in text
        assert f"- {USERS[2]}   # User 2" in text
        assert "description: new" in text
        assert "# zero" not in text


LISTS = {
    "users.csv": f"user,label\nuser0@contoso.com,Zero\n{USERS[1]},One\n",
    "semicolons.csv": "Name;UserPrincipalName\nZero;user0@contoso.com\nOne;user1@contoso.com\n",
    "one.csv": f"Id\n{USERS[0]}\n{USERS[1]}\n",
    "plain.txt": f"# people\n{USERS[0]}\n\n{USERS[1]}   # one\n",
    "marked.csv": f"\ufeffuser,label\r\n{USERS[0]},Zero\r\n{USERS[1]},One\r\n",
    "unended.txt": f"{USERS[0]}\n{USERS[1]}",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_users_keeps_its_form(repository: Repository, name: str) -> None:
    path = repository.write(name, LISTS[name])
    repository.write(
        "p.yaml", f"{TEAMS}metadata: {{name: P}}\nspec: {{grants: {{usersFrom: {name}}}}}\n"
    )
    repository.tenant["teams"]["policies"].append(teams_policy("P", []))
    repository.tenant["teams"]["users"] = [grant(USERS[1], "P"), grant(USERS[2], "P")]
    repository.patch()
    text = path.read_bytes().decode()
    first, *_ = LISTS[name].split("\n")
    assert text.startswith(first) or name == "unended.txt"
    assert USERS[0] not in text
    assert "user0" not in text
    if name == "semicolons.csv":
        assert "User 2 (user2@contoso.com);user2@contoso.com" in text


def test_a_list_that_becomes_empty_and_one_that_becomes_long(repository: Repository) -> None:
    repository.write("users.csv", f"user\n{USERS[0]}\n")
    p = repository.write(
        "p.yaml", f"{TEAMS}metadata: {{name: P}}\nspec:\n  grants:\n    usersFrom: users.csv\n"
    )
    repository.tenant["teams"]["policies"].append(teams_policy("P", []))
    repository.patch()
    assert "users: []" in p.read_text(encoding="utf-8")


def test_groups_keep_their_labels_and_take_the_order_of_the_tenant(repository: Repository) -> None:
    rows = [
        f"{{group: {group}, label: L{number}, rank: {10 * number}}}"
        for number, group in enumerate(GROUPS[:3], 1)
    ]
    listed = "".join(f"      - {row}   # {number}\n" for number, row in enumerate(rows))
    path = repository.write(
        "p.yaml", f"{TEAMS}metadata: {{name: P}}\nspec:\n  grants:\n    groups:\n{listed}"
    )
    teams = repository.tenant["teams"]
    teams["policies"].append(teams_policy("P", []))
    order = [GROUPS[2], GROUPS[0], GROUPS[3]]
    teams["groupAssignments"] = [
        assignment(group, "P", rank) for rank, group in enumerate(order, 1)
    ]
    repository.patch()
    text = path.read_text(encoding="utf-8")
    assert f"- {{group: {GROUPS[2]}, label: L3, rank: 1}}   # 2\n" in text
    assert f"- {{group: {GROUPS[0]}, label: L1, rank: 2}}   # 0\n" in text
    assert f"- {{group: {GROUPS[3]}, label: Group 3, rank: 3}}\n" in text
    assert GROUPS[1] not in text


def test_documents_of_one_file_go_alone(repository: Repository) -> None:
    gone, stays = (
        f"{TEAMS}# mine {name}\nmetadata: {{name: {name}}}\nspec: {{}}\n" for name in "PQ"
    )
    path = repository.write("both.yaml", f"{gone}---\n{stays}")
    alone = repository.write("alone.yaml", gone.replace("name: P", "name: R"))
    repository.tenant["teams"]["policies"].append(teams_policy("Q", []))
    repository.patch()
    assert not alone.exists()
    text = path.read_text(encoding="utf-8")
    assert "mine Q" in text
    assert "mine P" not in text


def test_exchange_documents_follow_right_scope_and_applications(repository: Repository) -> None:
    path = repository.write(
        "x.yaml",
        f"{EXCHANGE}metadata: {{name: x}}\nspec:\n  applications: [bot, {B}]   # both\n"
        f"  scope: scope0@contoso.com\n  accessRight: RestrictAccess   # only these\n"
        f"---\n{EXCHANGE}metadata: {{name: all}}\nspec:\n  applications: ['*']\n"
        f"  scope: scope2@contoso.com\n  accessRight: DenyAccess\n",
    )
    repository.tenant["exchange"]["policies"] = [
        exchange_policy(A, SCOPES[0], "DenyAccess"),
        exchange_policy(B, SCOPES[1], "RestrictAccess", "made by hand"),
        exchange_policy("*", SCOPES[2], "RestrictAccess"),
    ]
    repository.patch()
    text = path.read_text(encoding="utf-8")
    assert "  applications: [bot]   # both\n" in text
    assert "  accessRight: DenyAccess   # only these\n" in text
    assert "  allowEveryApplication: true\n" in text


def test_what_is_in_no_document_afterwards_is_told(run: Run, tmp_path: Path) -> None:
    repository = Repository(run, tmp_path)
    repository.write(
        "p.yaml", f"{TEAMS}metadata: {{name: P}}\nspec: {{grants: {{users: [{USERS[0]}]}}}}\n"
    )
    repository.write(
        "x.yaml",
        f"{EXCHANGE}metadata: {{name: x}}\n"
        "spec: {applications: [bot], scope: scope0@contoso.com, ensure: absent}\n",
    )
    repository.tenant["teams"]["policies"] += [teams_policy("P", []), teams_policy("Q", [A])]
    repository.tenant["teams"]["users"] = [grant(USERS[0], "Q")]
    repository.tenant["exchange"]["policies"] = [exchange_policy(A, SCOPES[0], "DenyAccess")]
    (tmp_path / "tenant.json").write_text(json.dumps(repository.tenant), encoding="utf-8")
    ran = run("drift", *SIM, "--patch", "drift.patch", "--format", "json", cwd=tmp_path)
    assert ran.code == 2
    told = json.loads(ran.out)["patch"]
    assert told == {
        "file": "drift.patch",
        "left": [],
        "unmanaged": [f"exchange.policy/{A}@{SCOPES[0]}"],
    }
    subprocess.run(["git", "apply", "drift.patch"], cwd=tmp_path, check=True)
    ran = run("drift", *SIM, cwd=tmp_path)
    assert "DRIFT: 2 unmanaged and not accepted." in ran.out


def test_nothing_is_written_where_nothing_differs(run: Run, tmp_path: Path) -> None:
    repository = Repository(run, tmp_path)
    (tmp_path / "tenant.json").write_text(json.dumps(repository.tenant), encoding="utf-8")
    ran = run("drift", *SIM, "--patch", "drift.patch", cwd=tmp_path)
    assert ran.code == 0
    assert "Not written: there is nothing in the documents to change." in ran.out
    assert not (tmp_path / "drift.patch").exists()
    ran = run("drift", *SIM, "--patch", "policies/all.yaml", cwd=tmp_path)
    assert ran.code == 64


def test_a_whole_export_takes_over_another_tenant(tmp_path: Path) -> None:
    """Every kind of difference at once, with a list of many users."""
    then, now = empty(), empty()
    then["teams"]["policies"] += [teams_policy("P", [A]), teams_policy("Q", [B])]
    now["teams"]["policies"] += [teams_policy("P", [B], "x"), teams_policy("R", [B])]
    then["teams"]["users"] = [grant(USERS[0], "P"), grant(USERS[1], "Q")]
    now["teams"]["users"] = [grant(USERS[0], "R"), grant(USERS[1], "P")]
    put(exported(observed(opened(tmp_path, then))), tmp_path / "documents")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        documents = load_documents([Path("documents")])
    value, differing = patched(tmp_path, documents, observed(opened(tmp_path, now)))
    assert differing == set()
    assert value.unmanaged == ()


def test_paths_are_those_of_the_working_tree(run: Run, tmp_path: Path) -> None:
    """The command runs in a folder of a repository, and so does `git apply`."""
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    (tmp_path / "contoso ü").mkdir()
    repository = Repository(run, tmp_path / "contoso ü")
    (tmp_path / "contoso ü" / ".git").rename(tmp_path / "other")
    path = repository.write("p.yaml", f"{TEAMS}metadata: {{name: P}}\nspec:\n  description: old\n")
    repository.tenant["teams"]["policies"].append(teams_policy("P", [], "new"))
    repository.patch()
    assert "description: new" in path.read_text(encoding="utf-8")
