"""The encryption keys change under a worker that goes on."""

import pytest
from cryptography.fernet import Fernet

from conftest import Database
from living.processes import open_house, simulator
from stage import KEY, open_stage
from zohosync.store.secrets import rewrite_secrets
from zohosync.zoho.vault import Vault


@pytest.mark.process
async def test_after_resealing_the_old_key_can_go_at_once(database: Database) -> None:
    async with simulator() as zoho, open_house(database, zoho) as house:
        new = Fernet.generate_key().decode()
        worker = await house.started("worker", encryption_keys=f"{new},{house.key}")
        told = await house.run("key", "--reseal", encryption_keys=f"{new},{house.key}")
        assert (told.code, told.output[:9]) == (0, "3 secrets")
        # The access token expires, so both workers need the client's secret and the refresh token.
        for number in (1, 2):
            await house.shop.execute("update zohosync.connection set expires_at = now() - interval '1 minute'")
            await house.shop.execute(
                "insert into users (email, first_name, last_name) values (%s, 'Demo', 'Customer')",
                (f"customer{number}@example.com",),
            )
            await house.wait_for(f"select from users where email like 'customer{number}%' and zoho_crm_id is not null")
            if number == 1:
                worker.terminate()
                await worker.communicate()
                await house.started("worker", encryption_keys=new)
        assert len(await house.records("Contacts")) == 2


async def test_keys_change_also_while_nobody_is_connected(database: Database) -> None:
    async with open_stage(database) as stage:
        await stage.services.connector.disconnect()
        async with stage.services.pool.connection() as connection, connection.transaction():
            assert await rewrite_secrets(connection, Vault([KEY]).reseal) == 0
