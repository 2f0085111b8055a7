"""
What follows from how an attempt to deliver a mail ended (contracts, section 5).

1. Taken: sent.
2. Refused for good (5xx for this mail or its recipient): failed at once, and visible. Trying again would annoy, not help.
3. Put off, or the server did not answer: tried again 60 s times the number of the retry later, 3 times at most; then failed, and
   visible until somebody retries it by hand.
4. The trial call of a breaker that was open: it tells of the server, not of the mail, and uses up no retry.
5. Auth could not say who the recipient is: put off for a minute, uses up no retry.
6. A sender that died before the server had the whole mail: sent again, for the server threw away what it had. One that died
   after: the server has most likely taken it. A second mail is worse than a look: it is `uncertain`, visible, and sent again
   only by hand. (Where the *server* broke off without an answer, it has not taken the mail as far as it told: rule 3.)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from baton.pipelines.breaker import OPEN_SECONDS

#: Retries by the scheduler after the first attempt.
MOST_RETRIES = 3
#: A retry comes so many seconds times its number after the attempt before.
RETRY_SECONDS = 60
#: Longest text kept about a failure, in characters.
LONGEST_ERROR = 1_000
UNCERTAIN_TEXT = "the sender died while the mail server was taking it: it has most likely arrived; retry to send it again"

PENDING, SENT, FAILED = "pending", "sent", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    How an attempt ended: `taken`, `refused`, `put off`, `unreachable` (the server did not answer as a server) or `not asked`.

    `detail` says it in the server's words. `reference` is the provider's name for a mail it took.
    """

    kind: str
    detail: str = ""
    reference: str = ""

    @property
    def answered(self) -> bool:
        """Whether the server did its work, which is what a breaker wants to know."""
        return self.kind in ("taken", "refused", "put off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    What becomes of the delivery: its state, when it is due again if it is, the retries used up, and why it was not sent.

    `counts`: the attempt failed as an attempt of this mail, and is recorded as its failure.
    """

    state: str
    due_at: datetime | None = None
    retries: int = 0
    error: str = ""
    counts: bool = False


def judge(outcome: Outcome, retries: int, now: datetime, *, trial: bool = False) -> Verdict:
    """Return what becomes of a delivery that has used up so many retries; `trial`: the attempt was a breaker's trial call."""
    error = outcome.detail[:LONGEST_ERROR]
    if outcome.kind == "taken":
        return Verdict(state=SENT, retries=retries)
    if outcome.kind == "refused":
        return Verdict(state=FAILED, retries=retries, error=error, counts=True)
    if outcome.kind == "not asked" or (trial and outcome.kind == "unreachable"):
        return Verdict(state=PENDING, due_at=now + timedelta(seconds=OPEN_SECONDS), retries=retries, error=error)
    if retries >= MOST_RETRIES:
        return Verdict(state=FAILED, retries=retries, error=error, counts=True)
    pause = timedelta(seconds=RETRY_SECONDS * (retries + 1))
    return Verdict(state=PENDING, due_at=now + pause, retries=retries + 1, error=error, counts=True)
