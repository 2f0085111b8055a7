"""What the services say in English is said in the reader's language, and stays as it is where nobody has translated it."""

from __future__ import annotations

import string
import time
from pathlib import Path

import pytest

from baton.http.web.said import LONGEST, in_language
from baton.http.web.texts import FALLBACK, catalogue
from baton.pipelines.assignment import _counted
from baton.pipelines.audience import REASONS
from baton.pipelines.permissions import Principal
from baton.pipelines.work import ITEM_ACTIONS, Standing, refuse

ROOT = Path(__file__).resolve().parents[3]
GERMAN = catalogue("de")


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            "no deployed workflow matches category 'Parking' and no department",
            "kein aktiver Workflow passt auf Kategorie 'Parking' und keine Abteilung",
        ),
        ("nobody eligible: 2 away, 1 at capacity", "niemand kommt infrage: 2 abwesend, 1 ausgelastet"),
        ("user 4 is away; user 5 is the requester", "Benutzer 4: abwesend; Benutzer 5 hat das Ticket selbst gestellt"),
        ("HD-00000005: In Progress", "HD-00000005: In Arbeit"),
        ("HD-00000005: Resolve is yours", "HD-00000005: Resolve liegt bei Ihnen"),
        ("Kim wrote: yours\nis away", "Kim schreibt: yours\nis away"),
        ("step Triage, cycle 2", "Schritt Triage, Runde 2"),
        ("moment of the question: running", "jetzt: läuft"),
        ("String should have at least 1 character", "braucht mindestens 1 Zeichen"),
        ("there is an account with this address", "zu dieser Adresse gibt es schon ein Konto"),
    ],
)
def test_a_sentence_is_said_in_german_with_its_names_as_they_are(english: str, german: str) -> None:
    assert in_language(GERMAN, english) == german
    assert in_language(catalogue("en"), english) == english


@pytest.mark.parametrize("text", ["", "HD-00000005: Something quite new", "{ticket} {0} %s", "x" * (LONGEST + 1)])
def test_what_no_code_knows_stays(text: str) -> None:
    assert in_language(GERMAN, text) == text


def test_every_refusal_of_an_action_is_said_in_german() -> None:
    nobody, lead = Principal("user", "9", roles=frozenset({"tts:X"})), Principal("user", "1", roles=frozenset({"tts:Admin"}))
    for action in ITEM_ACTIONS:
        for actor in (nobody, lead):
            for state, has in (("completed", "2"), ("new", None), ("new", "2"), ("on hold", "2")):
                standing = Standing(state=state, version=3, assignee=has, roles=frozenset({"tts:X"}))
                for version in (None, 2):
                    said = refuse(action, actor, standing, version)
                    assert said is None or in_language(GERMAN, said.reason) != said.reason, said


def test_every_reason_to_be_told_and_to_be_passed_over_is_said_in_german() -> None:
    for said in REASONS.values():
        assert in_language(GERMAN, said) != said
    assert "away" not in in_language(GERMAN, "nobody eligible: " + _counted({"away": 2, "inactive": 1}))


def test_the_services_still_say_what_the_catalogue_translates() -> None:
    """Some words of each sentence, as they follow each other, stand in the services' code."""
    folders = ("pipelines", "models", "actors", "http/workflow", "http/auth", "http/messaging", "http/notifications")
    files = [path for folder in (*folders, "http/helpdesk") for path in (ROOT / folder).rglob("*.py")]
    code = "\n".join(path.read_text() for path in [*files, ROOT / "http/problems.py"])
    gone = []
    for key, text in catalogue(FALLBACK).entries.items():
        if key.startswith("said_") and not key.startswith("said_field."):
            parts = [part.split() for part, *_ in string.Formatter().parse(text)]
            runs = [" ".join(words[place : place + 2]) for words in parts for place in range(max(1, len(words) - 1))]
            known = [run.strip(" ,;:.()") for run in runs if run.strip(" ,;:.()")]
            if known and not any(run in code for run in known):
                gone.append(key)
    assert ", ".join(gone) == ""


def test_a_hostile_text_is_looked_at_in_a_moment() -> None:
    before = time.process_time()
    for text in ("a is away until " * 62, "is due at ; " * 80, "Ticket x, : (policy " * 49, "wrote: " * 140, "; " * 490):
        in_language(GERMAN, text)
    assert time.process_time() - before < 30
