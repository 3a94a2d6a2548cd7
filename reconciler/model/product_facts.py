"""What is fixed about a product and its PowerShell module; each value says its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.model.documents import Kind


class SignInFacts(Struct, frozen=True):
    """How a module is connected and says to what.

    Attributes:
        connect: The sign-in of a person, in a script; `{tenant}` and `{cmdlets}` stand for
            literals.
        cloud_parameter: The parameter of the sign-in that names a cloud other than the commercial
            one.
        cmdlets_parameter: The parameter of the sign-in that names the cmdlets to import; None if
            the module has all of them.
        sessions: The cmdlet that lists open connections, and which module holds the cmdlets of
            each; None if the sign-in itself returns its, and the module itself holds them.
        tenant_property: The property of a connection that is the tenant's id.
        disconnect: The end of the connection.
    """

    connect: str
    cloud_parameter: str
    cmdlets_parameter: str | None
    sessions: str | None
    tenant_property: str
    disconnect: str


class ProductFacts(Struct, frozen=True):
    """Constants of one product.

    Attributes:
        title: Its name for people.
        noun: The noun of the cmdlets that write its policies.
        turn: Whose steps run first: those of the product with the lowest turn.
        document_kind: The kind of the documents that declare its policies.
        selectable: The forms of the addresses that `--only` and `--skip` take.
        subject_key: The key of an access test's expectation that names whom it is about; None if
            access tests are not about this product.
        access_title: Heads the rows of its access in a report.
        everyone: All whom an application of it can reach, in a sentence.
        propagation: When applications notice a change, in a sentence.
        enforced_after: Minutes after which a change is usually enforced.
        verified_after: Minutes after which `verify` takes a change for enforced, if nothing
            contradicts.
        unexplained: What else may refuse although the policies let an application through, in a
            sentence.
        module: The PowerShell module.
        minimum: The oldest version of the module that can be used.
        versions: The versions whose documentation or code this tool was written from.
        clouds: The module's names of clouds other than the commercial one.
        reads: Cmdlets that a session which only reads may call.
        writes: Cmdlets that only an apply may call.
        roles: Entra roles of the account that reads, and of the one that writes.
        permission: The application permission that signing in without a person needs.
        sign_in: How its module is connected.
    """

    title: str
    noun: str
    turn: int
    document_kind: Kind
    selectable: tuple[str, ...]
    subject_key: str | None
    access_title: str
    everyone: str
    propagation: str
    enforced_after: int
    verified_after: int
    unexplained: str
    module: str
    minimum: str
    versions: str
    clouds: Mapping[str, str]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    roles: tuple[str, str]
    permission: str
    sign_in: SignInFacts
