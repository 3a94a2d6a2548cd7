"""What is published: the tag, the pinned files, the workflow, the container."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from reconciler import __version__
from reconciler.kinds.facts import facts
from tests.house.release import faults
from tests.house.tree import ROOT, expect_none, tracked

PINS = (".github/requirements.txt", ".github/release-requirements.txt")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)(?: ; (.+?))? \\$", re.MULTILINE)
WORKFLOWS = sorted(name for name in tracked() if name.startswith(".github/workflows/"))
RELEASE = ROOT / ".github" / "workflows" / "release.yml"
DOCKERFILE = (ROOT / ".github" / "container" / "Dockerfile").read_text(encoding="utf-8")
HOME = "https://github.com/OWNER/m365-access-reconciler"


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return project["project"]  # type: ignore[no-any-return]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a release looks at, ready for one."""
    for name in ("reconciler/__init__.py", "pyproject.toml", ".github/CHANGELOG.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    changes = tmp_path / ".github" / "CHANGELOG.md"
    text = changes.read_text(encoding="utf-8")
    changes.write_text(text.replace("## Unreleased", f"## {__version__}", 1), encoding="utf-8")
    return tmp_path


def test_a_tag_that_fits_is_published(checkout: Path) -> None:
    assert list(faults(f"v{__version__}", HOME, checkout)) == []


def test_a_tag_that_is_not_the_version_is_not(checkout: Path) -> None:
    (fault,) = faults("v9.9.9", HOME, checkout)
    assert (
        fault
        == f"the tag is v9.9.9, and reconciler/__init__.py says {__version__}: tag v{__version__}"
    )


def test_what_is_new_has_to_be_written_under_the_version(checkout: Path) -> None:
    shutil.copy(ROOT / ".github" / "CHANGELOG.md", checkout / ".github" / "CHANGELOG.md")
    (fault,) = faults(f"v{__version__}", HOME, checkout)
    assert f"no heading `## {__version__}`" in fault


def test_the_package_says_where_it_comes_from(checkout: Path) -> None:
    wrong = list(faults(f"v{__version__}", "https://github.com/contoso/fork", checkout))
    assert len(wrong) == len(_project()["urls"])
    assert all("not below https://github.com/contoso/fork" in fault for fault in wrong)


def test_the_distribution_is_not_called_as_another_tool_is() -> None:
    project = _project()
    assert project["name"] == "m365-access-reconciler"
    assert project["scripts"] == {"reconciler": "reconciler.__main__:main"}
    assert "version" in project["dynamic"]


def test_every_python_that_is_tested_is_declared() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    tested = set(jobs["checks"]["strategy"]["matrix"]["python"])
    declared = {
        name.rpartition(" ")[2]
        for name in _project()["classifiers"]
        if re.search(r":: 3\.\d+$", name)
    }
    assert tested == declared == {"3.11", "3.12", "3.13", "3.14"}


@pytest.mark.parametrize("name", PINS)
def test_a_pin_has_hashes_and_names_no_host(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"https?:|--\w*index|--find|\bfile:", text)
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text.partition("\n\n")[2] or text)
    pinned = [block for block in blocks if PIN.match(block)]
    assert len(pinned) == len(PIN.findall(text)) > 5
    expect_none([block.split()[0] for block in pinned if "--hash=sha256:" not in block])
    left = [line for line in text.splitlines() if not re.match(r"(?:#|    |\S+==\S+|$)", line)]
    expect_none(left)


def test_what_is_pinned_is_what_is_needed() -> None:
    pins = {
        name.lower().replace("_", "-"): Version(version)
        for name, version, _ in PIN.findall((ROOT / PINS[0]).read_text(encoding="utf-8"))
    }
    needed = [Requirement(text) for text in _project()["dependencies"]]
    expect_none([str(each) for each in needed if pins.get(each.name.lower()) is None])
    expect_none(
        [str(each) for each in needed if not each.specifier.contains(pins[each.name.lower()])]
    )


def test_who_publishes_does_nothing_else() -> None:
    """The job that the index trusts runs no code of ours, and no job has a secret."""
    text = RELEASE.read_text(encoding="utf-8")
    jobs = yaml.safe_load(text)["jobs"]
    assert "secrets." not in text
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert jobs["publish"]["environment"] == "release"
    assert [step["uses"].partition("@")[0] for step in jobs["publish"]["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]
    order = [jobs[name]["needs"] for name in ("smoke", "provenance", "publish", "announce")]
    assert order == ["build", "smoke", "provenance", "publish"]
    systems = jobs["smoke"]["strategy"]["matrix"]["system"]
    assert {name.partition("-")[0] for name in systems} == {"ubuntu", "windows", "macos"}


def test_workflows_have_nothing_to_complain_of() -> None:
    program = Path(sys.executable).with_name("zizmor")
    if not program.exists():
        pytest.skip("zizmor is not installed")
    command = [str(program), "--offline", "--no-progress", "--quiet", str(ROOT / ".github")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "names"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.github-actions", [".github/actions/setup/action.yml"]),
        ("vendor.dependabot", [".github/dependabot.yml"]),
    ],
)
def test_what_github_reads_fits_its_published_schema(schema: str, names: list[str]) -> None:
    """The schemas are those that check-jsonschema brings along, from SchemaStore."""
    if find_spec("check_jsonschema") is None:
        pytest.skip("check-jsonschema is not installed")
    files = [str(ROOT / name) for name in names]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# the container


def _argument(name: str) -> str:
    (value,) = re.findall(rf"^ARG {name}=(\S+)$", DOCKERFILE, re.MULTILINE)
    return str(value)


def test_the_container_has_versions_that_were_looked_at() -> None:
    for provider, name in (("teams", "TEAMS_MODULE"), ("exchange", "EXCHANGE_MODULE")):
        known = re.findall(r"\d+\.\d+\.\d+", facts(provider).versions)
        assert _argument(name) == known[-1]
        assert facts(provider).module in DOCKERFILE
    assert _argument("POWERSHELL").startswith("7.6.")


def test_the_container_is_written_as_linters_ask() -> None:
    lines = re.sub(r"\\\n", " ", DOCKERFILE).splitlines()
    steps = [line for line in lines if line and not line.startswith("#")]
    words = [line.split()[0] for line in steps]
    assert set(words) <= {
        "ARG",
        "FROM",
        "RUN",
        "COPY",
        "USER",
        "ENV",
        "WORKDIR",
        "ENTRYPOINT",
        "SHELL",
        "LABEL",
    }
    froms = [
        line.replace("${PYTHON}", _argument("PYTHON")) for line in steps if line.startswith("FROM ")
    ]
    expect_none(
        [line for line in froms if not re.search(r":\d+\.\d+\.\d+-[a-z-]+(?: AS \w+)?$", line)]
    )
    assert not any(":latest" in line for line in froms)
    users = [line.split()[1] for line in steps if line.startswith("USER ")]
    assert users
    assert users[-1].split(":")[0] not in {"root", "0"}
    assert words.index("ENTRYPOINT") == len(words) - 1
    assert steps[-1].startswith('ENTRYPOINT ["')
    runs = [line for line in steps if line.startswith("RUN ")]
    expect_none(
        [
            line
            for line in runs
            if "apt-get install" in line and "--no-install-recommends" not in line
        ]
    )
    expect_none(
        [
            line
            for line in runs
            if "apt-get install" in line and "rm -rf /var/lib/apt/lists" not in line
        ]
    )
    expect_none([line for line in runs if "pip install" in line and "--no-cache-dir" not in line])
    expect_none(
        [line for line in runs if "|" in line.replace("||", "") and "pipefail" not in DOCKERFILE]
    )
    expect_none([line for line in runs if re.search(r"\bsudo\b|curl [^|]*-k|--insecure", line)])
    assert "--require-hashes" in DOCKERFILE
