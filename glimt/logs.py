"""Logs of all processes: structlog for ours, the same form for the libraries'. No message text, no secret goes in."""

import logging
import sys

import structlog

from core.settings import Settings

# They log bodies, addresses or one line for each task; warnings are what an operator needs of them.
QUIET = (
    *("celery", "kombu", "alembic", "PIL", "httpx", "httpcore", "httpx2", "httpcore2", "openai", "uvicorn.access"),
    *("slack_bolt", "slack_sdk", "telegram"),
)
# They warn at import of what they could not load for other processors, and advise to install what would fetch code.
MUTE = ("torchao", "bitsandbytes")


def set_up_logs(settings: Settings) -> None:
    """Call once at the start of a process."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info if as_json else _keep,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else _console()
    )
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for name in MUTE:
        logging.getLogger(name).setLevel(logging.ERROR)


def _console() -> structlog.typing.Processor:
    # The default prints every local variable of a traceback: questions, answers and secrets.
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


def _keep(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return event
