"""An OpenID Connect provider that refuses what a real one may refuse, and can be told to lie.

Authorization code flow with PKCE (https://openid.net/specs/openid-connect-core-1_0.html, RFC 7636). `refused` collects
why a request was turned down, so that a test can say that none was.
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from tests.serve import serving_app

CLIENT_ID = "glimt"
CLIENT_SECRET = "of the client & with signs"
LASTS_S = 300


@dataclass
class Provider:
    """Who is signed in at it, and what it says of him. `lies` replace claims of the id token; None takes one away."""

    redirect_uri: str = ""
    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)
    metadata_lies: dict[str, Any] = field(default_factory=dict)
    # Sign with a key that is not among the published ones; or with the client's secret; or not at all.
    signing: str = "RS256"
    refused: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True))
    _other_key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True))

    def says(self, subject: str, email: str, *, verified: bool = True) -> None:
        """From now on this person is signed in at the provider, and it tells the truth."""
        self.claims = {"sub": subject, "email": email, "email_verified": verified}
        self.lies, self.metadata_lies, self.signing = {}, {}, "RS256"

    def metadata(self) -> dict[str, Any]:
        """The discovery document."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            **self.metadata_lies,
        }

    def refuse(self, why: str) -> Response:
        """Turn a request down."""
        self.refused.append(why)
        return PlainTextResponse(why, 400)

    def authorize(self, query: dict[str, str]) -> Response:
        """As if the person had agreed at once."""
        wanted = {"response_type": "code", "client_id": CLIENT_ID, "redirect_uri": self.redirect_uri}
        for name, value in wanted.items():
            if query.get(name) != value:
                return self.refuse(f"authorize: {name} is {query.get(name)!r}")
        if "openid" not in query.get("scope", "").split():
            return self.refuse("authorize: scope without openid")
        if query.get("code_challenge_method") != "S256" or len(query.get("code_challenge", "")) != 43:
            return self.refuse("authorize: no PKCE with S256")
        for name in ("state", "nonce"):
            if len(query.get(name, "")) < 16:
                return self.refuse(f"authorize: {name} is too short")
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return RedirectResponse(f"{self.redirect_uri}?{urlencode({'code': code, 'state': query['state']})}", 302)

    def token(self, authorization: str, form: dict[str, str]) -> Response:
        """Exchange a code, once."""
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if authorization != f"Basic {expected}":
            return self.refuse("token: wrong client")
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None:
            return self.refuse("token: no such code")
        if form.get("grant_type") != "authorization_code" or form.get("redirect_uri") != self.redirect_uri:
            return self.refuse("token: another grant or redirect_uri")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != asked["code_challenge"]:
            return self.refuse("token: the verifier does not fit")
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + LASTS_S, "nonce": asked["nonce"]}
        said = {name: value for name, value in {**claims, **self.claims, **self.lies}.items() if value is not None}
        token = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": LASTS_S}
        if self.signing != "left out":
            token["id_token"] = self._signed(said)
        return JSONResponse(token)

    def _signed(self, claims: dict[str, Any]) -> str:
        if self.signing == "none":
            parts = [
                base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (b'{"alg":"none"}', _json(claims))
            ]
            return f"{parts[0]}.{parts[1]}."
        key = self._other_key if self.signing == "stolen" else self._key
        return jwt.encode({"alg": "RS256", "kid": self._key.kid}, claims, key)

    def keys(self) -> dict[str, Any]:
        """The published keys."""
        return {"keys": [self._key.as_dict(private=False)]}


def _json(claims: dict[str, Any]) -> bytes:
    return json.dumps(claims).encode()


def _app(provider: Provider) -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.get("/.well-known/openid-configuration")
    async def metadata() -> Response:
        return JSONResponse(provider.metadata())

    @app.get("/authorize")
    async def authorize(request: Request) -> Response:
        return provider.authorize(dict(request.query_params))

    @app.post("/token")
    async def token(request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        return provider.token(request.headers.get("authorization", ""), form)

    @app.get("/keys")
    async def keys() -> Response:
        return JSONResponse(provider.keys())

    return app


@contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider at an address of its own; tell it the `redirect_uri` before it is asked."""
    provider = Provider()

    @asynccontextmanager
    async def opening() -> AsyncIterator[tuple[FastAPI, None]]:
        yield _app(provider), None

    with serving_app(opening) as (url, _):
        provider.url = url
        yield provider
