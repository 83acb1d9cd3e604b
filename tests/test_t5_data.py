"""What the T5 reads and writes: words and dates, their split, their tokens; answers judged."""

import re
from datetime import date

import pytest
import torch

from bench.objectives import _bytes, _dates, _pronunciations
from bench.objectives._bytes import END, IGNORED, PAD, VOCABULARY

# The words


def test_words_are_plain_short_and_have_their_first_pronunciation_without_stress() -> None:
    lines = [
        "a AH0",
        "a(2) EY1",
        "o'clock AH0 K L AA1 K",
        "read R EH1 D",
        "read(2) R IY1 D",
        "twelveletter T W EH1 L V",
        "thirteenthere TH ER0 T",
        "eleven A B C D E F G H I J K",
        "aalborg AO1 L B AO0 R G # place, danish",
    ]
    assert _pronunciations.parse("\n".join(lines)) == [
        ("read", "R EH D"),
        ("twelveletter", "T W EH L V"),
        ("aalborg", "AO L B AO R G"),
    ]


def test_the_dictionary_has_112173_such_words_and_39_phonemes() -> None:
    pairs = _pronunciations.parse(_pronunciations.read())
    assert len(dict(pairs)) == len(pairs) == 112_173
    assert len({phoneme for _, answer in pairs for phoneme in answer.split()}) == 39
    assert dict(pairs)["about"] == "AH B AW T"


# The dates


def test_dates_are_all_days_of_four_centuries_and_can_be_told_from_their_written_form() -> None:
    pairs = _dates.pairs()
    assert len({iso for _, iso in pairs}) == len({written for written, _ in pairs}) == 146_097
    assert (pairs[0][1], pairs[-1][1]) == ("1800-01-01", "2199-12-31")
    patterns = [
        r"(?P<day>\d+) (?P<month>[A-Z]\w+) (?P<year>\d{4})",
        r"(?P<month>[A-Z]\w+) (?P<day>\d+), (?P<year>\d{4})",
        r"the (?P<day>\d+)(st|nd|rd|th) of (?P<month>[A-Z]\w+), (?P<year>\d{4})",
    ]
    counts = [0, 0, 0]
    for written, iso in pairs[::50]:
        found = [re.fullmatch(pattern, written) for pattern in patterns]
        (form,) = [form for form, match in enumerate(found) if match]
        parts = found[form]
        assert parts is not None
        month = _dates.MONTHS.index(parts["month"]) + 1
        assert date(int(parts["year"]), month, int(parts["day"])).isoformat() == iso
        counts[form] += 1
    assert min(counts) > len(pairs) / 50 / 4


@pytest.mark.parametrize(
    ("day", "ordinal"),
    [
        *[(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th")],
        *[(13, "13th"), (20, "20th"), (21, "21st"), (22, "22nd"), (23, "23rd"), (31, "31st")],
    ],
)
def test_days_have_their_ordinals(day: int, ordinal: str) -> None:
    assert _dates.written(date(1999, 12, day), 2) == f"the {ordinal} of December, 1999"


# The split


@pytest.mark.parametrize("task", ["phonemes", "dates"])
def test_no_word_is_in_both_training_and_validation(task: str) -> None:
    train, validation = _bytes.load(task, 20_000, 5_000, "cpu")
    words = [[_bytes.decode(row) for row in part.inputs.tolist()] for part in (train, validation)]
    assert [len(set(each)) for each in words] == [20_000, 5_000]
    assert not set(words[0]) & set(words[1])
    if task == "dates":
        assert not set(train.answers) & set(validation.answers)
    else:
        pronounced = dict(_pronunciations.parse(_pronunciations.read()))
        assert [pronounced[word] for word in words[0]] == train.answers


def test_the_split_divides_all_and_a_smaller_one_is_part_of_a_larger_one() -> None:
    train, validation = _bytes.split(10_000, 5_000, 5_000)
    assert sorted([*train, *validation]) == list(range(10_000))
    fewer_train, fewer_validation = _bytes.split(10_000, 10, 7)
    assert list(fewer_train) == list(train[:10])
    assert list(fewer_validation) == list(validation[:7])
    assert _bytes.split(112_173, 3, 0)[0].tolist() == [4394, 65767, 85790]


# Tokens


def test_a_word_is_its_bytes_and_an_end() -> None:
    tokens = _bytes.encode(["cab", "é", ""])
    assert tokens.tolist() == [
        [ord("c") + 2, ord("a") + 2, ord("b") + 2, END],
        [0xC3 + 2, 0xA9 + 2, END, PAD],
        [END, PAD, PAD, PAD],
    ]
    assert [_bytes.decode(row) for row in tokens.tolist()] == ["cab", "é", ""]
    assert _bytes.encode(["\xff" * 3]).max() < VOCABULARY


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ([67, 68], "AB"),
        ([67, END, 68, END], "A"),
        ([67, PAD, 68, END], "A\ufffdB"),
        ([67, 0xFF + 2], "A\ufffd"),
    ],
)
def test_an_answer_ends_at_its_first_end_and_hides_no_nonsense(
    tokens: list[int], text: str
) -> None:
    assert _bytes.decode(tokens) == text


def test_batches_hold_each_word_once_alike_in_length_and_cut_to_the_longest() -> None:
    pairs = [("ab", "x"), ("a", "xyz"), ("abc", "x"), ("a", "xy"), ("ab", "xyz")]
    examples = _bytes.examples(pairs, "cpu")
    assert examples.lengths.tolist() == [[3, 2], [2, 4], [4, 2], [2, 3], [3, 4]]
    order = torch.tensor([4, 3, 2, 1, 0])
    assert [each.tolist() for each in examples.batches(order, 2, 9)] == [[0, 2], [3, 1], [4]]
    assert [each.tolist() for each in examples.batches(order, 2, 1)] == [[3, 4], [2, 1], [0]]
    inputs, targets = examples.batch(torch.tensor([0, 3]))
    assert inputs.tolist() == [[99, 100, END], [99, END, PAD]]
    assert targets.tolist() == [[122, END, IGNORED], [122, 123, END]]


def test_tensors_are_kept_for_the_next_trial() -> None:
    one, two = (_bytes.load("dates", 20, 16, "cpu") for _ in range(2))
    assert one[0] is two[0] and one[1] is two[1]


# Answers


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        *[("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0)],
        *[("kitten", "sitting", 3), ("flaw", "lawn", 2), ("ab", "ba", 2)],
    ],
)
def test_edits_are_counted(one: str, other: str, distance: int) -> None:
    assert _bytes.edits(one, other) == distance


def test_phonemes_are_judged_whole_and_dates_by_characters() -> None:
    right = ["AH B AW T", "K AE T"]
    assert _bytes.judge("phonemes", right, right) == {"accuracy": 1, "symbol_error": 0}
    answers = ["AH B AE", "K AE T S"]  # one other, one missing; one too many
    assert _bytes.judge("phonemes", answers, right) == {"accuracy": 0, "symbol_error": 3 / 7}
    dates = ["1987-03-05", "1987-03-06"]
    judged = _bytes.judge("dates", [dates[0], "1987-03-1"], dates)
    assert judged == {"accuracy": 0.5, "symbol_error": 2 / 20}
