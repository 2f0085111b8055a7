"""`baton import` from the outside: what is filed, what is refused, what happens when the server fails, and once more."""

from __future__ import annotations

import csv
import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from baton.scripts import import_sender, importing
from tests.scripts.import_desk import Desk

SAMPLES = Path(__file__).parent.parent / "samples"
FORUM = SAMPLES / "support-forum.csv"
SHARED = Path(__file__).parents[3] / "shared" / "data"


def records(path: Path) -> list[dict[str, str]]:
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def rejects(tmp_path: Path, name: str) -> list[dict[str, str]]:
    return records(tmp_path / f"{name}.rejects.csv")


def test_every_question_of_the_forum_is_filed_with_its_text_unchanged(run_import) -> None:
    desk = Desk()

    result = run_import(desk, FORUM)

    assert result.exit_code == 0, result.output
    assert "15 rows read: 15 filed, 0 already there, 0 rejected" in result.output
    for row in records(FORUM):
        ticket = desk.tickets[("support-forum", row["id"])]
        assert (ticket["subject"], ticket["description"]) == (row["title"], row["content"])


def test_topics_of_a_service_desk_go_to_it_support_and_others_keep_their_own_category(run_import) -> None:
    desk = Desk()
    run_import(desk, FORUM)

    categories = {(ticket["category"], ticket["department"]) for ticket in desk.tickets.values()}

    assert ("IT Support", "IT Department") in categories
    assert ("calendar", "thunderbird") in categories


def test_importing_again_adds_nothing_and_says_so(run_import) -> None:
    desk = Desk()
    run_import(desk, FORUM)

    result = run_import(desk, FORUM)

    assert "0 filed, 15 already there" in result.output
    assert result.exit_code == 0
    assert len(desk.tickets) == 15


def test_a_row_that_changed_at_its_source_finds_its_ticket(run_import, tmp_path) -> None:
    desk = Desk()
    run_import(desk, FORUM)
    changed = tmp_path / "changed.csv"
    changed.write_text(FORUM.read_text(encoding="utf-8").replace("Thunderbird", "Sunderbird"), encoding="utf-8")

    result = run_import(desk, changed)

    assert "0 filed, 15 already there" in result.output


def test_a_gzip_file_is_told_by_its_content_not_by_its_name(run_import, tmp_path) -> None:
    desk = Desk()
    zipped = tmp_path / "questions.csv"
    zipped.write_bytes(gzip.compress(FORUM.read_bytes()))

    assert "15 filed" in run_import(desk, zipped).output


def test_a_request_in_both_city_files_is_one_ticket(run_import) -> None:
    desk = Desk()
    both = [SAMPLES / "city-requests-animals.csv", SAMPLES / "city-requests-all.csv"]

    first, second = (run_import(desk, file) for file in both)

    ids = {row["case_id"] for file in both for row in records(file)}
    assert len(desk.tickets) == len(ids) == 19
    assert "11 filed" in first.output
    assert "8 filed, 3 already there" in second.output


def test_an_incident_is_one_ticket_as_it_was_opened(run_import) -> None:
    desk = Desk()
    file = SAMPLES / "servicenow-incidents.csv"

    result = run_import(desk, file)

    opened: dict[str, dict[str, str]] = {}
    for row in records(file):
        opened.setdefault(row["number"], row)
    assert {source_id for _, source_id in desk.tickets} == set(opened)
    assert f"{len(opened)} filed" in result.output
    wanted = {"1 - Critical": "Critical", "2 - High": "High", "3 - Moderate": "Medium", "4 - Low": "Low"}
    for number, row in opened.items():
        assert desk.tickets[("servicenow-incidents", number)]["priority"] == wanted[row["priority"]]
    assert desk.tickets[("servicenow-incidents", "INC0000045")]["reported_at"] == "2016-02-29T01:16:00Z"


def test_rows_without_an_id_are_tickets_of_their_own_even_when_they_read_alike(run_import, tmp_path) -> None:
    desk = Desk()
    file = tmp_path / "queries.csv"
    file.write_text("text,category\nLost card,lost\nLost card,lost\nlost card,lost\n", encoding="utf-8")

    run_import(desk, file)
    again = run_import(desk, file)

    assert len(desk.tickets) == 3
    assert "0 filed, 3 already there" in again.output


def test_complaints_carry_their_own_words_product_and_company(run_import) -> None:
    desk = Desk()
    file = SAMPLES / "consumer-complaints.csv"

    assert run_import(desk, file).exit_code == 0

    for row in records(file):
        ticket = desk.tickets[("consumer-complaints", row["complaint_id"])]
        assert (ticket["category"], ticket["department"]) == (row["product"], row["company"])
        assert ticket["description"] == row["narrative"] or not row["narrative"]
        assert ticket["description"]


def test_bad_rows_are_refused_by_row_field_and_reason_and_the_others_filed(run_import, tmp_path) -> None:
    desk = Desk()
    file = tmp_path / "bad.csv"
    file.write_bytes(b"text,category\ngood,a\nonly one\nn\0l,a\n\xff,a\n" + b"x" * 600 + b",a\ngood too,a\n")

    result = run_import(desk, file, "--mapping", "banking-queries")

    assert result.exit_code == 1
    assert len(desk.tickets) == 2
    found = [(row["row"], row["field"], row["reason"]) for row in rejects(tmp_path, "bad.csv")]
    assert found == [
        ("2", "", "1 columns where the header has 2"),
        ("3", "text", "holds the NUL character"),
        ("4", "text", "bytes that are not text at character 1"),
        ("5", "subject", "must have at most 500 characters, not 600"),
    ]
    assert "bad.csv.rejects.csv" in result.output
    assert run_import(desk, file, "--mapping", "banking-queries", "--allow-rejects").exit_code == 0


def test_a_row_that_the_help_desk_refuses_is_refused_with_its_field_errors(run_import, tmp_path) -> None:
    def refuse(_: int, body: dict[str, Any]) -> httpx.Response | None:
        errors = [{"field": "department", "message": "is closed"}, {"field": "priority", "message": "is wrong"}]
        return httpx.Response(422, json={"errors": errors}) if body["source_id"].startswith("2-") else None

    file = tmp_path / "queries.csv"
    file.write_text("text,category\na,b\nc,d\ne,f\n", encoding="utf-8")
    desk = Desk(refuse)

    assert run_import(desk, file).exit_code == 1

    assert [(row["row"], row["field"]) for row in rejects(tmp_path, "queries.csv")] == [("2", "department"), ("2", "priority")]
    desk.trouble = None
    assert "1 filed, 2 already there, 0 rejected" in run_import(desk, file).output
    assert not (tmp_path / "queries.csv.rejects.csv").exists()


def test_a_dry_run_judges_every_row_and_contacts_nobody(run_import, tmp_path) -> None:
    desk = Desk()
    file = tmp_path / "queries.csv"
    file.write_text("text,category\na,b\nonly one\n" + "x" * 501 + ",c\n", encoding="utf-8")

    result = run_import(desk, file, "--dry-run")

    assert result.exit_code == 1
    assert "1 would be filed, 2 rejected" in result.output
    assert "row 3 refused: subject" in result.output
    assert desk.requests == 0
    assert [path.name for path in tmp_path.iterdir()] == ["queries.csv"]


def test_a_limit_ends_the_import_early(run_import) -> None:
    desk = Desk()

    assert "4 filed" in run_import(desk, FORUM, "--limit", "4").output
    assert len(desk.tickets) == 4


def test_a_file_that_no_mapping_fits_is_not_begun(run_import, tmp_path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("colour,shape\nred,round\n", encoding="utf-8")

    result = run_import(Desk(), file)

    assert result.exit_code == 2
    assert "colour, shape" in result.output
    assert "support-forum" in result.output
    assert "lacks the columns" in run_import(Desk(), file, "--mapping", "support-forum").output
    assert "there is no mapping" in run_import(Desk(), file, "--mapping", "nonsense").output


def test_a_mapping_of_ones_own_is_a_file(run_import, tmp_path) -> None:
    mapping = tmp_path / "mine.toml"
    mapping.write_text(
        'source = "mine"\nsource_id = "{#file}-{#row}"\ncolumns = ["farbe"]\nencoding = "cp1252"\ndelimiter = ";"\n'
        '[fields]\nsubject = "{farbe}"\ncategory = "Others"\nrequester_id = "me"\n',
        encoding="utf-8",
    )
    file = tmp_path / "colours.csv"
    file.write_bytes("farbe;form\ngrün;rund\n".encode("cp1252"))
    desk = Desk()

    assert run_import(desk, file, "--mapping", str(mapping)).exit_code == 0
    assert desk.tickets[("mine", "colours.csv-1")]["subject"] == "grün"


def test_memory_stays_flat_however_long_the_file(run_import, tmp_path) -> None:
    def peak(rows: int) -> int:
        file = tmp_path / f"{rows}.csv.gz"
        with gzip.open(file, "wt", encoding="utf-8") as handle:
            handle.write("text,category\n")
            handle.writelines(f'"query {n} {"long " * 80}",c\n' for n in range(rows))
        desk = Desk(lambda *_: httpx.Response(201, json={"number": "HD-1"}))
        tracemalloc.start()
        run_import(desk, file, "--in-flight", "2")
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    peak(50)
    assert peak(1_500) < peak(300) + 300_000


@pytest.mark.skipif(not SHARED.exists(), reason="the full data sets are not beside the repository (../shared/data)")
@pytest.mark.parametrize(
    ("files", "tickets"),
    [
        (["support-forum/questions.csv.gz"], 15_247),
        (["city-requests/requests_2013_2018.csv.gz", "city-requests/requests_all_departments_sample.csv.gz"], 42_653),
        (["consumer-complaints/complaints.csv.gz"], 6_623),
        (["banking-queries/queries.csv.gz"], 10_003),
        (["servicenow-incidents/incident_events.csv.gz"], 17_136),
    ],
)
def test_the_full_data_sets_make_the_known_numbers_of_tickets(monkeypatch, tmp_path, files, tickets) -> None:
    names: set[tuple[str, str]] = set()
    monkeypatch.chdir(tmp_path)

    def judged(filings, _):
        for filing in filings:
            assert not filing.faults, filing
            names.add((filing.source, filing.source_id))
            yield import_sender.Outcome(filing=filing, kind="filed")

    monkeypatch.setattr(importing, "_judged", judged)
    for file in files:
        result = CliRunner().invoke(importing.import_tickets, [str(SHARED / file), "--dry-run"])
        assert result.exit_code == 0, result.output

    assert len(names) == tickets
