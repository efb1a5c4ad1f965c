"""The token goes to Slack's file hosts and nowhere else."""

import pytest
from yarl import URL

from bots.slack.file_hosts import FileHosts
from core.errors import PictureError

SLACK = "https://slack.com/api/"


@pytest.mark.parametrize(
    "url",
    [
        "https://files.slack.com/files-pri/T1-F1/a.png",
        "https://acme.slack.com/files/U1/F1/a.png",
        "https://FILES.SLACK.COM/a.png",
        "https://files.slack.com:443/a.png",
        "https://slack-files.com/T1-F1-abc",
        "https://files.slack-gov.com/a.png",
    ],
)
def test_slacks_own(url: str) -> None:
    assert FileHosts(SLACK).check(url).scheme == "https"


@pytest.mark.parametrize(
    "url",
    [
        "https://slack.com/api/chat.postMessage?channel=C1&text=hi",
        "https://slack.com/API/auth.revoke",
        "https://acme.slack.com//api/auth.revoke",
        "https://files.slack.com/files-pri/../api/auth.revoke",
        "https://files.slack.com/files-pri/%2e%2e/api/auth.revoke",
        "https://files.slack.com/files-pri/%252e%252e/api/auth.revoke",
        "https://slack.com/%61pi/auth.revoke",
        "https://slack.com/api;x/auth.revoke",
        "https://slack.com/.\\api/auth.revoke",
        "https://slack.com/api",
    ],
)
def test_no_address_makes_us_call_the_api(url: str) -> None:
    with pytest.raises(PictureError):
        FileHosts(SLACK).check(url)
    with pytest.raises(PictureError):
        FileHosts("http://127.0.0.1:99/api/").check(url.replace("https://slack.com", "http://127.0.0.1:99"))
    with pytest.raises(PictureError):
        FileHosts(SLACK).check(url, URL("https://files.slack.com/files-pri/T1-F1/a.png"))


@pytest.mark.parametrize(
    "url",
    [
        "http://files.slack.com/a.png",
        "https://files.slack.com:8443/a.png",
        "https://files.slack.com.evil.example/a.png",
        "https://evil.example/files.slack.com/a.png",
        "https://evilslack.com/a.png",
        "https://files.slack.com@evil.example/a.png",
        "https://user:pw@files.slack.com/a.png",
        "https://evil.example\\@files.slack.com/a.png",
        "https://evil.example#@files.slack.com/a.png",
        "https://evil.example?x=.slack.com",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/a.png",
        "https://files.slack.com%2eevil.example/a.png",
        "https://files.slack。com.evil.example/a.png",
        "ftp://files.slack.com/a.png",
        "file:///etc/passwd",
        "//files.slack.com/a.png",
        "/files-pri/a.png",
        "",
        "https://",
        "https://files.slack.com:99999/a.png",
    ],
)
def test_nobody_elses(url: str) -> None:
    with pytest.raises(PictureError):
        FileHosts(SLACK).check(url)


def test_a_redirect_is_checked_like_the_first_address() -> None:
    hosts, base = FileHosts(SLACK), URL("https://files.slack.com/a/b.png")
    assert str(hosts.check("/c.png", base)) == "https://files.slack.com/c.png"
    for target in ("//evil.example/c.png", "https://evil.example/", "http://files.slack.com/c.png"):
        with pytest.raises(PictureError):
            hosts.check(target, base)


def test_an_api_elsewhere_is_that_host_and_port_only() -> None:
    hosts = FileHosts("http://127.0.0.1:8123/api/")
    assert hosts.check("http://127.0.0.1:8123/files/a.png")
    for url in ("http://127.0.0.1:8124/a.png", "https://127.0.0.1:8123/a.png", "http://localhost:8123/a.png"):
        with pytest.raises(PictureError):
            hosts.check(url)
