"""The `glimt` command. Each command imports what it needs when it runs, so that `glimt keys` needs no torch."""

import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

from core.errors import ConfigurationError, EmptyQuestion
from core.settings import Settings, load_settings
from glimt.cli_bench_console import add_bench_console
from glimt.cli_console import add_console
from glimt.cli_eval import add_eval
from glimt.cli_export import add_export
from glimt.cli_numbers import add_numbers
from glimt.cli_retention import add_retention
from glimt.cli_settings import add_settings
from glimt.cli_slack import add_slack
from glimt.cli_telegram import add_telegram
from glimt.command import explained as _explained
from glimt.command import installed as _installed
from glimt.command import run_command as _run

# How long `glimt db upgrade` waits for a PostgreSQL that is just starting, in seconds.
START_PATIENCE_S = 20.0

app = typer.Typer(
    name="glimt",
    help="Answers questions about pictures in chats, on your own hardware.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
db = typer.Typer(help="The database.", no_args_is_help=True)
keys = typer.Typer(help="Keys of the REST API and the chat page.", no_args_is_help=True)
blobs = typer.Typer(help="The stored pictures.", no_args_is_help=True)
models = typer.Typer(help="The models that have a name here.", invoke_without_command=True)
bench = typer.Typer(help="Measurements, side by side in one run.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(keys, name="keys")
app.add_typer(blobs, name="blobs")
app.add_typer(models, name="models")
app.add_typer(bench, name="bench")
add_eval(app)
add_slack(app, bench)
add_console(app)
add_export(app)
add_numbers(app)
add_retention(app)
add_settings(app)
add_telegram(bench)
add_bench_console(bench)


def _bots_installed() -> AbstractContextManager[None]:
    return _installed("bots", "Install them: pip install 'glimt[web]'")


def _slack_installed() -> AbstractContextManager[None]:
    return _installed("Slack adapter", "Install it: pip install 'glimt[slack]'")


def _telegram_installed() -> AbstractContextManager[None]:
    return _installed("Telegram adapter", "Install it: pip install 'glimt[telegram]'")


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the sample conversation.")] = False,
    model: Annotated[str, typer.Option(hidden=True, help="For tests: a scripted model instead.")] = "demo",
) -> None:
    """Play a sample conversation with the model that ships with Glimt, then serve it until Ctrl-C.

    Everything runs on this machine, with an embedded database and Redis, whatever model and servers are configured.
    """
    with _explained(), _bots_installed():
        from glimt.demo import demo as run
        from glimt.demo import print_step, self_contained
        from glimt.ports import settled

    _run(lambda settings: run(settled(self_contained(settings, model)), once=once, say=print_step))


@app.command()
def up() -> None:
    """Start everything on this machine and serve until Ctrl-C."""
    with _explained(), _bots_installed():
        from glimt.ports import settled
        from glimt.up import up as run

    _run(lambda settings: run(settled(settings), say=lambda line: typer.echo(line, err=True)))


@app.command()
def bots() -> None:
    """The bots process: the chat page, the REST API and every chat platform whose tokens are set."""
    with _explained(), _bots_installed():
        from bots.app import run_bots

    _run(run_bots)


@app.command()
def worker() -> None:
    """A worker process: loads the model and answers."""
    with _explained(), _installed("worker", "Install it: pip install 'glimt[worker]'"):
        from worker.app import run_worker

    _run(run_worker)


@app.command()
def ask(
    words: Annotated[list[str], typer.Argument(help='PICTURE… "question"', metavar="PICTURE… QUESTION")],
    model: Annotated[str, typer.Option(help="Another model than GLIMT_MODEL.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of streamed text.")] = False,
) -> None:
    """Ask about pictures straight through the inference core: no queue, nothing stored."""
    from glimt.ask import ask as run

    *pictures, question = words
    with _explained():
        if os.path.isfile(question):
            raise EmptyQuestion(f'The question is missing: glimt ask {question} "What is this?"')
        settings = load_settings(**({"model": model} if model else {}))
        _run(lambda s: run([Path(p) for p in pictures], question, settings=s, as_json=as_json), settings)


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to the schema of this version. One that is just starting is waited for."""
    from core.store.migrate import upgrade

    _run(lambda settings: upgrade(settings.sql_url, patience_s=START_PATIENCE_S))


@keys.command("create")
def keys_create(name: Annotated[str, typer.Option(help="Who the key is for.")]) -> None:
    """Make a key. It is printed alone on stdout, this once."""
    from bots.web.keys import create_key
    from core.store.database import Store
    from core.store.migrate import upgrade

    def run(settings: Settings) -> None:
        upgrade(settings.sql_url)
        typer.echo(create_key(Store(settings.sql_url), name))

    _run(run)


@keys.command("list")
def keys_list() -> None:
    """List the keys by name."""
    from bots.web.keys import list_keys
    from core.store.database import Store
    from core.store.migrate import require_current

    def run(settings: Settings) -> None:
        require_current(settings.sql_url)
        for key in list_keys(Store(settings.sql_url)):
            used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
            state = "revoked" if key.revoked_at else "active"
            typer.echo(f"{key.name}\t{state}\tmade {key.created_at:%Y-%m-%d}\tlast used {used}")

    _run(run)


@keys.command("revoke")
def keys_revoke(name: Annotated[str, typer.Option(help="Whose key.")]) -> None:
    """End a key and every browser session that was opened with it."""
    from bots.web.keys import revoke_key
    from core.errors import NotFound
    from core.store.database import Store
    from core.store.migrate import require_current
    from core.values import utc_now

    def run(settings: Settings) -> None:
        require_current(settings.sql_url)
        if not revoke_key(Store(settings.sql_url), name, utc_now()):
            raise NotFound(f"There is no active key named {name!r}. `glimt keys list` shows them.")

    _run(run)


@blobs.command("sweep")
def blobs_sweep() -> None:
    """Remove pictures that no conversation has, an hour after they came."""
    from core.media.blobs import BlobStore
    from core.media.orphans import sweep_orphans
    from core.store.database import Store
    from core.store.migrate import require_current
    from core.values import utc_now

    def run(settings: Settings) -> None:
        require_current(settings.sql_url)
        removed = sweep_orphans(BlobStore(settings.blob_store_url), Store(settings.sql_url), utc_now())
        typer.echo(f"{removed} removed")

    _run(run)


@models.callback()
def models_list(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the models that GLIMT_MODEL knows by name: memory, licence, and what fits this machine."""
    from glimt.models import list_models

    if context.invoked_subcommand is None:
        _run(lambda settings: list_models(settings, as_json=as_json, say=typer.echo))


@models.command("fetch")
def models_fetch(
    name: Annotated[str, typer.Argument(help="A preset, 'auto', or OWNER/MODEL with --revision.")],
    revision: Annotated[str, typer.Option(metavar="COMMIT", help="This commit instead of the pinned one.")] = "",
    update: Annotated[bool, typer.Option("--update", help="Pin what the hub shows now.")] = False,
) -> None:
    """Fetch a model ahead of time, so that a worker starts without a network."""
    from glimt.models import fetch_model

    _run(lambda settings: fetch_model(settings, name, revision=revision, update=update, say=typer.echo))


@app.command()
def doctor(
    part: Annotated[str, typer.Argument(help="Only what concerns this platform.", metavar="[slack|telegram]")] = "",
) -> None:
    """Check settings, database, Redis, model, hardware and chat platforms, and say how to mend each."""

    def run(settings: Settings) -> None:
        if part:
            # Without what looks at models.
            from glimt.doctor_chat import PARTS

            examine = PARTS[part]
        else:
            from glimt.doctor import examine
        healthy = True
        for finding in examine(settings):
            healthy &= finding.good
            mark = "MEND" if not finding.good else "WARN" if finding.worry else "ok  "
            typer.echo(f"{mark} {finding.what}: {finding.says}")
        if not healthy:
            raise typer.Exit(1)

    with _explained():
        if part not in ("", "slack", "telegram"):
            raise ConfigurationError(
                f"glimt doctor knows no part named {part!r}. There are: glimt doctor slack, glimt doctor telegram"
            )
        if part == "slack":
            with _slack_installed():
                import bots.slack.doctor
        if part == "telegram":
            with _telegram_installed():
                import bots.telegram.doctor  # noqa: F401
    _run(run)


@bench.command("service")
def bench_service(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    turns: Annotated[int, typer.Option(min=1, help="Turns of the throughput run.")] = 2000,
    database: Annotated[
        str, typer.Option(metavar="URL", help="An empty PostgreSQL database to measure on instead of SQLite.")
    ] = "",
) -> None:
    """The whole service around a scripted engine, against bare Celery tasks in the same run.

    It has a database and a Redis of its own, whatever is configured.
    """
    with _explained(), _installed("measurements", "They run from a checkout of Glimt with everything installed."):
        from bench.service import run as measure

    _run(lambda settings: measure(settings, turns=turns, as_json=as_json, database_url=database, out=sys.stdout))


@bench.command("engine")
def bench_engine(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of each side.")] = 3,
    model: Annotated[str, typer.Option(help="A folder; left out: a Qwen2-VL of random weights is made.")] = "",
    sides: Annotated[
        str, typer.Option(help="Those to measure, with commas between them. The last two: make bench-peers.")
    ] = "ours,sequential,static32,vllm,openvino",
    parts: Annotated[str, typer.Option(help="What to measure.")] = "w,poisson,m,growth,identity",
    rate: Annotated[
        float, typer.Option(min=0, help="Poisson arrivals a second; 0: 2, or half of what we answer, if that is less.")
    ] = 0,
    threads: Annotated[int, typer.Option(min=0, help="Of every side; 0: the cores that are free.")] = 0,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write a page with plots.")] = None,
    small: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """The engine against transformers' `generate`, vLLM and OpenVINO, on the same checkpoint, as ratios.

    Takes some twelve minutes with everything. Progress goes to standard error.
    """
    with _explained(), _installed("measurements", "They run from a checkout of Glimt with everything installed."):
        from bench.engine.run import run as measure

    _run(
        lambda settings: measure(
            settings,
            model=model,
            rounds=rounds,
            rate=rate,
            threads=threads,
            take_part=sides.split(","),
            parts=parts.split(","),
            as_json=as_json,
            html=html,
            small=small,
            out=sys.stdout,
        )
    )
