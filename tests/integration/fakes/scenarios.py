"""Conversations with a Slack, told as what it answered, so that two Slacks can be compared.

Each takes a client of the SDK and gives a list of lines; ids, times and addresses are left out.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

Lines = list[str]


def _asked(call: Callable[..., Any], **arguments: Any) -> tuple[str, dict[str, Any]]:
    """Returns: "ok" or the error's code, and the answer."""
    try:
        answer = call(**arguments)
    except SlackApiError as error:
        return str(error.response["error"]), dict(error.response.data)
    return "ok", dict(answer.data)


def chat(client: WebClient, channel: str) -> Lines:
    """Posting, answering in a thread, changing, deleting, and what the history then has."""
    lines: Lines = []
    said, answer = _asked(client.chat_postMessage, channel=channel, text="root")
    root = answer["ts"]
    lines.append(f"post {said}, text {answer['message']['text']}, channel kept {answer['channel'] == channel}")
    said, answer = _asked(client.chat_postMessage, channel=channel, text="reply", thread_ts=root)
    reply = answer["ts"]
    lines.append(f"reply {said}, in the thread {answer['message']['thread_ts'] == root}")
    said, answer = _asked(client.conversations_replies, channel=channel, ts=root)
    lines.append(f"thread {said} {[message['text'] for message in answer['messages']]}")
    said, answer = _asked(client.conversations_history, channel=channel)
    lines.append(f"history {said} {[message['text'] for message in answer['messages']][:1]}")
    said, answer = _asked(client.chat_update, channel=channel, ts=reply, text="another")
    lines.append(f"update {said} {answer['text']}")
    lines.append(f"delete {_asked(client.chat_delete, channel=channel, ts=reply)[0]}")
    said, answer = _asked(client.conversations_replies, channel=channel, ts=root)
    lines.append(f"thread {said} {[message['text'] for message in answer['messages']]}")
    return lines


def chat_refusals(client: WebClient, channel: str) -> Lines:
    """What is not there, and what says nothing."""
    nowhere = "1000000000.000001"
    return [
        f"post nowhere: {_asked(client.chat_postMessage, channel='C0NOWHERE99', text='x')[0]}",
        f"post nothing: {_asked(client.chat_postMessage, channel=channel, text='')[0]}",
        f"update nothing: {_asked(client.chat_update, channel=channel, ts=nowhere, text='x')[0]}",
        f"delete nothing: {_asked(client.chat_delete, channel=channel, ts=nowhere)[0]}",
        f"thread of nothing: {_asked(client.conversations_replies, channel=channel, ts=nowhere)[0]}",
        f"link to nothing: {_asked(client.chat_getPermalink, channel=channel, message_ts=nowhere)[0]}",
        f"nobody: {_asked(client.users_info, user='U0NOBODY999')[0]}",
        f"no channel: {_asked(client.conversations_info, channel='C0NOWHERE99')[0]}",
        f"no file: {_asked(client.files_info, file='F0NOTHING99')[0]}",
        f"no such method: {_asked(client.api_call, api_method='chat.shout')[0]}",
    ]


def reactions(client: WebClient, channel: str) -> Lines:
    """Once, and not twice."""
    ts = client.chat_postMessage(channel=channel, text="look")["ts"]
    return [
        f"add {_asked(client.reactions_add, channel=channel, timestamp=ts, name='eyes')[0]}",
        f"again {_asked(client.reactions_add, channel=channel, timestamp=ts, name='eyes')[0]}",
        f"remove {_asked(client.reactions_remove, channel=channel, timestamp=ts, name='eyes')[0]}",
        f"again {_asked(client.reactions_remove, channel=channel, timestamp=ts, name='eyes')[0]}",
    ]


def files(client: WebClient, channel: str, browser: httpx.Client) -> Lines:
    """An upload in the SDK's three steps, shared in a thread, and its way back."""
    lines: Lines = []
    root = client.chat_postMessage(channel=channel, text="a picture?")["ts"]
    content = b"\x89PNG, or so it says"
    uploaded = client.files_upload_v2(
        channel=channel, thread_ts=root, filename="a.png", content=content, title="A", initial_comment="here"
    )
    file = uploaded["files"][0]["id"]
    said, answer = _asked(client.files_info, file=file)
    info = answer["file"]
    lines.append(f"info {said} {info['name']} {info['title']} {info['mimetype']} {info['filetype']} {info['size']}")
    said, answer = _asked(client.conversations_replies, channel=channel, ts=root)
    lines.append(f"thread {[(m['text'], [f['name'] for f in m.get('files', [])]) for m in answer['messages']]}")
    back = browser.get(info["url_private"], headers={"Authorization": f"Bearer {client.token}"})
    lines.append(f"download {back.status_code} {back.content == content}")
    return lines


def home(client: WebClient, user: str) -> Lines:
    """A Home tab, changed under a hash that is old."""
    view = {"type": "home", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "hello"}}]}
    said, answer = _asked(client.views_publish, user_id=user, view=view)
    lines = [f"publish {said} {answer['view']['type']} {len(answer['view']['blocks'])}"]
    lines.append(f"again {_asked(client.views_publish, user_id=user, view=view)[0]}")
    lines.append(f"old hash {_asked(client.views_publish, user_id=user, view=view, hash=answer['view']['hash'])[0]}")
    return lines


def install(base: str, client_id: str, secret: str, redirect: str, agree: Callable[[str], str]) -> Lines:
    """OAuth. `agree`: from the address of the page to the address that the browser is sent to."""
    client = WebClient(base_url=f"{base}/api/", retry_handlers=[])
    wanted = urlencode(
        {"client_id": client_id, "scope": "chat:write,files:read", "state": "s1", "redirect_uri": redirect}
    )
    query = parse_qs(urlsplit(agree(f"{base}/oauth/v2/authorize?{wanted}")).query)
    lines = [f"state {query['state']}"]
    exchange = {"client_id": client_id, "client_secret": secret, "redirect_uri": redirect}
    said, answer = _asked(client.oauth_v2_access, code=query["code"][0], **exchange)
    scopes = sorted(str(answer["scope"]).split(","))
    lines.append(f"exchange {said} {answer['token_type']} {scopes} {answer['access_token'][:5]}")
    lines.append(f"bot {bool(answer['bot_user_id'])}, team {sorted(answer['team'])}, {sorted(answer['authed_user'])}")
    lines.append(f"the code again: {_asked(client.oauth_v2_access, code=query['code'][0], **exchange)[0]}")
    lines.append(f"the token: {_asked(WebClient(answer['access_token'], f'{base}/api/').auth_test)[0]}")
    lines.append(f"no token: {_asked(client.auth_test)[0]}")
    lines.append(f"a wrong token: {_asked(WebClient('xoxb-wrong', f'{base}/api/').auth_test)[0]}")
    wrong = exchange | {"client_secret": "wrong"}
    lines.append(f"a wrong secret: {_asked(client.oauth_v2_access, code='any', **wrong)[0]}")
    return lines
