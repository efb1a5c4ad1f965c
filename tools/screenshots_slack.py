"""Screenshots of what an admin sees who installs the Slack app, from the fake Slack and our own pages:

python -m tools.screenshots_slack
"""

import asyncio
import sys
import tempfile
from functools import partial
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image
from playwright.async_api import Route, ViewportSize, async_playwright

from core.store.migrate import upgrade
from tests.browser.chromium import ARGS, HOW_TO_GET_ONE, find_chromium
from tests.fakes.slack import FakeSlack
from tests.integration.slack.many import PUBLIC_URL, many
from tools.screenshots import FOLDER

SIZE: ViewportSize = {"width": 760, "height": 360}


async def main() -> None:
    """Write slack-installed.png and slack-refused.png, each below 200 KB."""
    browser_path = find_chromium()
    if browser_path is None:
        sys.exit(HOW_TO_GET_ONE)
    with tempfile.TemporaryDirectory() as folder, FakeSlack() as fake:
        sql_url = f"sqlite:///{folder}/glimt.db"
        upgrade(sql_url)
        team = fake.add_workspace("Acme", scopes=None)
        async with many(fake, sql_url) as it:
            done = await it.install(team)
            back, _ = await it.begin(team)
            refused = await it.get(back)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=browser_path, args=list(ARGS))
            for name, answer in (("slack-installed.png", done), ("slack-refused.png", refused)):
                page = await browser.new_page(viewport=SIZE, device_scale_factor=2)
                await page.route(f"{PUBLIC_URL}/**", partial(_answer, answer))
                await page.goto(f"{PUBLIC_URL}/slack/oauth_redirect")
                file = Path(FOLDER) / name
                Image.open(BytesIO(await page.screenshot())).convert("RGB").save(file, optimize=True)
                print(file, file.stat().st_size)
            await browser.close()


async def _answer(answer: httpx.Response, route: Route) -> None:
    # With the policy that it comes with.
    await route.fulfill(status=answer.status_code, body=answer.text, headers=dict(answer.headers))


if __name__ == "__main__":
    asyncio.run(main())
