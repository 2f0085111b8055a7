"""Fields of accounts in request bodies: e-mail addresses, and passwords, which are hashed before any transaction opens."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from baton.http.types import storable
from baton.models.auth.passwords import passwords
from baton.models.settings import get_settings
from baton.pipelines import credentials


def _hashed(password: str) -> str:
    refused = credentials.password_refused(password)
    if refused:
        raise PydanticCustomError("password_refused", "the password {why}", {"why": refused})
    return passwords(get_settings().environment == "test").hash(password)


def _email(email: str) -> str:
    refused = credentials.email_refused(email.strip())
    if refused:
        raise PydanticCustomError("email_refused", "{why}", {"why": refused})
    return email.strip()


#: A password as a caller sends it; what a handler gets is its hash. Validation comes before the transaction, and so does hashing.
HashedPassword = Annotated[
    str,
    StringConstraints(max_length=credentials.LONGEST_PASSWORD),
    AfterValidator(storable),
    AfterValidator(_hashed),
]
#: An e-mail address, without the blanks around it.
Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=credentials.LONGEST_EMAIL),
    AfterValidator(storable),
    AfterValidator(_email),
]
