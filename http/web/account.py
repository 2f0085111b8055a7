"""Pages that both fronts have: signing in and out, and how pages look (language, theme)."""

from __future__ import annotations

from collections.abc import Callable

from baton.http.web.pages import ANYONE, Go, Page, Raw, Shown, Visit
from baton.http.web.services import ServiceRefusedError
from baton.http.web.texts import LANGUAGES
from baton.pipelines.permissions import Principal

THEMES = ("", "light", "dark")
_YEAR = 365 * 86400


def account_pages(admits: Callable[[Principal], bool], demo: tuple[tuple[str, str, str], ...] = ()) -> tuple[Page, ...]:
    """
    Return the pages of a front whose visitors `admits` says who they may be.

    `demo`: accounts (who as a key of the catalogue, address, password) shown beside the form outside production.
    """

    def show(visit: Visit, wrong: str = "", status: int = 200) -> Shown:
        values = {
            "next": here(visit.form.get("next") if visit.page.method == "POST" else visit.query("next")),
            "email": visit.form.get("email") if visit.page.method == "POST" else "",
            "wrong": wrong,
            "demo": () if visit.settings.production else demo,
        }
        return Shown("sign_in.html", values, status=status)

    def sign_in(visit: Visit) -> Shown | Go:
        """The visitor is signed in, if the credentials are right and the account is of this front's."""
        assert visit.session is not None and visit.sessions is not None
        credentials = {"email": visit.form.get("email").strip(), "password": visit.form.get("password")}
        if not all(credentials.values()):
            return show(visit, visit.t("session.missing"), 422)
        try:
            tokens = visit.api.post("auth", "/api/v1/sign-in", credentials)
        except ServiceRefusedError as error:
            if error.status in (401, 422):
                return show(visit, visit.t("session.wrong"), 422)
            if error.status == 429:
                return show(visit, visit.t("session.too_often"), 429)
            raise
        visit.sessions.start(visit.session, tokens)
        if not admits(visit.session.principal):
            visit.sessions.end(visit.session)
            return show(visit, visit.t("session.elsewhere"), 403)
        return Go(here(visit.form.get("next")))

    def sign_out(visit: Visit) -> Go:
        """The session is over, here and at auth."""
        assert visit.session is not None and visit.sessions is not None
        if visit.session.refresh:
            visit.api.post("auth", "/api/v1/sign-out", {"refresh_token": visit.session.refresh})
        visit.sessions.end(visit.session)
        return Go("/sign-in", "session.signed_out")

    return (
        Page("GET", "/sign-in", show, ANYONE),
        Page("POST", "/sign-in", sign_in, ANYONE),
        Page("POST", "/sign-out", sign_out, ANYONE),
        Page("POST", "/looks", choose_looks, ANYONE),
    )


def choose_looks(visit: Visit) -> Raw:
    """The browser remembers the language and the theme."""
    language, theme = visit.form.get("language"), visit.form.get("theme")
    cookies = []
    if language in LANGUAGES:
        cookies.append(f"baton_language={language}; Path=/; Max-Age={_YEAR}; SameSite=Lax")
    if theme in THEMES:
        cookies.append(f"baton_theme={theme}; Path=/; Max-Age={_YEAR}; SameSite=Lax")
    return Raw(b"", "text/plain", {"Location": here(visit.form.get("next"))}, status=303, cookies=tuple(cookies))


def here(path: str) -> str:
    """Return the path if it is one of this front's, else the first page: nobody is sent elsewhere by a link."""
    is_ours = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable() and "\\" not in path
    return path if is_ours and not path.startswith("/sign-") else "/"
