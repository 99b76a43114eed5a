"""The guard behind the guard: a session writes only records that access gave out."""

import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from app.db.models.products import Product
from app.db.seeds import SYSTEM_USER
from app.db.session import transaction
from app.errors import Forbidden
from app.policies.access import Access, Reason
from tests.conftest import Client

VALUES = {"name": "Chair", "name_key": "chair", "kind": "product", "active": True, "tags": [], "search_open": "chair"}
MADE = {"source": "api", "created_by": SYSTEM_USER, "updated_by": SYSTEM_USER}


async def names() -> list[str]:
    async with transaction() as session:
        return list(await session.scalars(select(Product.name)))


async def plant() -> None:
    async with transaction() as session:
        Access.system(Reason.SWEEP).new(session, Product, VALUES | {"id": uuid7()})


async def test_a_record_that_access_began_is_written(database: None) -> None:
    await plant()
    assert await names() == ["Chair"]


async def test_a_new_record_that_access_did_not_begin_is_refused(database: None) -> None:
    with pytest.raises(RuntimeError, match=r"not begun by access"):
        async with transaction() as session:
            session.add(Product(**VALUES, **MADE))
    assert await names() == []


async def test_a_changed_record_that_access_did_not_give_out_is_refused(database: None) -> None:
    await plant()
    with pytest.raises(RuntimeError, match=r"not begun by access"):
        async with transaction() as session:
            product = (await session.scalars(select(Product))).one()
            product.name = "Table"
    assert await names() == ["Chair"]


async def test_a_deleted_record_that_access_did_not_give_out_is_refused(database: None) -> None:
    await plant()
    with pytest.raises(RuntimeError, match=r"not begun by access"):
        async with transaction() as session:
            await session.delete((await session.scalars(select(Product))).one())
    assert await names() == ["Chair"]


async def test_a_record_that_access_began_in_another_session_is_refused(database: None) -> None:
    await plant()
    async with transaction() as session:
        id = (await session.scalars(select(Product.id))).one()
        product = await Access.system(Reason.SWEEP).row(session, Product, id)
        session.expunge(product)
    with pytest.raises(RuntimeError, match=r"not begun by access"):
        async with transaction() as session:
            session.add(product)
            product.name = "Table"
    assert await names() == ["Chair"]


async def test_access_begins_nothing_that_the_profile_does_not_create(administrator: Client) -> None:
    nobody = Access(administrator.user_id, None, "", "", None, None, {}, (), (), Access.system(Reason.SWEEP).vocabulary)
    with pytest.raises(Forbidden):
        async with transaction() as session:
            nobody.new(session, Product, VALUES)
    assert await names() == []
