"""Which headers does the OpenAPI document name beside each answer?"""

from typing import Any

from app.errors import TooMany, Unavailable

Document = dict[str, Any]

HEADERS: Document = {
    "ETag": {"description": "The record's version, for `If-Match`.", "schema": {"type": "string"}},
    "Location": {"description": "The record's path.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Try again after so many seconds.", "schema": {"type": "integer"}},
}


def name(document: Document) -> None:
    """Name them in the document.

    An answer that is a record has `ETag`, and `Location` where it may just have been made; what is answered only for
    now has `Retry-After`.
    """
    schemas = document["components"]["schemas"]
    for path in document["paths"].values():
        for operation in path.values():
            answers = operation["responses"]
            makes = answers.keys() & {"201", "202"}
            for status, answer in answers.items():
                if status.startswith("2") and _is_record(answer, schemas):
                    _add(answer, "ETag", *(["Location"] if makes else []))
                elif status in (str(TooMany.status), str(Unavailable.status)):
                    _add(answer, "Retry-After")
    document["components"]["headers"] = HEADERS


def _add(answer: Document, *names: str) -> None:
    answer["headers"] = answer.get("headers", {}) | {each: {"$ref": f"#/components/headers/{each}"} for each in names}


def _is_record(answer: Document, schemas: Document) -> bool:
    """Whether it has a version, at least for some who ask."""
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    names = [each.get("$ref", "").rpartition("/")[2] for each in schema.get("anyOf", [schema])]
    return any("version" in schemas.get(each, {}).get("properties", {}) for each in names)
