"""Which words are kept, which are looked for, and where they are marked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from baton.pipelines.searching import MOST_WORDS, WORD_LENGTH, marked, number_meant, snippet, tag_word, wanted_in, words_of

TEXTS = st.text(max_size=300)


@given(TEXTS)
def test_what_a_text_says_finds_it(text: str) -> None:
    wanted = wanted_in(text)
    kept = words_of(text).split(" ")
    assert wanted is None or all(word in kept for word in wanted.words)


@given(TEXTS, TEXTS)
def test_the_marked_pieces_are_the_text(text: str, words: str) -> None:
    assert "".join(piece for piece, _ in marked(text, wanted_in(words))) == text


@given(TEXTS)
def test_words_are_letters_and_digits_and_nothing_that_a_database_reads(text: str) -> None:
    for word in words_of(text).split():
        assert word.isalnum() and len(word) <= WORD_LENGTH and not word.startswith(tag_word(""))


@given(st.text(), TEXTS)
def test_a_snippet_is_short_and_one_line(text: str, words: str) -> None:
    found = snippet(text, wanted_in(words), 50)
    assert len(found) <= 54 and "\n" not in found


def test_case_and_accents_do_not_matter_where_words_are_marked() -> None:
    assert marked("Der DRÜCKER, drucken!", wanted_in("druck")) == [
        ("Der ", False), ("DRÜCKER", True), (", ", False), ("drucken", True), ("!", False)
    ]  # fmt: skip
    assert marked("u\u0308ber", wanted_in("über")) == [("u\u0308ber", True)]
    assert marked("anything", None) == [("anything", False)]


def test_what_is_kept_is_bounded() -> None:
    assert len(words_of(" ".join(map(str, range(50_000)))).split(" ")) == MOST_WORDS
    assert words_of("", None) == ""
    assert len(words_of("ß" * 1_000_000)) == WORD_LENGTH


def test_digits_mean_a_ticket_number() -> None:
    assert number_meant(" hd-12 ") == number_meant("12") == "HD-00000012"
    assert [number_meant(each) for each in ("HD-", "12 13", "٣", "1" * 19, "")] == [None] * 5
