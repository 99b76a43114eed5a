"""How does a worker hear at once of what was promised? Redis is only this bell: it may be away, slow or emptied."""

import asyncio
import logging
from functools import cache
from uuid import uuid4

import orjson
from arq.connections import ArqRedis
from arq.constants import default_queue_name, job_key_prefix
from arq.jobs import serialize_job
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from app.settings import settings

PATIENCE = 0.2
# For how long arq keeps what nobody hears, and from when it may be done: milliseconds.
KEPT, AT_ONCE = 60_000, 1
SWEEP = serialize_job("sweep", (), {}, None, AT_ONCE, serializer=orjson.dumps)

logger = logging.getLogger(__name__)


def redis(seconds: float) -> ArqRedis | None:
    """A client of Redis that waits `seconds` for an answer and no longer, or None when there is no Redis.

    What it sends and reads is JSON: arq's own choice is pickle, which runs whatever somebody puts into the queue.
    """
    url = settings().redis_url
    if not url:
        return None
    pool = ConnectionPool.from_url(url, socket_timeout=seconds, socket_connect_timeout=seconds)
    return ArqRedis(pool, job_serializer=orjson.dumps, job_deserializer=orjson.loads)


async def ring() -> None:
    """Wake a worker, if that can be done at once; else one wakes by itself some seconds later."""
    client = _bell()
    if client is None:
        return
    try:
        # As arq's `enqueue_job` does it, which asks twice first whether the id is new: this one is.
        id = uuid4().hex
        async with asyncio.timeout(2 * PATIENCE), client.pipeline(transaction=False) as together:
            together.psetex(f"{job_key_prefix}{id}", KEPT, SWEEP)
            together.zadd(default_queue_name, {id: AT_ONCE})
            await together.execute()
    except (RedisError, OSError) as error:
        logger.info("The bell is out of order: %s", type(error).__name__)


async def close() -> None:
    """Let go of the connections to Redis, at the end of a process."""
    if _bell.cache_info().currsize and (client := _bell()) is not None:
        await client.aclose(close_connection_pool=True)
    _bell.cache_clear()


@cache
def _bell() -> ArqRedis | None:
    return redis(PATIENCE)
