"""Every kind of document and every product is known wherever the room branches on one."""

from reconciler.documents import schemas
from reconciler.documents.access_tests import SUBJECTS
from reconciler.documents.kinds import rules_of
from reconciler.kinds.products import PRODUCTS
from reconciler.model.documents import Kind


def test_every_kind_has_a_check():
    checks = [rules_of(kind).check for kind in Kind]
    assert len({*checks}) == len(Kind)


def test_every_kind_has_a_schema():
    assert schemas.FILES.keys() == {None, *Kind}


def test_an_access_test_has_a_subject_of_every_product_whose_access_is_tested():
    asked = {name for name, product in PRODUCTS.items() if product.subject_kind is not None}
    assert asked
    assert set(SUBJECTS.values()) == asked
