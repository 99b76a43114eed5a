"""Does every answer to generated requests conform to the contract, and is none of them a server's error?"""

from pathlib import Path

from tests.conftest import Client
from tests.contracts.fuzzing import fuzz


async def test_generated_requests_get_documented_answers(administrator: Client, tmp_path: Path) -> None:
    # As the administrator, to whom nothing is forbidden: others get no further than 403 in a third of the routes.
    # The same requests for the same document: what fails here fails again.
    arguments = ("--phases=fuzzing", "--max-examples=20", "--generation-deterministic")
    # Making values for a hundred filters takes most of the time; test_odd_requests.py tries every one of them.
    await fuzz(administrator, administrator, tmp_path, *arguments, filters=8)
