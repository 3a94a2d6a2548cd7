"""The Exchange side of a simulated tenant that is made from a plan's baseline."""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

from reconciler.kinds.capture_rows import is_whole
from reconciler.kinds.product import RehearsedPart
from reconciler.model.addresses import ExchangePolicyAddress, parse_address
from reconciler.model.baselines import guard_scope, stored_policies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.model.baselines import Baseline, ExchangeBaseline
    from reconciler.model.plans import Step

    Row = dict[str, Any]


def rehearsed(baseline: Baseline, steps: Sequence[Step]) -> RehearsedPart:
    """Policies as the baseline has them, those that are not understood too, and every scope that is
    in it or in a step.
    """
    exchange = baseline.of_exchange() or {}
    texts = sorted(set(chain.from_iterable(baseline.opaque_of("exchange").values())))
    rows = (*_policies(exchange), *map(json.loads, filter(is_whole, texts)))
    return RehearsedPart({"policies": list(rows)}, recipients=tuple(_recipients(exchange, steps)))


def _policies(exchange: ExchangeBaseline) -> Iterator[Row]:
    for application, policies in stored_policies(exchange).items():
        for policy in policies:
            yield {
                "AccessRight": policy.access_right.value,
                "AppId": application,
                "Description": policy.stored_description,
                "Identity": policy.identity,
                "IsValid": True,
                "ObjectState": "Unchanged",
                "ScopeIdentity": policy.scope,
                "ScopeIdentityRaw": f"{policy.sid};{policy.scope}",
                "ScopeName": policy.scope,
                "ShardType": "All",
            }


def _recipients(exchange: ExchangeBaseline, steps: Sequence[Step]) -> Iterator[Row]:
    """The scopes of the baseline's policies, of policies that steps create, and of guards, which
    alone is known to be empty.
    """
    sids = {
        policy.scope: policy.sid
        for policies in stored_policies(exchange).values()
        for policy in policies
    }
    guard = guard_scope(exchange)
    names: dict[str, str] = {}
    for step in steps:
        if "PolicyScopeGroupId" in step.parameters:
            policy = parse_address(step.address)
            if isinstance(policy, ExchangePolicyAddress):
                names[policy.scope] = str(step.parameters["PolicyScopeGroupId"])
    if guard is not None:
        sids[guard.id] = guard.sid
    for number, scope in enumerate(sorted(sids.keys() | names.keys()), 1):
        written = names.get(scope, scope)
        primary = written if "@" in written else f"{scope}@rehearsal.invalid"
        yield {
            "id": scope,
            "sid": sids.get(scope, f"S-1-5-21-0-0-0-{number}"),
            "primary": primary,
            "addresses": [primary],
            "displayName": f"Scope {scope}",
            "type": "MailUniversalSecurityGroup",
            "isValidSecurityPrincipal": True,
            **({"members": []} if guard is not None and scope == guard.id else {}),
        }
