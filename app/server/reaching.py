"""How does a command reach the database when `crm up` runs, when it does not, and when the database is not ours?"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from app.server import embedded
from app.server.processes import CannotStart
from app.settings import secret_keys, settings


@contextmanager
def reached_database() -> Iterator[None]:
    """The environment of this process and its children names a running database, and Valkey if one runs.

    The given database, or that of the `crm up` on the same data directory, or one that lives as long as this.
    """
    data_dir = settings().data_dir
    cache = settings().redis_url or embedded.running_valkey(data_dir)
    if database := settings().database_url or embedded.running_postgres(data_dir):
        with _environment(database, cache):
            yield
    else:
        with embedded.postgres(data_dir) as database, _environment(database, cache):
            yield


@contextmanager
def reached_servers() -> Iterator[None]:
    """The environment names the database and Valkey; CannotStart unless both are given or `crm up` runs them."""
    data_dir = settings().data_dir
    database = settings().database_url or embedded.running_postgres(data_dir)
    cache = settings().redis_url or embedded.running_valkey(data_dir)
    if not database or not cache:
        raise CannotStart("set CRM_DATABASE_URL and CRM_REDIS_URL, or start everything with `crm up`")
    with _environment(database, cache):
        yield


@contextmanager
def _environment(database: str, cache: str | None) -> Iterator[None]:
    values = {"CRM_DATABASE_URL": database, "CRM_SECRET_KEY": ",".join(key.decode() for key in secret_keys())}
    if cache:
        values["CRM_REDIS_URL"] = cache
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    settings.cache_clear()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        settings.cache_clear()
