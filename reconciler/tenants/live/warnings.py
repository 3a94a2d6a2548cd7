"""What a warning, or the size of an answer, says about a reading being all there is (law 1).

Warnings come in whatever language a service likes, so none is understood by being unlike a known
one: what is not known to be harmless makes the reading incomplete, unless somebody consents.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.powershell.session import Answer
    from reconciler.tenants.live.questions import TenantQuestion

HARMLESS: Final[frozenset[tuple[str, str]]] = frozenset()
"""Cmdlet and whole text of warnings that say nothing about what was read.

None of a cmdlet that is asked here is on public record; whoever meets one on a real tenant, and
knows that the reading was whole, adds it.
"""

_TRUNCATED: Final = (
    "resultsize",
    "more results",
    "more objects",
    "results are available",
    "truncat",
    "nextlink",
    "skiptoken",
    "partial result",
    "not all results",
    "incomplete",
    "only the first",
)
"""Parts of a warning, in lower case, that tell of a list that was cut. The first is the name of a
parameter, which no language translates (Exchange: "There are more results available than are
currently displayed. To view them, increase the value for the ResultSize parameter.").
"""
_PAGE: Final = 100
"""Services cut lists at multiples of this, or just below 1,000."""
_LONGEST: Final = 10
"""Digits; no count of objects has so many."""
_NUMBER: Final = re.compile(r"[0-9]++(?:[.,' \u00a0\u202f][0-9]{3}(?![0-9]))*+")


def sign_of_truncation(question: TenantQuestion, answer: Answer) -> str | None:
    """Why the list of objects is likely cut, in words; None where nothing says so.

    A list that is as long as it may be is a sign by itself; one that is as long as a page only
    beside a warning.
    """
    count = len(answer.objects)
    if question.most is not None and count >= question.most:
        return f"returned {count} objects, which is as many as one call returns at most"
    for error in answer.swallowed:
        if any(sign in error.message.casefold() for sign in _TRUNCATED):
            return f"returned {count} objects, but the module suppressed that there are more"
    for text in answer.warnings:
        if (question.cmdlet, text) in HARMLESS:
            continue
        if any(sign in text.casefold() for sign in _TRUNCATED):
            return f"returned {count} objects and warned that there are more"
        if count >= _PAGE and (_is_page(count) or count in _numbers(text)):
            return (
                f"returned {count} objects, the length of a page, and a warning that is not"
                " understood"
            )
    return None


def doubtful(question: TenantQuestion, warnings: Iterable[str]) -> tuple[str, ...]:
    """The warnings that are not known to be harmless, each once, in order."""
    return tuple(
        dict.fromkeys(text for text in warnings if (question.cmdlet, text) not in HARMLESS)
    )


def _is_page(count: int) -> bool:
    return count % _PAGE == 0 or count == 10 * _PAGE - 1


def _numbers(text: str) -> frozenset[int]:
    """The whole numbers in a text, however their thousands are set apart."""
    numbers = ("".join(filter(str.isdigit, match)) for match in _NUMBER.findall(text))
    return frozenset(int(digits) for digits in numbers if len(digits) < _LONGEST)
