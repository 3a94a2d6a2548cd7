"""Which files a PATH stands for."""

import os
from pathlib import Path

import pytest

from reconciler.documents import examine_documents
from reconciler.documents.file_trees import DISK
from reconciler.documents.input_files import walk
from reconciler.errors import UsageFault
from reconciler.model.findings import Finding, Position, Severity

DOCUMENT = (
    "apiVersion: reconciler/v1\nkind: Application\nmetadata: {name: NAME}\nspec: {appId:"
    " ddb80e06-92f3-4978-bc22-a0eee85e6a9e}\n"
)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in [
        "p/b.yml",
        "p/a.yaml",
        "p/sub/c.yaml",
        "p/.hidden.yaml",
        "p/.git/d.yaml",
        "p/e.json",
        "p/f.yaml.bak",
        "q/g.yaml",
    ]:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("# nothing\n")
    return tmp_path


def names(*paths: str) -> list[str]:
    return [file.as_posix() for file in walk([Path(path) for path in paths]).files]


@pytest.mark.usefixtures("tree")
def test_yaml_files_below_a_folder_in_one_order():
    assert names("p") == ["p/a.yaml", "p/b.yml", "p/sub/c.yaml"]
    assert names("q", "p") == names("p", "q") == [*names("p"), "q/g.yaml"]


@pytest.mark.usefixtures("tree")
def test_a_file_counts_whatever_its_name():
    assert names("p/e.json") == ["p/e.json"]


@pytest.mark.usefixtures("tree")
def test_a_file_given_twice_is_read_once():
    assert names("p", "p/a.yaml", "p/sub") == names("p")


def test_links_are_followed_once_and_circles_end(tree: Path):
    (tree / "p/again.yaml").symlink_to("a.yaml")
    (tree / "p/sub/up").symlink_to("..")
    (tree / "p/twin").symlink_to("sub")
    assert names("p") == ["p/a.yaml", "p/b.yml", "p/sub/c.yaml"]


def test_a_path_that_is_a_link_is_inside_itself(tree: Path):
    (tree / "link").symlink_to("p")
    assert names("link") == ["link/a.yaml", "link/b.yml", "link/sub/c.yaml"]


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("paths", [["nowhere"], ["p", "nowhere"], ["p/.git/nothing.yaml"]])
def test_a_path_that_does_not_exist_is_a_usage_fault(paths: list[str]):
    with pytest.raises(UsageFault, match="does not exist"):
        examine_documents([Path(path) for path in paths])


@pytest.mark.usefixtures("tree")
def test_paths_without_documents_are_a_usage_fault():
    Path("empty").mkdir()
    with pytest.raises(UsageFault, match=r"no .* file found at or below empty"):
        examine_documents([Path("empty")])
    with pytest.raises(UsageFault, match="no PATH"):
        examine_documents([])


@pytest.mark.usefixtures("tree")
def test_a_folder_that_cannot_be_read_is_a_finding(monkeypatch: pytest.MonkeyPatch):
    def refuse(path: Path) -> list[str]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(
        "os.listdir", refuse
    )  # root may read everything, so rights alone would not do
    (finding,) = examine_documents([Path("p")]).findings
    assert (finding.rule, finding.position.file) == ("file.unreadable", "p")


def _errors(path: Path) -> list[Finding]:
    findings = examine_documents([path]).findings
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def test_what_might_be_a_folder_and_cannot_be_looked_at_is_a_finding(tree: Path):
    # A name that no system takes: as root too it cannot be looked at, like what lies in a folder
    # that may be listed and not entered.
    (tree / "p/more").symlink_to("x" * 300)
    (tree / "p/nowhere").symlink_to("gone")
    (tree / "p/round").symlink_to("round")
    (tree / "p/strange.yaml").symlink_to("x" * 300)
    findings = _errors(Path("p"))
    assert [(finding.rule, finding.position.file) for finding in findings] == [
        ("file.unreadable", "p/more"),
        ("file.unreadable", "p/strange.yaml"),
    ]
    assert findings[0].message.startswith("cannot tell whether this is a folder: ")


@pytest.mark.usefixtures("tree")
@pytest.mark.parametrize("path", ["p", "p/pipe.yaml"])
def test_a_pipe_is_a_finding_and_is_not_waited_for(path: str):
    os.mkfifo("p/pipe.yaml")
    (finding,) = _errors(Path(path))
    assert (finding.rule, finding.position) == ("file.unreadable", Position("p/pipe.yaml", 1, 1))
    assert finding.message.startswith("not a regular file but a pipe, socket or device")


def test_a_device_is_a_finding():
    (finding,) = examine_documents([Path("/dev/zero")]).findings
    assert (finding.rule, finding.position) == ("file.unreadable", Position("/dev/zero", 1, 1))


def test_users_from_may_lie_in_the_folder_of_a_path_that_is_a_file(tree: Path):
    policy = (
        "apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\nmetadata: {name:"
        " Hosts}\nspec: {grants: {usersFrom: hosts.txt}}\n"
    )
    (tree / "p/a.yaml").write_text(policy)
    (tree / "p/hosts.txt").write_text("megan@contoso.com # a host\n")
    examined = examine_documents([Path("p/a.yaml")])
    assert not examined.findings
    (policy,) = examined.documents.teams
    assert [listing.texts for listing in policy.users] == [("megan@contoso.com",)]


POLICY = (
    "apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\nmetadata: {name: Hosts}\nspec:"
    " {grants: {usersFrom: FILE}}\n"
)


@pytest.mark.usefixtures("tree")
def test_a_list_file_with_an_impossible_name_is_a_finding():
    Path("p/a.yaml").write_text(POLICY.replace("FILE", "x" * 300 + ".csv"))
    (finding,) = _errors(Path("p"))
    assert finding.rule == "users-from.missing"


@pytest.mark.usefixtures("tree")
def test_a_list_file_that_may_not_be_read_is_a_finding(monkeypatch: pytest.MonkeyPatch):
    Path("p/a.yaml").write_text(POLICY.replace("FILE", "hosts.csv"))
    Path("p/hosts.csv").write_text("user\nmegan@contoso.com\n")
    read = DISK.read

    def refuse(path: Path, most: int = -1) -> bytes:
        if path.suffix == ".csv":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, most)

    # root may read everything, so rights alone would not do
    monkeypatch.setattr(DISK, "read", refuse)
    (finding,) = _errors(Path("p"))
    assert (finding.rule, finding.message) == (
        "users-from.missing",
        "cannot read `hosts.csv`: Permission denied",
    )


def test_where_only_lookalikes_are_there_is_no_plan_of_nothing(tmp_path: Path):
    """Otherwise a folder whose only document has another suffix would plan to no changes."""
    (tmp_path / "a.YAML").write_text("apiVersion: reconciler/v1\n")
    with pytest.raises(UsageFault, match=r"no \*\.yaml or \*\.yml file.*a\.YAML"):
        examine_documents([tmp_path])
