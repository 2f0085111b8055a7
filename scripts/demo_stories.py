"""
The stories of the demo organisation: what its employees file, and what becomes of each ticket. Plain data, told in order.

An act is `(what, text)`. What staff do, each time whoever has the ticket: `start`, `complete` (the step), `hold`, `escalate`,
`transfer` (to a colleague), `say`, `note` (for colleagues only). What the employee does: `reply`, `rate` (a number of stars, then
why), `reopen`, `withdraw`. What a coordinator does: `priority`, `close`, `cancel`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Act = tuple[str, str]

#: The usual way of a ticket: accepted, worked, looked at once more.
ACCEPTED: tuple[Act, ...] = (("start", ""), ("complete", ""))
FINISHED: tuple[Act, ...] = (("complete", ""), ("start", ""), ("complete", ""))


@dataclass(frozen=True, slots=True)
class Story:
    """One ticket. `by` is what stands before the @ in the employee's address."""

    by: str
    category: str
    priority: str
    subject: str
    description: str
    acts: tuple[Act, ...] = ()
    extras: Mapping[str, Any] = field(default_factory=dict)

    @property
    def department(self) -> str:
        """The department that such tickets are for; empty where there is none."""
        return DEPARTMENTS.get(self.category, "")


DEPARTMENTS = {
    "IT Support": "IT Department",
    "Asset Check In": "Asset Department",
    "Asset Check Out": "Asset Department",
    "Budget Proposal": "Budget Department",
}


def _asset(name: str, serial: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"asset_name": name, "serial_number": serial, "asset_category": kind, **more}


STORIES: tuple[Story, ...] = (
    Story(
        "adaeze.abara", "IT Support", "High", "The shared calendar shows every meeting an hour late",
        "Since the clocks went back all meetings of the team calendar are an hour late for me, on the phone and on the laptop. "
        "My own calendar is right.",
        (
            *ACCEPTED, ("start", ""),
            ("say", "Thank you for telling us. Which time zone does your phone show under *Settings → Date and time*?"),
            ("reply", "It says **Lisbon**, although I have been back for two weeks."),
            ("note", "Same as the three calls on Monday: the travel profile keeps its zone. Worth a line in the handbook."),
            ("say", "That is it: your travel profile keeps its zone. I have removed it; please open the calendar again."),
            ("reply", "All meetings are where they belong. Thank you!"),
            *FINISHED, ("rate", "5 Quick, and I understood what was wrong."),
        ),
    ),
    Story(
        "adaeze.abara", "Asset Check Out", "Medium", "Laptop stand and keyboard for the new desk",
        "I moved to the third floor and the desk there has nothing on it. A stand and a keyboard with a German layout would do.",
        (*ACCEPTED, ("start", ""), ("say", "Both are in stock. You can pick them up at the counter until five."), *FINISHED),
        _asset("Laptop stand and keyboard", "SET-0417", "Accessory", location="Main office, 3.12"),
    ),
    Story(
        "adaeze.abara", "IT Support", "Critical", "Customer portal shows another customer's invoices",
        "A customer called: after signing in she sees invoices of a company she does not know. I could repeat it with her test "
        "account. Screens are with me, I did not want to attach them here.",
        (
            *ACCEPTED, ("start", ""),
            ("say", "We have switched the invoice page off and are looking at it now. Please send nothing by mail."),
            ("escalate", "May be a data breach: the administrators decide who is to be told."),
        ),
    ),
    Story(
        "adaeze.abara", "Budget Proposal", "Medium", "Two places at the accessibility conference",
        "Two of us would go, with talks that fit our plans for next year. Early prices end on the last of the month.",
        (
            *ACCEPTED, ("start", ""),
            ("say", "Is the hotel part of the amount, or does it come on top?"),
            ("hold", "Waiting for the answer whether the hotel is included"),
        ),
        {
            "requested_budget": "1890.00",
            "fiscal_year": "2027",
            "cost_items": {"Tickets (2)": "1180.00", "Train": "340.00", "Hotel": "370.00"},
        },
    ),
    Story(
        "adaeze.abara", "Others", "Low", "The light above the coffee machine flickers",
        "Only in the morning, for about ten minutes. It gives people headaches.",
        (("start", ""), ("say", "The electrician comes on Thursday and will look at it.")),
    ),
    Story(
        "adaeze.abara", "IT Support", "Medium", "Please set up the mailbox events@ for our team",
        "Four people should read it and answer from it: Amelia, Andre, Anika and me. It is for the open day.",
    ),
    Story(
        "amelia.clarke", "IT Support", "High", "VPN drops every few minutes since this morning",
        "It connects, works for two or three minutes and is gone. The network at home is fine otherwise.",
        (
            *ACCEPTED, ("start", ""), ("say", "Does it also happen with the cable instead of Wi-Fi?"),
            ("reply", "With the cable it has held for twenty minutes now."),
        ),
    ),
    Story(
        "amelia.clarke", "Asset Check In", "Low", "Returning the camera from the product shoot",
        "Complete: body, two lenses, charger and the bag. One lens cap is missing.",
        (
            *ACCEPTED, ("start", ""), ("note", "Cap ordered, 6 euros."),
            *FINISHED, ("rate", "4 No waiting at the counter."), ("close", ""),
        ),
        _asset("Canon R6", "CAM-0031", "Camera", issue_type="Part missing"),
    ),
    Story(
        "andre.fischer", "IT Support", "Medium", "Scanner sends empty pages to my mail",
        "Every scan from the big copier arrives as an empty page. Copies are fine, and it works for my colleague.",
        (
            *ACCEPTED, ("start", ""), ("say", "We have renewed the profile of your card. Please try again."), *FINISHED,
            ("rate", "2 It works for one page only."), ("reopen", "The second page of every scan is empty again."),
        ),
    ),
    Story(
        "andre.fischer", "Budget Proposal", "High", "Replace the forklift's battery before it fails",
        "It holds for three hours where it should hold for eight. The supplier has one in stock until Friday.",
        (*ACCEPTED, ("start", ""), ("note", "Two more quotes asked for, answers expected tomorrow.")),
        {"requested_budget": "6420.00", "fiscal_year": "2026", "cost_items": {"Battery": "5900.00", "Fitting": "520.00"}},
    ),
    Story(
        "anika.hughes", "IT Support", "Low", "Bigger font in the time recording program",
        "I can hardly read the columns on the small screen. Is there a setting?",
        (
            *ACCEPTED, ("start", ""),
            ("say", "There is: press `Ctrl` and `+` in the program.\n\nIf that is not enough, try *View → Large columns*."),
            *FINISHED, ("rate", "5 "), ("close", "Accepted by the requester"),
        ),
    ),
    Story(
        "anika.hughes", "Asset Check Out", "Medium", "Loan projector for the residents' meeting",
        "Needed from Tuesday noon to Wednesday evening, with a long cable.",
        (*ACCEPTED, ("start", ""), ("hold", "The projector is lent out until Monday")),
        _asset("Epson EB-2250U", "PRJ-0009", "Projector", expected_return_date="2026-12-02", location="Town hall"),
    ),
    Story(
        "arturo.kowalski", "IT Support", "Critical", "Till 2 in the shop does not print receipts",
        "Customers are waiting. We restarted it twice; the display says 'head open', but it is closed.",
        (
            *ACCEPTED, ("start", ""), ("say", "Somebody is on the way with a spare printer, ten minutes."),
            ("reply", "It is here and prints. Thank you, that was fast."), *FINISHED, ("rate", "5 Ten minutes, as promised."),
        ),
    ),
    Story(
        "arturo.kowalski", "Parking", "Low", "A parking space for the trade fair's delivery van",
        "From the 2nd to the 4th, near the loading ramp if possible. I did not find a fitting category.",
    ),
    Story(
        "beatriz.martin", "IT Support", "Medium", "Cannot open the file from our lawyers",
        "It ends in .p7m and nothing wants to open it. They say it is signed.",
        (*ACCEPTED, ("start", ""), ("transfer", "You did the last ones")),
    ),
    Story(
        "beatriz.martin", "Others", "Medium", "First-aid box on the second floor is empty",
        "There are two plasters left, and the list inside is from 2021.",
        (*ACCEPTED, ("start", ""), *FINISHED),
    ),
    Story(
        "benjamin.novak", "Asset Check Out", "High", "Tablet for the stocktaking on Saturday",
        "Ours fell. We count on Saturday from six in the morning and need one that reads barcodes.",
        (("start", ""), ("priority", "Critical")),
        _asset("Zebra ET45", "TAB-0102", "Tablet", expected_return_date="2026-11-30", location="Warehouse"),
    ),
    Story(
        "benjamin.novak", "IT Support", "Low", "Old distribution list can be deleted",
        "summerparty2024@ still gets mail. Nobody reads it.",
        (("withdraw", "A colleague has done it already"),),
    ),
    Story(
        "camila.patel", "IT Support", "High", "No sound in video calls after the update",
        "The others hear me, I hear nothing. Headset and speakers both; music plays.",
        (*ACCEPTED, ("start", ""), ("say", "Please choose *System default* under *Audio* in the meeting. Does that help?")),
    ),
    Story(
        "camila.patel", "Budget Proposal", "Low", "Subscription to the trade journal",
        "Print and online for the whole department.",
        (("start", ""), ("cancel", "The library has it; access was arranged")),
        {"requested_budget": "216.00", "fiscal_year": "2027", "cost_items": {"One year": "216.00"}},
    ),
    Story(
        "chloe.schmidt", "IT Support", "Medium", "Two-factor app on my new phone",
        "The old phone is already reset, so I cannot confirm the new one. I am signed in on the laptop until tonight.",
        (*ACCEPTED,),
    ),
    Story(
        "chloe.schmidt", "Asset Check In", "Medium", "Access card of a temporary colleague",
        "Her last day was yesterday. The card is in the envelope at reception.",
        (*ACCEPTED, ("start", "")),
        _asset("Access card", "CARD-2291", "Card", issue_type="None"),
    ),
    Story(
        "daniel.vasquez", "Travel", "Medium", "Visa letter for the visit to the supplier in Pune",
        "The consulate wants a letter on company paper with my dates of travel, 7 to 11 December.",
    ),
    Story(
        "daniel.vasquez", "IT Support", "High", "Build server is out of disk space",
        "All builds of today have failed with 'no space left on device'. Removing old artefacts freed 200 MB only.",
        (*ACCEPTED, ("start", ""), ("note", "Log rotation was off since the move. Turned on; 60 GB free."), ("complete", "")),
    ),
    Story(
        "deepa.andersson", "Others", "Low", "Which bin do coffee capsules go into?",
        "There are three opinions in our kitchen.",
        (*ACCEPTED, ("start", ""), ("say", "The yellow one, emptied."), *FINISHED, ("rate", "5 Peace in the kitchen.")),
    ),
    Story(
        "deepa.andersson", "IT Support", "Medium", "Access to the archive of the old web shop",
        "For the audit I need orders of 2019. Read access is enough, until the end of the month.",
        (*ACCEPTED, ("start", ""), ("hold", "Waiting for the data owner's approval")),
    ),
    Story(
        "adaeze.abara", "Asset Check In", "Low", "Second monitor goes back to the store",
        "It works; I simply do not use it any more.",
        (),
        _asset("BenQ GW2485", "MON-0388", "Monitor", issue_type="None", location="Main office, 3.12"),
    ),
    Story(
        "diego.delgado", "IT Support", "Critical", "Mail to our largest customer is returned as spam",
        "Since about nine all our mail to them comes back with '550 5.7.1 rejected by policy'. Offers are due today.",
        (("start", ""), ("say", "We see it too and are talking to their postmaster.")),
    ),
    Story(
        "emeka.flores", "Budget Proposal", "Medium", "Noise protection for the two meeting boxes",
        "One hears every word outside. The quote covers panels and fitting.",
        (),
        {"requested_budget": "1540.00", "fiscal_year": "2026", "cost_items": {"Panels": "1220.00", "Fitting": "320.00"}},
    ),
    Story(
        "emma.ivanov", "IT Support", "Low", "Desktop icons are gone after the holiday",
        "The files are there in the folder, but the desktop is empty.",
        (*ACCEPTED, ("start", ""), ("say", "Right-click the desktop, then *View → Show desktop icons*."), *FINISHED),
    ),
)  # fmt: skip
