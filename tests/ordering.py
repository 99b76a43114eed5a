"""Which files go first? Those that take longest: else one worker is left with them when the others are done."""

import pytest

LONGEST = (
    "test_matrix.py",
    "test_two_worlds.py",
    "test_import_conflicts.py",
    "test_imports.py",
    "test_demo.py",
    "test_can.py",
    "test_odd_inputs.py",
    "test_odd_requests.py",
    "test_canaries.py",
    "test_every_process.py",
    "test_openid.py",
    "test_embedded.py",
    "test_grants.py",
    "test_lists.py",
    "test_stalled_opportunities.py",
    "test_writing_safely.py",
    "test_architecture.py",
    "test_stateful_access.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))
