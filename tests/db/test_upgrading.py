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
