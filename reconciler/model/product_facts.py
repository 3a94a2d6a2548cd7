"""What is fixed about a product and its PowerShell module; each value says its source."""

from __future__ import annotations

from msgspec import Struct


class ProductFacts(Struct, frozen=True):
    """Constants of one product.

    Attributes:
        title: Its name for people.
        noun: The noun of the cmdlets that write its policies.
        module: The PowerShell module.
        minimum: The oldest version of the module that can be used.
        versions: The versions whose documentation or code this tool was written from.
        reads: Cmdlets that a session which only reads may call.
        writes: Cmdlets that only an apply may call.
        roles: Entra roles of the account that reads, and of the one that writes.
        permission: The application permission that signing in without a person needs.
    """

    title: str
    noun: str
    module: str
    minimum: str
    versions: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    roles: tuple[str, str]
    permission: str
