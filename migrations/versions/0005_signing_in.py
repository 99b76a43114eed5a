"""invitations, second factors, forgotten passwords"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("user_agent", sa.String(), nullable=True))
    # Attempts are counted for an hour at most: none is worth keeping.
    op.execute("delete from sign_in_attempts")
    op.alter_column("sign_in_attempts", "window_started_at", new_column_name="ends_at")
    op.create_table(
        "known_networks",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("known_networks_pkey")),
    )
    op.create_table(
        "password_links",
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("purpose in ('reset', 'invitation')", name=op.f("password_links_purpose_check")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("password_links_user_id_fkey")),
        sa.PrimaryKeyConstraint("hash", name=op.f("password_links_pkey")),
    )
    op.create_index("password_links_user_id_idx", "password_links", ["user_id"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("recovery_codes_user_id_fkey")),
        sa.PrimaryKeyConstraint("user_id", "hash", name=op.f("recovery_codes_pkey")),
    )
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("second_factors_user_id_fkey")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("second_factors_pkey")),
    )
