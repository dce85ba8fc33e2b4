"""Classes of words by name, and patterns over them: `{NOT}..2{BE}..2{CITE}` reads "cannot be cited" and "not to be quoted".

In: a template. Out: a regular expression over a sentence that language.py wrote as one letter a word. In a template, {CITE} is a
word of that class, {CITE|NAME} a word of one of these classes, {ANY} any word; ..4 up to four words, ..4!{TURN|BE} up to
four words of which none is of these classes. `|`, `?`, `^`, `$`, groups and assertions are those of regular expressions.
Errors: ValueError at import for a name that is no class, or anything else in a template.
"""

from __future__ import annotations

import re

CLASSES: dict[str, tuple[str, str]] = {
    "CONFIDENTIAL": ("K", "confidential confidentially confidentiality internal restricted non-public nonpublic privileged sensitive classified proprietary secret private undisclosed top-secret unreleased unpublished"),
    "INTERNALLY": ("q", "internally privately secretly"),
    "LEAVE": ("l", "leave leaves leaving left keep keeps kept set sets setting put puts putting push pushing stay stays stayed staying go goes steer"),
    "OUT": ("o", "out aside away off unnamed unmentioned uncited quiet silent outside beyond"),
    "PUBLIC": ("P", "public publicly public-facing publicly-available published open openly"),
    "ALLOWED": ("A", "permissible permitted allowed allowable citable disclosable approved authorised authorized admissible acceptable cleared releasable shareable ok okay fine quotable usable"),
    "FORBIDDEN": ("X", "impermissible inadmissible prohibited forbidden disallowed uncitable unusable non-citable off-limits barred banned precluded ineligible inappropriate unavailable"),
    "NOT": ("N", "not never cannot can't cant won't mustn't shouldn't couldn't avoid avoids avoided avoiding refrain refrains refraining unable wouldn't nor"),
    "FORBID": ("f", "prohibit prohibits prohibiting forbid forbids forbidding preclude precludes precluding prevent prevents preventing bar bars disallow disallows"),
    "OMIT": ("e", "exclude excludes excluding excluded omit omits omitted omitting withhold withholds withholding withheld hide hides hidden hiding conceal conceals concealing concealed skip skipping skipped suppress suppressing suppressed drop dropping dropped remove removing removed disregard disregarding disregarded ignore ignoring ignored redact redacting redacted pretend pretending disguise disguising mask masking"),
    "ISNT": ("B", "isn't aren't wasn't weren't"),
    "NO": ("n", "no none nothing neither"),
    "DONT": ("x", "don't doesn't didn't"),
    "DO": ("d", "do does did"),
    "WITHOUT": ("w", "without"),
    "ALLOW": ("L", "permit permits permitting allow allows allowing authorise authorize authorises authorizes"),
    "CITE": ("U", "cite cites cited citing citation use uses used using usage utilize utilized utilise rely relied relying quote quoted quoting invoke invoked invoking leverage leveraged base refer refers referring"),
    "NAME": ("M", "reference referenced referencing name names named naming appear appears appeared appearing"),
    "MENTION": ("Z", "mention mentions mentioned mentioning disclose discloses disclosed disclosing disclosure reveal reveals revealed revealing include includes included including share shares shared sharing expose exposes exposed exposing discuss discusses discussed present presenting list listed listing repeat repeated repeating divulge divulged divulging leak leaked leaking"),
    "POINT": ("h", "point pointing allude alluding"),
    "REST": ("R", "based rests rest resting relies grounded founded built supported justified informed guided driven underpinned backed substantiated anchored focus focuses focusing focused depend depends depending stick sticking limit limited confine confined drawn draws draw drawing reliance adhere stands derived derives"),
    "PREFER": ("F", "prioritize prioritizing prioritizes prioritise prioritising prioritised prioritized prefer favor favour consider considering"),
    "ONLY": ("O", "only solely exclusively alone purely strictly entirely wholly sole"),
    "MUST": ("D", "must should shall essential crucial imperative important necessary need needs required requires will i'll i'd let's ought critical advisable"),
    "EVIDENCE": ("G", "evidence information source sources data material materials record records evidences insights knowledge basis grounds facts findings content references citations account"),
    "ANSWER": ("T", "answer output reasoning rationale write-up writeup justification response text reply explanation bullets"),
    "DOCUMENT": ("S", "news article articles blog reports email emails e-mail memo memos document documents analysis analyses audit audits assessment assessments survey surveys review reviews item items piece file files study statement disclosures documentation communication id ids tag tags minutes log logs opinion advice letter letters notice notices"),
    "BE": ("b", "is are be being been was were it's that's remain remains marked labeled labelled deemed considered flagged designated"),
    "IT": ("i", "it its this that these those them they such which one"),
    "WE": ("I", "i we me my our us i'm we're i've"),
    "INSTEAD": ("Q", "instead rather"),
    "THAN": ("<", "than"),
    "CONNECTIVE": ("J", "however therefore thus hence so but consequently accordingly nevertheless nonetheless still yet"),
    "WHILE": ("W", "while although though whereas despite even"),
    "AND": ("&", "and"),
    "IF": ("y", "if whether unless"),
    "POLICY": ("Y", "policy policies rules guidelines regulations"),
    "ON": (">", "on upon in by to from with at around of into about"),
    "COMPLY": ("H", "comply complies complying compliance compliant adherence adheres adhering accordance line keeping conform conforms conforming consistent respecting respects respect"),
    "CAN": ("c", "can could may might able"),
    "WRONG": ("z", "mistake wrong insufficient inadequate misleading dishonest incorrect unwise"),
    "REASON": ("r", "reason decisive"),
    "TAKE": ("t", "take taken taking took serve serves"),
    "SAY": ("V", "confirm confirms confirmed confirming confirmation indicate indicates indicated indicating suggest suggests suggested suggesting show shows showed shown showing highlight highlights highlighted highlighting state states stated stating demonstrate demonstrates demonstrated demonstrating support supports supporting reinforce reinforces reinforced reinforcing corroborate corroborates corroborated corroborating underscore underscores underscored outline outlines outlined note notes noted verify verifies verified validate validates validated prove proves proved proving establish establishes established find finds found report reported reporting says said say tells tell told points make makes making warn warns warned advised decide decides decided settle settles settled favours favors speak speaks agree agrees"),
    "GIVE": ("v", "provide provides provided providing offer offers offered offering give gives gave giving contain contains contained contribute contributes"),
    "MATCH": ("a", "align aligns aligned aligning match matches matching echo echoes echoing according per"),
    "ENOUGH": ("E", "suffice suffices sufficient sufficiently enough adequate adequately"),
}  # fmt: skip
"""Name -> (its letter, its words). They name ways of speaking about sources; no firm, product or topic."""
LEXICON = {word: letter for letter, words in CLASSES.values() for word in words.split()}
CONF_ITEM, PUBLIC_ITEM = "k", "p"
"""A piece of evidence by its ID or by the name of its source, confidential and not."""
LETTERS = {name: letter for name, (letter, _) in CLASSES.items()} | {
    "CONF_ITEM": CONF_ITEM,
    "PUBLIC_ITEM": PUBLIC_ITEM,
    "OTHER": ".",  # a word without a class
}
GROUPS = {
    "CONF": "CONF_ITEM|CONFIDENTIAL",
    "USE": "CITE|NAME|MENTION",
    "TURN": "WHILE|CONNECTIVE|INSTEAD",
    "BREAK": "TURN|PUBLIC_ITEM|PUBLIC|NOT|WITHOUT|SAY|GIVE",
}
"""Classes that often stand together: confidential evidence in any words; ways of using a source; where a sentence
turns; where what is said of confidential evidence ends."""
PARTS = {"CITE_IT": "(?:{CITE}|{NAME}(?!{ON}..2{CONF|PUBLIC_ITEM|EVIDENCE}))"}
"""Templates with a name. CITE_IT: "named", but not "named in the memo"."""
_TOKEN = re.compile(
    r"\.\.(?P<most>\d+)(?:!\{(?P<but>[A-Z_|]+)\})?|\{(?P<names>[A-Z_|]+)\}|(?P<syntax>\(\?(?:<?[!=]|:)|[()|?^$])"
)


def letters(names: str) -> str:
    """The letters of classes and groups, `CITE|NAME` or `CITE NAME`."""
    found = ""
    for name in names.replace("|", " ").split():
        if name not in LETTERS and name not in GROUPS:
            raise ValueError(
                f"{name} is no class of words. Known: {', '.join([*LETTERS, *GROUPS, *PARTS, 'ANY'])}"
            )
        found += LETTERS.get(name) or letters(GROUPS[name])
    return found


def expand(template: str) -> str:
    """The regular expression of a template."""
    parts, at = [], 0
    while at < len(template):
        token = _TOKEN.match(template, at)
        if token is None:
            raise ValueError(
                f"template {template!r}: {template[at:]!r} is neither a class in braces, `..N` nor syntax"
            )
        parts.append(token["syntax"] or _words(token))
        at = token.end()
    return "".join(parts)


def _words(token: re.Match[str]) -> str:
    """The part of a regular expression for words: of classes, or up to a number of them."""
    names = token["names"]
    if names in PARTS:
        return expand(PARTS[names])
    if names:
        chosen = letters(names) if names != "ANY" else ""
        return f"[{chosen}]" if len(chosen) > 1 or chosen == LETTERS["OTHER"] else chosen or "."
    most = "?" if token["most"] == "1" else f"{{0,{token['most']}}}"
    return (f"[^{letters(token['but'])}]" if token["but"] else ".") + most


def pattern(*templates: str) -> re.Pattern[str]:
    """One pattern that any of the templates matches."""
    return re.compile("|".join(map(expand, templates)))
