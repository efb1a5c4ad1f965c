"""Settings: read once from the environment and .env; what is wrong is said by name, without values."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from core.errors import ConfigurationError
from core.settings import Settings, load_settings


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without a .env of the developer's."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _wrong(**overrides: object) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(**overrides)
    head, *lines = str(caught.value).splitlines()
    assert head == "Wrong settings:"
    return [line.strip() for line in lines]


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("GLIMT_MODELL", "GLIMT_MODEL"),
        ("GLIMT_WEBPORT", "GLIMT_WEB_PORT"),
        ("GLIMT_DATABASE_URL", "DATABASE_URL"),
        ("GLIMT_REDIS_URL", "REDIS_URL"),
        ("glimt_hots", "GLIMT_HOST"),
        ("GLIMT_LEASE_SECONDS", "GLIMT_LEASE_S"),
    ],
)
def test_a_misspelt_name_is_refused_with_the_nearest_one(
    monkeypatch: pytest.MonkeyPatch, name: str, nearest: str
) -> None:
    monkeypatch.setenv(name, "redis://geheim")

    assert _wrong() == [f"{name.upper()}: there is no such setting; did you mean {nearest}?"]


def test_a_name_like_none_is_refused_without_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIMT_XYZZY", "1")

    assert _wrong() == ["GLIMT_XYZZY: there is no such setting"]


def test_the_file_is_checked_like_the_environment(empty_folder: Path) -> None:
    (empty_folder / ".env").write_text("GLIMT_MODLE=x\nGLIMT_LEASE_S=soon\nPOSTGRES_PASSWORD=x\nCOMPOSE_PROFILES=gpu\n")

    assert _wrong() == [
        "GLIMT_MODLE: there is no such setting; did you mean GLIMT_MODEL?",
        "GLIMT_LEASE_S: Input should be a valid number, unable to parse string as a number",
    ]


def test_a_file_that_is_no_text_is_named(empty_folder: Path) -> None:
    (empty_folder / ".env").write_bytes(b"GLIMT_MODEL=\xff\xfe\n")

    assert _wrong() == [".env: this file is not UTF-8 text"]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("REDIS_URL", "foo://geheim", "REDIS_URL: this is no address such as redis://"),
        ("REDIS_URL", "redis://:geheim@h:notaport/0", "REDIS_URL: this is no address such as redis://"),
        ("GLIMT_DEVICE", "gpu", "GLIMT_DEVICE: use auto, cpu, cuda, cuda:0 or cuda:0,cuda:1"),
        ("GLIMT_DEVICE", "cuda:0,cpu", "GLIMT_DEVICE: use auto"),
        ("GLIMT_QUANTISATION", "int4", "GLIMT_QUANTISATION: Input should be 'none', 'int8' or 'nf4'"),
        ("GLIMT_DEVICE", "cuda:first", "GLIMT_DEVICE: use auto, cpu, cuda, cuda:0 or cuda:0,cuda:1"),
        ("GLIMT_HEARTBEAT_S", "4", "GLIMT_HEARTBEAT_S must be at most a third of GLIMT_LEASE_S"),
        ("GLIMT_LEASE_S", "5", "GLIMT_HEARTBEAT_S must be at most a third of GLIMT_LEASE_S"),
    ],
)
def test_what_cannot_work_is_refused_with_what_to_write(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)

    (line,) = _wrong()

    assert line.startswith(says)
    assert "geheim" not in line


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1", "cuda:0,cuda:1", "mps"])
def test_devices_as_torch_calls_them(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    monkeypatch.setenv("GLIMT_DEVICE", device)

    assert load_settings().device == device


def test_no_line_shows_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GLIMT_LEASE_S", "GLIMT_LOG_LEVEL", "GLIMT_WEB_PORT", "GLIMT_REASONING", "GLIMT_DTYPE", "GLIMT_NEW"):
        monkeypatch.setenv(name, "geheim")

    lines = _wrong()

    assert len(lines) == 6
    assert not any("geheim" in line for line in lines)


@pytest.mark.parametrize(
    "name", ["GLIMT_VERSION", "GLIMT_MODELS_VOLUME", "GLIMT_TEST_CHROMIUM", "GLIMT_REQUIRE_BROWSER"]
)
def test_names_for_compose_and_for_the_tests_are_no_mistake(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")

    assert load_settings().model == "demo"


def test_empty_means_default_also_for_names_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GLIMT_MODEL", "GLIMT_WEB_PORT", "DATABASE_URL", "REDIS_URL", "GLIMT_OF_YESTERDAY"):
        monkeypatch.setenv(name, "")

    settings = load_settings()

    assert (settings.model, settings.web_port) == ("demo", 8080)
    assert settings.sql_url == f"sqlite:///{Path.cwd() / 'var' / 'glimt.db'}"


def test_the_environment_wins_over_the_file(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_folder / ".env").write_text("GLIMT_MODEL=from-file\nGLIMT_HOST=::1\n")
    monkeypatch.setenv("GLIMT_MODEL", "from-environment")

    settings = load_settings()

    assert (settings.model, settings.host) == ("from-environment", "::1")
    assert load_settings(_env_file=None).host == "127.0.0.1"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
    ],
)
def test_the_usual_spellings_of_a_database(monkeypatch: pytest.MonkeyPatch, given: str, used: str) -> None:
    monkeypatch.setenv("DATABASE_URL", given)

    assert load_settings().sql_url == used


def test_a_changed_copy_has_addresses_of_its_own() -> None:
    settings = load_settings(data_dir=Path("/somewhere"))
    assert settings.queue_url == "unix:///somewhere/redis.sock"

    changed = settings.model_copy(update={"redis_url": "redis://elsewhere", "database_url": "postgres://h/d"})

    assert (changed.queue_url, changed.sql_url) == ("redis://elsewhere", "postgresql+psycopg://h/d")
    assert settings.queue_url == "unix:///somewhere/redis.sock"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().model = "other"  # type: ignore[misc]  # what the test is about


def test_hosts_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIMT_PICTURE_HOSTS", " a.example, b.example ,,")

    assert load_settings().picture_hosts == ("a.example", "b.example")


def test_no_two_settings_share_a_name() -> None:
    names = [name.upper() for name in Settings.model_fields]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "needs the server's address in GLIMT_BACKEND_URL"),
        ("localhost:8000", "http://127.0.0.1:8000/v1"),
        ("ftp://host/v1", "http://127.0.0.1:8000/v1"),
        ("http://host:port/v1", "http://127.0.0.1:8000/v1"),
        ("http://host/v1?key=geheim", "http://127.0.0.1:8000/v1"),
        ("https://me:geheim@host/v1", "belongs into GLIMT_BACKEND_KEY"),
    ],
)
def test_a_backend_needs_a_plain_address(monkeypatch: pytest.MonkeyPatch, url: str, says: str) -> None:
    monkeypatch.setenv("GLIMT_BACKEND", "openai")
    monkeypatch.setenv("GLIMT_BACKEND_URL", url)

    lines = _wrong()

    assert any(says in line for line in lines)
    assert not any("geheim" in line for line in lines)


def test_a_backend_and_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIMT_BACKEND", "openai")
    monkeypatch.setenv("GLIMT_BACKEND_URL", "http://10.0.0.5:8000/v1/")
    monkeypatch.setenv("GLIMT_BACKEND_KEY", "geheim")

    settings = load_settings()

    assert settings.backend_url == "http://10.0.0.5:8000/v1"
    assert settings.backend_key.get_secret_value() == "geheim"
    assert "geheim" not in f"{settings!r} {settings.model_dump_json()}"
