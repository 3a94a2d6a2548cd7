"""One question answered for a person: the verdict, the way to it, and what would change it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.audiences.questions import Explanation
from reconciler.kinds.products import asked_product

if TYPE_CHECKING:
    from reconciler.audiences.questions import Known, Question


def explain(question: Question, knowledge: Known) -> Explanation:
    """Answer a question; what is not known makes it depend, it is never guessed."""
    product = asked_product(question.kind)
    verdict, advice = product.explain(question, knowledge, knowledge.states.get(product.provider))
    return Explanation(question, verdict, tuple(dict.fromkeys(advice)))
