"""A visitor takes all that is stored about him."""

import io
import json
import zipfile

from tests.integration.web.site import Site, ask, picture


def test_a_visitor_gets_his_own_and_nobody_elses(site: Site) -> None:
    mine, other = site.visitor(), site.visitor()
    asked = ask(mine, "What do you know of me?", ("me.png", picture())).json()
    theirs = ask(other, "Not for others").json()
    answer = mine.get("/api/my-data")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    (turn,) = [json.loads(line) for line in archive.read("turns.jsonl").splitlines()]
    assert turn["question"] == "What do you know of me?"
    assert turn["conversation"] == asked["conversation_id"] != theirs["conversation_id"]
    assert turn["pictures"][0]["file"] in archive.namelist()
    assert b"Not for others" not in b"".join(archive.read(name) for name in archive.namelist())
    again = mine.get("/api/my-data")
    assert again.status_code == 200, "one that is over is in nobody's way"


def test_only_whoever_is_signed_in_and_only_from_our_page(site: Site) -> None:
    assert site.browser().get("/api/my-data").status_code == 401
    assert site.visitor().get("/api/my-data", headers={"sec-fetch-site": "cross-site"}).status_code == 403
