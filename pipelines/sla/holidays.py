"""
Public holidays of a country as closed days of a calendar.

The dates come from the package `holidays`, which works them out; nothing is fetched. Movable days (Easter, observed days) differ
from year to year, so each year's are dates of their own: ask again before the last year has begun.
"""

from __future__ import annotations

from collections.abc import Sequence

import holidays

#: How many years may be asked for at once: some of them are guesses by then (moon calendars), and each day is an entry.
LONGEST_YEARS = 20
_FIRST_YEAR, _LAST_YEAR = 1950, 2100


class HolidayError(ValueError):
    """Closed days cannot be made of what was given; the message says what to do about it."""


def closed_from_country(
    country: str, years: Sequence[int], *, subdivision: str | None = None, language: str | None = None
) -> list[dict[str, str]]:
    """
    Return the public holidays of a country as `closed` entries (`on`, `name`), in order of their dates.

    Args:
        country: two or three letters (ISO 3166), such as DE.
        subdivision: a state or region as the country names it (ISO 3166-2 without the country), such as BY.
        language: of the names, such as en_US; the country's own by default.

    Raises:
        HolidayError: the country, the subdivision or the language is not known, or there are too many years.
    """
    _check_years(years)
    try:
        # Asked without a language, the package takes that of this process's environment.
        own = holidays.country_holidays(country, subdiv=subdivision).default_language
        days = holidays.country_holidays(country, subdiv=subdivision, years=list(years), language=language or own)
    except NotImplementedError:
        raise HolidayError(_unknown(country, subdivision)) from None
    if language is not None and language not in days.supported_languages:
        known = ", ".join(days.supported_languages) or "only its own"
        raise HolidayError(f"language: names of {country} do not come in {language!r}; there are {known}")
    return [{"on": day.isoformat(), "name": name} for day, name in sorted(days.items())]


def countries() -> dict[str, list[str]]:
    """Return the countries whose holidays are known, by their two letters, with their subdivisions."""
    known = holidays.list_supported_countries(include_aliases=False)
    return {country: sorted(subdivisions) for country, subdivisions in sorted(known.items())}


def _check_years(years: Sequence[int]) -> None:
    if not years:
        raise HolidayError("years: name at least one")
    if len(set(years)) > LONGEST_YEARS:
        raise HolidayError(f"years: no more than {LONGEST_YEARS} at once; later ones can be added when they come near")
    if min(years) < _FIRST_YEAR or max(years) > _LAST_YEAR:
        raise HolidayError(f"years: must lie between {_FIRST_YEAR} and {_LAST_YEAR}")


def _unknown(country: str, subdivision: str | None) -> str:
    subdivisions = countries().get(country)
    if subdivision is not None and subdivisions is not None:
        known = ", ".join(subdivisions) or "none"
        return f"subdivision: {country} has no {subdivision!r}; there are {known}"
    return f"country: the holidays of {country!r} are not known; write two letters such as DE, or import an ICS file"
