"""requests to be let in to a customer"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "access_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("requester_id", sa.Uuid(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("state in ('open', 'granted', 'refused')", name=op.f("access_requests_state_check")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("access_requests_customer_id_fkey")),
        sa.ForeignKeyConstraint(["requester_id"], ["users.id"], name=op.f("access_requests_requester_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("access_requests_pkey")),
    )
    op.create_index(
        "access_requests_customer_id_idx",
        "access_requests",
        ["customer_id"],
        unique=False,
        postgresql_where=sa.text("customer_id is not null"),
    )
    op.create_index(
        "access_requests_open_key",
        "access_requests",
        ["requester_id", "evidence"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("access_requests_requester_id_idx", "access_requests", ["requester_id", "id"], unique=False)
