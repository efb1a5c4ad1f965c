"""GET /v1/models: the one model that is served."""

import time

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from bots.web.errors import json_response
from bots.web.model_name import served_model
from bots.web.openai_api.parameters import check_model
from bots.web.parts import Parts


def add_models(routes: APIRouter, parts: Parts) -> None:
    """Add the routes under /v1/models."""
    settings = parts.services.settings
    model = {"id": served_model(settings), "object": "model", "created": int(time.time()), "owned_by": "glimt"}

    @routes.get("/v1/models")
    async def models(request: Request) -> Response:
        await parts.auth.program(request)
        return json_response({"object": "list", "data": [model]})

    # A hub's model has a slash in its name.
    @routes.get("/v1/models/{name:path}")
    async def one_model(request: Request, name: str) -> Response:
        await parts.auth.program(request)
        check_model(name, settings)
        return json_response(model)
