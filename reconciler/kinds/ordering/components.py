"""Nodes that share a hub belong together; what shares none cannot bear on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence


def components(hubs: Sequence[Iterable[Hashable]]) -> list[list[int]]:
    """Cut node numbers into connected components.

    Args:
        hubs: For each node what it touches: a policy, an application, the list of groups.

    Returns: Ascending lists of node numbers, by their first number.
    """
    parents = list(range(len(hubs)))
    owners: dict[Hashable, int] = {}
    for node, touched in enumerate(hubs):
        for hub in touched:
            _join(parents, node, owners.setdefault(hub, node))
    cut: dict[int, list[int]] = {}
    for node in range(len(hubs)):
        cut.setdefault(_root(parents, node), []).append(node)
    return sorted(cut.values())


def _root(parents: list[int], node: int) -> int:
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


def _join(parents: list[int], left: int, right: int) -> None:
    first, second = sorted((_root(parents, left), _root(parents, right)))
    parents[second] = first
