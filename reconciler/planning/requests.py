"""What has to be read of a tenant to plan documents."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from reconciler.access import testing
from reconciler.kinds import read_warnings
from reconciler.kinds.products import PRODUCTS
from reconciler.model import target_tenant
from reconciler.model.requests import CaptureRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.model.addresses import Provider
    from reconciler.model.documents import Documents


def products(documents: Documents) -> frozenset[Provider]:
    """The products that the documents, `prune` or tests name: a capture has to be complete for
    these (law 1).
    """
    named = frozenset(name for name, product in PRODUCTS.items() if product.is_named(documents))
    tested = {expected.product for test in documents.tests for expected in test.expectations}
    return named | tested


def every_product() -> frozenset[Provider]:
    """All products, where no document says which."""
    return frozenset(PRODUCTS)


def reachable(documents: Documents) -> frozenset[Provider]:
    """The products that can be read at all, as far as the documents say."""
    return target_tenant.connected_products(
        documents.tenant.connect if documents.tenant is not None else {}
    )


def capture_request(
    documents: Documents, *, names: bool = True, allow: Iterable[str] = ()
) -> CaptureRequest:
    """What has to be read to plan these documents, with every name that they want resolved; users,
    of whom there are many, in no order.

    Args:
        documents: validated documents.
        names: whether anybody will look the names up; what a capture file knows is known.
        allow: consents of the command line, beside the standing ones.
    """
    readable = reachable(documents)
    # Documents that name no product are still compared with the tenant: nothing unread is "equal".
    read = products(documents) or readable
    consented = consented_warnings(documents, allow)
    if not names:
        return CaptureRequest(read, tolerated=consented)
    requests = [product.request(documents) for product in PRODUCTS.values()]
    requests.append(testing.request_for_expectations(testing.expectations_of(documents.tests)))
    users = dict.fromkeys(chain.from_iterable(request.users for request in requests))
    recipients = {name for request in requests for name in request.recipients}
    groups = {group for request in requests for group in request.groups}
    effective = {user for request in requests for user in request.effective}
    return CaptureRequest(
        read,
        users=tuple(users),
        recipients=tuple(sorted(recipients)),
        groups=tuple(sorted(groups)),
        tolerated=consented,
        effective=tuple(sorted(effective)),
    )


def consented_warnings(documents: Documents, allow: Iterable[str] = ()) -> frozenset[Provider]:
    """The products whose service may warn while it is read."""
    standing = documents.tenant.consents if documents.tenant is not None else ()
    return read_warnings.tolerated((*standing, *allow))
