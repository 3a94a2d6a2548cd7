"""The way to a verdict about access, as sentences: what the services' rules ask, in their order,
and what they are answered.

A code that a newer version of the tool wrote has no sentence here; then the code itself is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.audiences.verdicts import Asked, Unnamed
from reconciler.reports import values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.model.test_results import ResultPath

REASONS: Mapping[tuple[str, bool | None], str] = {
    (Asked.DIRECT_GRANT, True): "a policy is granted to the user directly",
    (Asked.DIRECT_GRANT, False): "no policy is granted to the user directly",
    (Asked.DIRECT_GRANT, None): "whether a policy is granted to the user directly is not known",
    (Asked.GROUP_GRANT, True): "the user is a direct member of the group, the first that counts",
    (Asked.GROUP_GRANT, False): "the user is no direct member of the group",
    (Asked.GROUP_GRANT, None): "whether the user is a direct member of the group is not known",
    (Asked.GLOBAL, True): "where no grant counts, Global does",
    (Asked.LISTED, True): "the policy lists the application",
    (Asked.LISTED, False): "the policy does not list the application",
    (Asked.LISTED, None): "no document says what the policy lists",
    (Asked.DENY_COVERS, True): "a DenyAccess policy covers the mailbox",
    (Asked.DENY_COVERS, False): "a DenyAccess policy does not cover the mailbox",
    (Asked.DENY_COVERS, None): "whether a DenyAccess policy covers the mailbox is not known",
    (Asked.RESTRICT_COVERS, True): "a RestrictAccess policy covers the mailbox",
    (Asked.RESTRICT_COVERS, False): "a RestrictAccess policy does not cover the mailbox",
    (
        Asked.RESTRICT_COVERS,
        None,
    ): "whether a RestrictAccess policy covers the mailbox is not known",
    (
        Asked.RESTRICTED,
        True,
    ): "the application is restricted: it reaches only what a RestrictAccess policy covers",
    (
        Asked.RESTRICTED,
        False,
    ): "the application is not restricted: it reaches what no DenyAccess policy covers",
    (
        Asked.RESTRICTED,
        None,
    ): "no document declares its policies, so the tenant may have one that denies",
}

NOBODY: Mapping[str, str] = {
    Unnamed.USER_ABSENT: "there is no such user: correct the test, or remove the expectation",
    Unnamed.USER_UNKNOWN: (
        "the reading of the tenant did not look for this user: fetch it again with these documents"
    ),
    Unnamed.MAILBOX_ABSENT: "there is no such mailbox: correct the test, or remove the expectation",
    Unnamed.MAILBOX_UNKNOWN: (
        "the reading of the tenant did not look for this mailbox: fetch it again with these"
        " documents"
    ),
    Unnamed.NOT_A_MAILBOX: (
        "this is a group or another recipient without a mailbox of its own: name one of its members"
    ),
}


def reasons(why: ResultPath, names: Mapping[str, str]) -> Iterator[str]:
    """A line for each question of a `why` as a plan file has it, with the object it is asked of; of
    a name that leads to nobody, why not.
    """
    for step in why.path:
        asked, address = step.asked, step.address
        said = REASONS.get((asked, step.holds), f"{asked}: {values.quoted(step.holds)}")
        yield f"{said}: {address}{values.of(address, names)}"
    if not why.path:
        yield from (NOBODY.get(code, str(code)) for code in why.unknown)
