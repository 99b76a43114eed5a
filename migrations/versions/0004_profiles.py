"""profiles are edited over the API"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

PLANTED_BY = sa.text("'00000000-0000-7000-8000-000000000000'")


def upgrade() -> None:
    op.add_column(
        "profiles", sa.Column("second_factor_required", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("profiles", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    for verb in ("created", "updated"):
        at = sa.Column(f"{verb}_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)
        op.add_column("profiles", at)
        op.add_column("profiles", sa.Column(f"{verb}_by", sa.Uuid(), server_default=PLANTED_BY, nullable=False))
