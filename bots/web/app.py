"""The web server: the chat page, its API, and the REST API. Routes live in one file a noun."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from bots.services import Services
from bots.web import errors
from bots.web.conversations import add_conversations
from bots.web.headers import SECURITY_HEADERS
from bots.web.health import add_health
from bots.web.hosts import LoopbackHosts
from bots.web.metrics import CountRequests
from bots.web.my_data import add_my_data
from bots.web.openai_api.completions import add_completions
from bots.web.openai_api.models import add_models
from bots.web.page import add_page
from bots.web.parts import Parts
from bots.web.pictures import add_pictures
from bots.web.session import add_session
from bots.web.turns import add_turns
from serving.headers import SecurityHeaders


def create_app(services: Services) -> FastAPI:
    """The ASGI application. Call `bots.web.reach.check_binding` before it is bound to an address.

    Serve it with a time limit for closing (uvicorn's `timeout_graceful_shutdown`): readers of streams do not leave
    by themselves.
    """
    parts = Parts.of(services)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await parts.close()

    # No generated documentation: its page would need scripts from elsewhere.
    app = FastAPI(title="Glimt", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    errors.install(app)
    # Matched in this order, so the busiest comes first.
    add_completions(app.router, parts)
    add_models(app.router, parts)
    add_turns(app.router, parts)
    add_conversations(app.router, parts)
    add_pictures(app.router, parts)
    add_session(app.router, parts)
    add_my_data(app.router, parts)
    add_health(app.router, parts)
    add_page(app)
    # The last one added is the outermost.
    app.add_middleware(LoopbackHosts, gate=parts.gate)
    app.add_middleware(CountRequests, metrics=parts.metrics)
    app.add_middleware(SecurityHeaders, headers=SECURITY_HEADERS)
    return app
