"""The same as test_schemathesis.py as each profile, with other requests each time and more of them: `./crm fuzz`."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Client
from tests.contracts.fuzzing import fuzz


@pytest.mark.parametrize("profile", ["administrator", "manager", "sales", "marketing", "support"])
async def test_generated_requests_get_documented_answers(
    profile: str, as_profile: Any, administrator: Client, tmp_path: Path
) -> None:
    await fuzz(await as_profile(profile), administrator, tmp_path, "--max-examples=100", "--generation-database=none")
