"""
Handing mails to an SMTP server (RFC 5321), several over one connection, one recipient each: a bad address harms no other mail.

A mail is the server's once it has answered 250 to the dot that ends it. If the line drops before that answer, nobody can know on
this side whether the server kept the mail. The standard has the client send it again (section 4.5.3.2.6 and RFC 1047), and so it
is done, under the same Message-ID, by which a receiver can tell a second copy: a server that breaks off has not said that it took
the mail, and a copy is better than none. What can be done about copies is done: the wait for that answer is long, and everything
that can be refused is asked before the dot.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable

from baton.models.mail_settings import SmtpServer
from baton.pipelines.emails.attempts import Outcome

#: The longest a command may take, in seconds.
TIMEOUT_SECONDS = 20.0
#: The longest wait for the answer to the dot, in seconds. The standard says ten minutes: giving up earlier makes copies.
FINAL_SECONDS = 300.0
_LEADING_DOT = re.compile(rb"(?m)^\.")


class _UnusableError(Exception):
    """The server cannot be used at all; the message says why."""


class SmtpSession:
    """
    A connection to the server, made when the first mail is to go and made anew when it broke. Not safe for several threads.

    `own_name` is what this machine calls itself in the greeting.
    """

    def __init__(self, server: SmtpServer, own_name: str) -> None:
        self._server = server
        self._own_name = own_name
        self._smtp: smtplib.SMTP | None = None

    def close(self) -> None:
        """Say goodbye."""
        if self._smtp is not None:
            try:
                self._smtp.quit()
            except (OSError, smtplib.SMTPException):
                self._smtp.close()
            self._smtp = None

    def deliver(self, sender: str, recipient: str, content: bytes, handing_over: Callable[[], None]) -> Outcome:
        """
        Hand one mail over and return how it went. `content` has CRLF line ends.

        `handing_over` is called when the server has all but the dot; what it raises ends the attempt, and the server has no mail.
        """
        try:
            smtp = self._open()
            refusal = self._envelope(smtp, sender, recipient)
            if refusal is not None:
                return refusal
            code, text = smtp.docmd("DATA")
            if code != 354:
                return self._refusal(code, text, "DATA")
            body = _LEADING_DOT.sub(b"..", content)
            if smtp.sock is None:
                raise smtplib.SMTPServerDisconnected("the connection was closed")
            smtp.sock.sendall(body if body.endswith(b"\r\n") else body + b"\r\n")
        except (OSError, smtplib.SMTPException, _UnusableError) as error:
            return self._broken(error)
        try:
            handing_over()
        except BaseException:
            self._drop()  # without the dot the server throws away what it has
            raise
        try:
            return self._end(smtp)
        except (OSError, smtplib.SMTPException) as error:
            return self._broken(error, "no answer to the end of the mail: ")

    def _end(self, smtp: smtplib.SMTP) -> Outcome:
        assert smtp.sock is not None
        smtp.sock.settimeout(FINAL_SECONDS)
        code, text = smtp.docmd(".")
        smtp.sock.settimeout(TIMEOUT_SECONDS)
        if code == 250:
            return Outcome(kind="taken", reference=_text(text)[:200])
        return self._refusal(code, text, "end of the mail")

    def _envelope(self, smtp: smtplib.SMTP, sender: str, recipient: str) -> Outcome | None:
        wide = not recipient.isascii()
        if wide and not smtp.has_extn("smtputf8"):
            return Outcome(kind="refused", detail="the mail server takes no addresses with letters beyond ASCII")
        code, text = smtp.mail(sender, ["SMTPUTF8"] if wide else [])
        if code != 250:
            # This is about us, not about the recipient: no mail would be taken.
            self._drop()
            return Outcome(kind="unreachable", detail=_said(code, text, "MAIL FROM"))
        code, text = smtp.rcpt(recipient)
        return None if code in (250, 251) else self._refusal(code, text, "RCPT TO")

    def _refusal(self, code: int, text: bytes, where: str) -> Outcome:
        """Return what a negative answer means: 421 is about the server, other 4xx pass by themselves, 5xx do not."""
        detail = _said(code, text, where)
        if code == 421 or not 400 <= code <= 599:
            self._drop()
            return Outcome(kind="unreachable", detail=detail)
        if self._smtp is not None:
            try:
                self._smtp.rset()
            except (OSError, smtplib.SMTPException):
                self._drop()
        return Outcome(kind="put off" if code < 500 else "refused", detail=detail)

    def _open(self) -> smtplib.SMTP:
        """Return a connection that is ready for the next mail; one that the server closed meanwhile is made anew."""
        if self._smtp is not None:
            try:
                code, _ = self._smtp.noop()
                if code == 250:
                    return self._smtp
            except (OSError, smtplib.SMTPException):
                pass
            self._drop()
        self._smtp = self._connect()
        return self._smtp

    def _connect(self) -> smtplib.SMTP:
        server, own, tls = self._server, self._own_name, _tls(self._server)
        if server.encryption == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, local_hostname=own, timeout=TIMEOUT_SECONDS, context=tls
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, local_hostname=own, timeout=TIMEOUT_SECONDS)
        try:
            smtp.ehlo_or_helo_if_needed()
            encrypted = server.encryption == "tls"
            if not encrypted and (server.encryption == "starttls" or smtp.has_extn("starttls")):
                smtp.starttls(context=tls)  # raises where it is not offered
                smtp.ehlo()
                encrypted = True
            if server.user:
                if not encrypted and not server.local:
                    raise _UnusableError("the mail server offers no encryption; the password was not sent")
                smtp.login(server.user, server.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _broken(self, error: Exception, where: str = "") -> Outcome:
        self._drop()
        if isinstance(error, smtplib.SMTPResponseException):
            what = "sign-in" if isinstance(error, smtplib.SMTPAuthenticationError) else ""
            said = _said(error.smtp_code, error.smtp_error, what)
            return Outcome(kind="unreachable", detail=where + said)
        return Outcome(kind="unreachable", detail=f"{where}{type(error).__name__}: {error}")

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None


def _tls(server: SmtpServer) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if server.local:  # a certificate for this machine's name is rare, and nobody stands in between
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _said(code: int, text: bytes | str, where: str) -> str:
    return f"{where}: {code} {_text(text)}".removeprefix(": ")


def _text(text: bytes | str) -> str:
    plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join(plain.replace("\x00", "").split())
