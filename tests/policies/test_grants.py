"""What is a profile granted? The compiled table says what Casbin says, and nothing about what does not exist."""

import csv
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.db.profiles import Rule
from app.db.seeds import POLICIES
from app.domain.entities.customers import CUSTOMERS
from app.domain.entities.profiles import DEEPEST
from app.domain.profiles import _unknown_names, _wrong_reaches
from app.policies.access import Access, Reason
from app.policies.profiles import ACTIONS, Grants, compiled, enforcer, everything, scope_ge, sections

SCOPES = ("own", "team", "all", "-")
SHIPPED = ("administrator", "manager", "sales", "marketing", "support")
PROFILES = ("a", "b", "c", "d")

GROUPS = sorted({group for groups in sections().values() for group in groups})
RULES = st.builds(
    lambda subject, section, action, group, scope: ("p", f"profile:{subject}", section, action, group, scope),
    st.sampled_from(PROFILES),
    st.sampled_from([*sections(), "*", "everything", ""]),
    st.sampled_from([*ACTIONS, "*", "destroy", ""]),
    st.sampled_from([*GROUPS, "*", "secrets", ""]),
    st.sampled_from([*SCOPES, "everywhere", ""]),
)
INHERITANCE = st.tuples(st.sampled_from(PROFILES), st.sampled_from(PROFILES)).map(
    lambda pair: ("g", f"profile:{pair[0]}", f"profile:{pair[1]}", "", "", "")
)
# A profile that inherits over as many steps as there may be.
STAIRS: list[Rule] = [("g", f"profile:step{n}", f"profile:step{n + 1}", "", "", "") for n in range(DEEPEST)]
POLICY = st.lists(RULES | INHERITANCE, max_size=12, unique=True)


@cache
def shipped() -> tuple[Rule, ...]:
    with POLICIES.open(newline="") as file:
        return tuple(tuple([*row, "", "", ""][:6]) for row in csv.reader(file, skipinitialspace=True))  # type: ignore[misc]


@cache
def questions() -> tuple[tuple[str, str, str, str], ...]:
    """Everything that there is to ask: section, action, field group and the scope that is needed."""
    return tuple(
        (section, action, group, scope)
        for section, groups in sections().items()
        for action in ACTIONS
        for group in sorted(groups)
        for scope in (("own", "team", "all") if group == "open" else ("-",))
    )


def disagreements(rules: list[Rule] | tuple[Rule, ...], profile: str) -> list[tuple[str, ...]]:
    """Where the compiled grants and `enforce` differ, over everything that there is to ask."""
    made = enforcer(rules)
    grants = compiled(made, profile)
    return [
        (section, action, group, scope)
        for section, action, group, scope in questions()
        if made.enforce(f"profile:{profile}", section, action, group, scope)
        != scope_ge(grants.get((section, action, group), ""), scope)
    ]


def test_the_compiled_grants_say_what_casbin_says_in_thousands_of_decisions() -> None:
    decisions = 0

    @settings(max_examples=15, deadline=None)
    @given(rules=POLICY, profile=st.sampled_from(PROFILES))
    @example(rules=[("p", "profile:a", "*", "*", "*", "-"), ("g", "profile:b", "profile:a", "", "", "")], profile="b")
    @example(rules=[("p", "profile:a", "customers", "read", "open", "everywhere")], profile="a")
    @example(rules=[("p", "profile:a", "customers", "read", "open", "-")], profile="a")
    @example(rules=[("p", "profile:a", "customers", "read", "billing", "all")], profile="a")
    @example(rules=[*STAIRS, ("p", f"profile:step{DEEPEST}", "*", "read", "open", "team")], profile="step0")
    def agree(rules: list[Rule], profile: str) -> None:
        nonlocal decisions
        assert disagreements(rules, profile) == []
        decisions += len(questions())

    agree()
    assert decisions > 10_000


@pytest.mark.parametrize("profile", SHIPPED)
def test_the_shipped_profiles_are_granted_what_casbin_grants_them(profile: str) -> None:
    assert disagreements(shipped(), profile) == []


@settings(max_examples=200, deadline=None)
@given(rule=RULES)
@example(rule=("p", "profile:a", "users", "read", "billing", "-"))
@example(rule=("p", "profile:a", "*", "*", "billing", "-"))
@example(rule=("p", "profile:a", "customers", "read", "*", "all"))
def test_what_is_refused_when_a_profile_is_written_is_what_grants_nothing(rule: Rule) -> None:
    _, subject, section, action, group, scope = rule
    policy = {"section": section, "action": action, "field_group": group, "reach": None if scope == "-" else scope}
    problems = [*_unknown_names([policy]), *_wrong_reaches([policy])]
    grants = compiled(enforcer([rule]), subject.removeprefix("profile:"))
    # Other reaches than these are refused by the type of the field; the table takes no wide `*` either.
    accepted = not problems and scope in SCOPES
    assert not accepted or grants or group == "*", "all groups of a section that has no other yet are none"
    assert accepted or not grants or (group == "*" and scope != "-")


@settings(max_examples=50, deadline=None)
@given(rules=POLICY, profile=st.sampled_from(PROFILES))
def test_nothing_is_granted_that_does_not_exist(rules: list[Rule], profile: str) -> None:
    for section, action, group in compiled(enforcer(rules), profile):
        assert action in ACTIONS
        assert group in sections()[section]


@settings(max_examples=50, deadline=None)
@given(rules=POLICY, profile=st.sampled_from(PROFILES))
def test_reach_stands_on_the_open_rule_and_nowhere_else(rules: list[Rule], profile: str) -> None:
    for (_, _, group), scope in compiled(enforcer(rules), profile).items():
        assert (scope in ("own", "team", "all")) if group == "open" else scope == "-"


def test_the_widest_of_several_rules_wins_also_an_inherited_one() -> None:
    rules: list[Rule] = [
        ("p", "profile:a", "customers", "read", "open", "own"),
        ("p", "profile:b", "customers", "read", "open", "all"),
        ("p", "profile:b", "customers", "read", "billing", "-"),
        ("g", "profile:a", "profile:b", "", "", ""),
    ]
    assert compiled(enforcer(rules), "a") == {
        ("customers", "read", "open"): "all",
        ("customers", "read", "billing"): "-",
    }


@pytest.mark.parametrize("profile", ["", "nobody", "administrator"])
def test_without_policies_nobody_is_granted_anything(profile: str) -> None:
    made = enforcer([])
    assert compiled(made, profile) == {}
    for scope in ("own", "team", "all", "-", ""):
        for text in ("", "*"):
            assert not made.enforce(f"profile:{profile}", text, text, text, scope)
            assert not made.enforce(text, text, text, text, scope)


def test_a_profile_without_rules_is_granted_nothing_beside_those_that_have_some() -> None:
    assert compiled(enforcer(shipped()), "unheard_of") == {}


def test_the_shipped_administrator_is_granted_everything() -> None:
    assert compiled(enforcer(shipped()), "administrator") == everything()


@pytest.mark.parametrize("profile", SHIPPED[1:])
def test_no_other_shipped_profile_touches_users_and_only_marketing_configures_what_it_works_with(profile: str) -> None:
    grants: Grants = compiled(enforcer(shipped()), profile)
    assert not [key for key in grants if key[0] == "users" and key[1] != "read"]
    configured = {section for section, action, _ in grants if action == "configure"}
    assert configured == ({"forms", "templates"} if profile == "marketing" else set())


def test_the_shipped_rules_name_nothing_unknown() -> None:
    for kind, subject, section, action, group, scope in shipped():
        assert kind == "p"
        assert subject.removeprefix("profile:") in SHIPPED
        assert section == "*" or section in sections(), section
        assert action == "*" or action in ACTIONS, action
        assert group == "*" or group in sections().get(section, {"open"}), (section, group)
        assert (scope == "-") == (group != "open"), (section, group)


@pytest.mark.parametrize("have", [*SCOPES, "", "everywhere"])
@pytest.mark.parametrize("need", [*SCOPES, "", "everywhere"])
def test_a_scope_suffices_for_itself_and_what_is_narrower(have: str, need: str) -> None:
    order = ["own", "team", "all"]
    wide = have in order and need in order and order.index(have) >= order.index(need)
    assert scope_ge(have, need) is (wide or have == need == "-")


def test_what_an_access_remembers_is_not_taken_over_by_one_with_other_grants() -> None:
    sales = replace(Access.system(Reason.SWEEP), grants=compiled(enforcer(shipped()), "sales"))
    for access in (sales, Access.acting_for(sales, Reason.CONVERSION), sales):
        whole = access is not sales
        for _ in range(2):
            assert ("credit_limit" in access.fields(CUSTOMERS, "update")) is whole
            assert access.reach("customers", "update").level == ("all" if whole else "own")
