"""Whose one customer is, is looked up by the customer alone: an index with both led PostgreSQL to seek each user."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_index(
        "customer_assignees_user_id_idx", "customer_assignees", ["user_id"], postgresql_include=["customer_id"]
    )
    op.drop_index("customer_assignees_user_id_customer_id_idx", table_name="customer_assignees")
