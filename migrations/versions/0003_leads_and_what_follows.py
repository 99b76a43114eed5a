"""leads, activities, messages, forms, workflows"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


# What the shipped profiles may do in the new sections, where a company has them already.
GRANTS = (
    ("profile:manager", "leads", "team", "read create update delete export import assign"),
    ("profile:manager", "activities", "team", "read create update delete export import assign"),
    ("profile:manager", "messages", "team", "read create update delete assign"),
    ("profile:manager", "templates", "all", "read"),
    ("profile:sales", "leads", "own", "read create update"),
    ("profile:sales", "activities", "own", "read create update"),
    ("profile:sales", "messages", "own", "read create update"),
    ("profile:sales", "templates", "all", "read"),
    ("profile:marketing", "leads", "all", "read create update export import assign"),
    ("profile:marketing", "activities", "all", "read"),
    ("profile:marketing", "activities", "own", "create update"),
    ("profile:marketing", "messages", "all", "read"),
    ("profile:marketing", "messages", "own", "create update"),
    ("profile:marketing", "templates", "all", "read create update delete configure"),
    ("profile:marketing", "forms", "all", "read create update delete configure"),
    ("profile:marketing", "submissions", "all", "read"),
    ("profile:marketing", "imports", "own", "read"),
    ("profile:support", "activities", "all", "read"),
    ("profile:support", "activities", "own", "create update"),
    ("profile:support", "messages", "all", "read"),
    ("profile:support", "messages", "own", "create update"),
    ("profile:support", "templates", "all", "read"),
)


def upgrade() -> None:
    op.create_table(
        "rate_counts",
        sa.Column("bucket", sa.String(length=120), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("minute_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_minute", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "starts_at", name=op.f("rate_counts_pkey")),
    )
    op.create_index("rate_counts_starts_at_idx", "rate_counts", ["starts_at"], unique=False)
    op.create_table(
        "templates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.Text(collation="C"), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("subject", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("text", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("search_open", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archive_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("channel in ('email')", name=op.f("templates_channel_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("templates_pkey")),
    )
    op.create_index(
        "templates_key_key", "templates", ["key"], unique=True, postgresql_where=sa.text("archived_at is null")
    )
    op.create_table(
        "forms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.Text(collation="C"), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("consent", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("consent_required", sa.Boolean(), nullable=False),
        sa.Column("redirect", sa.String(length=500), nullable=True),
        sa.Column("error_redirect", sa.String(length=500), nullable=True),
        sa.Column("allowed_origins", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("honeypot", sa.String(length=50), nullable=False),
        sa.Column("lead_owner_id", sa.Uuid(), nullable=True),
        sa.Column("search_open", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archive_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["lead_owner_id"], ["users.id"], name=op.f("forms_lead_owner_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("forms_pkey")),
    )
    op.create_index("forms_key_key", "forms", ["key"], unique=True, postgresql_where=sa.text("archived_at is null"))
    op.create_table(
        "workflows",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=50), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.Text(collation="C"), nullable=False),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("trigger", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("scanned_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("search_open", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archive_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("workflows_owner_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("workflows_pkey")),
    )
    op.create_index(
        "workflows_key_key", "workflows", ["key"], unique=True, postgresql_where=sa.text("archived_at is null")
    )
    op.create_table(
        "workflow_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("workflow_id", sa.Uuid(), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("episode", sa.String(length=60), nullable=False),
        sa.Column("repetition", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assigned_to", sa.Uuid(), nullable=True),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archive_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("state in ('done', 'skipped', 'failed')", name=op.f("workflow_runs_state_check")),
        sa.ForeignKeyConstraint(["workflow_id"], ["workflows.id"], name=op.f("workflow_runs_workflow_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("workflow_runs_pkey")),
    )
    op.create_index(
        "workflow_runs_episode_key",
        "workflow_runs",
        ["workflow_id", "entity", "record_id", "episode", "repetition"],
        unique=True,
    )
    op.create_index("workflow_runs_workflow_id_id_idx", "workflow_runs", ["workflow_id", "id"], unique=False)
    op.create_index(
        "workflow_runs_assigned_to_idx",
        "workflow_runs",
        ["workflow_id", "assigned_to", "id"],
        unique=False,
        postgresql_where=sa.text("assigned_to is not null"),
    )
    op.create_table(
        "leads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("first_name", sa.String(length=100), nullable=True),
        sa.Column("last_name", sa.String(length=100), nullable=True),
        sa.Column("company_name", sa.String(length=200), nullable=True),
        sa.Column("name", sa.String(length=404), nullable=False),
        sa.Column("name_key", sa.Text(collation="C"), nullable=False),
        sa.Column("job_title", sa.String(length=200), nullable=True),
        sa.Column("emails", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("phones", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("addresses", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("social_profiles", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("website", sa.String(length=500), nullable=True),
        sa.Column("preferred_language", sa.String(length=20), nullable=True),
        sa.Column("preferred_channel", sa.String(length=50), nullable=True),
        sa.Column("sector", sa.String(length=50), nullable=True),
        sa.Column("channel", sa.String(length=50), nullable=True),
        sa.Column("form_id", sa.Uuid(), nullable=True),
        sa.Column("utm", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("request", sa.String(length=20), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.String(length=50), nullable=False),
        sa.Column("stage_kind", sa.String(length=10), nullable=False),
        sa.Column("stage_entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("discard_reason", sa.String(length=50), nullable=True),
        sa.Column("first_response_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("converted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("opportunity_id", sa.Uuid(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("search_open", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archive_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(stage_kind = 'lost') = (discard_reason is not null)", name=op.f("leads_discarded_check")),
        sa.CheckConstraint("(stage_kind = 'won') = (converted_at is not null)", name=op.f("leads_converted_check")),
        sa.CheckConstraint("stage_kind <> 'won' or customer_id is not null", name=op.f("leads_converted_to_check")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("leads_contact_id_fkey")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("leads_customer_id_fkey")),
        sa.ForeignKeyConstraint(["form_id"], ["forms.id"], name=op.f("leads_form_id_fkey")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("leads_owner_id_fkey")),
        sa.ForeignKeyConstraint(
            ["pipeline_id", "stage", "stage_kind"],
            ["stages.pipeline_id", "stages.key", "stages.kind"],
            name=op.f("leads_pipeline_id_stage_stage_kind_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("leads_pkey")),
    )
    op.create_index(
        "leads_customer_id_idx",
        "leads",
        ["customer_id"],
        unique=False,
        postgresql_where=sa.text("customer_id is not null"),
    )
    op.create_index("leads_name_key_id_idx", "leads", ["name_key", "id"], unique=False)
    op.create_index(
        "leads_owner_id_idx", "leads", ["owner_id", "id"], unique=False, postgresql_where=sa.text("customer_id is null")
    )
    op.create_index("leads_pipeline_id_stage_idx", "leads", ["pipeline_id", "stage"], unique=False)
    op.create_index(
        "leads_search_open_idx",
        "leads",
        ["search_open"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_open": "gin_trgm_ops"},
        postgresql_with={"fastupdate": "on", "gin_pending_list_limit": "256"},
    )
    op.create_table(
        "submissions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("utm", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("consent_text", sa.Text(), nullable=True),
        sa.Column("page", sa.String(length=500), nullable=True),
        sa.Column("address_hash", sa.LargeBinary(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archive_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("state in ('accepted', 'trapped')", name=op.f("submissions_state_check")),
        sa.ForeignKeyConstraint(["form_id"], ["forms.id"], name=op.f("submissions_form_id_fkey")),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("submissions_lead_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("submissions_pkey")),
    )
    op.create_index("submissions_fingerprint_idx", "submissions", ["fingerprint", "created_at"], unique=False)
    op.create_index("submissions_form_id_id_idx", "submissions", ["form_id", "id"], unique=False)
    op.create_index("submissions_lead_id_idx", "submissions", ["lead_id"], unique=False)
    op.create_table(
        "activities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("objective", sa.String(length=50), nullable=True),
        sa.Column("outcome", sa.String(length=50), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("purpose", sa.String(length=10), nullable=True),
        sa.Column("direction", sa.String(length=10), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("all_day", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("opportunity_id", sa.Uuid(), nullable=True),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("location", sa.String(length=200), nullable=True),
        sa.Column("workflow_run_id", sa.Uuid(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("search_open", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archive_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(state = 'done') = (done_at is not null)", name=op.f("activities_done_check")),
        sa.CheckConstraint(
            "kind in ('call', 'email', 'meeting', 'visit', 'message', 'task', 'note')",
            name=op.f("activities_kind_check"),
        ),
        sa.CheckConstraint("state in ('planned', 'done', 'cancelled')", name=op.f("activities_state_check")),
        sa.CheckConstraint("num_nonnulls(opportunity_id, lead_id) <= 1", name=op.f("activities_about_check")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("activities_customer_id_fkey")),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("activities_lead_id_fkey")),
        sa.ForeignKeyConstraint(["opportunity_id"], ["opportunities.id"], name=op.f("activities_opportunity_id_fkey")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("activities_owner_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("activities_pkey")),
    )
    op.create_index(
        "activities_customer_id_done_at_idx",
        "activities",
        ["customer_id", "done_at"],
        unique=False,
        postgresql_where=sa.text("state = 'done'"),
    )
    op.create_index(
        "activities_customer_id_due_at_idx",
        "activities",
        ["customer_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index("activities_customer_id_id_idx", "activities", ["customer_id", "id"], unique=False)
    op.create_index(
        "activities_lead_id_idx",
        "activities",
        ["lead_id"],
        unique=False,
        postgresql_where=sa.text("lead_id is not null"),
    )
    op.create_index(
        "activities_opportunity_id_idx",
        "activities",
        ["opportunity_id"],
        unique=False,
        postgresql_where=sa.text("opportunity_id is not null"),
    )
    op.create_index(
        "activities_own_without_customer_idx",
        "activities",
        ["owner_id", "id"],
        unique=False,
        postgresql_where=sa.text("customer_id is null"),
    )
    op.create_index(
        "activities_owner_id_due_at_idx",
        "activities",
        ["owner_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index(
        "activities_search_open_idx",
        "activities",
        ["search_open"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_open": "gin_trgm_ops"},
        postgresql_with={"fastupdate": "on", "gin_pending_list_limit": "256"},
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("purpose", sa.String(length=50), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=20), nullable=True),
        sa.Column("submission_id", sa.Uuid(), nullable=True),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("consents_lead_id_fkey")),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("consents_submission_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("consents_pkey")),
    )
    op.create_index("consents_address_purpose_idx", "consents", ["address", "purpose", "id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("direction", sa.String(length=10), nullable=False),
        sa.Column("from_address", sa.String(length=320), nullable=True),
        sa.Column("to_address", sa.String(length=320), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("language", sa.String(length=20), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message_id", sa.String(length=200), nullable=True),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("opportunity_id", sa.Uuid(), nullable=True),
        sa.Column("workflow_run_id", sa.Uuid(), nullable=True),
        sa.Column("search_open", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archive_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "channel in ('email', 'phone', 'sms', 'whatsapp', 'post', 'portal', 'other')",
            name=op.f("messages_channel_check"),
        ),
        sa.CheckConstraint("direction in ('in', 'out')", name=op.f("messages_direction_check")),
        sa.CheckConstraint(
            "state in ('queued', 'sent', 'failed', 'received', 'logged')", name=op.f("messages_state_check")
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("messages_contact_id_fkey")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("messages_customer_id_fkey")),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("messages_lead_id_fkey")),
        sa.ForeignKeyConstraint(["opportunity_id"], ["opportunities.id"], name=op.f("messages_opportunity_id_fkey")),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("messages_owner_id_fkey")),
        sa.ForeignKeyConstraint(["template_id"], ["templates.id"], name=op.f("messages_template_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("messages_pkey")),
    )
    op.create_index("messages_customer_id_id_idx", "messages", ["customer_id", "id"], unique=False)
    op.create_index(
        "messages_lead_id_idx", "messages", ["lead_id"], unique=False, postgresql_where=sa.text("lead_id is not null")
    )
    op.create_index(
        "messages_message_id_key",
        "messages",
        ["message_id"],
        unique=True,
        postgresql_where=sa.text("message_id is not null"),
    )
    op.create_index(
        "messages_own_without_customer_idx",
        "messages",
        ["owner_id", "id"],
        unique=False,
        postgresql_where=sa.text("customer_id is null"),
    )
    op.create_index(
        "messages_search_open_idx",
        "messages",
        ["search_open"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_open": "gin_trgm_ops"},
        postgresql_with={"fastupdate": "on", "gin_pending_list_limit": "256"},
    )
    op.create_table(
        "activity_contacts",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=50), nullable=True),
        sa.ForeignKeyConstraint(["activity_id"], ["activities.id"], name=op.f("activity_contacts_activity_id_fkey")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("activity_contacts_contact_id_fkey")),
        sa.PrimaryKeyConstraint("activity_id", "position", name=op.f("activity_contacts_pkey")),
    )
    op.create_index("activity_contacts_contact_id_idx", "activity_contacts", ["contact_id"], unique=False)
    op.add_column("customers", sa.Column("lead_id", sa.Uuid(), nullable=True))
    op.add_column("customers", sa.Column("next_activity_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("customers", sa.Column("last_activity_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("opportunities", sa.Column("lead_id", sa.Uuid(), nullable=True))
    op.add_column("opportunities", sa.Column("next_activity_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("opportunities", sa.Column("last_activity_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "opportunities_lead_id_idx",
        "opportunities",
        ["lead_id"],
        unique=False,
        postgresql_where=sa.text("lead_id is not null"),
    )
    op.create_foreign_key(op.f("opportunities_lead_id_fkey"), "opportunities", "leads", ["lead_id"], ["id"])
    for subject, section, scope, actions in GRANTS:
        for action in actions.split():
            op.execute(
                sa.text(
                    "insert into policies (kind, subject, section, action, field_group, scope) "
                    "select 'p', cast(:subject as varchar), :section, :action, 'open', :scope "
                    "where exists (select from profiles where 'profile:' || id = :subject) on conflict do nothing"
                ).bindparams(subject=subject, section=section, action=action, scope=scope)
            )
    op.execute(
        """update settings set minimum_information = minimum_information || '{"activity_reports": ["outcome"]}'"""
    )
