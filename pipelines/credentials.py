"""
What may be called what: e-mail addresses, passwords, systems and roles.

Each rule returns the reason for refusing, or None. The HTTP front shows the reasons beside the fields; the seeders obey them too.
"""

from __future__ import annotations

import re
import unicodedata

#: The role that administers a system. It always exists, keeps its name, and someone always holds it.
ADMIN = "Admin"
#: Longer than any real address (RFC 5321 §4.5.3.1.3: 254 octets in a path).
LONGEST_EMAIL = 254
LONGEST_ROLE_NAME = 60
SHORTEST_PASSWORD = 10
#: Argon2 takes any length; hashing a megabyte is a favour to nobody.
LONGEST_PASSWORD = 200

_EMAIL = re.compile(r"[^@\s\"(),:;<>\[\\\]]+@[^@\s\"(),:;<>\[\\\]]+")
_SLUG = re.compile(r"[a-z][a-z0-9_]{1,29}")


def email_refused(email: str) -> str | None:
    """Return why this cannot be an e-mail address, or None. Whether it exists is not known."""
    if len(email) > LONGEST_EMAIL:
        return f"is longer than {LONGEST_EMAIL} characters"
    if not _EMAIL.fullmatch(email) or _invisible(email):
        return "is not an e-mail address"
    return None


def password_refused(password: str) -> str | None:
    """Return why this password is not accepted, or None. Length decides, not the kinds of characters (NIST SP 800-63B §5.1.1)."""
    if len(password) < SHORTEST_PASSWORD:
        return f"is shorter than {SHORTEST_PASSWORD} characters"
    if len(password) > LONGEST_PASSWORD:
        return f"is longer than {LONGEST_PASSWORD} characters"
    if len(set(password)) < 4:
        return "repeats the same few characters"
    return None


def slug_refused(slug: str) -> str | None:
    """Return why a system cannot have this slug, or None."""
    if not _SLUG.fullmatch(slug):
        return "must be 2 to 30 lower-case letters, digits or _, starting with a letter"
    return None


def role_name_refused(name: str) -> str | None:
    """
    Return why a role cannot have this name, or None.

    `:` parts the system from the role and `*` stands for any role where permissions are checked: neither may be in a name.
    """
    if not name.strip():
        return "is empty"
    if name != name.strip():
        return "begins or ends with a blank"
    if len(name) > LONGEST_ROLE_NAME:
        return f"is longer than {LONGEST_ROLE_NAME} characters"
    if any(character in ":*," for character in name):
        return "contains one of : * ,"
    if _invisible(name):
        return "contains an invisible character"
    return None


def role_edit_refused(current_name: str, new_name: str, stays_active: bool) -> str | None:
    """Return why a role cannot be edited so, or None: a system's Admin role keeps its name and stays active."""
    if current_name != ADMIN:
        return None
    if new_name != ADMIN:
        return "the Admin role of a system keeps its name"
    return None if stays_active else "the Admin role of a system stays active"


def _invisible(text: str) -> bool:
    return any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") for character in text)
