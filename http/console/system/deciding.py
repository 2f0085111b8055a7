"""Putting dead letters back on their queues, or deleting them: what will happen is shown first, and done when it is confirmed."""

from __future__ import annotations

from urllib.parse import quote

from baton.http.console.system.dead_letters import PATH
from baton.http.web.pages import ADMIN, Go, Page, Shown, Visit
from baton.http.web.services import ServiceAwayError, ServiceRefusedError

HERE = "/system/dead-letters"
ACTS = ("requeue", "purge")


def decide(visit: Visit) -> Go | Shown:
    """Without a confirmation, a page that asks for it; with one, it is done. What is gone already does not count."""
    act, chosen, every = visit.form.get("act"), _chosen(visit), visit.form.get("every")
    until = visit.form.get("until")
    if act not in ACTS or not (chosen or (every and until)):
        return Go(HERE, "system.letter.choose")
    if not visit.form.get("sure"):
        number = visit.form.get("number") if every else str(sum(map(len, chosen.values())))
        values = {"act": act, "chosen": chosen, "every": every, "until": until, "number": number}
        return Shown("system/letters_sure.html", values)
    bodies = {every: {"died_before": until}} if every else {queue: {"ids": ids} for queue, ids in chosen.items()}
    done = 0
    for queue, body in bodies.items():
        try:
            done += visit.api.post("issues", f"{PATH}/{quote(queue, safe='')}/{act}", body)["done"]
        except (ServiceRefusedError, ServiceAwayError):
            if not done:
                raise
            return Go(HERE, "system.letter.stopped", {"count": str(done)})
    return Go(HERE, f"system.letter.done_{act}", {"count": str(done)})


def _chosen(visit: Visit) -> dict[str, list[str]]:
    """Return the ids of the chosen letters by queue; a field is `queue:id`, and queues' names hold no colon."""
    found: dict[str, list[str]] = {}
    for pair in visit.form.all("letter"):
        queue, colon, letter_id = pair.partition(":")
        if colon and letter_id:
            found.setdefault(queue, []).append(letter_id)
    return found


PAGES = (Page("POST", HERE, decide, ADMIN),)
