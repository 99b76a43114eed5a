"""The guard behind the guard: a session writes only records that access gave out."""

from collections.abc import Callable

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session
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
        product = await Access.system(Reason.SWEEP).row(session, Product, id, "update")
        session.expunge(product)
    with pytest.raises(RuntimeError, match=r"not begun by access"):
        async with transaction() as session:
            session.add(product)
            product.name = "Table"
    assert await names() == ["Chair"]


async def test_a_record_that_access_gave_out_to_be_read_is_not_written(database: None) -> None:
    await plant()
    with pytest.raises(RuntimeError, match=r"not begun by access"):
        async with transaction() as session:
            id = (await session.scalars(select(Product.id))).one()
            product = await Access.system(Reason.SWEEP).row(session, Product, id)
            product.name = "Table"
    async with transaction() as session:
        product = await Access.system(Reason.SWEEP).row(session, Product, id)
        # Asked for again in order to change it, it is the same object.
        assert await Access.system(Reason.SWEEP).row(session, Product, id, "update") is product
        product.name = "Stool"
    assert await names() == ["Stool"]


async def test_a_record_is_never_deleted_by_a_session_whoever_gave_it_out(database: None) -> None:
    await plant()
    with pytest.raises(RuntimeError, match=r"archived, never deleted"):
        async with transaction() as session:
            id = (await session.scalars(select(Product.id))).one()
            await session.delete(await Access.system(Reason.SWEEP).row(session, Product, id, "delete"))
    assert await names() == ["Chair"]


def merged(session: Session, product: Product) -> None:
    session.merge(product)


def added_with_others(session: Session, product: Product) -> None:
    session.add_all([product])


def saved_in_bulk(session: Session, product: Product) -> None:
    session.bulk_save_objects([product])


def inserted_in_bulk(session: Session, _: Product) -> None:
    session.bulk_insert_mappings(inspect(Product), [VALUES | MADE])


def updated_in_bulk(session: Session, product: Product) -> None:
    session.bulk_update_mappings(inspect(Product), [{"id": product.id, "name": "Table"}])


def flushed_by_a_query(session: Session, product: Product) -> None:
    session.add(product)
    session.execute(select(Product))


WAYS = (merged, added_with_others, saved_in_bulk, inserted_in_bulk, updated_in_bulk, flushed_by_a_query)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("known", [True, False])
async def test_no_other_way_of_a_session_writes_a_stranger(
    database: None, way: Callable[[Session, Product], None], known: bool
) -> None:
    """Neither a new record nor one that is there already."""
    await plant()
    async with transaction() as session:
        there = (await session.scalars(select(Product.id))).one()
    stranger = Product(**VALUES | {"name": "Table", "id": there if known else uuid7()}, **MADE)
    with pytest.raises(RuntimeError, match=r"not begun by access|in bulk by statements"):
        async with transaction() as session:
            await session.run_sync(way, stranger)
    assert await names() == ["Chair"]


async def test_access_begins_nothing_that_the_profile_does_not_create(administrator: Client) -> None:
    nobody = Access(administrator.user_id, None, "", "", None, None, {}, (), (), Access.system(Reason.SWEEP).vocabulary)
    with pytest.raises(Forbidden):
        async with transaction() as session:
            nobody.new(session, Product, VALUES)
    assert await names() == []
