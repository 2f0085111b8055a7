"""
The link that ends mails of one kind (RFC 8058): who holds it may turn off that kind of mail for that recipient, nothing else.

The link names the recipient by id and says nothing else about them; its signature covers the recipient and the type. It does not
expire: a mail may be read years later, and the worst that a stolen link does is to stop mails, which its owner can turn on again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

_SEPARATOR = "\x1f"
_PURPOSE = b"baton unsubscribe links, version 1"
_LONGEST = 600


def sign(recipient: str, type_: str, secret: str) -> str:
    """Return the token of a link that turns mails of a type off for a recipient: letters, digits, `-`, `_` and a dot."""
    content = f"{recipient}{_SEPARATOR}{type_}".encode()
    return f"{_encode(content)}.{_encode(_mac(content, secret))}"


def read(token: str, secret: str) -> tuple[str, str] | None:
    """Return the recipient and the type that a token names; None: we did not sign it."""
    if len(token) > _LONGEST or not token.isascii():
        return None
    text, _, given = token.partition(".")
    try:
        content, mac = _decode(text), _decode(given)
        # The text itself must be the one we would have written: base64 has several forms for some values.
        if not hmac.compare_digest(mac, _mac(content, secret)) or _encode(content) != text or _encode(mac) != given:
            return None
        recipient, _, type_ = content.decode().partition(_SEPARATOR)
    except (ValueError, binascii.Error):
        return None
    return recipient, type_


def _mac(content: bytes, secret: str) -> bytes:
    key = hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)
    return hmac.digest(key, content, hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
