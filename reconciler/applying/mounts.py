"""Whether a directory lies on a file system that machines share over a network.

Locks of files there are as good as the server and its options; a warning says so.
"""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from pathlib import Path

from reconciler.files import real_path

_MOUNTS = Path("/proc/self/mountinfo")
_NETWORK = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afs", "ncpfs", "9p", "virtiofs"),
        *("ceph", "glusterfs", "lustre", "gpfs", "beegfs", "gfs2", "ocfs2", "vboxsf", "prl_fs"),
    }
)
_NETWORK_FUSE = frozenset(
    {"sshfs", "glusterfs", "s3fs", "rclone", "davfs", "gcsfuse", "blobfuse", "cephfs", "smbnetfs"}
)
"""What follows `fuse.` for those that reach over a network."""
_ESCAPED = re.compile(r"\\([0-7]{3})")


def network_type(directory: Path) -> str:
    """The type of the network file system that holds a directory; empty if it is local, or if the
    system does not tell (macOS, Windows).
    """
    if sys.platform != "linux":  # pragma: no cover  the other systems
        return ""
    with suppress(OSError):
        return network_type_in(
            _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape"), real_path(directory)
        )
    return ""


def network_type_in(mountinfo: str, directory: Path) -> str:
    """The same from the text of `/proc/self/mountinfo`; proc_pid_mountinfo(5).

    Args:
        mountinfo: One mount a line, the fifth field where it is, after ` - ` its type.
        directory: Absolute, without links.
    """
    file_system, depth = "", -1
    for line in mountinfo.splitlines():
        fields, _, source = line.partition(" - ")
        point = Path(_ESCAPED.sub(lambda match: chr(int(match[1], 8)), fields.split(" ")[4]))
        # Of two mounts on one point the later one is seen.
        if directory.is_relative_to(point) and len(point.parts) >= depth:
            file_system, depth = source.split(" ")[0], len(point.parts)
    kind, _, program = file_system.partition(".")
    return (
        file_system
        if file_system in _NETWORK or (kind == "fuse" and program in _NETWORK_FUSE)
        else ""
    )
