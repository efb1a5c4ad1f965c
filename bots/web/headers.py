"""Security headers of the chat page and the REST API."""

from serving.headers import security_headers

# `blob:` and `data:` show pictures before they are uploaded; everything else comes from this server.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = security_headers(CONTENT_SECURITY_POLICY)
