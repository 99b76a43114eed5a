"""Which properties has each class of the generated client, which parameters each function? Printed as JSON."""

import importlib
import inspect
import json
import pkgutil

import attrs
import crm_client.api
import crm_client.models

classes = {name: each for name, each in vars(crm_client.models).items() if attrs.has(each)}
modules = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(crm_client.api.__path__, "crm_client.api.")
    if not found.ispkg
]
schemas = {
    name: [field.name for field in attrs.fields(each) if field.name != "additional_properties"]
    for name, each in classes.items()
}
operations = {
    module.__name__.rpartition(".")[2]: [
        name for name in inspect.signature(module.sync_detailed).parameters if name not in ("client", "body")
    ]
    for module in modules
}
print(json.dumps({"schemas": schemas, "operations": operations}))
