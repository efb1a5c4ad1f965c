"""Security headers of the console: nothing but files of its own, no script and no style inside of a page."""

from serving.headers import security_headers

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = security_headers(CONTENT_SECURITY_POLICY)
