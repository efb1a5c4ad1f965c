"""The texts of errors that have something filled in, so that what was stored of one can be said in another language.

Each is what the code in `core` and `bots` says, with the name of what it fills in. A test reads the code and finds what
is missing here, or in a catalogue.
"""

import re

# Those of programs' interfaces and of the command line are not in it: nobody reads them in a chat.
ERROR_TEMPLATES = (
    "This file is larger than {max_bytes}. Please send a smaller version.",
    "This picture has {width} × {height} pixels, more than {max_pixels}. Please send a smaller version.",
    "This picture has more than {max_pixels}. Please send a smaller version.",
    "This TIFF has more than {max_pages} pages. Please send only the pages that matter.",
    "This PDF has {pages} pages, more than {max_pages}. Please send only the pages that matter.",
    "This is more than the {most} pictures that are looked at with one question. Please ask about it separately.",
    "The question is too long. Please keep it below {most} characters.",
    "These files have {pictures} pictures; each page of a document counts as one. Please send at most {most} with one "
    "question.",
    "You have {waiting} questions waiting already. Please wait for an answer first.",
    "You have reached the limit for questions: {per_minute} in a minute. Ask again in {seconds} seconds.",
    "You have reached the limit for questions: {per_day} in a day. You can ask again from {when} UTC on.",
    "Your questions have used the {most} tokens that are allowed in a day. You can ask again from {when} UTC on.",
    "This workspace has used up its budget of {most} tokens for today. I answer again from {when} UTC on.",
    "This workspace has used up its budget of {most} tokens for this month. I answer again from {when} UTC on.",
    "{n} older ones were left out, because there are too many for one question. Please ask about them separately.",
    "Slack answered {status}. Please send it again.",
    "Slack does not hand it out ({code}). Please send the picture again.",
    "Slack does not let me see it. An admin has to add the scope {needed} to the app.",
)
_FIELD = re.compile(r"\{(\w+)\}")


def _pattern(template: str) -> re.Pattern[str]:
    parts = _FIELD.split(template)
    return re.compile("".join(f"(?P<{part}>.+?)" if n % 2 else re.escape(part) for n, part in enumerate(parts)))


ERROR_PATTERNS = tuple((template, _pattern(template)) for template in ERROR_TEMPLATES)
