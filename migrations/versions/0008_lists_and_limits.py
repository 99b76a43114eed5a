"""indexes: a form's submissions by time, and who is assigned to customers that others own"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_index("submissions_form_id_created_at_idx", "submissions", ["form_id", "created_at"])
    op.create_index(
        "customer_assignees_besides_owners_idx",
        "customer_assignees",
        ["user_id", "customer_id"],
        postgresql_where=sa.text("role is distinct from 'owner'"),
    )
