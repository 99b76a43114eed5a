"""How is schemathesis let loose on the API? As a process of its own, against a running server."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from app.main import app
from tests.api.records import make
from tests.conftest import ROOT, Client
from tests.contracts.worlds import FORM, TEMPLATE
from tests.serving import api_running

# What must hold of every answer. Whether valid values are taken is not asked: our rules go beyond the schema's.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)


async def fuzz(client: Client, administrator: Client, folder: Path, *arguments: str, filters: int = 200) -> None:
    """Send generated requests with a client's credentials, on records that it sees. AssertionError with what
    schemathesis says if an answer is not as documented.

    filters: how many parameters of a list to try.
    """
    picklists = (await administrator.get("/v1/picklists?limit=200")).json()["items"]
    options = {picklist["key"]: [option["key"] for option in picklist["options"]] for picklist in picklists}
    ids = await _records(client, administrator)
    (folder / "openapi.json").write_text(json.dumps(_narrowed(app.openapi(), options, filters)))
    (folder / "schemathesis.toml").write_text(_settings(ids, client.headers["authorization"]))
    async with api_running() as url:
        schemathesis = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("schemathesis")),
            *("--config-file=schemathesis.toml", "run", "openapi.json", f"--url={url}", "--warnings=off"),
            # With several workers Python 3.11 fails now and then in its parser (gh-106905).
            *("--workers=1", f"--checks={','.join(CHECKS)}", "--exclude-operation-id=sign_out", *arguments),
            cwd=folder,
            # Where it keeps its tables of characters, which take seconds to make.
            env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(ROOT / ".hypothesis")},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await schemathesis.communicate()
        assert schemathesis.returncode == 0, printed.decode()


async def _records(client: Client, administrator: Client) -> dict[str, str]:
    """The id of a record of each kind that the client sees, by the name of its list; and a form's key."""
    owner = {"owner_id": str(client.user_id)}
    customer = await make(administrator, "customers", name="Acme", **owner)
    await make(administrator, "contacts", last_name="Ruiz", customer_id=customer["id"])
    await make(administrator, "products", name="Valve")
    await make(administrator, "opportunities", name="Valves", customer_id=customer["id"], **owner)
    await make(administrator, "leads", company_name="Beta", **owner)
    for kind, values in (
        ("activities", {"kind": "call", "subject": "Call"}),
        ("messages", {"channel": "phone", "subject": "Asked"}),
    ):
        await make(administrator, kind, customer_id=customer["id"], **values, **owner)
    await make(administrator, "templates", **TEMPLATE)
    form = await make(administrator, "forms", **FORM, lead_owner_id=str(client.user_id))
    sent = await client.post(f"/v1/forms/{form['key']}/submissions", json={"email": "ana@acero.es"})
    assert sent.status_code == 202, sent.text
    await make(administrator, "users", name="Ana", username="ana", profile_id="sales")
    found = {"form_keys": form["key"]}
    for path in (path for path in app.openapi()["paths"] if path.endswith("/{id}")):
        name = path.split("/")[2]
        answer = await client.get(f"/v1/{name}?limit=1")
        if answer.is_success and answer.json()["items"]:
            found[name] = answer.json()["items"][0]["id"]
    return found


def _settings(ids: dict[str, str], authorization: str) -> str:
    """Schemathesis' settings: whose requests they are, and paths that mostly lead to records that there are."""
    lines = [f"headers = {{ Authorization = {json.dumps(authorization)} }}"]
    lines += [f"dictionaries.{name}.values = [{json.dumps(id)}]" for name, id in ids.items()]
    for name in ids:
        path, parameter = ("forms", "key") if name == "form_keys" else (name, "id")
        lines += ["[[operations]]", f"include-path-regex = '^/v1/{path}/\\{{{parameter}\\}}'"]
        lines += [f"parameters = {{ 'path.{parameter}' = {{ dictionary = '{name}', probability = 0.8 }} }}"]
    return "\n".join(lines) + "\n"


def _narrowed(document: dict[str, Any], options: dict[str, list[str]], filters: int) -> dict[str, Any]:
    """The document with lists of so many parameters, and with bodies narrowed to what our rules take: an example where
    there is one, a picklist's options. Without it nearly every body is refused for one of its many fields, and nothing
    is ever written.
    """
    here, there = "#/components/schemas/", "#/components/schemas/Sent"
    bodies = json.loads(json.dumps(document["components"]["schemas"]).replace(here, there))
    for schema in bodies.values():
        for name, field in schema.get("properties", {}).items():
            kinds = [field, field.get("items", {}), *field.get("anyOf", ())]
            for kind in (each for each in kinds if each.get("type") == "string"):
                if values := kind.get("examples") or options.get(name):
                    kind["enum"] = values
    narrowed: dict[str, Any] = json.loads(json.dumps(document))
    narrowed["components"]["schemas"] |= {f"Sent{name}": schema for name, schema in bodies.items()}
    for methods in narrowed["paths"].values():
        for operation in methods.values():
            parameters = operation.get("parameters", [])
            step = len(parameters) // filters + 1
            operation["parameters"] = [
                each for at, each in enumerate(parameters) if each["in"] == "path" or at % step == 0
            ]
            if body := operation.get("requestBody"):
                operation["requestBody"] = json.loads(json.dumps(body).replace(here, there))
    return narrowed
