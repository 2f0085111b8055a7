"""The people of the demo organisation: who they are and what they do. Plain data; the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

#: slug -> name of each system.
SYSTEMS = {
    "hdts": "Help Desk Ticketing System",
    "tts": "Ticket Tracking System",
    "ams": "Asset Management System",
    "bms": "Budget Management System",
}

#: slug -> what its Admin role is for.
ADMIN_DUTIES = {
    "hdts": "Administers the help desk and the employee register",
    "tts": "Triages and finalizes every ticket; administers workflows",
    "ams": "Administers assets",
    "bms": "Administers budgets",
}

TTS_ROLES = {
    "Admin": ADMIN_DUTIES["tts"],
    "Asset Manager": "Resolves tickets of the Asset Department",
    "Budget Manager": "Resolves tickets of the Budget Department",
    "IT Manager": "Resolves tickets of the IT Department",
    "Ticket Coordinator": "Answers for tickets as a whole, and for triage",
}

HDTS_ROLES = {
    "Admin": ADMIN_DUTIES["hdts"],
    "Employee": "Files tickets and follows their own",
    "Ticket Coordinator": "Sees and looks after every ticket",
}

#: Three per role, so that taking turns is visible.
TTS_STAFF = {
    "Admin": (
        ("Maria Santos", "maria.santos@example.com"),
        ("David Okafor", "david.okafor@example.com"),
        ("Hannah Weiss", "hannah.weiss@example.com"),
    ),
    "Asset Manager": (
        ("Carlos Mendez", "carlos.mendez@example.com"),
        ("Priya Raman", "priya.raman@example.com"),
        ("Tomasz Nowak", "tomasz.nowak@example.com"),
    ),
    "Budget Manager": (
        ("Grace Lim", "grace.lim@example.com"),
        ("Samuel Adeyemi", "samuel.adeyemi@example.com"),
        ("Elena Petrova", "elena.petrova@example.com"),
    ),
    "IT Manager": (
        ("Kenji Tanaka", "kenji.tanaka@example.com"),
        ("Aisha Rahman", "aisha.rahman@example.com"),
        ("Lucas Moreau", "lucas.moreau@example.com"),
    ),
    "Ticket Coordinator": (
        ("Nadia Haddad", "nadia.haddad@example.com"),
        ("Oliver Grant", "oliver.grant@example.com"),
        ("Sofia Rossi", "sofia.rossi@example.com"),
    ),
}

HDTS_STAFF = {
    "Admin": (
        ("Patricia Moore", "patricia.moore@gmail.com"),
        ("Robert Chen", "robert.chen@gmail.com"),
    ),
    "Ticket Coordinator": (
        ("Alex Johnson", "alex.johnson@gmail.com"),
        ("Jamie Lee", "jamie.lee@gmail.com"),
        ("Morgan Davis", "morgan.davis@gmail.com"),
    ),
}

#: Department -> the jobs in it.
DEPARTMENTS = {
    "IT Department": ("Systems Analyst", "Support Technician", "Network Engineer", "Developer", "Security Analyst"),
    "Asset Department": ("Asset Clerk", "Inventory Analyst", "Warehouse Lead", "Procurement Officer"),
    "Budget Department": ("Accountant", "Budget Analyst", "Payroll Officer", "Controller"),
}

_FIRST = [
    "Adaeze", "Amelia", "Andre", "Anika", "Arturo", "Beatriz", "Benjamin", "Camila", "Chloe", "Daniel", "Deepa",
    "Diego", "Emeka", "Emma", "Esther", "Fatima", "Felix", "Gabriel", "Giulia", "Hana", "Henry", "Ibrahim", "Ines",
    "Isaac", "Jasmine", "Joao", "Julia", "Karim", "Katarina", "Leo", "Lina", "Luis", "Mateo", "Mei", "Mina",
    "Nikhil", "Noah", "Olga", "Omar", "Paulo", "Quinn", "Rafael", "Rosa", "Ruth", "Salma", "Simon", "Tariq",
    "Teresa", "Umar", "Valeria", "Viktor", "Wanjiru", "Yusuf", "Zoe",
]
_LAST = [
    "Abara", "Andersson", "Baker", "Bautista", "Castillo", "Clarke", "Delgado", "Dimitrov", "Eze", "Fernandes",
    "Fischer", "Flores", "Garcia", "Haas", "Hernandez", "Hughes", "Ivanov", "Jansen", "Kaur", "Kimani", "Kowalski",
    "Kruger", "Larsen", "Lopez", "Malik", "Martin", "Mbeki", "Murphy", "Navarro", "Nguyen", "Novak", "Okoye",
    "Olsen", "Ortiz", "Park", "Patel", "Quispe", "Reyes", "Robinson", "Sato", "Schmidt", "Silva", "Suzuki",
    "Torres", "Usman", "Vasquez", "Wang", "Yilmaz", "Zhang",
]


@dataclass(frozen=True, slots=True)
class SeededEmployee:
    """An employee of the demo organisation."""

    full_name: str
    email: str
    department: str
    job_title: str


def employees(count: int) -> Iterator[SeededEmployee]:
    """
    Yield the first `count` employees. Each is the same whatever the count, so a larger one only adds people.

    Names repeat after some 2,700; addresses never do.
    """
    departments = list(DEPARTMENTS)
    for number in range(count):
        first = _FIRST[number % len(_FIRST)]
        last = _LAST[(number * 5 + number // len(_FIRST)) % len(_LAST)]
        lap = number // (len(_FIRST) * len(_LAST))
        department = departments[number % len(departments)]
        jobs = DEPARTMENTS[department]
        yield SeededEmployee(
            full_name=f"{first} {last}",
            email=f"{first}.{last}{lap + 1 if lap else ''}@example.com".lower(),
            department=department,
            job_title=jobs[(number // len(departments)) % len(jobs)],
        )
