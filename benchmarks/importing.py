"""How fast is a file of 10,000 customers loaded (O5), from sending it in to its end?"""

import asyncio
import csv
import io
import random
from time import perf_counter
from typing import Any

import orjson

from benchmarks import load
from benchmarks.data import FORMS, ORIGINS, PLACES, SECTORS, SURNAMES, TRADES, TYPES
from benchmarks.load import WrongAnswer
from benchmarks.operations import Company, request

ROWS = 10_000
COLUMNS = {
    "name": "name",
    "website": "website",
    "phone": "phones.number",
    "email": "emails.address",
    "sector": "sector",
    "customer_type": "customer_type",
    "origin": "origin",
    "employees": "employees",
    "annual_revenue": "annual_revenue",
    "currency": "currency",
    "country": "addresses.country",
    "province": "addresses.province",
    "municipality": "addresses.municipality",
}
BOUNDARY = "-------------------------of-the-bench"


def file(number: int) -> bytes:
    """A file of customers that are in no other."""
    chance, out = random.Random(500 + number), io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(COLUMNS)
    for at in range(number * ROWS, (number + 1) * ROWS):
        name = f"{chance.choice(TRADES)} {chance.choice(SURNAMES)} {chance.choice(SURNAMES)} {chance.choice(FORMS)}"
        country, _, province, municipality = chance.choice(PLACES)
        said = [
            f"{name} {at}",
            f"https://cliente{at}.example",
            f"+3491{at % 10_000_000:07}",
            f"hola@cliente{at}.example",
        ]
        said += [chance.choice(SECTORS), chance.choice(TYPES), chance.choice(ORIGINS), str(chance.randrange(1, 500))]
        lines.writerow([*said, f"{chance.randrange(50_000, 5_000_000)}.00", "EUR", country, province, municipality])
    return out.getvalue().encode()


async def into_ours(company: Company, content: bytes) -> float:
    """Seconds until it says that it is loaded; each row is a customer that was found to be new by its e-mail."""
    token = next(iter(company.directors.values()))
    mapping = orjson.dumps({"columns": COLUMNS, "match_on": "email"})
    parts: dict[str, tuple[str, bytes]] = {
        "entity": ("", b"customers"),
        "mapping": ("", mapping),
        "file": ('; filename="customers.csv"\r\nContent-Type: text/csv', content),
    }
    body = b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
        % (BOUNDARY.encode(), name.encode(), said.encode(), part)
        for name, (said, part) in parts.items()
    )
    body += b"--%b--\r\n" % BOUNDARY.encode()
    began = perf_counter()
    async with load.connected(company.port) as ask:
        type = f"multipart/form-data; boundary={BOUNDARY}"
        status, answer = await ask(request("POST", "/v1/imports", token, body, type))
        if status != 202:
            raise WrongAnswer(f"O5: {status} {answer[:300]!r}")
        id = orjson.loads(answer)["id"]
        found: dict[str, Any] = {}
        while found.get("finished_at") is None:
            await asyncio.sleep(0.1)
            found = orjson.loads((await ask(request("GET", f"/v1/imports/{id}", token)))[1])
    seconds = perf_counter() - began
    if found["state"] != "done" or found["counts"]["created"] != ROWS:
        raise WrongAnswer(f"O5: {found}")
    return seconds


async def into_floor(company: Company, content: bytes) -> float:
    began = perf_counter()
    async with load.connected(company.port) as ask:
        status, answer = await ask(request("POST", "/v1/imports", "", content, "text/csv"))
    if status != 200 or orjson.loads(answer)["created"] != ROWS:
        raise WrongAnswer(f"O5: {status} {answer[:300]!r}")
    return perf_counter() - began
