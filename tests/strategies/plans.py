"""Plans as values: an empty one that a test fills, and any that a plan file can hold."""

from __future__ import annotations

from reconciler.model.baselines import Baseline
from reconciler.model.plans import FORMAT_VERSION, Inputs, Plan, PlanTenant, Tool

TENANT = "596ade3a-1abe-4c5b-b7d5-a169c4b05d4a"


def empty_plan(**fields) -> Plan:
    """A plan of nothing, but for these fields."""
    empty = {
        "access": None,
        "applicable": True,
        "baseline": Baseline(),
        "changes": (),
        "connect": {},
        "consents": (),
        "displaced": (),
        "format_version": FORMAT_VERSION,
        "gaps": None,
        "held": (),
        "inputs": Inputs("d" * 64, "c" * 64, "2026-11-20T08:00:00Z", "simulated"),
        "names": {},
        "refusals": (),
        "steps": (),
        "summary": {},
        "tenant": PlanTenant(TENANT, "contoso.onmicrosoft.com"),
        "tests": (),
        "tool": Tool("reconciler", "0"),
        "unmanaged": (),
        "unresolved": (),
        "warnings": (),
    }
    return Plan(**{**empty, **fields})
