"""What an import is: a file on its way into records."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.domain.entities.fields import Entity, Fields, RecordFields, Spec, readable
from app.domain.entities.picklists import complete
from app.domain.entities.values import Instant


@readable
class ImportRead(RecordFields):
    """A file that was sent, and what became of its rows."""

    owner_id: Annotated[UUID, Field(title="Owner"), Spec(filter=True)]
    entity: Annotated[str, Field(title="Entity"), Spec(filter=True)]
    file_name: Annotated[str, Field(title="File name")]
    mapping: Annotated[dict[str, Any], Field(title="Mapping"), Spec(unlisted=True)]
    options: Annotated[dict[str, Any], Field(title="Options"), Spec(unlisted=True)]
    state: Annotated[
        Literal["received", "checking", "checked", "loading", "done", "failed"],
        Field(title="State"),
        Spec(filter=True),
    ]
    rows: Annotated[int | None, Field(title="Rows in the file")]
    counts: Annotated[dict[str, int], Field(title="Counts", description="created, updated, unchanged, refused.")]
    failure: Annotated[str | None, Field(title="Why it failed")]
    failure_code: Annotated[
        str | None, Field(title="Code of why it failed", description="One of docs/errors.md."), Spec(filter=True)
    ]
    started_at: Annotated[Instant | None, Field(title="Started at"), Spec(filter=True)]
    finished_at: Annotated[Instant | None, Field(title="Finished at"), Spec(filter=True)]


IMPORTS = Entity("imports", "import", ImportRead, Fields, Fields, complete)
