"""Does a database of the first version, with what a company did in it, come to this one and keep that?"""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.databases import first_column

# Profiles of its own making beside shipped ones, and a right that shipped ones have since.
COMPANY = """
    with company as (
      insert into profiles (id, labels) values ('administrator', '{}'), ('marketing', '{}'), ('warehouse', '{}')
    )
    insert into policies (kind, subject, section, action, field_group, scope) values
      ('p', 'profile:marketing', 'imports', 'read', 'open', 'own'),
      ('p', 'profile:warehouse', 'products', 'read', 'open', 'all')
"""

# Rows of a file that were checked, and not yet loaded when the new version came.
WAITING = """
    insert into import_rows (import_id, row, data) values
      ('00000000-0000-7000-8000-000000000000', 2, '{"values": {"name": "{A}"}, "changes": {"name": [null, "{A}"]}}'),
      ('00000000-0000-7000-8000-000000000000', 3, '{"same_as": 2}')
"""


@pytest.fixture
def old(database_url: str) -> Iterator[str]:
    """The URL of a database as the first version left it."""
    name = f"{first_column(database_url, 'select current_database()')[0]}_old"
    first_column(database_url, f"create database {name} template template0")
    head, _, query = database_url.partition("?")
    url = f"{head.rpartition('/')[0]}/{name}?{query}"
    run(url, "-m", "alembic", "upgrade", "0001")
    first_column(url, COMPANY)
    yield url
    first_column(database_url, f"drop database {name} with (force)")


def run(url: str, *arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], env=os.environ | {"CRM_DATABASE_URL": url}, check=True)


def test_a_company_of_the_first_version_gets_what_is_new_and_keeps_what_it_set(old: str) -> None:
    run(old, "-m", "app.cli", "migrate")
    subjects = "select subject || ' ' || count(*) from policies group by subject order by 1"
    assert first_column(old, subjects) == ["profile:marketing 24", "profile:warehouse 1"]
    assert first_column(old, "select entity from pipelines order by 1") == ["leads", "opportunities"]
    assert first_column(old, "select key from workflows where not enabled order by 1") == [
        "stalled_opportunity",
        "web_lead",
    ]
    assert first_column(old, "select key from templates") == ["web_lead_answer"]


def test_rows_that_wait_to_be_loaded_keep_what_the_ledger_will_say_of_them(old: str) -> None:
    run(old, "-m", "alembic", "upgrade", "0016")
    first_column(old, WAITING)
    run(old, "-m", "app.cli", "migrate")
    assert first_column(old, "select concat_ws(' ', data, changes) from import_rows order by row") == [
        '{"values": {"name": "{A}"}} "name": [null, "{A}"]',
        '{"same_as": 2}',
    ]


def test_a_database_of_a_newer_version_is_refused_in_one_line(old: str) -> None:
    first_column(old, "update alembic_version set version_num = '9999'")
    command = [sys.executable, "-m", "app.cli", "migrate"]
    environment = os.environ | {"CRM_DATABASE_URL": old}
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "crm: the database cannot be migrated: Can't locate revision identified by '9999'\n"
