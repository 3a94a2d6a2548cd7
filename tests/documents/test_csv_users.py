"""CSV files of users from where people have them: Excel, the Entra portal, PowerShell."""

from __future__ import annotations

import codecs
import csv
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.documents import rules
from reconciler.documents.csv_columns import Columns, columns_of, place_of_value, values_of
from reconciler.model.findings import Severity
from tests.documents.test_properties import examined
from tests.thoroughness import samples

if TYPE_CHECKING:
    from collections.abc import Sequence

POLICY = (
    b"apiVersion: reconciler/v1\nkind: TeamsApplicationAccessPolicy\nmetadata: {name: Hosts}\n"
    b"spec: {grants: {usersFrom: hosts.csv}}\n"
)
ID = "748d2cbb-3b55-40ed-8c34-2eae5932b22a"
UPN = "megan@contoso.com"


def listed(raw: bytes) -> tuple[str, ...]:
    """The users that a file lists; it must have no fault."""
    found = examined({"a.yaml": POLICY, "hosts.csv": raw})
    assert [str(each) for each in found.findings if each.severity is Severity.ERROR] == []
    (policy,) = found.documents.teams
    assert policy.users is not None
    return policy.users[0].texts


@pytest.mark.parametrize(
    "header",
    [
        *("user", "User", "Id", "ID", "ObjectId", "objectid", "Object Id", '"Id"', " Id "),
        *("UserPrincipalName", "userPrincipalName", "User principal name", "UPN", "upn", "mail"),
        *("Mail", "E-Mail", "ExternalDirectoryObjectId"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_column_is_known_by_its_name_in_any_case(header: str, end: str) -> None:
    assert listed(f"{header}{end}{UPN}{end}".encode()) == (UPN,)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("header", "row"),
    [
        (["user", "label"], [UPN, "Bowen, Megan; \t of sales"]),
        (["label", "user"], ['"Megan"', UPN]),
        (["DisplayName", "mail", "UserPrincipalName"], ["Megan", "m@x.de", UPN]),
    ],
)
def test_separators(separator: str, header: list[str], row: list[str]) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows([header, row])
    assert listed(out.getvalue().encode()) == (UPN,)


@pytest.mark.parametrize(
    "encoded",
    [
        codecs.BOM_UTF8 + b"Id\r\n%b\r\n" % ID.encode(),
        f"Id\tName\r\n{ID}\tZo\u00eb\r\n".encode("utf-16"),
        codecs.BOM_UTF16_BE + f"Id;Name\r\n{ID};Zo\u00eb\r\n".encode("utf-16-be"),
    ],
)
def test_encodings_of_excel(encoded: bytes) -> None:
    assert listed(encoded) == (ID,)


def test_utf_16_without_a_mark_is_refused() -> None:
    raw = f"Id\r\n{ID}\r\n".encode("utf-16-le")
    assert examined({"a.yaml": POLICY, "hosts.csv": raw}).documents.teams == ()


def test_the_surest_column_counts() -> None:
    assert listed(f"mail,UPN,Id\nm@x.de,{UPN},{ID}\n".encode()) == (ID,)
    assert listed(f"mail,UPN,user\nm@x.de,n@x.de,{UPN}\n".encode()) == (UPN,)
    assert listed(f"mail,UPN\nm@x.de,{UPN}\n".encode()) == (UPN,)


def test_blank_rows_are_skipped_and_blanks_trimmed() -> None:
    raw = f"\r\n  \r\nId ; Name\r\n;\r\n  {ID}\t; Megan\r\n ; \r\n\r\n"
    assert listed(raw.encode()) == (ID,)


def test_a_row_that_names_nobody_is_a_fault() -> None:
    found = examined({"a.yaml": POLICY, "hosts.csv": f"Id;Name\n{ID};Megan\n;Nestor\n".encode()})
    (finding,) = found.findings
    assert (finding.rule, finding.position.line) == (rules.USERS_FROM_LINE.id, 3)


_CELL = st.text(alphabet='ab @.;,\t"é', max_size=6)


@settings(max_examples=samples(200))
@given(
    st.lists(st.sampled_from(["Id", "mail", "Name", "x,y", 'q"', ""]), min_size=1, max_size=4),
    st.lists(st.lists(_CELL, min_size=4, max_size=4), max_size=4),
    st.sampled_from([",", ";", "\t"]),
)
def test_values_and_their_places_are_those_of_the_csv_module(
    header: list[str], rows: Sequence[list[str]], separator: str
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerows([header, *(row[: len(header)] for row in rows)])
    first, *lines = out.getvalue().removesuffix("\n").split("\n")
    for line, row in zip(lines, rows, strict=True):
        wanted = row[: len(header)]
        assert values_of(line, separator) == (wanted if line else [""])
        for index, value in enumerate(wanted if line else ()):
            cell = line[place_of_value(line, separator, index) - 1 :]
            assert cell.startswith((value, f'"{value.replace(chr(34), chr(34) * 2)}"'))
    columns = columns_of(first)
    if isinstance(columns, Columns):
        assert columns.name in {"Id", "mail"}
