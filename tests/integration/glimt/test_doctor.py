"""`glimt doctor`: one line for each check, what is wrong, and how to mend it."""

from pathlib import Path

import pytest

from admin.manage import create_admin
from core.admins import Role
from core.inference.hub import Hub
from core.inference.source import DEMO
from core.queue.embedded import EmbeddedRedis
from core.settings import Settings, load_settings
from core.store.migrate import upgrade
from glimt.doctor import examine
from glimt.doctor_finding import Finding
from tests.integration.glimt.command import glimt
from tests.integration.inference.openai_backend.fault_proxy import fault_proxy, saying, status


def _settings(folder: Path, **changes: object) -> Settings:
    given = {"data_dir": folder, "model": "scripted:echo", **changes}
    return load_settings(_env_file=None, **given)


def _examined(settings: Settings) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine(settings)}


def test_a_sound_installation(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    upgrade(settings.sql_url)
    with EmbeddedRedis(settings.embedded_redis_socket, tmp_path / "redis"):
        findings = _examined(settings)

    assert [f for f in findings.values() if not f.good] == []
    expected = {
        *("database", "redis", "blobs", "model", "eyes", "device", "memory", "cores", "disk", "keys", "console")
    }
    assert set(findings) == expected
    assert "workers: none running" in findings["redis"].says


def test_an_empty_folder_needs_its_tables_and_nothing_else(tmp_path: Path) -> None:
    findings = _examined(_settings(tmp_path / "new"))

    assert {what for what, finding in findings.items() if not finding.good} == {"database", "keys", "console"}
    assert "glimt db upgrade" in findings["database"].says
    assert not (tmp_path / "new" / "glimt.db").exists()


@pytest.mark.parametrize(
    ("what", "changes", "says"),
    [
        ("redis", {"redis_url": "redis://:geheim@127.0.0.1:1/0"}, "Check REDIS_URL"),
        ("database", {"database_url": "postgresql://u:geheim@127.0.0.1:1/x"}, "Connection refused"),
        ("database", {"database_url": "mysql://u:geheim@h/x"}, "DATABASE_URL"),
        ("database", {"database_url": "postgresql://u:geheim@h:notaport/x"}, "DATABASE_URL"),
        ("blobs", {"blobs_url": "s3://"}, "GLIMT_BLOBS_URL"),
        ("blobs", {"blobs_url": "file:///dev/null/blobs"}, "blob store"),
        ("model", {"model": "/nowhere"}, "GLIMT_MODEL"),
        ("model", {"model": "owner/name"}, "GLIMT_MODEL_REVISION"),
        ("model", {"model": "scripted:zzz"}, "scripted:echo"),
        ("model", {"model": "glm-4.6"}, "Did you mean"),
        ("eyes", {"eyes": "/nowhere"}, "GLIMT_EYES="),
        ("eyes", {"eyes": "owner/name"}, "GLIMT_EYES_REVISION"),
        ("eyes", {"eyes": "scripted:zzz"}, "GLIMT_EYES="),
        ("device", {"device": "cuda:9"}, "GLIMT_DEVICE"),
    ],
)
def test_what_is_wrong_is_found_and_named_in_one_line_without_secrets(
    tmp_path: Path, what: str, changes: dict[str, object], says: str
) -> None:
    finding = _examined(_settings(tmp_path, **changes))[what]

    assert not finding.good
    assert says in finding.says
    assert "\n" not in finding.says
    assert "geheim" not in finding.says


def test_eyes_are_looked_at_and_missed(tmp_path: Path) -> None:
    text_only = tmp_path / "text"
    text_only.mkdir()
    (text_only / "config.json").write_text('{"model_type": "glm4_moe_lite"}')
    (text_only / "model.safetensors").write_bytes((2).to_bytes(8, "little") + b"{}")

    def eyes(**changes: object) -> Finding:
        return _examined(_settings(tmp_path, **changes))["eyes"]

    missing, blind, good = eyes(model=str(text_only)), eyes(eyes=str(text_only)), eyes(eyes="demo")

    assert (missing.good, blind.good, good.good) == (False, False, True)
    assert "Set GLIMT_EYES" in missing.says
    assert "reads text only" in blind.says
    assert good.says.startswith("demo in ")
    assert eyes(model="demo").says == "the model's own"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"host": "0.0.0.0"}, "glimt keys create --name NAME"),
        ({"public_url": "https://glimt.example.org"}, "glimt keys create --name NAME"),
        ({"public_url": "glimt.example.org"}, "GLIMT_PUBLIC_URL must be an address"),
    ],
)
def test_what_the_bots_would_refuse_to_serve(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    settings = _settings(tmp_path, **changes)
    upgrade(settings.sql_url)

    finding = _examined(settings)["keys"]

    assert not finding.good
    assert says in finding.says


def test_who_may_sign_in_to_the_console(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    upgrade(settings.sql_url)
    assert "glimt admins create" in _examined(settings)["console"].says
    create_admin(settings, "olga", Role.OWNER)
    assert _examined(settings)["console"].says == "1 may sign in"
    open_to_others = _examined(settings.model_copy(update={"host": "0.0.0.0"}))["console"]
    assert open_to_others.worry
    assert "GLIMT_CONSOLE_URL" in open_to_others.says


@pytest.mark.parametrize("without", ["", "torch transformers"])
def test_a_model_that_cannot_be_loaded_is_seen_also_where_no_worker_is(tmp_path: Path, without: str) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}")
    (model / "model.safetensors").touch()

    told = glimt(tmp_path, "doctor", without=without, GLIMT_MODEL=str(model))

    (line,) = [line for line in told.stdout.splitlines() if " model: " in line]
    assert line.startswith("MEND")
    assert "config.json does not say what kind of model this is" in line


def test_a_preset_says_what_it_needs_and_what_is_pinned(tmp_path: Path) -> None:
    settings = _settings(tmp_path, model="smolvlm-256m", device="cpu")
    commit = "0123456789" * 4

    before = _examined(settings)["model"]
    Hub.of(settings).pins.set("HuggingFaceTB/SmolVLM-256M-Instruct", commit)
    after = _examined(settings)["model"]

    assert before.good
    assert "smolvlm-256m, not fetched yet; needs" in before.says
    assert "runs here on: CPU" in before.says
    assert "SmolVLM-256M-Instruct at 012345678901, not here yet" in after.says


def test_a_model_that_does_not_fit_is_a_worry(tmp_path: Path) -> None:
    finding = _examined(_settings(tmp_path, model="glm-4.6v", device="cpu", dtype="float32"))["model"]

    assert finding.worry
    assert "`glimt models` shows what suits this machine" in finding.says


def test_auto_says_what_it_would_take(tmp_path: Path) -> None:
    finding = _examined(_settings(tmp_path, model="auto", device="cpu"))["model"]

    assert finding.says.startswith(("auto takes ", "auto: no preset fits: "))
    assert "this machine has" in finding.says


def test_what_computes_is_described(tmp_path: Path) -> None:
    findings = _examined(_settings(tmp_path, model="demo", device="cpu", dtype="bfloat16"))

    assert findings["device"].says.endswith("bfloat16")
    assert "GiB free on the CPU; demo needs about 1.0" in findings["memory"].says
    assert "in the affinity mask" in findings["cores"].says
    assert "quota of the cgroup" in findings["cores"].says


def test_eyes_are_computed_here_wherever_the_model_is(tmp_path: Path) -> None:
    backend = {"backend": "openai", "backend_url": "http://127.0.0.1:1/v1", "device": "cpu"}
    both = _examined(_settings(tmp_path, model="demo", eyes="demo", device="cpu"))
    eyes = _examined(_settings(tmp_path, eyes="demo", **backend))
    none = _examined(_settings(tmp_path, model="demo", **backend))

    assert "demo in float32, demo in float32" in both["device"].says
    assert "demo and demo need about 2.1" in both["memory"].says
    assert eyes["eyes"].says.startswith("demo in ")
    assert "demo needs about 1.0" in eyes["memory"].says
    assert "in the affinity mask" in eyes["cores"].says
    assert "if the model at the backend reads text only" in none["eyes"].says
    assert {none[what].says for what in ("device", "memory", "cores")} == {
        "not asked for here: the model runs at the backend"
    }


def test_a_machine_without_a_worker_needs_no_model(tmp_path: Path) -> None:
    told = glimt(tmp_path, "doctor", without="torch transformers", GLIMT_MODEL="/elsewhere/model")

    lines = dict(line[5:].split(": ", 1) for line in told.stdout.splitlines() if line.startswith("ok"))
    assert "runs no worker" in lines["model"]
    assert lines["device"] == "no torch here"


def test_a_machine_without_bots_is_asked_for_no_keys(tmp_path: Path) -> None:
    glimt(tmp_path, "db", "upgrade")
    told = glimt(tmp_path, "doctor", without="bots", GLIMT_HOST="0.0.0.0")

    assert "ok   keys: not asked for here" in told.stdout


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "glimt.db").write_text("this is no database, and long enough to be looked at " * 10)

    finding = _examined(_settings(tmp_path))["database"]

    assert not finding.good
    assert "file is not a database" in finding.says


def test_the_command_prints_a_line_each_and_fails_if_something_needs_mending(tmp_path: Path) -> None:
    told = glimt(tmp_path, "doctor")

    assert told.returncode == 1
    # Without tables: the database, and whoever looks into it for keys and admins.
    assert [line.split()[0] for line in told.stdout.splitlines()].count("MEND") == 3
    assert told.stderr == ""


def test_a_backend_is_asked_for_one_token(tmp_path: Path) -> None:
    hello = saying({"delta": {"content": "Hi"}, "finish_reason": "length"})
    with fault_proxy("http://nowhere.invalid") as server:
        server.models = [{"id": "owner/model", "max_model_len": 4096}]
        backend = {"backend": "openai", "backend_url": f"{server.url}/v1", "backend_key": "geheim", "model": "demo"}

        server.faults.append(hello)
        good = _examined(_settings(tmp_path, **backend))
        server.faults.append(status(401, {"error": {"message": "wrong key: geheim"}}))
        refused = _examined(_settings(tmp_path, **backend))["model"]
        server.faults.append(status(404, {"error": {"message": "no such model"}}))
        unknown = _examined(_settings(tmp_path, **{**backend, "model": "owner/other"}))["model"]
    gone = _examined(_settings(tmp_path, **backend))["model"]

    address = server.url.removeprefix("http://")
    assert good["model"] == Finding("model", True, f"'owner/model' at {address} answers; 4096 tokens of context")
    assert good["device"].good
    for finding, says in (
        (refused, "GLIMT_BACKEND_KEY"),
        (unknown, "It lists: owner/model"),
        (gone, "GLIMT_BACKEND_URL"),
    ):
        assert not finding.good
        assert says in finding.says
        assert "geheim" not in finding.says


def test_a_worker_whose_model_runs_elsewhere_needs_no_torch(tmp_path: Path) -> None:
    with fault_proxy("http://nowhere.invalid") as server:
        server.models = [{"id": "m", "max_model_len": 4096}]
        server.faults.append(saying({"delta": {"content": "A cat."}, "finish_reason": "stop"}))
        backend = {"GLIMT_BACKEND": "openai", "GLIMT_BACKEND_URL": f"{server.url}/v1", "GLIMT_MODEL": "m"}
        heavy = "torch transformers tokenizers safetensors accelerate huggingface_hub numpy"
        told = glimt(tmp_path, "ask", str(DEMO / "sample.png"), "What is this?", without=heavy, **backend)

    assert (told.returncode, told.stdout) == (0, "A cat.\n"), told.stderr
    (url,) = [part["image_url"]["url"] for part in server.bodies[0]["messages"][0]["content"] if "image_url" in part]
    assert url.startswith("data:image/png;base64,")
