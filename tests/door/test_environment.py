"""What a child gets of our environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.powershell.environment import IDENTITY, carried_secrets, child_environment

HOME = Path("/private/home")
NAMES = st.from_regex(r"\A[A-Z][A-Z0-9_]{0,20}\Z")
GIVEN = {
    *(
        "PATH",
        "HOME",
        "TMPDIR",
        "TEMP",
        "TMP",
        "LC_ALL",
        "TERM",
        "NO_COLOR",
        "PSModulePath",
        "DOTNET_ROOT",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ),
    *(
        "POWERSHELL_TELEMETRY_OPTOUT",
        "POWERSHELL_UPDATECHECK",
        "POWERSHELL_DIAGNOSTICS_OPTOUT",
        "DOTNET_CLI_TELEMETRY_OPTOUT",
    ),
    *(
        "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
    ),
    *(
        "SYSTEMROOT",
        "SYSTEMDRIVE",
        "WINDIR",
        "COMSPEC",
        "PATHEXT",
        "PROGRAMDATA",
        "PROGRAMFILES",
        "PROGRAMFILES(X86)",
        "PROGRAMW6432",
    ),
    *(
        "ALLUSERSPROFILE",
        "USERPROFILE",
        "APPDATA",
        "LOCALAPPDATA",
        "HOMEDRIVE",
        "HOMEPATH",
        "NUMBER_OF_PROCESSORS",
        "PROCESSOR_ARCHITECTURE",
    ),
}


@given(st.dictionaries(NAMES, st.text(max_size=5)))
def test_nothing_but_the_named_variables_is_passed_on(environ: dict[str, str]) -> None:
    assert set(child_environment({**environ, "GITHUB_TOKEN": "canary"}, HOME)) <= GIVEN


def test_the_home_is_private_and_the_modules_are_found_in_the_real_one() -> None:
    child = child_environment({"HOME": "/people/me", "PATH": "/bin"}, HOME)
    assert {child[name] for name in ("HOME", "TMPDIR", "TEMP", "TMP")} == {str(HOME)}
    assert (
        child["PSModulePath"]
        == "/people/me/.local/share/powershell/Modules:/usr/local/share/powershell/Modules"
    )
    assert child_environment({"XDG_DATA_HOME": "/data"}, HOME)["PSModulePath"].startswith(
        "/data/powershell/Modules:"
    )
    assert child_environment({}, HOME)["PSModulePath"] == "/usr/local/share/powershell/Modules"
    assert (
        child_environment({"HOME": "/people/me", "PSModulePath": "/there"}, HOME)["PSModulePath"]
        == "/there"
    )


def test_windows_asks_the_system_for_the_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    assert "PSModulePath" not in child_environment({"USERPROFILE": "C:\\Users\\me"}, HOME)
    assert child_environment({"PSMODULEPATH": "C:\\Modules"}, HOME)["PSModulePath"] == "C:\\Modules"


def test_an_identity_endpoint_is_passed_on_only_when_it_is_named() -> None:
    environ = {
        "IDENTITY_ENDPOINT": "http://localhost:42",
        "IDENTITY_HEADER": "canary-of-the-endpoint",
        "OTHER": "x",
    }
    assert "IDENTITY_HEADER" not in child_environment(environ, HOME)
    child = child_environment(environ, HOME, pass_on=IDENTITY)
    assert (child["IDENTITY_HEADER"], "OTHER" in child) == ("canary-of-the-endpoint", False)
    assert list(carried_secrets(environ, IDENTITY)) == ["canary-of-the-endpoint"]
    assert list(carried_secrets(environ)) == []


@pytest.mark.parametrize(
    ("proxy", "secrets"),
    [
        ("http://proxy:8080", []),
        ("http://me@proxy:8080", []),
        ("http://me:p%40ssword@proxy:8080", ["me:p%40ssword", "p%40ssword", "p@ssword"]),
        ("me:password@proxy", ["me:password", "password"]),
        ("", []),
    ],
)
def test_a_proxys_password_is_a_secret(proxy: str, secrets: list[str]) -> None:
    assert list(carried_secrets({"https_proxy": proxy, "NO_PROXY": "a:b@c"})) == secrets
