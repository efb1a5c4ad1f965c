"""oauth.v2.access: a code, or a refresh token, against tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.slack.methods.registry import method
from tests.fakes.slack.refusal import Refusal
from tests.fakes.slack.state import Grant, Json
from tests.fakes.slack.world import Caller

if TYPE_CHECKING:
    from tests.fakes.slack.fake import FakeSlack

ROTATION_SECONDS = 43_200


def check_client(fake: FakeSlack, client_id: str, secret: str) -> None:
    """Raises:
    Refusal: invalid_client_id or bad_client_secret.
    """
    if client_id != fake.client_id:
        raise Refusal("invalid_client_id")
    if secret != fake.client_secret:
        raise Refusal("bad_client_secret")


@method("oauth.v2.access")
def access(fake: FakeSlack, caller: Caller, arguments: Json) -> Json:
    """Called without a token: the client's id and secret are in the Authorization header, or in the arguments."""
    grant_type = arguments.get("grant_type", "authorization_code")
    if grant_type == "refresh_token":
        return _refreshed(fake, arguments.get("refresh_token", ""))
    if grant_type != "authorization_code":
        raise Refusal("invalid_grant_type")
    # A code is good for one exchange, also for one that fails afterwards.
    code = fake.oauth.codes.pop(arguments.get("code", ""), None)
    if code is None or code.until < fake.world.clock.now():
        raise Refusal("invalid_code")
    if code.redirect_uri and arguments.get("redirect_uri", "") != code.redirect_uri:
        raise Refusal("bad_redirect_uri")
    workspace = fake.world.workspaces[code.team_id]
    answer = _tokens(fake, code.team_id, code.scopes)
    return answer | {
        "bot_user_id": workspace.bot_user.id,
        "app_id": fake.app_id,
        "team": {"id": workspace.id, "name": workspace.name},
        "enterprise": None,
        "is_enterprise_install": False,
        "authed_user": {"id": code.user},
    }


def _tokens(fake: FakeSlack, team_id: str, scopes: tuple[str, ...]) -> Json:
    token = fake.world.ids("xoxe.xoxb-" if fake.oauth.rotates else "xoxb-")
    grant = Grant(token, "bot", team_id, scopes, fake.world.workspaces[team_id].bot_user.id)
    answer: Json = {"access_token": token, "token_type": "bot", "scope": ",".join(scopes)}
    if fake.oauth.rotates:
        refresh = fake.world.ids("xoxe-1-")
        fake.oauth.refresh[refresh] = (team_id, scopes)
        grant.expires = fake.world.clock.now() + ROTATION_SECONDS
        answer |= {"refresh_token": refresh, "expires_in": ROTATION_SECONDS}
    fake.world.grants[token] = grant
    return answer


def _refreshed(fake: FakeSlack, token: str) -> Json:
    found = fake.oauth.refresh.pop(token, None)
    if found is None:
        raise Refusal("invalid_refresh_token")
    team_id, scopes = found
    workspace = fake.world.workspaces[team_id]
    return _tokens(fake, team_id, scopes) | {
        "bot_user_id": workspace.bot_user.id,
        "app_id": fake.app_id,
        "team": {"id": workspace.id, "name": workspace.name},
        "enterprise": None,
        "is_enterprise_install": False,
    }
