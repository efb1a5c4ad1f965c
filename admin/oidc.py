"""/sign-in/oidc: signing in over OpenID Connect, by Authlib, with state, nonce and PKCE.

What must come back is kept in SQL under a cookie of this browser's for ten minutes, and used once. Nobody is let in
whom no owner has added: the provider only says who somebody is.
"""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth, StarletteOAuth2App
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from admin.console import Console
from admin.door import Entry
from admin.errors import SIGN_IN, local_path
from admin.routes import Routes
from core.errors import NotAllowed, NotFound, TooManyTries
from core.settings import Settings
from core.store.admin_tables import Admin
from core.store.database import Repositories
from core.values import utc_now
from serving.secrets import hash_secret, new_secret
from serving.throttle import Throttle

log = structlog.get_logger(__name__)

START = f"{SIGN_IN}/oidc"
CALLBACK = f"{START}/callback"
COOKIE = "glimt_sign_in"
LASTS = timedelta(minutes=10)
TIMEOUT_S = 10.0
_NAME = "provider"
# Never "none", and no algorithm with a shared secret.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_FAILED = "Signing in with the provider did not work. Please try again; if it keeps happening, tell an owner."
_STRANGER = "The provider knows you, but nobody has added you here. Ask an owner to add {email}."
_UNVERIFIED = "The provider has not verified your e-mail address, so nobody here can be found by it. Ask an owner."


class ProviderFailed(NotAllowed):
    """The provider cannot be reached, or what it says is wrong."""

    user_message = _FAILED


class Provider:
    """The OpenID Connect provider of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.oidc_issuer
        self._client: StarletteOAuth2App = OAuth().register(
            _NAME,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret.get_secret_value(),
            server_metadata_url=f"{settings.oidc_issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256", "timeout": TIMEOUT_S},
        )

    async def send_there(self, request: Request, redirect_uri: str) -> tuple[Response, dict[str, Any]]:
        """The way to the provider, and what must come back with the browser.

        Raises:
            ProviderFailed: it cannot be reached, or is another one than it should be.
        """
        # Authlib keeps what must come back in the session that it finds here.
        session: dict[str, Any] = {}
        request.scope["session"] = session
        try:
            await self._load()
            return await self._client.authorize_redirect(request, redirect_uri), session
        except (AuthlibBaseError, httpx2.HTTPError, ValueError, RuntimeError) as error:
            raise ProviderFailed(f"{type(error).__name__}: {error}") from error

    async def who(self, request: Request, session: dict[str, Any]) -> dict[str, Any]:
        """The claims of whoever comes back.

        Raises:
            ProviderFailed: what came back is not what must, or the provider does not confirm it.
        """
        request.scope["session"] = session
        try:
            await self._load()
            token = await self._client.authorize_access_token(request)
            claims = dict(token["userinfo"])
        except (AuthlibBaseError, JoseError, httpx2.HTTPError, KeyError, ValueError, TypeError, RuntimeError) as error:
            raise ProviderFailed(f"{type(error).__name__}: {error}") from error
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise ProviderFailed("no subject")
        return claims

    async def _load(self) -> None:
        metadata = await self._client.load_server_metadata()
        if str(metadata.get("issuer", "")).rstrip("/") != self._issuer:
            raise ValueError("the provider calls itself otherwise than GLIMT_OIDC_ISSUER")
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [name for name in offered if name in _ALGORITHMS]


def add_oidc(routes: Routes, console: Console) -> None:
    """Add the way to the provider and back. Without a provider in the settings there is nothing there."""
    settings, store, door = console.services.settings, console.services.store, console.door
    provider = Provider(settings) if settings.oidc_issuer else None
    # Each start is a row in SQL and a question to the provider.
    starts = Throttle(burst=30, seconds_a_try=2.0)

    def cookie_name(request: Request) -> str:
        return f"__Host-{COOKIE}" if door.is_secure(request) else COOKIE

    def set_cookie(request: Request, response: Response, value: str) -> None:
        seconds = int(LASTS.total_seconds()) if value else 0
        secure = door.is_secure(request)
        # Lax, since the provider's page leads back here.
        response.set_cookie(
            cookie_name(request), value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=secure
        )

    def remember(secret: str, data: dict[str, Any]) -> None:
        now = utc_now()
        with store.write() as repositories:
            repositories.admin_sessions.purge(now)
            repositories.admin_sessions.add_pending(hash_secret(secret), data, now + LASTS)

    def remembered(secret: str) -> dict[str, Any] | None:
        with store.write() as repositories:
            return repositories.admin_sessions.take_pending(hash_secret(secret), utc_now())

    def let_in(claims: dict[str, Any], entry: Entry) -> str:
        with store.write() as repositories:
            admin = _admin_of(repositories, settings.oidc_issuer, claims)
            if isinstance(admin, Admin):
                return door.open(repositories, admin, entry)
        email = str(claims.get("email") or "")
        door.refuse(email or str(claims["sub"]), entry, admin)
        raise NotAllowed(user_message=_UNVERIFIED if admin == "unverified" else _STRANGER.format(email=email or "you"))

    @routes.public("GET", START)
    async def start(request: Request) -> Response:
        if provider is None:
            raise NotFound
        entry = Entry.of(request, "oidc")
        if starts.closed(entry.address):
            raise TooManyTries(user_message="Too many sign-ins were begun from here. Please wait a minute.")
        starts.wrong(entry.address)
        base = settings.console_url or str(request.base_url).rstrip("/")
        response, session = await provider.send_there(request, f"{base}{CALLBACK}")
        secret = new_secret()
        after = local_path(request.query_params.get("next", "/"))
        await asyncio.to_thread(remember, secret, {"session": session, "next": after})
        set_cookie(request, response, secret)
        return response

    @routes.public("GET", CALLBACK)
    async def back(request: Request) -> Response:
        if provider is None:
            raise NotFound
        entry = Entry.of(request, "oidc")
        secret = request.cookies.get(cookie_name(request), "")
        data = await asyncio.to_thread(remembered, secret) if secret else None
        if data is None:
            raise NotAllowed(user_message="This sign-in was not begun in this browser, or is too long ago. Try again.")
        try:
            claims = await provider.who(request, data["session"])
        except ProviderFailed as error:
            log.warning("oidc_failed", error=str(error))
            await asyncio.to_thread(door.refuse, "", entry, "the provider did not confirm it")
            raise
        token = await asyncio.to_thread(let_in, claims, entry)
        response = RedirectResponse(data["next"], 303)
        set_cookie(request, response, "")
        door.set_cookie(request, response, token)
        return response


def _admin_of(repositories: Repositories, issuer: str, claims: dict[str, Any]) -> Admin | str:
    """The admin that the claims speak of, or why there is none."""
    subject = claims["sub"]
    admin = repositories.admins.by_subject(issuer, subject)
    if admin is None:
        if claims.get("email_verified") is not True:
            return "unverified"
        admin = repositories.admins.by_email(str(claims.get("email") or "").strip().lower())
        if admin is None:
            return "stranger"
        if not repositories.admins.link(admin.id, issuer, subject):
            # Somebody else with that address came before, or the admin was disabled.
            return "somebody else"
    return admin if admin.disabled_at is None else "disabled"
