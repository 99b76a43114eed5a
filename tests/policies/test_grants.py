"""What is a profile granted? The compiled table says what Casbin says, and nothing about what does not exist."""

import csv
from functools import cache

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.db.seeds import POLICIES
from app.policies.profiles import ACTIONS, Grants, Rule, compiled, enforcer, everything, scope_ge, sections

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
POLICY = st.lists(RULES | INHERITANCE, max_size=12, unique=True)


@cache
def shipped() -> tuple[Rule, ...]:
    with POLICIES.open(newline="") as file:
        return tuple(tuple([*row, "", "", ""][:6]) for row in csv.reader(file, skipinitialspace=True))  # type: ignore[misc]


def disagreements(rules: list[Rule] | tuple[Rule, ...], profile: str) -> list[tuple[str, ...]]:
    """Where the compiled grants and `enforce` differ, over everything that there is to ask."""
    made = enforcer(rules)
    grants = compiled(made, profile)
    found = []
    for section, groups in sections().items():
        for action in ACTIONS:
            for group in groups:
                for scope in ("own", "team", "all") if group == "open" else ("-",):
                    granted = grants.get((section, action, group))
                    allowed = granted is not None and scope_ge(granted, scope)
                    if made.enforce(f"profile:{profile}", section, action, group, scope) != allowed:
                        found.append((section, action, group, scope))
    return found


@settings(max_examples=25, deadline=None)
@given(rules=POLICY, profile=st.sampled_from(PROFILES))
@example(rules=[("p", "profile:a", "*", "*", "*", "-"), ("g", "profile:b", "profile:a", "", "", "")], profile="b")
@example(rules=[("p", "profile:a", "customers", "read", "open", "everywhere")], profile="a")
@example(rules=[("p", "profile:a", "customers", "read", "open", "-")], profile="a")
@example(rules=[("p", "profile:a", "customers", "read", "billing", "all")], profile="a")
def test_the_compiled_grants_say_what_casbin_says(rules: list[Rule], profile: str) -> None:
    assert disagreements(rules, profile) == []


@pytest.mark.parametrize("profile", SHIPPED)
def test_the_shipped_profiles_are_granted_what_casbin_grants_them(profile: str) -> None:
    assert disagreements(shipped(), profile) == []


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
