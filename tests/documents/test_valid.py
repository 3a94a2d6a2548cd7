"""Faultless documents become the values of the model."""

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import asdict

from reconciler.documents import examine_documents, load_documents
from reconciler.model.documents import Documents
from tests.documents.cases import VALID, set_up


def told(documents: Documents) -> Any:
    """Documents as JSON, a position as `file:line:column`."""
    return json.loads(json.dumps(_shortened(documents), default=list))


def _shortened(value: Any) -> Any:
    value = asdict(value) if isinstance(value, Struct) else value
    if isinstance(value, dict):
        if value.keys() == {"file", "line", "column"}:
            return "{file}:{line}:{column}".format(**value)
        return {key: _shortened(inner) for key, inner in value.items()}
    return [_shortened(inner) for inner in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.parametrize("folder", VALID, ids=lambda folder: folder.name)
def test_documents_are_as_expected(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    case = set_up(folder, tmp_path)
    monkeypatch.chdir(tmp_path)
    examined = examine_documents(case.paths)
    assert not examined.findings
    assert told(examined.documents) == case.expected
    assert load_documents(case.paths) == examined.documents


def test_a_faulty_document_is_left_out_and_the_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    good = (
        "apiVersion: reconciler/v1\nkind: Application\nmetadata: {name: NAME}\nspec: {appId: ID}\n"
    )
    one = good.replace("NAME", "one").replace("ID", "ddb80e06-92f3-4978-bc22-a0eee85e6a9e")
    two = good.replace("NAME", "two").replace("ID", "ccb80e06-92f3-4978-bc22-a0eee85e6a9e")
    policy = (
        "apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\nmetadata: {name:"
        " Hosts}\nspec: {applications: [bad, two], colour: red}\n"
    )
    bad = good.replace("NAME", "bad").replace("ID", "x")
    Path("a.yaml").write_text(f"{one}---\n{bad}---\na: @\n---\n{two}---\n{policy}")
    examined = examine_documents([Path()])
    assert [each.name for each in examined.documents.applications] == ["one", "two"]
    assert examined.documents.teams == ()
    assert [(each.rule, each.subject) for each in examined.findings] == [
        ("client-id.form", "Application/bad"),
        ("yaml.syntax", ""),
        ("application.unknown", "TeamsApplicationAccessPolicy/Hosts"),
        ("schema.unknown-key", "TeamsApplicationAccessPolicy/Hosts"),
    ]


def test_findings_of_a_list_file_name_the_policy_that_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    policy = (
        "apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\nmetadata: {name:"
        " Hosts}\nspec: {grants: {usersFrom: hosts.csv}}\n"
    )
    Path("a.yaml").write_text(policy)
    Path("hosts.csv").write_text("user\nx\ny\nmegan@contoso.com\nMegan@contoso.com\n")
    examined = examine_documents([Path()])
    assert {each.subject for each in examined.findings} == {"TeamsApplicationAccessPolicy/Hosts"}
    assert [each.position.line for each in examined.findings] == [2, 3, 5]
    assert examined.documents.teams == ()


def test_a_faulty_document_in_doubt_blocks_every_document_it_contradicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    policy = (
        "apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\nmetadata: {name:"
        " NAME}\nspec: {grants: {users: [megan@contoso.com]}}\n"
    )
    for name in ("a", "b", "c"):
        Path(f"{name}.yaml").write_text(policy.replace("NAME", name))
    assert examine_documents([Path()]).documents.teams == ()
    assert [each.subject[-1] for each in examine_documents([Path()]).findings] == ["a", "b", "c"]
