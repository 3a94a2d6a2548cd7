"""The rooms of the package and the arrows between them; `python -m tests.house.rooms` draws them as
a Mermaid flowchart.
"""

from __future__ import annotations

from functools import cache

from reconciler.model.addresses import PROVIDERS
from tests.house.tree import imports, modules, name_of

# A module may import from rooms above its own line, and from its own room. Rooms of one line know
# nothing of each other.
ROOMS = (
    ("canonical", "characters", "file_kinds", "files", "guids"),
    ("model",),
    ("errors",),
    tuple(f"kinds.{name}.facts" for name in PROVIDERS),
    ("kinds.facts",),
    ("processes",),
    ("powershell", "git"),
    ("documents",),
    ("audiences",),
    ("kinds",),
    tuple(f"kinds.{name}" for name in PROVIDERS),
    ("kinds.products",),
    ("captures",),
    ("access",),
    ("planning",),
    ("exporting",),
    ("tenants",),
    ("applying",),
    ("diagnosing",),
    ("reports",),
    ("cli",),
    ("__main__",),
)
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}


def room_of(name: str) -> str:
    """The room of a dotted name: the longest known prefix."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        if ".".join(parts[:length]) in LEVEL:
            return ".".join(parts[:length])
    return ""


@cache
def arrows() -> frozenset[tuple[str, str]]:
    """Pairs of a room and another one that some module of it imports, for type checking too."""
    pairs = {
        (room_of(name_of(path)), room_of(imported.removeprefix("reconciler.")))
        for path in modules()
        for imported, _ in imports(path)
        if imported.startswith("reconciler.")
    }
    return frozenset((own, other) for own, other in pairs if own and other and own != other)


def drawing() -> str:
    """The rooms as a Mermaid flowchart."""
    lines = [f"    {own} --> {other}" for own, other in sorted(arrows())]
    return "\n".join(("flowchart TD", *lines))


if __name__ == "__main__":
    print(drawing())
