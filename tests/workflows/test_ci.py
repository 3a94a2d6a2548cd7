"""The workflow that checks every change: each of its blocks does what its job is called after, and fails
where it has to.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.house.oldest import oldest
from tests.workflows.agent import write_tool
from tests.workflows.running import ROOT, run_blocks

if TYPE_CHECKING:
    from tests.workflows.running import Platform, Ran

WORKFLOW = "ci.yml"
JOBS = ("checks", "systems", "container", "oldest-dependencies", "powershell")


def ci(own: Platform) -> Ran:
    return own.run(WORKFLOW, {"event_name": "push"}, {})


@pytest.fixture
def quick(own: Platform) -> Platform:
    """The same, where the job that plans and applies is not what is looked at: it fails at once."""
    write_tool(own.folder / "tools" / "reconciler", "exit 1")
    return own


def asked(own: Platform) -> list[str]:
    """What tools were called for, by their names."""
    lines = (own.folder / "tools.txt").read_text().splitlines()
    return [line.replace(f"{own.folder}/tools/", "") for line in lines]


def test_every_block_runs_and_asks_for_what_it_should(own: Platform) -> None:
    ran = ci(own)
    assert ran.results == dict.fromkeys(JOBS, "success"), ran.printed
    assert ran.blocks == run_blocks(WORKFLOW)
    assert "\n$ reconciler apply plan.json --auto-approve --tenant sim:tenant.json\n" in ran.printed
    assert (own.checkout / "oldest.txt").read_text().splitlines() == oldest()
    assert asked(own) == [
        ".ci/run ",
        "python -m pip install -q --require-hashes -r .github/requirements.txt",
        "python -m pip install -q --no-deps .",
        "python tests/journey/smoke.py reconciler",
        "docker build --file .github/container/Dockerfile --tag reconciler .",
        (
            f"docker run --rm --volume {own.checkout}/policies:/documents/policies:ro"
            " reconciler validate policies"
        ),
        (
            "docker run --rm --entrypoint pwsh reconciler -NoProfile -Command Get-Module -ListAvailable"
            " MicrosoftTeams, ExchangeOnlineManagement"
        ),
        "python3 -m venv .venv",
        ".venv/bin/python -m tests.house.oldest",
        ".venv/bin/python -m pip install -q -c oldest.txt -e .[dev]",
        ".venv/bin/python -m pytest",
        "pwsh -NoProfile -NonInteractive -Command $PSVersionTable | Out-String",
        "python3 -m venv .venv",
        ".venv/bin/python -m pip install -q -e .[dev]",
        ".venv/bin/python -m pytest -m pwsh -rs",
    ]


@pytest.mark.parametrize(
    ("last", "message"),
    [
        ("0\n41 passed, 3 skipped in 9.1s", "too old for the recorded cases"),
        ("1\n1 failed, 43 passed in 9.1s", ""),
        ("2\nERROR tests", ""),
    ],
    ids=["one skipped", "one failed", "not collected"],
)
def test_a_powershell_that_ran_less_than_all_cases_fails(
    quick: Platform, last: str, message: str
) -> None:
    (quick.folder / "pytest.txt").write_text(last)
    ran = ci(quick)
    assert ran.results["powershell"] == "failure"
    assert message in ran.printed


def test_cases_that_were_deselected_are_not_skipped(quick: Platform) -> None:
    (quick.folder / "pytest.txt").write_text("0\n44 passed, 2900 deselected in 9.1s")
    assert ci(quick).results["powershell"] == "success"


@pytest.mark.parametrize("step", ["build", "validate", "--entrypoint"])
def test_a_container_that_fails_at_anything_fails(quick: Platform, step: str) -> None:
    write_tool(quick.folder / "tools" / "docker", f'case "$*" in *{step}*) exit 1 ;; esac')
    assert ci(quick).results["container"] == "failure"


def test_what_cannot_plan_on_a_system_fails(quick: Platform) -> None:
    ran = ci(quick)
    assert ran.results["systems"] == "failure"
    assert "ended with 1, not 0" in ran.printed


def test_without_the_pinned_file_nothing_is_installed(quick: Platform) -> None:
    shutil.rmtree(quick.checkout / ".github")
    assert ci(quick).results["systems"] == "failure"


def test_checks_that_fail_fail(quick: Platform) -> None:
    write_tool(quick.checkout / ".ci" / "run", "exit 3")
    assert ci(quick).results["checks"] == "failure"


def test_the_checkout_of_these_tests_is_this_repository(quick: Platform) -> None:
    assert (quick.checkout / "reconciler").resolve() == ROOT / "reconciler"
