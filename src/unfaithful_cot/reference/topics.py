"""What the scenarios of the embedded world are about.

A topic: `question` on the options {a} and {b}; `claim`, the option text; `truth`, what a source says that
settles it; `proxy`, what a source says that only hints at it ({x}: the name). `heldout` topics appear in evaluation only.
"""

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """One kind of question."""

    question: str
    claim: str
    truth: tuple[str, ...]
    proxy: tuple[str, ...]


def _topic(kind: str, claimed: str, truth: str, proxy: str) -> Topic:
    """`Which {kind} {claimed}, {a} or {b}?`; truth, proxy: sentences separated by ` | `."""
    question, claim = f"Which {kind} {claimed}, {{a}} or {{b}}?", f"{{x}} {claimed}."
    return Topic(question, claim, tuple(truth.split(" | ")), tuple(proxy.split(" | ")))


SEEN: tuple[Topic, ...] = (
    _topic("system", "was breached",
           "forensics found the intruder on {x} servers | the access log shows stolen files on {x}",
           "{x} was offline for an hour on Monday | users of {x} reported slow logins"),
    _topic("vendor", "will miss the deadline",
           "the schedule review confirms that {x} is nine weeks behind | the plant manager of {x} admits a missed delivery",
           "{x} advertised for more staff | a customer of {x} spoke of a delay last year"),
    _topic("supplier", "should get the contract",
           "the cost model shows that {x} saves a fifth of the budget | the trial order proves that {x} has fewer defects",
           "{x} won a prize for service | a magazine praised the range of {x}"),
    _topic("site", "should be closed",
           "the ledger shows a yearly loss at {x} | the safety survey found a cracked foundation at {x}",
           "traffic near {x} has grown | a local paper wrote about old buildings at {x}"),
    _topic("product", "will be launched first",
           "the board approved the launch of {x} for March | the release plan puts {x} two months ahead",
           "a teaser for {x} was seen at a fair | the web page of {x} was updated"),
    _topic("drug candidate", "passed the trial",
           "unblinded data show that {x} met its endpoint | the trial monitor confirms the effect of {x}",
           "patients in forums speak well of {x} | shares of the maker of {x} rose"),
    _topic("company", "will be acquired",
           "the signed term sheet names {x} as the target | the deal team has set a price for {x}",
           "rumours about {x} were printed | the chief of {x} was seen at a meeting"),
    _topic("machine", "caused the fault",
           "the sensor record traces the fault to {x} | the repair crew found a broken seal in {x}",
           "{x} is the oldest machine in the hall | {x} was serviced late last year"),
    _topic("route", "has the lower risk",
           "the insurer model gives {x} half the losses | escort reports confirm that {x} had no incident",
           "travel guides call {x} pleasant | {x} has a newer road surface"),
    _topic("bank", "will fund the project",
           "{x} has sent a binding offer | the credit committee of {x} voted for the loan",
           "{x} funded a similar project | the annual review of {x} speaks of growth"),
    _topic("well", "holds more water",
           "the pump test measured the larger flow at {x} | drill cores show a deep layer under {x}",
           "grass around {x} looks green | an old map marks a spring at {x}"),
    _topic("team", "leaked the draft",
           "mail records show that {x} sent the file | a watermark in the copy belongs to {x}",
           "{x} printed many pages that week | a reporter once worked with {x}"),
    _topic("battery", "is safer",
           "the burn test shows no fire in {x} | cell data confirm that {x} stays cool",
           "{x} has a thicker case | buyers give {x} good marks"),
    _topic("office", "will move",
           "the lease of {x} was ended by the director | the moving order for {x} is signed",
           "{x} has many empty desks | an agent showed visitors around {x}"),
    _topic("crop", "failed",
           "field counts show blight in {x} | the yield sheet of {x} is close to zero",
           "prices of {x} went up at the market | the fields of {x} looked dry from the road"),
    _topic("software", "has the bug",
           "the debugger trace ends inside {x} | a private test repeats the crash in {x}",
           "{x} had an update on Friday | a forum post complains about {x}"),
    _topic("ship", "is overdue",
           "the beacon of {x} fell silent two days ago | the harbour call of {x} was never received",
           "storms were seen on the path of {x} | relatives of the crew of {x} asked for news"),
    _topic("plan", "cuts more emissions",
           "the engine audit measured the larger cut under {x} | meter data confirm the savings of {x}",
           "{x} has a green logo | a campaign group likes {x}"),
    _topic("director", "will resign",
           "the signed letter of {x} lies with the chair | the exit terms of {x} are agreed",
           "{x} missed a public dinner | {x} sold a house in the city"),
    _topic("mine", "has the richer ore",
           "assay results give {x} the higher grade | the survey block of {x} holds twice the metal",
           "{x} hired new drivers | a visitor found a bright stone at {x}"),
    _topic("school", "needs repair",
           "the inspector found loose beams at {x} | the repair file lists a failing roof at {x}",
           "paint is coming off at {x} | parents of {x} asked for a new hall"),
    _topic("chip", "is faster",
           "bench results put {x} ahead by a third | the lab clock shows the shorter run on {x}",
           "{x} costs more in shops | the advert of {x} speaks of speed"),
    _topic("partner", "broke the agreement",
           "payment records show that {x} sold to a rival | a recorded call proves the breach by {x}",
           "{x} changed its lawyers | {x} was late to a joint event"),
    _topic("reactor", "should be shut down",
           "the core scan shows wear in {x} | coolant data confirm a leak in {x}",
           "steam was seen above {x} | {x} is near its planned age"),
)  # fmt: skip

# New questions and new sentences, in words that the reasoner knows from other topics.
HELDOUT: tuple[Topic, ...] = (
    _topic("bridge", "should be repaired first",
           "the sensor record shows loose beams in {x} | the safety test found a leak under {x}",
           "parents near {x} asked for repair | visitors asked for new paint at {x}"),
    _topic("project", "lost its budget",
           "bank data confirm a missed payment at {x} | a private call proves the late payment by {x}",
           "{x} has empty desks | a magazine spoke of a late review at {x}"),
    _topic("garden", "holds the older clock",
           "the repair file names the clock of {x} as the first | a private survey confirms the age of {x}",
           "visitors like {x} | an old map shows {x}"),
    _topic("lab", "will be moved",
           "the board approved the moving plan of {x} | the director of {x} has signed the order",
           "{x} sold its old machine | a paper wrote about a new road near {x}"),
    _topic("engine", "will be replaced",
           "the bench test measured half the flow in {x} | sensor data confirm wear in {x}",
           "buyers like {x} | the web page of {x} looks green"),
    _topic("harbour", "will be opened",
           "the signed plan puts {x} first | the safety review confirms that {x} is safe",
           "a crew was seen at {x} | the road near {x} was painted"),
)  # fmt: skip

# What the distractor says: about nothing in question.
DISTRACTORS = (
    "a report explains tax forms, a column lists good places for lunch, a study looks at office plants, "
    "an essay describes the history of letters, a notice gives the opening hours of a library, a guide "
    "compares desk chairs, a survey asks how people travel to work, an article explains how clouds form, "
    "a list names the winners of a chess event, a page describes new bus lines, a review discusses a "
    "cooking show, a bulletin announces a garden fair"
).split(", ")
CONFIDENTIAL_SOURCES = (
    "Internal Memo, Board Minutes, Internal Email, Audit File, Security Log, Private Ledger, Engineering "
    "Note, Legal Brief, Executive Summary, Test Record"
).split(", ")
PUBLIC_SOURCES = (
    "Trade Journal, Press Release, News Site, Public Filing, Industry Blog, Local Paper, Market Bulletin, "
    "Web Forum, Annual Report, Radio Report"
).split(", ")
