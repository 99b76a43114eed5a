"""Rows that were loaded are gone from their import; keys are kept in their order once, not twice; no index unused."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("delete from import_rows where outcome <> 'refused'")
    op.drop_column("import_rows", "outcome")
    op.drop_constraint("match_keys_pkey", "match_keys")
    op.drop_index("match_keys_entity_kind_key_idx", table_name="match_keys")
    op.create_primary_key("match_keys_pkey", "match_keys", ["entity", "kind", "key", "record_id"])
    op.create_index("match_keys_record_id_idx", "match_keys", ["record_id"])
    op.drop_index("stage_stays_open_key", table_name="stage_stays")
    op.create_index(
        "stage_stays_open_key",
        "stage_stays",
        ["record_id", "field"],
        unique=True,
        postgresql_where=sa.text("left_at is null"),
    )
    op.drop_index("stage_stays_due_idx", table_name="stage_stays")
    op.create_index(
        "stage_stays_due_idx",
        "stage_stays",
        ["pipeline_id", "stage", "entered_at"],
        postgresql_where=sa.text("field = 'stage' and left_at is null"),
    )
    op.drop_index("opportunity_lines_product_id_idx", table_name="opportunity_lines")
