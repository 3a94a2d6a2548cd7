"""The workflow that publishes a tag: built once, tried, published as it was tried; and what stops it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from reconciler import __version__
from tests.workflows.running import run_blocks

if TYPE_CHECKING:
    from tests.workflows.running import Platform, Ran

WORKFLOW = "release.yml"
TAG = f"v{__version__}"
HOME = "OWNER/m365-access-reconciler"
BUILT = ("m365_access_reconciler-0-py3-none-any.whl", "m365_access_reconciler-0.tar.gz")
ORDER = ("build", "smoke", "provenance", "publish", "announce")


def release(own: Platform, tag: str = TAG, repository: str = HOME) -> Ran:
    """Publish a tag; the jobs after the first have a checkout in which nothing is built."""
    own.before["smoke"] = lambda: shutil.rmtree(own.checkout / "dist")
    event = {"event_name": "push", "ref_name": tag, "repository": repository}
    return own.run(WORKFLOW, event, {})


def asked(own: Platform) -> str:
    file = own.folder / "tools.txt"
    return file.read_text() if file.exists() else ""


def made_ready(own: Platform) -> Platform:
    """A repository in which what is new stands under the version."""
    changes = own.checkout / ".github" / "CHANGELOG.md"
    text = changes.read_text(encoding="utf-8")
    changes.write_text(text.replace("## Unreleased", f"## {__version__}", 1), encoding="utf-8")
    return own


@pytest.fixture
def ready(own: Platform) -> Platform:
    return made_ready(own)


def test_a_tag_that_fits_is_built_tried_and_released(ready: Platform) -> None:
    ran = release(ready)
    assert ran.results == dict.fromkeys(ORDER, "success"), ran.printed
    assert ran.blocks == run_blocks(WORKFLOW)
    assert "\n$ reconciler apply plan.json --auto-approve --tenant sim:tenant.json\n" in ran.printed
    (made,) = ready.state["releases"]
    assert made["tag"] == TAG
    assert made["options"] == {
        "--repo": HOME,
        "--verify-tag": True,
        "--title": TAG,
        "--notes": "See .github/CHANGELOG.md",
    }
    assert made["files"] == sorted(f"assets/{name}" for name in (*BUILT, "sbom.cdx.json"))
    lines = asked(ready).splitlines()
    assert f"python -m pip install -q --no-deps --no-index dist/{BUILT[0]}" in lines
    (listed,) = (line for line in lines if "cyclonedx-py" in line)
    assert " requirements .github/requirements.txt --pyproject pyproject.toml" in listed


@pytest.mark.parametrize(
    ("tag", "repository", "message"),
    [
        ("v9.9.9", HOME, "::error::the tag is v9.9.9"),
        (TAG, "contoso/fork", "not below https://github.com/contoso/fork"),
    ],
)
def test_a_tag_that_does_not_fit_is_not_built(
    ready: Platform, tag: str, repository: str, message: str
) -> None:
    ran = release(ready, tag, repository)
    assert message in ran.printed
    assert_stopped_at(ran, "build")
    assert ready.state["releases"] == []
    assert "pip" not in asked(ready)


def test_what_is_new_has_to_be_written_down(own: Platform) -> None:
    ran = release(own)
    assert "has no heading" in ran.printed
    assert_stopped_at(ran, "build")


def assert_stopped_at(ran: Ran, job: str) -> None:
    place = ORDER.index(job)
    assert ran.results[job] == "failure"
    assert {ran.results[name] for name in ORDER[place + 1 :]} <= {"skipped"}


def test_what_twine_refuses_is_not_tried(ready: Platform) -> None:
    (ready.folder / "twine.txt").touch()
    assert_stopped_at(release(ready), "build")


def test_a_wheel_that_cannot_plan_is_not_published(ready: Platform) -> None:
    tool = ready.folder / "tools" / "reconciler"
    tool.write_text("#!/bin/sh\nexit 1\n")
    assert_stopped_at(release(ready), "smoke")
    assert ready.state["releases"] == []
