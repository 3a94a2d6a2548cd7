"""Invocations that the product makes, with hostile values."""

from hypothesis import strategies as st

from reconciler.model.plans import Invocation
from tests.strategies.text import names, texts

_lists = st.lists(names, min_size=1, max_size=3)
_edits = st.sampled_from(("Add", "Remove")).flatmap(
    lambda key: _lists.map(lambda values: {key: values})
)
_ranks = st.one_of(st.integers(1, 3), st.integers(1, 2**31 - 1))


def _of(cmdlet: str, required: dict, optional: dict | None = None) -> st.SearchStrategy:
    return st.fixed_dictionaries(required, optional=optional or {}).map(
        lambda parameters: Invocation(cmdlet, parameters)
    )


_name = {"Identity": names}
_quiet = {"Confirm": st.just(False)}
_policy = {"PolicyName": st.one_of(st.none(), names)}

writes = st.one_of(
    _of("New-CsApplicationAccessPolicy", _name, {"AppIds": _lists, "Description": texts}),
    _of("Set-CsApplicationAccessPolicy", _name | {"AppIds": _edits}, {"Description": texts}),
    _of("Set-CsApplicationAccessPolicy", _name | {"Description": texts}),
    _of("Grant-CsApplicationAccessPolicy", _name | _policy),
    _of("Grant-CsApplicationAccessPolicy", {"Group": names, "PolicyName": names, "Rank": _ranks}),
    _of("Grant-CsApplicationAccessPolicy", {"Group": names, "PolicyName": st.none()}),
    _of("Grant-CsApplicationAccessPolicy", {"Global": st.just(True)} | _policy),
    _of("Remove-CsApplicationAccessPolicy", _name),
    _of(
        "New-ApplicationAccessPolicy",
        {
            "AppId": names.map(lambda one: [one]),
            "PolicyScopeGroupId": names,
            "AccessRight": st.sampled_from(("RestrictAccess", "DenyAccess")),
        }
        | _quiet,
        {"Description": texts},
    ),
    _of("Set-ApplicationAccessPolicy", _name | {"Description": texts} | _quiet),
    _of("Remove-ApplicationAccessPolicy", _name | _quiet),
)

reads = st.one_of(
    _of("Get-CsApplicationAccessPolicy", {}),
    _of("Get-CsGroupPolicyAssignment", {"PolicyType": names}),
    _of("Get-CsUserPolicyAssignment", _name | {"PolicyType": names}),
    _of(
        "Get-CsOnlineUser",
        {},
        _name
        | {
            "Filter": texts,
            "Properties": st.lists(names, max_size=3),
        },
    ),
    _of("Get-ApplicationAccessPolicy", {}),
    _of("Test-ApplicationAccessPolicy", _name | {"AppId": names}),
    _of("Get-ConnectionInformation", {}),
    _of(
        "Get-Recipient",
        {},
        _name
        | {
            "Filter": texts,
            "ResultSize": st.sampled_from(("Unlimited", 0, 1000)),
        },
    ),
    _of("Get-DistributionGroupMember", _name, {"ResultSize": st.sampled_from(("Unlimited", 5000))}),
)

invocations = st.one_of(writes, reads)
