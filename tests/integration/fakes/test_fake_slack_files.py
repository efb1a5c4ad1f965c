"""Downloads in all the ways in which they go wrong, where a token must not go, uploads, thumbnails."""

import io
from collections.abc import Callable

import httpx
import pytest
from PIL import Image
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError

from tests.fakes.slack import FakeSlack, StoredFile, User
from tests.integration.fakes.pictures import png


@pytest.fixture
def alice(slack: FakeSlack) -> User:
    slack.deliverer.acknowledge_within = 0
    return slack.user("alice")


@pytest.fixture
def picture(slack: FakeSlack, alice: User) -> StoredFile:
    return slack.file("Cat.PNG", png(500, 400), alice)


Fetch = Callable[..., httpx.Response]


@pytest.fixture
def fetch(slack: FakeSlack, browser: httpx.Client) -> Fetch:
    """A download with the bot's token, when no other is given."""

    def get(url: str, *, token: str | None = None, follow: bool = False) -> httpx.Response:
        headers = {"Authorization": f"Bearer {slack.bot_token if token is None else token}"}
        return browser.get(url, headers=headers if token != "" else {}, follow_redirects=follow)

    return get


def is_login_page(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")


def test_a_token_that_may_read_files_gets_the_bytes(slack: FakeSlack, picture: StoredFile, fetch: Fetch) -> None:
    assert fetch(picture.url_private).content == picture.content
    assert fetch(picture.url_private_download).content == picture.content
    assert [(seen.host, seen.file, seen.authorised) for seen in slack.fetches] == [("slack", picture.id, True)] * 2


def test_all_others_get_the_login_page_with_200(slack: FakeSlack, picture: StoredFile, fetch: Fetch) -> None:
    assert is_login_page(fetch(picture.url_private, token=""))
    assert is_login_page(fetch(picture.url_private, token="xoxb-wrong"))
    elsewhere = slack.add_workspace("other")
    assert is_login_page(fetch(picture.url_private, token=slack.token_of(elsewhere)))
    no_files = slack.add_workspace("no-files", scopes=("chat:write",))
    assert is_login_page(fetch(picture.url_private, token=slack.token_of(no_files)))
    picture.download = "login"
    assert is_login_page(fetch(picture.url_private))


def test_the_ways_in_which_a_download_fails(slack: FakeSlack, picture: StoredFile, fetch: Fetch) -> None:
    picture.download = "gone"
    assert fetch(picture.url_private).status_code == 404
    picture.download = "error"
    assert fetch(picture.url_private).status_code == 500
    picture.download = "wrong"
    answer = fetch(picture.url_private)
    assert (answer.headers["content-type"], answer.content[:9]) == ("image/png", b"<!DOCTYPE")
    for broken in ("truncated", "reset"):
        picture.download = broken
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            fetch(picture.url_private)


def test_a_slow_download_comes_in_the_end(picture: StoredFile, fetch: Fetch) -> None:
    picture.download = "slow"
    assert fetch(picture.url_private).content == picture.content


def test_a_download_that_hangs_gives_half_and_then_nothing(
    slack: FakeSlack, picture: StoredFile, browser: httpx.Client
) -> None:
    picture.download = "hang"
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    with browser.stream("GET", picture.url_private, headers=headers, timeout=0.2) as answer:
        parts = answer.iter_raw()
        got = b""
        while len(got) < len(picture.content) // 2:
            got += next(parts)
        assert got == picture.content[: len(picture.content) // 2]
        with pytest.raises(httpx.ReadTimeout):
            next(parts)


def test_a_token_at_a_foreign_host_is_a_violation(slack: FakeSlack, picture: StoredFile, fetch: Fetch) -> None:
    picture.download = "redirect"
    answer = fetch(picture.url_private, follow=True)  # httpx leaves the header out at another host.
    assert answer.content == picture.content
    assert [seen.host for seen in slack.fetches] == ["slack", "foreign"]
    assert slack.violations == []
    fetch(answer.url.__str__())
    assert "not Slack's" in slack.take_violations()[0]
    assert slack.fetches[-1].token == slack.bot_token


def test_a_redirect_within_slack_still_needs_the_token(slack: FakeSlack, picture: StoredFile, fetch: Fetch) -> None:
    picture.download = "redirect_home"
    assert fetch(picture.url_private, follow=True).content == picture.content
    assert is_login_page(fetch(f"{slack.url}/moved/{picture.id}", token=""))


def test_a_remote_file_lies_anywhere(slack: FakeSlack, client: WebClient, alice: User, browser: httpx.Client) -> None:
    slack.foreign_files["x.png"] = b"remote"
    file = slack.file("x.png", b"", alice, external=f"{slack.foreign_url}/x.png")
    info = client.files_info(file=file.id)["file"]
    assert (info["mode"], info["is_external"]) == ("external", True)
    assert browser.get(info["url_private"]).content == b"remote"


def test_thumbnails_are_no_larger_than_the_picture(
    slack: FakeSlack, client: WebClient, picture: StoredFile, fetch: Fetch
) -> None:
    info = client.files_info(file=picture.id)["file"]
    edges = [name for name in info if name.startswith("thumb_")]
    assert edges == ["thumb_64", "thumb_80", "thumb_160", "thumb_360", "thumb_480"]
    picture.download = "error"
    thumb = Image.open(io.BytesIO(fetch(info["thumb_360"]).content))
    assert (thumb.format, thumb.size) == ("PNG", (360, 288))
    assert is_login_page(fetch(info["thumb_360"], token=""))


def test_what_is_no_picture_has_no_thumbnails(slack: FakeSlack, client: WebClient, alice: User) -> None:
    for name, content in (("a.png", b"not a picture"), ("a.pdf", b"%PDF-1.7")):
        info = client.files_info(file=slack.file(name, content, alice).id)["file"]
        assert not [key for key in info if key.startswith("thumb_")]


def test_an_upload_is_a_message_with_its_files(slack: FakeSlack, client: WebClient, alice: User) -> None:
    general = slack.channel("general", alice)
    root = slack.say(alice, general, "where is the cat?").ts
    client.files_upload_v2(
        channel=general.id,
        thread_ts=root,
        initial_comment="There.",
        file_uploads=[
            {"filename": "a.png", "content": png(9, 9), "title": "Boxes", "alt_txt": "a cat in a box"},
            {"filename": "b.txt", "content": "notes"},
        ],
    )
    (seen,) = slack.answers(general, root)
    assert (seen.text, seen.files) == ("There.", ("a.png", "b.txt"))
    stored = slack.world.files[seen.message.files[0]]
    assert (stored.content, stored.title) == (png(9, 9), "Boxes")
    shown = [{"type": "image", "slack_file": {"id": stored.id}, "alt_text": "a cat"}]
    client.chat_postMessage(channel=general.id, text="again", blocks=shown)


def test_what_was_announced_must_come(slack: FakeSlack, client: WebClient, browser: httpx.Client) -> None:
    announced = client.files_getUploadURLExternal(filename="a.png", length=10)
    with pytest.raises(SlackApiError, match="file_not_found"):
        client.files_completeUploadExternal(files=[{"id": announced["file_id"]}])
    assert browser.post(announced["upload_url"], content=b"123").status_code == 400
    with pytest.raises(SlackApiError, match="missing_argument"):
        client.files_getUploadURLExternal(filename="a.png", length=0)
    with pytest.raises(SlackRequestError):
        client.files_upload_v2()
    assert len(slack.take_violations()) == 3


def test_files_that_are_not_to_be_had(slack: FakeSlack, client: WebClient, picture: StoredFile, fetch: Fetch) -> None:
    general = slack.channel("general")
    slack.say(slack.user("bob"), general, "look", files=[picture])
    picture.access = "hidden_by_limit"
    assert client.conversations_history(channel=general.id)["messages"][0]["files"][0]["mode"] == "hidden_by_limit"
    picture.deleted = True
    assert client.conversations_history(channel=general.id)["messages"][0]["files"][0]["mode"] == "tombstone"
    with pytest.raises(SlackApiError, match="file_deleted"):
        client.files_info(file=picture.id)
    assert fetch(picture.url_private).status_code == 404
    with pytest.raises(SlackApiError, match="file_not_found"):
        client.files_info(file="F0NOTHING")
