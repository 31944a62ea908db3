"""Refusals as pages in plain words, with the way back."""

from collections.abc import Awaitable, Callable
from functools import wraps

from starlette.exceptions import HTTPException
from starlette.responses import Response

from zohosync.console.gate import Visit
from zohosync.console.security import safe_path
from zohosync.errors import DatabaseFailure, RecordGone, ZohosyncError

Page = Callable[[Visit], Awaitable[Response]]


def refusing(page: Page) -> Page:
    """What the page's work refuses is told where it was asked; the form names the way back."""

    @wraps(page)
    async def answer(visit: Visit) -> Response:
        try:
            return await page(visit)
        except DatabaseFailure:
            raise  # told for every page alike
        except RecordGone as error:
            raise HTTPException(404, error.message) from error
        except ZohosyncError as error:
            back = safe_path(visit.form.get("back"), "/settings")
            return visit.page("refused.html", 422, message=error.message, hint=error.hint, back=back)

    return answer
