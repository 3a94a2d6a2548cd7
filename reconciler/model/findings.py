"""What is wrong with a document, and where."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Severity(StrEnum):
    """An error makes the documents unusable, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Position(Struct, frozen=True, order=True):
    """A place in a file: path as it was given, line and column from 1 (columns count code points)."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Finding(Struct, frozen=True, order=True):
    """One fault: `file:line:col: $.path: message [rule-id]`; a warning has `warning: ` before its
    path.

    `path` is the JSON path inside its document.

    `subject` is `KIND/NAME` of the document it is in, as far as the file could be read:
    `--only` asks whom a fault concerns.
    """

    position: Position
    path: str
    rule: str
    message: str
    severity: Severity = Severity.ERROR
    subject: str = ""

    def __str__(self) -> str:
        marked = "warning: " if self.severity is Severity.WARNING else ""
        return f"{self.position}: {marked}{self.path}: {self.message} [{self.rule}]"
