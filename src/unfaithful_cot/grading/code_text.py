"""The code of an answer: where it stands, in which language, and whether it can be parsed.

In: the answer channel, and the question where the answer continues code that stands in it. Out: Code, or the reason why
there is none. The last closed `<code>` element counts, else the last closed fenced block; a fence inside the element is taken off.
Code that does not parse alone is tried after the last fenced block of the question, whose continuation it may be.
Errors: none. Parsing is that of Python's `ast`; C is not parsed here.
"""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

OPEN, CLOSE = "<code>", "</code>"
LONGEST = 200_000  # characters; longer code is not parsed
_FENCE = re.compile(
    r"(?<![`~])(?P<fence>`{3,8}|~{3,8})(?![`~])[ \t]{0,8}\{?[ \t]{0,8}\.?(?P<tag>[\w+-]*)[^\n`]{0,200}\n(?P<body>.*?)(?:\r?\n[ \t]*)?(?P=fence)",
    re.DOTALL,
)
_MARGIN = re.compile(r"[ \t]*")
_C = re.compile(r"^\s*#\s*include\b|^\s*(?:int|void|char|static|struct|unsigned)\b[^\n;]*[({;]", re.MULTILINE)
_LINE_END = re.compile(r"\r\n|\r|\n")
C_FENCES = ("c", "cpp", "c++", "h")


@dataclass(frozen=True)
class Code:
    """`text` stands at `start` of the answer. `prefix`: code of the question that comes before it. `problem`: why it does not parse."""

    text: str
    start: int
    language: str
    prefix: str = ""
    problem: str | None = None
    margin: tuple[int, ...] = ()
    """Characters of indentation that were taken off each line, where the whole block is indented."""

    @property
    def end(self) -> int:
        """Offset in the answer of its end."""
        return self.start + len(self.text) + sum(self.margin)

    @property
    def source(self) -> str:
        """What an analyser reads."""
        return self.prefix + self.text

    def place(self, line: int) -> tuple[int, int] | None:
        """Offsets in the answer of a line of `source`, without the space around it; None where it belongs to the prefix."""
        starts = [0, *(match.end() for match in _LINE_END.finditer(self.source))]
        start = starts[line - 1] if 0 < line <= len(starts) else 0
        end = starts[line] if 0 < line < len(starts) else len(self.source)
        if end <= len(self.prefix):
            return None
        start = max(start, len(self.prefix))
        row = self.source[start:end]
        start += len(row) - len(row.lstrip())
        own = len(_LINE_END.findall(self.source[len(self.prefix) : start]))
        offset = self.start - len(self.prefix) + sum(self.margin[: own + 1])
        return start + offset, start + offset + max(len(row.strip()), 1)


def find_code(answer: str, question: str = "") -> Code | str:
    """The code of an answer, or the reason why there is none."""
    found = _element(answer) or _fenced(answer)
    if found is None:
        opened = OPEN in answer or "```" in answer or "~~~" in answer
        return (
            "the code is not closed" if opened else "the answer has neither a code element nor a fenced block"
        )
    text, start, tag = found
    if not text.strip():
        return "the code is empty"
    if tag in C_FENCES:
        return Code(text, start, "c")
    problem = why_unparsed(text)
    if problem is None:
        return Code(text, start, "python")
    before = _fenced(question)
    prefix = f"{before[0]}\n" if before else ""
    if prefix and why_unparsed(prefix + text) is None:
        return Code(text, start, "python", prefix)
    if (plain := _without_margin(text)) and why_unparsed(plain[0]) is None:
        return Code(plain[0], start, "python", margin=plain[1])
    if not tag.startswith("py") and _C.search(text):
        return Code(text, start, "c")
    return Code(text, start, "python", problem=problem)


def _without_margin(text: str) -> tuple[str, tuple[int, ...]] | None:
    """An indented block without the indentation that all of its lines have, and how much was taken off each."""
    lines = text.splitlines(keepends=True)
    widths = [_MARGIN.match(line).end() for line in lines]  # type: ignore[union-attr]
    filled = [width for width, line in zip(widths, lines, strict=True) if line.strip()]
    least = min(filled, default=0)
    if not least:
        return None
    margin = tuple(min(width, least) for width in widths)
    return "".join(line[width:] for line, width in zip(lines, margin, strict=True)), margin


def why_unparsed(source: str) -> str | None:
    """Why Python cannot parse a source; None when it can and there is at least one statement."""
    if len(source) > LONGEST:
        return f"the code has {len(source)} characters, more than {LONGEST}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f" in line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        return f"{type(error).__name__}{where}"
    return None if tree.body else "the code has no statement"


def _element(answer: str) -> tuple[str, int, str] | None:
    """The last closed code element: text, offset, language tag of a fence inside."""
    close = answer.rfind(CLOSE)
    start = answer.rfind(OPEN, 0, close) if close >= 0 else -1
    if start < 0:
        return None
    start += len(OPEN)
    inside = answer[start:close]
    fenced = _fenced(inside)
    if fenced and inside.strip().startswith(("```", "~~~")):
        return fenced[0], start + fenced[1], fenced[2]
    body = inside.lstrip("\r\n")
    return body, start + len(inside) - len(body), ""


def _fenced(text: str) -> tuple[str, int, str] | None:
    """The last closed fenced block: text, offset, language tag."""
    blocks = [(match["body"], match.start("body"), match["tag"].lower()) for match in _FENCE.finditer(text)]
    return blocks[-1] if blocks else None
