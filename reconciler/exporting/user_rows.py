"""Rows of users as the file of a list has them: lines of text, or columns under a header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.documents.csv_columns import Columns, columns_of
from reconciler.exporting.teams import user_label
from reconciler.exporting.texts import cell, comment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.observed import Directory


def commented(user: str, directory: Directory) -> str:
    """A user in a list of lines, with the label behind it."""
    label = comment(user_label(directory, user))
    return f"{user}   # {label}" if label else user


def rows_of_users(
    file: str, text: str, users: Iterable[str], directory: Directory
) -> list[str] | None:
    """Rows for users at the end of a file of users; None if its header is not understood.

    Args:
        file: its name.
        text: what it holds.
        users: object ids.
        directory: labels and principal names.
    """
    if not file.endswith(".csv"):
        return [commented(user, directory) for user in users]
    lines = (line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n"))
    columns = columns_of(next((line for line in lines if line.strip()), ""))
    if not isinstance(columns, Columns):
        return None
    return [_row(user, columns, directory) for user in users]


def _row(user: str, columns: Columns, directory: Directory) -> str:
    values = [""] * columns.width
    if columns.label is not None:
        values[columns.label] = cell(user_label(directory, user))
    values[columns.index] = _spelled(user, columns, directory)
    return columns.separator.join(values)


def _spelled(user: str, columns: Columns, directory: Directory) -> str:
    """A user as a column has users: by principal name where that leads to this user."""
    row = directory.users.get(user)
    if columns.takes_ids or row is None or not row.upn:
        return user
    return row.upn if directory.users_by_upn.get(row.upn.lower()) == user else user
