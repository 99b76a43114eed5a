"""The only reader of the environment: every setting of the process, checked at start and refused by name."""

from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings from the environment, each `CRM_` and its name in capitals (`CRM_DATABASE_URL`)."""

    model_config = SettingsConfigDict(env_prefix="CRM_", env_ignore_empty=True)

    data_dir: Path = Field(Path(".data"), description="Where the embedded servers and the secret keep their files.")
    database_url: str | None = Field(None, description="postgresql://… of your own PostgreSQL 15 to 18.")
    redis_url: str | None = Field(None, description="redis://, rediss:// or unix:// of your own Valkey or Redis.")
    secret_key: SecretStr | None = Field(None, description="32 bytes or more; comma-separated, newest first, to rotate.")
    host: str = Field("127.0.0.1", description="Address that the API listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port that the API listens on.")

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: str | None) -> str | None:
        if value and not value.startswith(("postgresql://", "postgres://", "postgresql+asyncpg://")):
            raise ValueError("must begin with postgresql://")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        if value and not value.startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
