"""What is new and what goes as a Mermaid flowchart: application, policy, people and groups."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct

from reconciler.model.addresses import TEAMS_TENANT_GRANT, ExchangePolicyAddress, parse_address
from reconciler.reports.lines import counted
from reconciler.reports.markdown.inert import Inert, fence
from reconciler.reports.review.value import HANDFUL, ChangeOutcome, Name, NameKind
from reconciler.reports.terminal import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.reports.review.value import GrantLine, PolicyBlock
    from reconciler.reports.wrapping import Layout

MOST_EDGES = 50
"""More cannot be followed by an eye."""
_LONGEST_LABEL = 60
_UNSAFE = re.compile(r"[^\w ]|_")


class _Node(Struct, frozen=True):
    """A box; the same application, policy or holder is one box. `shape`: what it is drawn as."""

    shape: str
    key: str
    label: str


class _Edge(Struct, frozen=True):
    source: _Node
    target: _Node
    new: bool


def picture(blocks: Iterable[PolicyBlock], layout: Layout) -> Inert | None:
    """The picture in a fence; None if nothing can be drawn.

    More than MOST_EDGES edges are counted instead.
    """
    edges = list(dict.fromkeys(chain.from_iterable(_edges(block, layout) for block in blocks)))
    if not edges:
        return None
    if len(edges) > MOST_EDGES:
        return Inert(
            f"The picture is left out: it would have {len(edges)} arrows, and at most {MOST_EDGES}"
            " are drawn."
        )
    return fence(_flowchart(edges), "mermaid")


def _flowchart(edges: Sequence[_Edge]) -> Iterator[str]:
    nodes = list(dict.fromkeys(chain.from_iterable((edge.source, edge.target) for edge in edges)))
    ids = {node: f"n{number}" for number, node in enumerate(nodes, 1)}
    yield "flowchart LR"
    for node in nodes:
        opening, closing = _SHAPES[node.shape]
        yield f'  {ids[node]}{opening}"{_label(node.label)}"{closing}'
    for edge in edges:
        arrow = "==>|new|" if edge.new else "-.->|goes|"
        yield f"  {ids[edge.source]} {arrow} {ids[edge.target]}"


_SHAPES = {"application": ("([", "])"), "policy": ("[", "]"), "holder": ("(", ")")}


def _label(text: str) -> str:
    """A text as Mermaid shows it: all but letters, digits and blanks by their number, so that
    neither Mermaid, nor Markdown or HTML in a label, finds anything to read
    (https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters).
    """
    shown = visible(text)
    if len(shown) > _LONGEST_LABEL:
        shown = f"{shown[: _LONGEST_LABEL - 1]}…"
    return _UNSAFE.sub(lambda match: f"#{ord(match[0])};", shown)


def _edges(block: PolicyBlock, layout: Layout) -> Iterator[_Edge]:
    if isinstance(parse_address(block.address), ExchangePolicyAddress):
        yield from _exchange_edges(block, layout)
        return
    policy = _node("policy", _names(block)[-1], layout)
    if block.address == TEAMS_TENANT_GRANT:
        policy = _Node("policy", "global", "Global")
    for attribute in block.attributes:
        for new, members in ((True, attribute.added), (False, attribute.removed)):
            for member in members:
                yield _Edge(_node("application", member, layout), policy, new)
    for grant in block.grants:
        yield from _grant_edges(grant, policy, layout)


def _exchange_edges(block: PolicyBlock, layout: Layout) -> Iterator[_Edge]:
    """An application, its right on a scope, and the scope."""
    application, *scopes = _names(block)
    ends = {
        ChangeOutcome.ADDED: (True,),
        ChangeOutcome.REMOVED: (False,),
        ChangeOutcome.REPLACED: (False, True),
    }.get(block.outcome, ())
    rights = _rights(block)
    for new in ends:
        scope, right = scopes[-1 if new else 0], rights[-1 if new else 0]
        policy = _Node("policy", f"{block.address} {right} {new}", right)
        yield _Edge(_node("application", application, layout), policy, new)
        yield _Edge(policy, _node("holder", scope, layout), new)


def _rights(block: PolicyBlock) -> list[str]:
    words = [piece for piece in block.title if isinstance(piece, str)]
    return (words[0] if words else "").strip().split(" -> ")


def _grant_edges(grant: GrantLine, policy: _Node, layout: Layout) -> Iterator[_Edge]:
    holders = [_node("holder", name, layout) for name in grant.names]
    if len(holders) > HANDFUL:
        people = counted(len(holders), "person", "people")
        holders = [_Node("holder", f"{policy.key} {grant.outcome} {grant.declared_at}", people)]
    origin = None if grant.origin is None else _node("policy", grant.origin, layout)
    if origin == policy:  # another rank
        return
    for holder in holders:
        yield _Edge(policy, holder, grant.outcome is not ChangeOutcome.REMOVED)
        if origin is not None:
            yield _Edge(origin, holder, new=False)


def _node(shape: str, name: Name, layout: Layout) -> _Node:
    key = name.text if name.kind is NameKind.POLICY else name.id or name.text
    return _Node(shape, key.casefold(), layout.name(name))


def _names(block: PolicyBlock) -> list[Name]:
    return [piece for piece in block.title if isinstance(piece, Name)]
