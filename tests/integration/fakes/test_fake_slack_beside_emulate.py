"""The same scenarios on the fake and on an independent emulator, npm's `emulate` 0.12.2.

The emulator is compared where EMULATE_DIR names a folder in which `npm i node@22 emulate@0.12.2` was run; it needs that
node, not the system's. What was seen there is in `EMULATE`: where it differs from ours, which follows Slack's pages.

- A thread whose root does not exist: the emulator gives an empty list, Slack thread_not_found.
- An unknown method: the emulator answers 404 without JSON of Slack's form, Slack unknown_method.
- A wrong token: the emulator takes any in its default mode, Slack says invalid_auth.
- A wrong client secret: the emulator says invalid_client_id, Slack bad_client_secret.

The emulator has no streams, sessions, Socket Mode, interactions, rate limits, Slack Connect, thumbnails or limits of
blocks, so that there ours stands alone.
"""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from slack_sdk import WebClient

from tests.fakes.slack import FakeSlack
from tests.integration.fakes import scenarios
from tests.integration.fakes.scenarios import Lines

REDIRECT = "http://127.0.0.1:9/back"
EXPECTED: dict[str, Lines] = {
    "chat": [
        "post ok, text root, channel kept True",
        "reply ok, in the thread True",
        "thread ok ['root', 'reply']",
        "history ok ['root']",
        "update ok another",
        "delete ok",
        "thread ok ['root']",
    ],
    "chat_refusals": [
        "post nowhere: channel_not_found",
        "post nothing: no_text",
        "update nothing: message_not_found",
        "delete nothing: message_not_found",
        "thread of nothing: thread_not_found",
        "link to nothing: message_not_found",
        "nobody: user_not_found",
        "no channel: channel_not_found",
        "no file: file_not_found",
        "no such method: unknown_method",
    ],
    "reactions": ["add ok", "again already_reacted", "remove ok", "again no_reaction"],
    "files": [
        "info ok a.png A image/png png 19",
        "thread [('a picture?', []), ('here', ['a.png'])]",
        "download 200 True",
    ],
    "home": ["publish ok home 1", "again ok", "old hash hash_conflict"],
    "install": [
        "state ['s1']",
        "exchange ok bot ['chat:write', 'files:read'] xoxb-",
        "bot True, team ['id', 'name'], ['id']",
        "the code again: invalid_code",
        "the token: ok",
        "no token: not_authed",
        "a wrong token: invalid_auth",
        "a wrong secret: bad_client_secret",
    ],
}
EMULATE = {
    "thread of nothing: thread_not_found": "thread of nothing: ok",
    "no such method: unknown_method": "no such method: None",
    "a wrong token: invalid_auth": "a wrong token: ok",
    "a wrong secret: bad_client_secret": "a wrong secret: invalid_client_id",
}
SEED = """
slack:
  strict_scopes: true
  team: {name: acme, domain: acme}
  users: [{name: alice, real_name: Alice, email: alice@example.com}]
  channels: [{name: general}]
  bots: [{name: glimt}]
  oauth_apps:
    - {client_id: "1.2", client_secret: client-secret, app_id: A000000001, name: Glimt, bot_name: glimt,
       redirect_uris: ["http://127.0.0.1:9/back"], scopes: ["chat:write", "files:read"]}
  tokens:
    - {token: xoxb-scenario, user: alice, scopes: ["chat:write", "channels:read", "channels:history", "users:read",
       "files:read", "files:write", "reactions:read", "reactions:write"]}
"""


def test_ours(slack: FakeSlack, client: WebClient, browser: httpx.Client) -> None:
    alice = slack.user("alice")
    general = slack.channel("general", alice)
    slack.oauth.installer = (slack.workspace.id, alice.id)
    told = {name: getattr(scenarios, name)(client, general.id) for name in ("chat", "chat_refusals", "reactions")}
    told["files"] = scenarios.files(client, general.id, browser)
    told["home"] = scenarios.home(client, alice.id)
    told["install"] = scenarios.install(
        slack.url, slack.client_id, slack.client_secret, REDIRECT, lambda page: browser.get(page).headers["location"]
    )
    assert told == EXPECTED
    assert sorted(slack.take_violations()) == [
        "chat.postMessage: no_text: a message without text, blocks and attachments",
        "chat.shout: unknown_method: not a method that the fake knows",
    ]


@contextmanager
def emulator(folder: Path, seed: Path) -> Iterator[str]:
    """Its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    seed.write_text(SEED)
    node, script = folder / "node_modules/node/bin/node", folder / "node_modules/emulate/dist/index.js"
    command = [str(node), str(script), "start", "--service", "slack", "--port", str(port), "--seed", str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Ready" in line:
                break
        try:
            yield f"http://localhost:{port}"
        finally:
            process.terminate()


@pytest.mark.skipif("EMULATE_DIR" not in os.environ, reason="EMULATE_DIR is not set")
def test_the_emulator(tmp_path: Path, browser: httpx.Client) -> None:
    with emulator(Path(os.environ["EMULATE_DIR"]), tmp_path / "seed.yaml") as url:
        client = WebClient(token="xoxb-scenario", base_url=f"{url}/api/", retry_handlers=[])
        channels = client.conversations_list()["channels"]
        general = next(channel["id"] for channel in channels if channel["name"] == "general")

        def agree(page: str) -> str:
            form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', browser.get(page).text))
            return browser.post(f"{url}/oauth/v2/authorize/callback", data=form).headers["location"]

        told = {name: getattr(scenarios, name)(client, general) for name in ("chat", "chat_refusals", "reactions")}
        told["files"] = scenarios.files(client, general, browser)
        told["home"] = scenarios.home(client, client.auth_test()["user_id"])
        told["install"] = scenarios.install(url, "1.2", "client-secret", REDIRECT, agree)
    assert told == {name: [EMULATE.get(line, line) for line in lines] for name, lines in EXPECTED.items()}
