"""Whom an application reaches in one state, by the rule that lets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from reconciler.model.access_rows import SubjectKind, SubjectPart
    from reconciler.model.addresses import Address, Provider


class ReachedPart(Struct, frozen=True):
    """Some of those whom an application reaches, all by one rule.

    Attributes:
        provider: The product.
        kind: People, the members of a group or scope, or everyone.
        ids: Object ids: of people each, of a group or scope its own, of everyone none.
        rule: Address of the policy, or of the application where no policy restricts it.
        known: Object ids of those who are surely reached; None: everyone.
        certain: Whether all of them are reached, as far as `excepted` goes.
        excepted: Groups and scopes whose members are not.
    """

    provider: Provider
    kind: SubjectKind
    ids: tuple[str, ...]
    rule: Address
    known: frozenset[str] | None
    certain: bool
    excepted: tuple[SubjectPart, ...] = ()
