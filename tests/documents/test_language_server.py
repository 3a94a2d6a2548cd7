"""What an editor shows of documents: asked of the YAML language server that editors start."""

from __future__ import annotations

import itertools
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.exporting.repositories import FOLDER, start_files
from tests.documents.language_server import LanguageServer, missing
from tests.house.tree import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NUMBERS = itertools.count()
TENANT_ID = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
HEAD = "# yaml-language-server: $schema=document.schema.json\napiVersion: reconciler/v1\n"
TEAMS = """\
kind: TeamsApplicationAccessPolicy
metadata: {name: Hosts}
spec:
  applications: [crm]
  grants:
    tenant: false
    usersFrom: hosts.xlsx
    groups:
      - {group: Meeting hosts, rank: 0}
"""
EXCHANGE = """\
kind: ExchangeApplicationAccessPolicy
metadata: {name: sales}
spec:
  applications: [crm]
  scope: not an address
  accessRight: Deny
  colour: red
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    """The server, in a repository as `init` begins one."""
    if why := missing():
        pytest.skip(why)
    root = tmp_path_factory.mktemp("repository")
    for file in start_files(TENANT_ID, "contoso.onmicrosoft.com"):
        (root / file.path).parent.mkdir(parents=True, exist_ok=True)
        (root / file.path).write_text(file.text, encoding="utf-8")
    with LanguageServer(root) as running:
        yield running


def _opened(server: LanguageServer, name: str, text: str) -> tuple[Path, list[dict[str, Any]]]:
    file = server.root / FOLDER / f"{next(NUMBERS)}-{name}"  # the server keeps what it was told
    file.write_text(text, encoding="utf-8")
    return file, server.open(file)


def _said(diagnostics: list[dict[str, Any]]) -> set[tuple[int, str]]:
    return {(each["range"]["start"]["line"] + 1, each["message"]) for each in diagnostics}


def test_a_new_repository_has_nothing_to_complain_of(server: LanguageServer) -> None:
    assert server.open(server.root / FOLDER / "tenant.yaml") == []


def test_faults_are_shown_in_words_that_say_what_to_write(server: LanguageServer) -> None:
    _, exchange = _opened(server, "exchange.yaml", HEAD + EXCHANGE)
    assert _said(exchange) == {
        (7, "Write an SMTP address or an object id."),
        (8, 'Value is not accepted. Valid values: "RestrictAccess", "DenyAccess".'),
        (9, "Property colour is not allowed."),
    }
    _, teams = _opened(server, "teams.yaml", HEAD + TEAMS)
    messages = _said(teams)
    assert (9, "Write a relative path with / to a .csv or .txt file.") in messages
    assert (11, "Write the object id of a group, or its SMTP address.") in messages
    assert {line for line, _ in messages} == {8, 9, 11}


def test_a_document_without_a_modeline_has_the_schema_of_the_folder(server: LanguageServer) -> None:
    _, diagnostics = _opened(server, "bare.yaml", HEAD.partition("\n")[2] + EXCHANGE)
    assert (6, "Write an SMTP address or an object id.") in _said(diagnostics)


@pytest.mark.parametrize(
    ("kind", "line", "column", "labels"),
    [
        (EXCHANGE.replace("Deny", ""), 8, 16, {"RestrictAccess", "DenyAccess"}),
        (
            EXCHANGE,
            9,
            3,
            {"ensure", "description", "movedFrom", "tenants", "allowEveryApplication"},
        ),
        (TEAMS, 8, 5, {"users"}),
        ("kind: \n", 3, 7, {"Tenant", "Application", "AccessTest"}),
        (
            "kind: Application\nmetadata: {name: a}\nspec:\n  ",
            6,
            3,
            {"appId", "quarantine", "tenants"},
        ),
        (
            "kind: Tenant\nmetadata: {name: a}\nspec:\n  connect:\n    cloud: ",
            7,
            12,
            {"commercial", "gcch", "dod", "china"},
        ),
        (
            "kind: Tenant\nmetadata: {name: a}\nspec:\n  ",
            6,
            3,
            {"tenantId", "limits", "connect", "accepted"},
        ),
    ],
)
def test_what_may_be_written_is_offered(
    server: LanguageServer, kind: str, line: int, column: int, labels: set[str]
) -> None:
    file, _ = _opened(server, "offered.yaml", HEAD + kind)
    offered = server.at("completion", file, line, column)["items"]
    assert labels <= {item["label"] for item in offered}


def test_each_choice_says_what_it_does(server: LanguageServer) -> None:
    file, _ = _opened(server, "choices.yaml", HEAD + EXCHANGE.replace("Deny", ""))
    offered = server.at("completion", file, 8, 16)["items"]
    words = {item["label"]: str(item.get("documentation")) for item in offered}
    assert "do not reach the members of the scope" in words["DenyAccess"]


def test_an_empty_file_offers_a_document_of_each_kind(server: LanguageServer) -> None:
    file, _ = _opened(server, "empty.yaml", HEAD.partition("\n")[0] + "\n")
    texts = {
        item["label"]: item.get("insertText", "")
        for item in server.at("completion", file, 2, 1)["items"]
    }
    for kind in ("Tenant", "Application", "TeamsApplicationAccessPolicy", "AccessTest"):
        assert texts[kind].startswith(f"apiVersion: reconciler/v1\nkind: {kind}\nmetadata:\n")


@pytest.mark.parametrize(
    ("kind", "line", "column", "words"),
    [
        (EXCHANGE, 8, 5, "they do not reach the scope"),
        (EXCHANGE, 7, 5, "SMTP address or the object id"),
        (TEAMS, 9, 7, "usersFrom: meeting-hosts.csv"),
        (TEAMS, 8, 7, "**everyone** without a grant"),
        (TEAMS, 11, 35, "1 has the highest precedence"),
        (TEAMS, 3, 3, "What the document describes"),
        (
            "kind: Application\nmetadata: {name: a}\nspec:\n  quarantine: true\n",
            6,
            5,
            "**Reaches nobody**",
        ),
    ],
)
def test_what_a_key_does_is_told_where_it_is(
    server: LanguageServer, kind: str, line: int, column: int, words: str
) -> None:
    file, _ = _opened(server, "told.yaml", HEAD + kind)
    assert words in server.at("hover", file, line, column)["contents"]["value"]


def test_the_samples_pass_another_checker(tmp_path: Path) -> None:
    """check-jsonschema takes one document a file."""
    if find_spec("check_jsonschema") is None:
        pytest.skip("check-jsonschema is not installed")
    for path in sorted((ROOT / "policies").rglob("*.yaml")):
        for number, text in enumerate(path.read_text(encoding="utf-8").split("\n---\n")):
            (tmp_path / f"{path.stem}-{number}.yaml").write_text(text, encoding="utf-8")
    files = sorted(map(str, tmp_path.glob("*.yaml")))
    schema = str(ROOT / "schemas" / "document.schema.json")
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", schema, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
