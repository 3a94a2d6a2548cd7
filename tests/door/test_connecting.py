"""What each way to sign in is made of, and what is said of it: names of variables, never their
values.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.documents import load_documents
from reconciler.powershell.connecting import (
    Connection,
    SignInMethod,
    certificate,
    connections,
    expiry,
)
from reconciler.powershell.environment import IDENTITY
from reconciler.powershell.faults import ConnectFault
from tests.standin import binding

if TYPE_CHECKING:
    from pathlib import Path

TENANT = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"
ORGANIZATION = "contoso.onmicrosoft.com"
APP = "ddb80e06-92f3-4978-bc22-a0eee85e6a9e"
VALUES = {
    "APP": APP,
    "PFX": "/certificates/reader.pfx",
    "PFX_PASSWORD": "correct horse",
    "GRAPH": "graph-token",
    "TEAMS": "teams-token",
    "EXO": "exo-token",
}
CERTIFICATE = {
    "application": "APP",
    "certificateFile": "PFX",
    "certificatePassword": "PFX_PASSWORD",
}
WAYS: dict[str, dict[str, Any]] = {
    "teams": {
        "certificate": CERTIFICATE,
        "tokens": {"accessTokens": {"graph": "GRAPH", "teams": "TEAMS"}},
        "identity": {"managedIdentity": True},
        "device": {"device": True},
    },
    "exchange": {
        "certificate": CERTIFICATE,
        "tokens": {"accessToken": "EXO"},
        "identity": {"managedIdentity": True},
        "device": {"device": True},
    },
}
TEAMS = {"TenantId": TENANT, "LogLevel": "None"}
EXCHANGE = {"ShowBanner": False, "SkipLoadingFormatData": True}
MADE: list[tuple[str, str, dict[str, Any]]] = [
    ("teams", "certificate", {**TEAMS, "ApplicationId": APP}),
    ("teams", "tokens", {**TEAMS, "AccessTokens": ["graph-token", "teams-token"]}),
    ("teams", "identity", {**TEAMS, "Identity": True}),
    ("teams", "device", {**TEAMS, "UseDeviceAuthentication": True}),
    ("exchange", "certificate", {**EXCHANGE, "Organization": ORGANIZATION, "AppId": APP}),
    ("exchange", "tokens", {**EXCHANGE, "Organization": ORGANIZATION, "AccessToken": "exo-token"}),
    ("exchange", "identity", {**EXCHANGE, "Organization": ORGANIZATION, "ManagedIdentity": True}),
    ("exchange", "device", {**EXCHANGE, "Device": True}),
]


def made(
    provider: str, way: str, cloud: str | None = None, values: dict[str, str] = VALUES
) -> Connection:
    connect = {provider: WAYS[provider][way], **({"cloud": cloud} if cloud else {})}
    return connections(connect, TENANT, ORGANIZATION, values)[provider]  # type: ignore[index]


@pytest.mark.parametrize(("provider", "way", "parameters"), MADE)
def test_each_way_has_its_parameters_and_they_bind(
    provider: str, way: str, parameters: dict[str, Any]
) -> None:
    connection = made(provider, way)
    assert connection.parameters == parameters
    given_too = {"Certificate": binding.Opaque({})} if connection.certificate else {}
    assert binding.bind(connection.cmdlet, {**parameters, **given_too})
    assert connection.interactive == (connection.method is SignInMethod.DEVICE)
    assert connection.pass_on == (IDENTITY if way == "identity" else ())
    assert connection.lasts_until is None


@pytest.mark.parametrize(
    ("cloud", "teams", "exchange"),
    [
        ("gcch", "TeamsGCCH", "O365USGovGCCHigh"),
        ("dod", "TeamsDOD", "O365USGovDoD"),
        ("china", "TeamsChina", "O365China"),
    ],
)
def test_national_clouds_are_named_as_the_cmdlets_name_them(
    cloud: str, teams: str, exchange: str
) -> None:
    for way in ("certificate", "tokens", "device"):
        assert made("teams", way, cloud).parameters["TeamsEnvironmentName"] == teams
        assert made("exchange", way, cloud).parameters["ExchangeEnvironmentName"] == exchange
    assert (
        teams
        in binding.facts("Connect-MicrosoftTeams")["parameters"]["TeamsEnvironmentName"]["values"]
    )
    assert (
        exchange
        in binding.facts("Connect-ExchangeOnline")["parameters"]["ExchangeEnvironmentName"][
            "values"
        ]
    )
    assert "EnvironmentName" not in "".join(made("teams", "tokens", "commercial").parameters)
    with pytest.raises(ConnectFault, match="commercial cloud only"):
        made("teams", "identity", cloud)


def test_only_the_named_products_are_connected() -> None:
    assert connections({}, TENANT, None, {}) == {}
    assert connections({"cloud": "gcch", "teams": {"device": True}}, TENANT, None, {}).keys() == {
        "teams"
    }
    both = connections(
        {name: ways["tokens"] for name, ways in WAYS.items()}, TENANT, ORGANIZATION, VALUES
    )
    assert [both[name].module for name in both] == ["MicrosoftTeams", "ExchangeOnlineManagement"]


def test_every_missing_variable_is_named_at_once() -> None:
    connect = {"teams": CERTIFICATE, "exchange": {"accessToken": "EXO"}}
    with pytest.raises(ConnectFault) as fault:
        connections(connect, TENANT, ORGANIZATION, {"PFX": " ", "EXO": "\n"})
    assert (
        str(fault.value)
        == "`connect` of the Tenant document cannot be used: the environment variable PFX_PASSWORD"
        " is not set; the environment variable APP is not set; the environment variable PFX is"
        " not set; the environment variable EXO is not set"
    )


def test_exchange_needs_the_initial_domain_except_for_a_person() -> None:
    for way in ("certificate", "tokens", "identity"):
        with pytest.raises(ConnectFault, match=r"add `organization: NAME\.onmicrosoft\.com`"):
            connections({"exchange": WAYS["exchange"][way]}, TENANT, None, VALUES)
    assert connections({"exchange": WAYS["exchange"]["device"]}, TENANT, None, VALUES)


def test_only_exchange_chooses_what_it_imports() -> None:
    assert made("exchange", "tokens").importing(["Get-X"]).parameters["CommandName"] == ["Get-X"]
    assert made("teams", "tokens").importing(["Get-X"]) == made("teams", "tokens")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("APP", "my application", "APP does not hold an application's client id (a GUID)"),
        ("PFX_PASSWORD", "short", "the password in PFX_PASSWORD has fewer than 8 characters"),
        ("EXO", "two words\nand a line", "EXO does not hold an access token"),
        ("EXO", "tökentöken", "EXO does not hold an access token"),
        ("EXO", "short", "EXO does not hold an access token"),
    ],
)
def test_what_cannot_be_meant_is_told_without_its_value(name: str, value: str, says: str) -> None:
    with pytest.raises(ConnectFault) as fault:
        connections(
            {"teams": CERTIFICATE, "exchange": {"accessToken": "EXO"}},
            TENANT,
            ORGANIZATION,
            {**VALUES, name: value},
        )
    assert says in str(fault.value)
    assert value not in str(fault.value)


def test_a_token_is_taken_without_what_a_shell_leaves_around_it() -> None:
    assert (
        made("exchange", "tokens", values={"EXO": " exo-token\n"}).parameters["AccessToken"]
        == "exo-token"
    )


def test_a_certificate_without_a_password() -> None:
    connection = connections(
        {"teams": {"application": "APP", "certificateFile": "PFX"}}, TENANT, None, VALUES
    )["teams"]
    assert (connection.certificate_password, connection.secrets) == ("", ())


def test_the_certificates_bytes(tmp_path: Path) -> None:
    file = tmp_path / "reader.pfx"
    connection = made("teams", "certificate", values={**VALUES, "PFX": str(file)})
    with pytest.raises(
        ConnectFault,
        match=r"cannot read the file named by PFX .*: set it to the path of a PFX file",
    ) as fault:
        certificate(connection)
    assert str(file) not in "".join(traceback.format_exception(fault.value))
    file.write_bytes(b"pfx")
    assert certificate(connection) == b"pfx"
    assert certificate(made("teams", "tokens")) == b""


# ---- how long a token lasts


def token(claims: object) -> str:
    return (
        ".".join(
            base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=")
            for one in ({"alg": "RS256"}, claims)
        )
        + ".signature"
    )


def test_the_earliest_end_counts() -> None:
    values = {"GRAPH": token({"exp": 2_000_000_000}), "TEAMS": token({"exp": 1_900_000_000.5})}
    assert made("teams", "tokens", values=values).lasts_until == 1_900_000_000
    assert (
        made("teams", "tokens", values={**values, "GRAPH": "opaque-token"}).lasts_until
        == 1_900_000_000
    )


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"exp": "tomorrow"},
        {"exp": None},
        {"exp": True},
        {"exp": 1e300},
        {"exp": float("nan")},
        [],
        "text",
        5,
    ],
)
def test_an_end_that_is_no_time_is_not_known(claims: object) -> None:
    assert expiry(token(claims)) is None


@given(
    st.text(max_size=60)
    | st.lists(
        st.text(alphabet="eyJhbGciOiJIUzI1NiJ9-_=", max_size=20), min_size=3, max_size=3
    ).map(".".join)
)
def test_no_text_is_a_fault(text: str) -> None:
    assert expiry(text) is None or isinstance(expiry(text), int)


@pytest.mark.parametrize(
    "text",
    [
        "a.%.c",
        "a.e30.c",
        "a." + base64.urlsafe_b64encode(b"[" * 100_000).decode() + ".c",
        "opaque",
        "a.b.c.d",
    ],
)
def test_what_is_no_token_has_no_end(text: str) -> None:
    assert expiry(text) is None


# ---- secrets


CANARIES = st.text(
    alphabet="0123456789abcdefghijkmnopqrstuvwxyzABCDEFG-_.", min_size=24, max_size=80
).map(lambda text: f"canary{text}")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(CANARIES, min_size=4, max_size=4, unique=True),
    st.sampled_from(["certificate", "tokens"]),
    st.sets(st.sampled_from(sorted(VALUES))),
)
def test_no_secret_shows_in_anything_that_is_said(
    canaries: list[str], way: str, missing: set[str]
) -> None:
    values = {
        **VALUES,
        **dict(zip(("PFX_PASSWORD", "GRAPH", "TEAMS", "EXO"), canaries, strict=True)),
        "PFX": canaries[3],
    }
    environ = {name: value for name, value in values.items() if name not in missing}
    connect = {name: ways[way] for name, ways in WAYS.items()}
    try:
        found = connections(connect, TENANT, ORGANIZATION, environ)
    except ConnectFault as fault:
        said = "".join(traceback.format_exception(fault)) + repr(fault) + repr(fault.__context__)
    else:
        said = (
            repr(found)
            + str(found)
            + "".join(repr(one.importing(["Get-X"])) for one in found.values())
        )
        hidden = {secret for one in found.values() for secret in one.secrets}
        for one in found.values():
            texts = [*one.parameters.values(), one.certificate_password]
            told = [
                text
                for value in texts
                for text in (value if isinstance(value, list) else [value])
                if isinstance(text, str)
            ]
            assert {text for text in told if text in canaries} <= hidden
    assert [canary for canary in canaries if canary in said] == []


def test_fields_that_hold_secrets_are_kept_out_of_repr() -> None:
    shown = {one.name for one in dataclasses.fields(Connection) if one.repr}
    assert shown.isdisjoint({"parameters", "certificate", "certificate_password", "secrets"})
    # our own bytes
    assert pickle.loads(pickle.dumps(made("teams", "tokens"))) == made("teams", "tokens")  # noqa: S301


def test_the_documents_block_is_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "tenant.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Tenant\nmetadata: {name: contoso}\nspec:\n  tenantId:"
        f" {TENANT}\n  organization: {ORGANIZATION}\n  connect:\n    cloud: gcch\n    teams:"
        " {application: APP, certificateFile: PFX, certificatePassword: PFX_PASSWORD}\n   "
        " exchange: {accessToken: EXO}\n"
    )
    tenant = load_documents([tmp_path]).tenant
    assert tenant is not None
    found = connections(tenant.connect, tenant.tenant_id, tenant.organization, VALUES)
    assert (found["teams"].method, found["exchange"].method) == (
        SignInMethod.CERTIFICATE,
        SignInMethod.TOKENS,
    )
