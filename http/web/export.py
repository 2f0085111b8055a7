"""
Lists as CSV: all pages of a list in one file, through the same calls and with the same filters as the list itself.

    if wants_csv(visit):
        return export(visit, fetch_page, {"Number": "ticket_number", "Status": lambda row: row["status"]}, "tickets")

The first page is fetched before anything is sent: what the services refuse becomes a page that says so. A file that had to end
early says so in its last line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from baton.http.web.pages import Raw, Visit
from baton.http.web.services import ServiceAwayError, ServiceRefusedError
from baton.pipelines.csv_cells import BYTE_ORDER_MARK, csv_lines

#: Rows that one file holds at most.
MOST_ROWS = 100_000
#: Rows asked for at once.
PAGE_ROWS = 200

#: Fetches the page at a cursor ("" the first); returns its rows and the next page's cursor, empty or None after the last.
FetchPage = Callable[[str], tuple[list[dict[str, Any]], str | None]]
#: Column heading -> the row's key, or what makes the cell of the row.
Columns = Mapping[str, str | Callable[[dict[str, Any]], Any]]


def wants_csv(visit: Visit) -> bool:
    """Return whether the list was asked for as a file: `?format=csv`."""
    return visit.query("format") == "csv"


def export(visit: Visit, fetch_page: FetchPage, columns: Columns, name: str, most: int = MOST_ROWS) -> Raw:
    """Return the list as a CSV file `name`.csv, in UTF-8 with a byte order mark, which spreadsheets need to read it as such."""
    first = fetch_page("")
    safe = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    headers = {"Content-Disposition": f'attachment; filename="{safe}.csv"'}
    return Raw(_lines(visit, fetch_page, columns, first, most), "text/csv; charset=utf-8", headers)


def titled(visit: Visit, *names: str) -> dict[str, str | Callable[[dict[str, Any]], Any]]:
    """Return columns of these keys, each under its title in the visitor's language."""
    return {visit.t(f"export.{name}"): name for name in names}


def pages_of(visit: Visit, service: str, path: str, **filters: str) -> FetchPage:
    """Return what fetches the pages of a service's list in the visitor's name."""

    def fetch(cursor: str) -> tuple[list[dict[str, Any]], str | None]:
        page = visit.api.get(service, path, **{**filters, "limit": PAGE_ROWS, "cursor": cursor})
        return page["items"], page["next"]

    return fetch


def _lines(
    visit: Visit, fetch_page: FetchPage, columns: Columns, first: tuple[list[dict[str, Any]], str | None], most: int
) -> Iterator[bytes]:
    yield BYTE_ORDER_MARK + csv_lines([columns])
    written = 0
    rows, cursor = first
    while True:
        taken = rows[: most - written]
        yield csv_lines([_cell(row, column) for column in columns.values()] for row in taken)
        written += len(taken)
        if len(taken) < len(rows) or (cursor and written >= most):
            yield csv_lines([[visit.t("export.cut", most=most)]])
            return
        if not cursor:
            return
        try:
            rows, cursor = fetch_page(cursor)
        except (ServiceAwayError, ServiceRefusedError):
            yield csv_lines([[visit.t("export.broken", rows=written)]])
            return


def _cell(row: dict[str, Any], column: str | Callable[[dict[str, Any]], Any]) -> Any:
    return row.get(column) if isinstance(column, str) else column(row)
