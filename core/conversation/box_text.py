"""Turns a model's answer with boxes in it into text for people and a list of boxes, while it is being written."""

import re

from core.conversation.boxes import Box, read_coordinates, read_json, read_places

# Markup of more characters than this is no markup: it is shown as it is.
_LONGEST = 20_000

_GLM, _GLM_END = "<|begin_of_box|>", "<|end_of_box|>"
_REF, _REF_END = "<|object_ref_start|>", "<|object_ref_end|>"
_BOX, _BOX_END = "<|box_start|>", "<|box_end|>"
_KEY = r'"(?:bbox_2d|box_2d|bbox|label)"\s*:'
_BEGIN = re.compile(
    r"(?P<glm><\|begin_of_box\|>)|(?P<ref><\|object_ref_start\|>)|(?P<box><\|box_start\|>)"
    r"|(?P<stray><\|(?:end_of_box|object_ref_end|box_end)\|>)"
    r"|(?P<intern><ref>|<box>)|(?P<loc><loc\d{4}>)|(?P<seg><seg\d{3}>)"
    rf"|(?P<fence>```json\b)|(?P<json>\[\s*\{{\s*{_KEY}|\{{\s*{_KEY})"
)
# What is never text, wherever it stands.
_MARK = re.compile(r"<\|(?:begin_of_box|end_of_box|object_ref_start|object_ref_end|box_start|box_end)\|>")
# The end of a text that may be the beginning of one of these.
_PERHAPS = re.compile(
    r"(?:<(?:\|[a-z_]*\|?|/?[a-z]{0,3}|loc\d{0,4}|seg\d{0,3})?|`{1,3}|```j(?:s(?:on?)?)?"
    r'|(?:\[\s*)?\{\s*(?:"[a-z_0-9]{0,8}"?\s*)?|\[\s*)$'
)
_INTERN = re.compile(r"(?:<ref>(?P<label>[^<]*)</ref>)?<box>(?P<inner>[^<]*)</box>")
_LOC = re.compile(r"((?:<loc\d{4}>\s*){4})((?:<seg\d{3}>\s*)*)(?P<label>[^;\n<]*)(?P<end>[;\n<]|\Z)")
_LOC_PART = re.compile(r"(?:<loc\d{4}>\s*){1,3}(?:<(?:l(?:o(?:c\d{0,4})?)?)?)?$")
# What stands before a box and is no part of what it is called.
_LEAD = re.compile(r"^[\s*#>•–-]*(?:\d+[.)]\s+)?|[\s*_`\"“”(\[:：,-]+$")
_VERB = re.compile(r"\s+(?:(?:is|are|can be)\b.*|at|in)$", re.IGNORECASE | re.DOTALL)
_LONGEST_LABEL = 60


class BoxText:
    """Text in, in any pieces; text for people out, in which every box is its label and its place.

    `boxes` are those so far, in order. `pixels`: (width, height) of the picture as the model sees it, for models that
    count in those; all others count in thousandths. Markup that makes no sense is shown without its marks; nothing
    raises.
    """

    def __init__(self, pixels: tuple[int, int] | None = None) -> None:
        self.boxes: list[Box] = []
        self._pixels = pixels
        self._held = ""
        self._new = ""
        # What was shown since the last line or box began.
        self._line = ""
        self._label = ""
        self._last = ""

    def add(self, text: str) -> str:
        """What is now known to be text for people."""
        self._new = text
        return self._read(self._held + text, final=False) if text else ""

    def end(self) -> str:
        """What was still held back."""
        return self._read(self._held, final=True)

    def _read(self, text: str, final: bool) -> str:
        self._held = ""
        shown: list[str] = []
        at = 0
        while (begin := _BEGIN.search(text, at)) is not None:
            self._show(shown, text[at : begin.start()])
            at = begin.start()
            end = self._take(shown, begin, text, final or len(text) - at > _LONGEST)
            if end is None:
                self._held = text[at:]
                return "".join(shown)
            at = end
        perhaps = None if final else _PERHAPS.search(text, at)
        self._held = text[perhaps.start() :] if perhaps else ""
        self._show(shown, text[at : len(text) - len(self._held)])
        return "".join(shown)

    def _take(self, shown: list[str], begin: re.Match[str], text: str, final: bool) -> int | None:
        """Read the markup at `begin`; where it ends, or None while more of it may come."""
        at, kind = begin.start(), begin.lastgroup
        if kind in ("stray", "seg"):
            return begin.end()
        if kind == "glm":
            return self._marked(shown, text, at, _GLM, _GLM_END, final)
        if kind == "box":
            return self._marked(shown, text, at, _BOX, _BOX_END, final)
        if kind == "ref":
            return self._reference(shown, text, at, final)
        if kind == "intern":
            return self._intern(shown, text, at, final)
        if kind == "loc":
            return self._places(shown, text, at, final)
        return self._json(shown, text, at, final, fenced=kind == "fence")

    def _marked(self, shown: list[str], text: str, at: int, mark: str, close: str, final: bool) -> int | None:
        inside = at + len(mark)
        end = text.find(close, inside)
        if end < 0 and not final:
            return None
        inner = text[inside : end if end >= 0 else len(text)]
        boxes = read_coordinates(inner, self._label or _name(self._line))
        if boxes:
            self._place(shown, boxes, labelled=False)
        else:
            # GLM puts final answers between the same marks; other marks may stand inside by mistake.
            self._show(shown, _MARK.sub("", inner))
        return end + len(close) if end >= 0 else len(text)

    def _reference(self, shown: list[str], text: str, at: int, final: bool) -> int | None:
        inside = at + len(_REF)
        end = text.find(_REF_END, inside)
        if end < 0 and not final:
            return None
        label = _MARK.sub("", text[inside : end if end >= 0 else len(text)])
        self._show(shown, label)
        self._label = label
        return end + len(_REF_END) if end >= 0 else len(text)

    def _intern(self, shown: list[str], text: str, at: int, final: bool) -> int | None:
        if (match := _INTERN.match(text, at)) is not None:
            label = match["label"] or ""
            boxes = read_coordinates(match["inner"], label or _name(self._line))
            if boxes:
                self._place(shown, boxes, labelled=bool(label))
                return match.end()
        elif not final and _may_go_on(text[at:]):
            return None
        # Somebody's own tag.
        self._show(shown, text[at : at + 5])
        return at + 5

    def _places(self, shown: list[str], text: str, at: int, final: bool) -> int | None:
        if (match := _LOC.match(text, at)) is not None:
            # What begins with "<" may be one more token of this box.
            if not final and (not match["end"] or (match["end"] == "<" and ">" not in text[match.end() :])):
                return None
            box = read_places([int(place) for place in re.findall(r"\d{4}", match[1])], match["label"])
            if box is not None:
                self._place(shown, [box], labelled=True)
            else:
                self._show(shown, match["label"])
            return match.start("end")
        if not final and _LOC_PART.fullmatch(text, at):
            return None
        return at + len("<loc0000>")

    def _json(self, shown: list[str], text: str, at: int, final: bool, fenced: bool) -> int | None:
        inside = at + len("```json") if fenced else at
        # Looking for the end takes as long as all that is held, so not for every token.
        if not (final or fenced or "]" in self._new or "}" in self._new):
            return None
        end = text.find("```", inside) if fenced else _closed(text, at)
        if end < 0 and not final:
            return None
        inner = _MARK.sub("", text[inside : end if end >= 0 else len(text)])
        boxes = read_json(inner, self._pixels)
        after = len(text) if end < 0 else end + (3 if fenced else 0)
        if boxes:
            self._place(shown, boxes, labelled=True, lines=fenced)
        else:
            self._show(shown, _MARK.sub("", text[at:after]))
        return after

    def _place(self, shown: list[str], boxes: list[Box], labelled: bool, lines: bool = False) -> None:
        self.boxes += boxes
        said = [f"{box.label} {box.place}".strip() if labelled else box.place for box in boxes]
        gap = "" if not self._last or self._last.isspace() or self._last in "([\"'“" else " "
        label = self._label
        self._show(shown, gap + ("\n" if lines else ", ").join(said))
        # The next box is called something else; one right behind this may be of the same name.
        self._line, self._label = "", label

    def _show(self, shown: list[str], text: str) -> None:
        if not text:
            return
        shown.append(text)
        self._last = text[-1]
        self._line = (self._line + text).rpartition("\n")[2]
        if not self._label or text.strip():
            self._label = ""


def read_boxes(text: str, pixels: tuple[int, int] | None = None) -> tuple[str, list[Box]]:
    """A whole answer: its text for people, and its boxes. `pixels` as for `BoxText`."""
    reader = BoxText(pixels)
    return reader.add(text) + reader.end(), reader.boxes


def _name(line: str) -> str:
    """What the words before a box call it, if that can be told."""
    clause = re.split(r"[.;!?,，。；、]\s*", line.rstrip(" ,"))[-1]
    for _ in range(2):
        clause = _VERB.sub("", _LEAD.sub("", clause))
    return clause if len(clause) <= _LONGEST_LABEL else ""


def _may_go_on(text: str) -> bool:
    """Whether a text that begins with `<ref>` or `<box>` may become a box of InternVL's."""
    if text.startswith("<ref>"):
        _, found, tag = text[5:].partition("<")
        if not found or not tag.startswith("/ref>"):
            return not found or "/ref>".startswith(tag)
        text = tag[5:]
        if len(text) < 5:
            return "<box>".startswith(text)
    _, found, tag = text[5:].partition("<")
    return text.startswith("<box>") and (not found or "/box>".startswith(tag))


def _closed(text: str, at: int) -> int:
    """Where the JSON value that begins at `at` ends, or -1."""
    depth, quoted, skip = 0, False, False
    for place in range(at, len(text)):
        character = text[place]
        if skip:
            skip = False
        elif quoted:
            skip, quoted = character == "\\", character != '"'
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
        elif character in "]}":
            depth -= 1
            if depth == 0:
                return place + 1
    return -1
