"""The HTTP client of a backend."""

from typing import Any

from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

CONNECT_S = 10.0
SEND_S = 60.0
# Nothing at all for so long, not even the next token: the connection is taken for dead.
SILENCE_S = 120.0


def make_client(url: str, key: str, silence_s: float = SILENCE_S) -> AsyncOpenAI:
    """A client that sends `key`, or none if it is empty, to the host of `url` and to no other.

    Retries are the caller's; so is the number of connections. Redirects are answers with a status like any other.
    Proxies are those of the environment, as always with httpx.
    """
    client = AsyncOpenAI(
        base_url=url,
        # The package wants a key, and takes OPENAI_API_KEY, which is for another service, where it is given none.
        api_key=key or "none",
        max_retries=0,
        timeout=Timeout(connect=CONNECT_S, read=silence_s, write=SEND_S, pool=None),
        http_client=DefaultAsyncHttpxClient(
            follow_redirects=False, event_hooks={} if key else {"request": [_without_key]}
        ),
    )
    # The environment's (OPENAI_ORG_ID, OPENAI_PROJECT_ID) belong to another service.
    client.organization = client.project = None
    return client


async def _without_key(request: Any) -> None:
    request.headers.pop("Authorization", None)
