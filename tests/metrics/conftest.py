"""A stage that tallies, and pages read back."""

from collections.abc import AsyncIterator

import pytest

from conftest import Database
from stage import Stage, open_stage


@pytest.fixture
async def stage(database: Database) -> AsyncIterator[Stage]:
    async with open_stage(database) as opened:
        yield opened
