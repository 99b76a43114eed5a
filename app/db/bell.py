"""How does a worker hear at once of what was promised? Redis is only this bell: it may be away, slow or emptied."""

import asyncio
import logging
from functools import cache

import orjson
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from app.settings import settings

PATIENCE = 0.2

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
        async with asyncio.timeout(2 * PATIENCE):
            await client.enqueue_job("sweep")
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
