"""What the sample tickets say: believable texts for each of the five categories, with the extra fields they carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from baton.pipelines.filing import Draft, Person


@dataclass(frozen=True, slots=True)
class Sample:
    """One text; `{n}` in subject, description and extra texts becomes the ticket's number within its series."""

    category: str
    subcategory: str
    department: str
    priority: str
    subject: str
    description: str
    extras: dict[str, Any] = field(default_factory=dict)


def _it(subcategory: str, priority: str, subject: str, description: str) -> Sample:
    return Sample("IT Support", subcategory, "IT Department", priority, subject, description)


def _asset(way: str, priority: str, subject: str, description: str, **extras: Any) -> Sample:
    extras.setdefault("serial_number", f"{extras['asset_name'].split()[0].upper()}-{{n:04d}}")
    return Sample(f"Asset Check {way}", extras["asset_category"], "Asset Department", priority, subject, description, extras)


def _budget(subject: str, description: str, priority: str = "Medium", **extras: Any) -> Sample:
    extras.setdefault("fiscal_year", "2026")
    return Sample("Budget Proposal", "Proposal", "Budget Department", priority, subject, description, extras)


def _other(subcategory: str, subject: str, description: str, priority: str = "Low") -> Sample:
    return Sample("Others", subcategory, "", priority, subject, description)


#: In the order they are filed, over and over: neighbours differ in category, so that any count has some of each.
SAMPLES: tuple[Sample, ...] = (
    _it(
        "Hardware",
        "Medium",
        "Printer on the second floor jams on every double-sided job",
        "Single-sided printing works. Two-sided jobs stop after the first sheet with 'Jam in tray 2', and there is no paper "
        "to be seen in there. It started on Monday after the toner was changed.",
    ),
    _asset(
        "Out",
        "Medium",
        "Laptop for a new colleague who starts on Monday",
        "Standard equipment, German keyboard please. She will be on the road a lot, so the light model if there is one left.",
        asset_name="ThinkPad X1 Carbon",
        asset_category="Laptop",
        location="Main office, reception",
        expected_return_date="2027-12-31",
    ),
    _budget(
        "Replacement of the 14 oldest monitors",
        "The monitors from 2016 flicker and two have failed this quarter. Purchasing has three quotes; the cheapest is below.",
        requested_budget="4130.00",
        cost_items={"Monitors 27 inch (14)": "3850.00", "Disposal": "140.00", "Delivery": "140.00"},
    ),
    _other(
        "Facilities",
        "The window in meeting room 3 does not close",
        "It has been open a hand's width since the storm. The room is cold, and somebody should look before it rains.",
    ),
    _asset(
        "In",
        "Low",
        "Returning the projector from the sales fair",
        "Complete with remote control and both cables. The lamp has about 300 hours left according to its menu.",
        asset_name="Epson EB-2250U",
        asset_category="Projector",
        location="Storage room B",
        issue_type="None",
    ),
    _it(
        "Access",
        "High",
        "Cannot sign in since my name changed",
        "Personnel changed my surname yesterday. Since this morning the VPN says 'account unknown', mail still works on the "
        "phone. I have a customer call at two and need the shared drive for it.",
    ),
    _asset(
        "Out",
        "High",
        "Replacement phone: mine fell into the river",
        "No, it does not switch on any more. The SIM card is dry and in my desk. The number must stay the same.",
        asset_name="Fairphone 5",
        asset_category="Phone",
        location="Field service",
        expected_return_date="2028-06-30",
    ),
    _budget(
        "Safety training for the warehouse team",
        "Two days for eleven people, on site. The insurer asks for it once a year and the last one was in spring of last year.",
        priority="High",
        requested_budget="5280.50",
        cost_items={"Trainer, 2 days": "3600.00", "Material (11)": "880.50", "Catering": "800.00"},
        performance_start_date="2026-03-02",
        performance_end_date="2026-03-03",
    ),
    _it(
        "Software",
        "Low",
        "Spreadsheet opens with the wrong decimal separator",
        "Since the update every exported file shows 1.250,00 as text. Changing the locale helps until I close the program.",
    ),
    _other(
        "Personnel",
        "Certificate of employment for my landlord",
        "He wants one with the date of joining and that the contract is not limited. A scan by mail is enough.",
    ),
    _asset(
        "In",
        "Medium",
        "Laptop of a colleague who left, keyboard damaged",
        "The keys E and R are missing, otherwise it works. The disk is still to be wiped. Charger is in the bag.",
        asset_name="Dell Latitude 5440",
        asset_category="Laptop",
        location="Main office, IT counter",
        issue_type="Damaged",
    ),
    _it(
        "Network",
        "Critical",
        "No network in the whole east wing",
        "Since about 09:40 neither cable nor Wi-Fi works for the roughly forty people here. The switch in the corridor "
        "cupboard blinks orange on all ports. Phones are dead too.",
    ),
    _asset(
        "Out",
        "Low",
        "Second monitor for my home office day",
        "Anything from 24 inch with HDMI. I can pick it up myself.",
        asset_name="BenQ GW2485",
        asset_category="Monitor",
        location="Home office",
    ),
    _budget(
        "Licences for the new design program",
        "Seven seats for one year. The trial ends on the last of the month, after that the files cannot be opened any more.",
        requested_budget="2940.00",
        cost_items={"Seats (7), one year": "2940.00"},
    ),
    _other(
        "Suggestion",
        "Bicycle stands under the roof, please",
        "There are two unused parking spaces next to the entrance. Twelve of us come by bicycle now, in winter too.",
    ),
)


def draft_of(number: int, series: str, employees: Sequence[Person]) -> Draft:
    """Return the sample ticket of this number (from 1) within a series; the same number is always the same ticket."""
    sample = SAMPLES[(number - 1) % len(SAMPLES)]
    # Employees are met in strides, so that neither neighbours nor repetitions of a text fall to the same person.
    employee = employees[(number * 7) % len(employees)]
    extras = {name: value.format(n=number) if isinstance(value, str) else value for name, value in sample.extras.items()}
    return Draft(
        subject=sample.subject,
        description=sample.description,
        category=sample.category,
        subcategory=sample.subcategory,
        department=sample.department,
        priority=sample.priority,
        employee=employee,
        extras=extras,
        source=f"seed:{series}",
        source_id=str(number),
    )
