"""GET /api/pictures: only what belongs to the visitor's own conversations."""

from io import BytesIO

import httpx
import pytest
from PIL import Image

from tests.integration.web.site import Site, ask, picture


@pytest.fixture
def page(site: Site) -> httpx.Client:
    return site.visitor()


def test_a_picture_of_ones_own(site: Site, page: httpx.Client) -> None:
    (shown,) = ask(page, "Mine?", ("a.png", picture("red"))).json()["turn"]["pictures"]
    response = page.get(shown["url"])
    assert response.status_code == 200
    assert response.headers["content-type"] in ("image/png", "image/jpeg", "image/webp")
    assert response.headers["cache-control"] == "private, no-cache"
    assert "sandbox" in response.headers["content-security-policy"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    with Image.open(BytesIO(response.content)) as image:
        assert image.size == (32, 24)
        assert image.convert("RGB").getpixel((5, 5)) == pytest.approx((255, 0, 0), abs=3)
    again = page.get(shown["url"], headers={"if-none-match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_somebody_elses_picture_does_not_exist(site: Site, page: httpx.Client) -> None:
    (theirs,) = ask(site.visitor(), "Theirs?", ("a.png", picture("teal"))).json()["turn"]["pictures"]
    etag = {"if-none-match": f'"{theirs["key"]}"'}
    assert page.get(theirs["url"]).status_code == 404
    assert page.get(theirs["url"], headers=etag).status_code == 404
    # Who sends the same picture himself may see it: it is his as well.
    assert ask(page, "The same?", ("b.png", picture("teal"))).json()["turn"]["pictures"][0]["key"] == theirs["key"]
    assert page.get(theirs["url"]).status_code == 200


@pytest.mark.parametrize(
    "key",
    [
        "0" * 64,
        "0" * 63,
        "0" * 65,
        "A" * 64,
        "..%2f..%2fglimt.db",
        "%2e%2e/%2e%2e/etc/passwd",
        "../../glimt.db",
        "%00",
        "*",
        "ab/cd",
        "٠" * 64,
    ],
)
def test_a_key_that_leads_nowhere(page: httpx.Client, key: str) -> None:
    response = page.get(f"/api/pictures/{key}")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


def test_a_picture_whose_bytes_are_gone(site: Site, page: httpx.Client) -> None:
    (shown,) = ask(page, "Gone?", ("a.png", picture("navy"))).json()["turn"]["pictures"]
    site.services.blobs.delete(shown["key"])
    assert page.get(shown["url"]).status_code == 404
