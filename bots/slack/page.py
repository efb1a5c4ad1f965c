"""The pages that somebody sees who installs the app: plain HTML under a policy that loads nothing and runs nothing."""

import base64
import hashlib

_STYLE = (
    "body{margin:0;min-height:100vh;display:grid;place-items:center;background:#f3f5f8;color:#17324d;"
    "font:17px/1.5 system-ui,sans-serif}"
    "main{max-width:32rem;margin:1rem;padding:2rem 2.5rem;background:#fff;border-radius:14px;"
    "box-shadow:0 2px 18px #17324d22}"
    "h1{margin:0 0 .5rem;font-size:1.5rem}p{margin:.75rem 0}"
    "a{display:inline-block;padding:.5rem 1.1rem;border-radius:8px;background:#17324d;color:#fff;text-decoration:none}"
    "a:focus-visible{outline:3px solid #e69f00;outline-offset:2px}"
    "@media(prefers-color-scheme:dark){body{background:#0f1d2b;color:#e8eef4}main{background:#17293b}"
    "a{background:#8fbce6;color:#0f1d2b}}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


def page(title: str, body: str) -> str:
    """A page of one card. `title` and `body` are HTML: whatever somebody else said in them is escaped by the caller."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<title>{title}</title><meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    )
