"""Write the documents that follow from the code: `python -m tests.docs.generate`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from app.domain.entities.catalog import ENTITIES
from app.domain.entities.fields import Entity, RecordFields, item_models, spec
from app.domain.entities.targets import IMPORTABLE, import_model
from app.settings import PROJECT, Settings

DOCS = Path(__file__).parents[2] / "docs"
NOTE = "<!-- Written by `python -m tests.docs.generate`; a test compares it with the code. -->\n\n"


def settings_page() -> str:
    """docs/settings.md: what the environment says."""
    lines = [
        "# Settings\n\n" + NOTE,
        "The environment is the only place for the settings of a process. What concerns the company (country,\n"
        "currency, time zone, minimum information) is data: `GET` and `PATCH /v1/settings`. Bad settings are\n"
        "refused at start, by name, and so is a name that is nearly one of these.\n\n",
        "| variable | if not given | means |\n|---|---|---|\n",
    ]
    for name, info in Settings.model_fields.items():
        default = info.default
        shown = f"`{default.relative_to(PROJECT)}` beside `crm`" if isinstance(default, Path) else f"`{default}`"
        lines.append(f"| `CRM_{name.upper()}` | {'–' if default is None else shown} | {info.description} |\n")
    lines.append(
        "\nWithout `CRM_DATABASE_URL` and `CRM_REDIS_URL`, `./crm up` starts PostgreSQL and Valkey itself and keeps\n"
        "their files in `CRM_DATA_DIR`, with a secret of its own. `CRM_PASSWORD` is read by `./crm user create` and\n"
        "`./crm user password`. [Running it](running.md) says which to set on a server.\n"
    )
    return "".join(lines)


def fields_page() -> str:
    """docs/fields.md: every field of every entity."""
    common = [name for name in RecordFields.model_fields if name != "id"]
    lines = [
        "# Fields\n\n" + NOTE,
        "- **group**: a profile sees a field when it sees the group; `open` comes with the section.\n",
        "- **list**: how lists use it: f filter, s sort, q searched by `q`, u only where `fields` names it.\n",
        "- **write**: c given when creating, u changed by PATCH, i filled from a file; C must be given. "
        "Nothing: it\n  is derived, or has an endpoint of its own.\n",
        "- **type**: `…[]` is a list. Amounts are decimal strings. The fields of a list's items follow the table.\n\n",
        f"Every record has `id`, by which lists filter, and {', '.join(f'`{name}`' for name in common)}.\n",
    ]
    for entity in ENTITIES.values():
        lines += _entity(entity)
    return "".join(lines)


def _entity(entity: Entity) -> list[str]:
    lines = [
        f"\n## {entity.name}\n\n{' '.join((entity.read.__doc__ or '').split())}\n\n",
        "| field | type | group | list | write | |\n|---|---|---|---|---|---|\n",
    ]
    fields = {**entity.create.model_fields, **_filled(entity), **entity.read.model_fields}
    for name, info in fields.items():
        if name in RecordFields.model_fields:
            continue
        lines.append(f"| `{name}` | {_type(info)} | {spec(info).group} | {_listing(info)} | {_writing(entity, name)} | "
                     f"{_about(info)} |\n")  # fmt: skip
    for name, model in item_models(entity.read).items():
        inside = ", ".join(f"`{each}` {_about_item(info)}".strip() for each, info in model.model_fields.items())
        lines.append(f"\n`{name}`: {inside}.\n")
    return lines


def _listing(info: FieldInfo) -> str:
    flags = spec(info)
    said = ((flags.filter, "f"), (flags.sort, "s"), (flags.search, "q"), (flags.unlisted, "u"))
    return " ".join(letter for flag, letter in said if flag)


def _writing(entity: Entity, name: str) -> str:
    created = entity.create.model_fields.get(name)
    said = []
    if created is not None:
        said.append("C" if created.is_required() else "c")
    if name in entity.update.model_fields:
        said.append("u")
    if name in _filled(entity):
        said.append("i")
    return " ".join(said)


def _filled(entity: Entity) -> dict[str, FieldInfo]:
    """The fields that a file may fill in."""
    fields = import_model(entity).model_fields if entity.name in IMPORTABLE else {}
    return {name: info for name, info in fields.items() if spec(info).importable}


def _about(info: FieldInfo) -> str:
    """Title, and what else there is to say."""
    flags = spec(info)
    said = [f"{info.title or ''}."]
    if info.description:
        said.append(f"{info.description.rstrip('.')}.")
    if flags.picklist:
        said.append(f"Options: picklist `{flags.picklist}`.")
    if flags.refers_to:
        said.append(f"Id of one of the {flags.refers_to}.")
    if flags.personal:
        said.append("Personal data.")
    return " ".join(each for each in said if each != ".").replace("|", "\\|")


def _about_item(info: FieldInfo) -> str:
    flags = spec(info)
    options = f", picklist `{flags.picklist}`" if flags.picklist else ""
    return f"({_type(info)}{options})"


def _type(info: FieldInfo) -> str:
    """How a field is called in the API's terms."""
    return _name(info.annotation)


NAMES = {
    "str": "text",
    "bool": "boolean",
    "int": "whole number",
    "Decimal": "decimal",
    "datetime": "instant",
    "date": "date",
    "UUID": "id",
    "Any": "anything",
    "NoneType": "null",
}


def _name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is None:
        name = getattr(annotation, "__name__", str(annotation))
        return NAMES.get(name, "object")
    if origin is list:
        return f"{_name(arguments[0])}[]"
    if origin is dict:
        return f"object of {_name(arguments[1])}"
    if origin is Literal:
        return ", ".join(map(str, arguments))
    if origin is Annotated:
        return _name(arguments[0])
    return " or ".join(name for each in arguments if (name := _name(each)) != "null")


PAGES: dict[str, Callable[[], str]] = {"settings.md": settings_page, "fields.md": fields_page}


def main() -> None:
    for name, page in PAGES.items():
        (DOCS / name).write_text(page())


if __name__ == "__main__":
    main()
