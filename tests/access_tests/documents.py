"""Documents of access tests as text, and a folder with the sample in which a test writes its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CRM = "7a774f0c-7a6f-11e0-85ad-07fb4824019b"
BOT = "ddb80e06-92f3-4978-bc22-a0eee85e6a9e"
SIM = ("--tenant", "sim:tenant.json")


def access_test(name: str, *expected: str) -> str:
    """An AccessTest; an expectation as `APP mailbox|meetingsOf SUBJECT granted|denied`."""
    rows = []
    for one in expected:
        application, key, subject, access = one.split()
        rows.append(f"    - {{application: {application}, {key}: {subject}, access: {access}}}\n")
    return (
        f"---\napiVersion: reconciler/v1\nkind: AccessTest\nmetadata: {{name: {name}}}\nspec:\n "
        f" expect:\n{''.join(rows)}"
    )


def write(folder: Path, *expected: str, name: str = "mine") -> None:
    """Put one more test beside the sample's documents."""
    (folder / "policies" / f"{name}.yaml").write_text(
        access_test(name, *expected), encoding="utf-8"
    )


def only(folder: Path, *expected: str, name: str = "mine") -> None:
    """Put a test in the place of the sample's own."""
    for product in ("teams", "exchange"):
        (folder / "policies" / product / "tests.yaml").unlink(missing_ok=True)
    write(folder, *expected, name=name)
