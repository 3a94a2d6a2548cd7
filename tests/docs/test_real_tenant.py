"""The page for a real tenant says what the code does: its documents, options, versions, roles and
clouds.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from reconciler.cli.main import COMMANDS
from reconciler.kinds.facts import facts
from reconciler.model.addresses import PROVIDERS
from reconciler.powershell import connecting
from tests.docs.console import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import click

    from tests.conftest import Run

PAGE = (ROOT / ".github" / "REAL_TENANT.md").read_text(encoding="utf-8")
TENANT = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"


def _fenced(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


YAML = _fenced("yaml")
DOCUMENTS = [block for block in YAML if block.startswith("apiVersion:")]
WAYS = [
    spec["connect"]
    for block in DOCUMENTS
    for one in yaml.safe_load_all(block)
    if "connect" in (spec := one["spec"])
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_document_is_valid(document: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "page.yaml").write_text(document, encoding="utf-8")
    ran = run("validate")
    assert ran.code == 0, ran.out + ran.err


def test_every_pipeline_can_be_read() -> None:
    pipelines = [yaml.safe_load(block) for block in YAML if block not in DOCUMENTS]
    assert ["jobs" in one or "steps" in one for one in pipelines] == [True, True]


def _variables(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [name for one in value.values() for name in _variables(one)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("connect", WAYS)
def test_every_way_to_sign_in_is_one(connect: dict[str, Any]) -> None:
    values = {
        name: TENANT if name.endswith("APP_ID") else f"value-of-{name}"
        for name in _variables(connect)
    }
    made = connecting.connections(connect, TENANT, "contoso.onmicrosoft.com", values)
    assert set(made) == {"teams", "exchange"}


def test_every_way_to_sign_in_is_shown() -> None:
    values = {
        name: TENANT if name.endswith("APP_ID") else f"value-of-{name}"
        for one in WAYS
        for name in _variables(one)
    }
    shown = [
        connecting.connections(one, TENANT, "contoso.onmicrosoft.com", values)[product].method
        for one in WAYS
        for product in one
    ]
    assert set(shown) == set(connecting.SignInMethod)


def _commands() -> list[tuple[str, str]]:
    lines = "\n".join((*_fenced("bash"), *YAML)).splitlines()
    return [
        (found[1], found[2])
        for line in lines
        if (found := re.search(r"\breconciler ([a-z]+)( [^#]*)?(?:#|$)", line))
        and found[1] in COMMANDS
    ]


def test_every_option_exists() -> None:
    used = {
        (name, option)
        for name, rest in _commands()
        for option in re.findall(r"(?<= )--[a-z-]+", rest or "")
    }
    assert len(used) > 5
    assert [one for one in sorted(used) if one[1] not in _options(one[0])] == []


def _options(name: str) -> set[str]:
    command: click.Command = import_module(f"reconciler.cli.commands.{name}").command
    return {text for parameter in command.params for text in parameter.opts}


def test_versions_and_roles_are_those_of_the_code() -> None:
    products = {provider: facts(provider) for provider in PROVIDERS}
    assert [one.versions for one in products.values() if one.versions not in PAGE] == []
    assert [
        role for one in products.values() for role in one.roles if f" {role} |" not in PAGE
    ] == []
    newest = {
        provider: re.findall(r"[0-9.]+[0-9]", one.versions)[-1]
        for provider, one in products.items()
    }
    assert [version for version in newest.values() if f"-Version {version} " not in PAGE] == []


@pytest.mark.parametrize("cloud", ["gcch", "dod", "china"])
def test_every_cloud_has_its_row(cloud: str) -> None:
    connect: dict[str, Any] = {
        "cloud": cloud,
        "teams": {"device": True},
        "exchange": {"device": True},
    }
    made = connecting.connections(connect, TENANT, None, {})
    teams, exchange = (
        made["teams"].parameters["TeamsEnvironmentName"],
        made["exchange"].parameters["ExchangeEnvironmentName"],
    )
    assert f"| `{cloud}` | `{teams}` | `{exchange}` |" in PAGE
