"""The rules that the matrix names, compared with the evaluators of whole tenants."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from reconciler.audiences.verdicts import Denied, Granted
from reconciler.captures.reading import load_capture
from reconciler.documents import examine_documents
from reconciler.errors import ReconcilerError
from reconciler.kinds.products import PRODUCTS
from reconciler.model.addresses import ExchangePolicyAddress, TeamsPolicyAddress, parse_address
from reconciler.planning import outcomes
from reconciler.planning.making import PlanOptions, make_plan
from reconciler.reports.review.matrix import access_matrix
from reconciler.reports.review.naming import readable
from reconciler.reports.review.value import Name
from tests.kinds.golden_folders import FOLDERS, folder_id
from tests.reports import samples
from tests.reports.samples import change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from reconciler.audiences.verdicts import Answer
    from reconciler.model.addresses import Provider
    from reconciler.reports.review.matrix import Cell, Outlook
    from reconciler.reports.review.value import Phrase

REACHED: Mapping[Outlook, tuple[bool, bool]] = {
    "gained": (False, True),
    "lost": (True, False),
    "kept": (True, True),
}
SEVERAL = "a group's policy or Global"
LEAST = 60
"""Cells of single people that the folders are known to have; none at all would test nothing."""


class Judged(NamedTuple):
    """What a cell says of one moment, and what the evaluator does."""

    where: str
    reached: bool
    rule: Phrase
    answer: Answer


def _judged(folder: Path) -> Iterator[Judged]:
    documents = examine_documents([folder / "policies"]).documents
    needs: frozenset[Provider] = frozenset()
    observed = load_capture(folder / "capture.json", tenant_id=None, needs=needs)
    plan = make_plan(documents, observed, PlanOptions())
    after, _ = outcomes.after_documents(documents, observed)
    judges: dict[Provider, tuple[Callable[[str, str], tuple[str, Answer]], ...]] = {
        name: (
            PRODUCTS[name].judge(state, observed.directory),
            PRODUCTS[name].judge(after.states[name], observed.directory),
        )
        for name, state in observed.states.items()
    }
    for matrix in access_matrix(plan):
        for person, application, cell in _people(matrix):
            for reached, rule, judge in zip(
                REACHED[cell.outlook],
                (cell.before, cell.after),
                judges[matrix.provider],
                strict=True,
            ):
                _, answer = judge(application, person)
                where = f"{folder_id(folder)}: {application} {person} {cell.outlook}"
                yield Judged(where, reached, rule, answer)


def _people(matrix: object) -> Iterator[tuple[str, str, Cell]]:
    for row in matrix.rows:
        if row.kind.value not in ("user", "mailbox"):
            continue
        for column, cells in zip(matrix.columns, row.cells, strict=True):
            for cell in cells:
                if cell.certainty.value == "certain" and cell.outlook in REACHED:
                    yield from (
                        (person.id, application.id, cell)
                        for person in row.names
                        for application in column
                    )


def _names(phrase: Phrase) -> set[str]:
    names = [piece for piece in phrase if isinstance(piece, Name)]
    return {(name.id or name.text).lower() for name in names}


def _says(rule: Phrase, answer: Granted | Denied) -> bool:
    """Whether a rule names the object that decides."""
    text = "".join(piece for piece in rule if isinstance(piece, str))
    match parse_address(answer.decided_by):
        case TeamsPolicyAddress(name):
            told = name.lower() == "global" and "Global" in text
            return text == SEVERAL or told or readable(name).lower() in _names(rule)
        case ExchangePolicyAddress(_, scope):
            return scope in _names(rule)
        case _:  # the application as a whole: it is restricted to others, or not restricted
            restricted = any(reason.asked.value == "restricted" for reason in answer.path)
            return text.startswith("no ") or (restricted and "Restrict" in text)


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    rows = []
    for folder in FOLDERS:
        try:
            rows += _judged(folder)
        except ReconcilerError:
            continue
    return rows


def test_a_cell_says_what_the_evaluator_says(judged: list[Judged]) -> None:
    assert len(judged) > LEAST
    wrong = [
        row.where
        for row in judged
        if (isinstance(row.answer, Granted) and not row.reached)
        or (isinstance(row.answer, Denied) and row.reached)
    ]
    assert wrong == []


def test_the_object_that_decides_is_named_in_the_rule(judged: list[Judged]) -> None:
    decided = [row for row in judged if isinstance(row.answer, (Granted, Denied))]
    assert len(decided) > LEAST
    silent = [
        f"{row.where}: {row.rule} {row.answer.decided_by}"
        for row in decided
        if not _says(row.rule, row.answer)
    ]
    assert silent == []


def _row(application: str, person: str) -> dict[str, object]:
    subject = {"kind": "user", "id": person}
    return {
        "application": application,
        "certainty": "certain",
        "provider": "teams",
        "subject": subject,
    }


def test_people_for_whom_the_same_becomes_of_everything_are_one_row(tmp_path: Path) -> None:
    people = [f"person-{number}" for number in range(50)]
    rows = [_row(application, person) for application in ("a", "b") for person in people]
    odd = _row("b", "somebody-else")
    case = {
        "access": {"gained": [*rows, odd], "lost": [], "tenant_wide": []},
        "changes": [
            change(f"teams.grant/user:{person}", "create", after={"policy": "P"})
            for person in people
        ],
    }
    (matrix,) = access_matrix(samples.plan(tmp_path, case))
    assert [len(row.names) for row in matrix.rows] == [50, 1]
    assert [[name.id for name in column] for column in matrix.columns] == [["a"], ["b"]]
    alike = {**case, "access": {"gained": rows, "lost": [], "tenant_wide": []}}
    (matrix,) = access_matrix(samples.plan(tmp_path, alike))
    assert [[name.id for name in column] for column in matrix.columns] == [["a", "b"]]


def test_a_plan_without_computed_access_has_no_matrix(tmp_path: Path) -> None:
    assert access_matrix(samples.plan(tmp_path, {})) == ()
