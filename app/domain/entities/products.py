"""What a product is: something sold, a good or a service."""

from typing import Annotated, Literal

from pydantic import Field

from app.domain.entities import rules
from app.domain.entities.fields import Entity, Fields, RecordFields, Spec, Values, partial, readable
from app.domain.entities.parts import ExternalIds, Tags
from app.domain.entities.values import Currency, Line, OrNull, Price, Rate, Short, fold, search_text
from app.domain.entities.vocabulary import Vocabulary


class ProductFields(Fields):
    sku: Annotated[OrNull[Short], Field(title="SKU"), Spec(filter=True, sort=True, search=True)] = None
    name: Annotated[Line, Field(title="Name"), Spec(filter=True, sort=True, search=True)]
    kind: Annotated[Literal["product", "service"], Field(title="Kind"), Spec(filter=True)] = "product"
    category: Annotated[OrNull[Line], Field(title="Category"), Spec(filter=True)] = None
    unit: Annotated[OrNull[Short], Field(title="Unit")] = None
    price: Annotated[Price | None, Field(title="Price"), Spec(filter=True, sort=True)] = None
    currency: Annotated[Currency | None, Field(title="Currency"), Spec(filter=True)] = None
    tax_rate: Annotated[Rate | None, Field(title="Tax rate", description="Percent."), Spec(filter=True)] = None
    active: Annotated[bool, Field(title="Active"), Spec(filter=True)] = True
    tags: Tags = []


class ProductCreate(ProductFields):
    """A new product or service."""


@partial
class ProductUpdate(ProductFields):
    """The fields of a product to change; the rest stay as they are, null clears."""


@readable
class ProductRead(ProductFields, RecordFields):
    """A product or service."""

    external_ids: ExternalIds


def complete(new: Values, given: set[str], vocabulary: Vocabulary) -> Values:
    return rules.to_currency(new, ("price",), given, vocabulary) | {
        "name_key": fold(new["name"]),
        "search_open": search_text(new["name"], new["sku"]),
    }


PRODUCTS = Entity("products", "product", ProductRead, ProductCreate, ProductUpdate, complete)
