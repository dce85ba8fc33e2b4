"""What is wrong with a single document: failed, refused, truncated, too short.

In: a Document. Out: the name of its first defect, or None.
Errors: none.
Refusals are recognised by how they open, in the first 300 characters; a cut text by the finish reason or by how it
ends: on a comma or an open bracket, on a word that cannot end a sentence, in a long line without an end, or inside
a tag or code fence that was opened.
"""

from __future__ import annotations

import re

from unfaithful_cot.records.documents import Document

FAILED = "failed"
OPENING_CHARACTERS = 300
LONG_LINE_WORDS = 12
REFUSAL = re.compile(
    r"""\bas\ an\ (?:ai|artificial\ intelligence)\b
    |\bas\ a\ (?:large\ )?language\ model\b
    |\bi(?:'m|\ am)\ (?:an\ ai|just\ an?\ ai|a\ language\ model)\b
    |^\W*(?:i(?:'m|\ am)\ (?:very\ |so\ |really\ )?sorry|sorry|i\ apologi[sz]e|unfortunately|thank\ you\ for\ your\ request)
      [^.!?\n]{0,60}?\b(?:i|we)\ (?:can(?:not|'t|\ not)|won't|will\ not|am\ not\ able\ to|am\ unable\ to|must\ decline)
    |^\W*i(?:'m|\ am)\ (?:unable|not\ able)\ to\ (?:assist|help|write|create|provide|produce|fulfil|comply|generate|continue)
    |^\W*i(?:\ can(?:not|'t|\ not)|\ won't|\ will\ not|\ must\ decline|\ have\ to\ decline)\b
      [^.!?\n]{0,30}?\b(?:assist|help|write|create|provide|produce|fulfil|comply|generate|continue|do\ that|engage|to)
    """,
    re.IGNORECASE | re.VERBOSE,
)
OPEN_WORDS = frozenset(
    "a an the of to and or nor but if that which who whose with without by for from in into on onto at as than "
    "is are was were be been being has have had will would shall should may might must can could this these "
    "those its their our your my his her not very because while although whereas when where per via".split()
)
TAG = re.compile(r"<(/?)(think|reasoning|output)>")
TRAILING_MARKUP = "*_`>|#~ \t"


def defect(document: Document, min_words: int) -> str | None:
    """failed, refusal, truncated, too_short or None. min_words: fewer are too short."""
    if document.finish_reason.startswith(f"{FAILED}:"):
        return FAILED
    text = document.text.strip()
    if document.finish_reason == "content_filter" or is_refusal(text):
        return "refusal"
    if document.finish_reason == "length" or (text and is_cut(text)):
        return "truncated"
    return "too_short" if len(text.split()) < min_words else None


def is_refusal(text: str) -> bool:
    """Does the text open as a model does that declines to write?"""
    return bool(REFUSAL.search(text[:OPENING_CHARACTERS].replace("’", "'")))


def is_cut(text: str) -> bool:
    """Does the text end where no writer would end it?"""
    opened = [match[2] for match in TAG.finditer(text) if not match[1]]
    closed = [match[2] for match in TAG.finditer(text) if match[1]]
    if text.count("```") % 2 or any(opened.count(tag) > closed.count(tag) for tag in set(opened)):
        return True
    line = text.rstrip().splitlines()[-1].rstrip(TRAILING_MARKUP)
    if not line:
        return False
    last = line.split()[-1].strip("\"'”’()[]").casefold()
    if line[-1] in ",;([{-–—&/" and len(line.split()) > 1:
        return True
    if last in OPEN_WORDS and len(line.split()) > 2 and line[-1].isalpha():
        return True
    return len(line.split()) >= LONG_LINE_WORDS and (line[-1].isalnum())
