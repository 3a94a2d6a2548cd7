"""Gaps and reliances count steps within their product; a plan counts them over all products."""

from __future__ import annotations

from reconciler.kinds.ordering.orders import Gap, Ordered, Pairs, Reliance
from reconciler.model.access_rows import Certainty, GapRow, GapSubject, SubjectKind, SubjectPart
from reconciler.model.addresses import Address
from reconciler.model.plans import Invocation, StepDraft
from reconciler.planning import interim_access


def ordered(*names):
    """Steps of which the second relies on the first and leaves a gap."""
    drafts = tuple(
        StepDraft(
            Address(f"teams.policy/{name}"), Invocation("Set-CsApplicationAccessPolicy", {}), ""
        )
        for name in names
    )
    pairs = Pairs(names[0], GapSubject(SubjectKind.EVERYONE), certain=True, steps=(2,))
    return Ordered(drafts, (Gap(pairs, "too-large", proved=False),), (), (Reliance(2, 1),))


PRODUCTS = (ordered("a", "b", "c"), ordered("d", "e"))


def test_gaps_of_a_later_product_are_at_the_steps_of_the_plan():
    rows, within = interim_access.gaps(PRODUCTS)
    assert [(row.application, row.steps) for row in rows] == [("a", (2,)), ("d", (5,))]
    assert within == {2: (0,), 5: (1,)}


def test_reliances_of_a_later_product_name_the_steps_of_the_plan():
    notes = list(interim_access.reliance_warnings(PRODUCTS))
    assert [(note.address, dict(note.details)) for note in notes] == [
        ("teams.policy/b", {"on": 1, "step": 2}),
        ("teams.policy/e", {"on": 4, "step": 5}),
    ]


def test_a_gap_mentions_its_application_and_everybody_in_its_subject():
    subject = GapSubject(
        SubjectKind.GROUP_MEMBERS, "g", ("h",), (SubjectPart(SubjectKind.USER, "u"),)
    )
    row = GapRow("a", Certainty.CERTAIN, proved=True, reason="", steps=(1,), subject=subject)
    assert list(interim_access.ids([row])) == ["a", "g", "h", "u"]
