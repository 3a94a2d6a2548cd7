"""Which machine, which start of it and which namespace of processes a process belongs to.

A state directory may be shared: by containers of one machine, or by machines over a network. A
process id says something only to those who count processes together.
"""

from __future__ import annotations

import os
import socket
from enum import Enum, auto
from pathlib import Path

from msgspec import Struct

from reconciler.applying import processes

_NAMESPACE = Path("/proc/self/ns/pid")
"""Leads to the process namespace's name, `pid:[NUMBER]`; pid_namespaces(7)."""


class Nearness(Enum):
    """How near a process that left a record is to this one."""

    HERE = auto()
    """Same start of the same machine, same namespace: its id can be looked up."""
    BEFORE_REBOOT = auto()
    """Same machine, which was restarted since: it has ended."""
    OTHER_NAMESPACE = auto()
    """Same start of the same machine, another container: it may run, and cannot be seen."""
    OTHER_HOST = auto()
    """Another machine: it may run, and cannot be seen."""


class ProcessIdentity(Struct, frozen=True):
    """A process and where it runs.

    Attributes:
        host: The machine's name, for people.
        boot: The id of the machine's start; empty where the system does not tell.
        namespace: The namespace that counts the process; empty where there are none.
        pid: Its id.
        started: When it started, as `processes.started` gives it; it begins with the boot.
    """

    host: str
    pid: int
    started: str = ""
    namespace: str = ""

    @property
    def boot(self) -> str:
        """The id of the machine's start; empty where the system does not tell."""
        return self.started.partition(":")[0]


def own() -> ProcessIdentity:
    """This process."""
    pid = os.getpid()
    return ProcessIdentity(socket.gethostname(), pid, processes.started(pid), _namespace())


def nearness(other: ProcessIdentity, here: ProcessIdentity) -> Nearness:
    """How near a process that left a record is to this one.

    The boot decides: containers of one machine have names of their own and share its kernel.
    """
    if other.boot and other.boot == here.boot:
        same = not other.namespace or other.namespace == here.namespace
        return Nearness.HERE if same else Nearness.OTHER_NAMESPACE
    if other.host != here.host:
        return Nearness.OTHER_HOST
    return Nearness.BEFORE_REBOOT if other.boot and here.boot else Nearness.HERE


def _namespace() -> str:
    try:
        return str(_NAMESPACE.readlink())
    except OSError:
        return ""
