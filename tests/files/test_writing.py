"""Files are replaced whole or not at all; what is no file is never replaced."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reconciler.files import sweep, sync_directory, write_atomically


def test_a_file_is_replaced_whole_and_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_atomically(path, [b"new", b" content"])
    assert path.read_bytes() == b"new content"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_permissions_that_the_process_gives(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", [b"x"])
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


def test_a_failure_on_the_way_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(b"old")

    def breaking():
        yield b"half"
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, breaking())
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named_not_the_temporary_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(tmp_path / "none" / "plan.json", [b"x"])
    assert caught.value.filename == str(tmp_path / "none" / "plan.json")


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write_atomically(link, [b"new"])
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_atomically(pipe, [b"a", b"b"])
    reader.join(10)
    assert read == [b"ab"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_the_null_device_is_written_into() -> None:
    write_atomically(Path(os.devnull), [b"x"])
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


@pytest.mark.parametrize("redirected", [False, True])
def test_standard_output_by_its_name_is_written_into(tmp_path: Path, *, redirected: bool) -> None:
    code = (
        "from pathlib import Path; from reconciler.files import sweep, sync_directory,"
        " write_atomically; write_atomically(Path('/dev/stdout'), [b'ab'])"
    )
    with (tmp_path / "out").open("wb") as file:
        ran = subprocess.run(
            [sys.executable, "-c", code], stdout=file if redirected else subprocess.PIPE, check=True
        )
    assert (ran.stdout, (tmp_path / "out").read_bytes()) == (
        (None, b"ab") if redirected else (b"ab", b"")
    )
    assert Path("/dev/stdout").is_symlink()


def test_what_killed_writers_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    old = [
        ".capture.json.ab12_xyz.tmp",
        ".capture.json.log.ab12_xyz.tmp",
        ".other.json.ab12_xyz.tmp",
        "capture.json.ab12_xyz.tmp",
        ".capture.json.tmp",
    ]
    young = ".capture.json.ab12_new.tmp"
    for name in (*old, young):
        (tmp_path / name).write_bytes(b"half")
    for name in old:
        os.utime(tmp_path / name, (0, 0))
    sweep(tmp_path / "capture.json")
    assert sorted(found.name for found in tmp_path.iterdir()) == sorted({*old, young} - {old[0]})
    sweep(tmp_path / "nowhere" / "capture.json")


def test_a_private_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    write_atomically(tmp_path / "new", [b"x"], private=True)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


def test_a_system_that_cannot_open_folders_is_no_fault(tmp_path: Path) -> None:
    sync_directory(tmp_path / "nowhere")
    assert not list(tmp_path.iterdir())


def test_what_was_left_beside_the_file_that_a_link_leads_to_is_swept(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    left = tmp_path / "real" / ".tenant.json.ab12_xyz.tmp"
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    (tmp_path / "link.json").symlink_to(tmp_path / "real" / "tenant.json")
    sweep(tmp_path / "link.json")
    assert not left.exists()
