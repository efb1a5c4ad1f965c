"""Pages as gzip. How long one gets says nothing of what is in it.

A page shows words of its address beside what others wrote. Whoever could have a signed-in browser open addresses and
see the length of the answers would learn by and by what stands there (BREACH, https://www.breachattack.com). So a file
name of random length goes along, as in Django's middleware; nobody reads it.
"""

import gzip
import io
import secrets

# Of text the lower half of the levels takes half the time and gives nearly all of it.
LEVEL = 4
MOST_PADDING = 100


def squeezed(body: bytes) -> bytes:
    """The body as gzip."""
    made = io.BytesIO()
    name = "a" * secrets.randbelow(MOST_PADDING + 1)
    with gzip.GzipFile(name, "wb", LEVEL, made, mtime=0) as file:
        file.write(body)
    return made.getvalue()
