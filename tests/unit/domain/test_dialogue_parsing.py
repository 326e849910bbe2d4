"""How a written-down dialogue becomes turns, and a CSV file becomes rows."""

import csv
import dataclasses
import io
import re
from pathlib import Path

import pytest

from clinic_chat.domain.errors import InvalidInput
from clinic_chat.domain.imports.csv_file import DialogueRow, Problem, read_dialogue_file
from clinic_chat.domain.imports.transcript import Turn, parse_dialogue

HEADER = "ID,section_header,section_text,dialogue\n"


def said(text: str) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.body) for turn in parse_dialogue(text)]


def test_each_labelled_line_is_a_turn_without_its_label() -> None:
    assert parse_dialogue("Doctor: How are you?  \r\nPatient: Well, thanks: very well.") == [
        Turn("Doctor", "How are you?"),
        Turn("Patient", "Well, thanks: very well."),
    ]


@pytest.mark.parametrize(
    ("label", "speaker"),
    [
        ("Doctor", "Doctor"),
        ("Doctor_2", "Doctor 2"),
        ("Docotr_2", "Doctor 2"),
        ("patient", "Patient"),
        ("  Patient ", "Patient"),
        ("Guest_family", "Guest family"),
        ("Gest_family", "Guest family"),
        ("Guest_family_1", "Guest family 1"),
        ("Guest_family2", "Guest family 2"),
        ("Guest_clinican", "Guest clinician"),
    ],
)
def test_a_label_becomes_readable_words(label: str, speaker: str) -> None:
    assert said(f"{label}: Hello") == [(speaker, "Hello")]


def test_only_doctors_speak_for_the_clinic_and_only_the_patient_as_the_patient() -> None:
    turns = parse_dialogue("Doctor_2: a\nPatient: b\nGuest_clinician: c")
    assert [(turn.by_doctor, turn.by_patient) for turn in turns] == [
        (True, False),
        (False, True),
        (False, False),
    ]


def test_a_line_without_a_label_is_a_turn_of_the_speaker_before() -> None:
    text = "Patient: I take two:\n\n  the white one\nNote: in the morning\nDoctor: Good."
    assert said(text) == [
        ("Patient", "I take two:"),
        ("Patient", "the white one"),
        ("Patient", "Note: in the morning"),
        ("Doctor", "Good."),
    ]


def test_a_label_typed_with_a_full_stop_counts_when_it_cannot_be_a_sentence() -> None:
    assert said("Doctor: Come in.\nGuest_family. Hello. I'm his wife.\nPatient. She is.") == [
        ("Doctor", "Come in."),
        ("Guest family", "Hello. I'm his wife."),
        ("Guest family", "Patient. She is."),
    ]


def test_a_label_alone_on_its_line_names_the_speaker_of_the_next() -> None:
    assert said("Doctor:\nHow are you?\nPatient: Fine.\nDoctor: ") == [
        ("Doctor", "How are you?"),
        ("Patient", "Fine."),
    ]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "dialogue_empty"),
        (" \r\n ", "dialogue_empty"),
        ("Doctor:\nPatient:", "dialogue_empty"),
        ("just words", "speaker_missing"),
        ("Nurse: Hello", "speaker_missing"),
        ("Hello\nDoctor: Hello", "speaker_missing"),
        ("Doctor: " + "a" * 65_537, "body_too_long"),
        ("Patient: \u200b", "dialogue_empty"),
    ],
)
def test_a_dialogue_that_breaks_a_rule_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_dialogue(text)
    assert refusal.value.code == code


def test_the_refusal_of_one_turn_says_which() -> None:
    with pytest.raises(InvalidInput, match=r"^turn 2: the body has over 65536 characters$"):
        parse_dialogue("Doctor: Hello\nPatient: " + "a" * 65_537)


def test_what_cannot_be_shown_is_cleaned() -> None:
    assert said("Doctor: a\x0bb\nPatient: c\0d\n\u3164\nPatient: e") == [
        ("Doctor", "a\nb"),
        ("Patient", "cd"),
        ("Patient", "e"),
    ]


ANOTHER_SPEAKER = re.compile(r"[.?!] (Doctor|Patient|Guest\w*): ")


def test_real_dialogues_have_each_speakers_words_under_their_name() -> None:
    rows = read_dialogue_file(Path(__file__).parent / "mts_dialog" / "extracts.csv")
    turns = {row.id: said(row.dialogue) for row in rows if isinstance(row, DialogueRow)}
    assert set(turns) == {"295", "469", "505", "1080"}
    assert turns["295"][2:] == [
        ("Patient", "Sometimes it is overall and other times just on any one side."),
        ("Doctor", "This sounds like it is a migraine headache."),
    ]
    assert turns["469"][0][1].startswith("So, you are here")
    assert [speaker for speaker, _ in turns["469"]] == ["Doctor", "Patient"] * 2 + ["Doctor"]
    assert turns["469"][3] == ("Patient", "Sure.")
    assert ("Patient", "Yes, I am, Doctor:") in turns["505"]
    assert turns["1080"][-1] == ("Patient", "Yeah.")
    for row in turns.values():
        for _, body in row:
            assert not ANOTHER_SPEAKER.search(f"{body} ")
            assert not body.startswith('"')


@pytest.mark.parametrize(
    ("line", "turns"),
    [
        ("Doctor: Well? Patient: Yes! Doctor: Good.", ["Well?", "Yes!", "Good."]),
        ("Doctor: Well?Patient: Yes.", ["Well?", "Yes."]),
        ('Doctor: "Well?" Guest_family_2: Yes.', ['"Well?"', "Yes."]),
        ("Doctor: I told the patient: rest. Note: rest.", None),
        ("Doctor: Ask any Doctor: they know", None),
        ("Patient: I said. Nurse: you heard", None),
    ],
)
def test_another_speaker_after_a_sentence_is_another_turn(
    line: str, turns: list[str] | None
) -> None:
    bodies = [body for _, body in said(line)]
    assert bodies == (turns or [line.partition(": ")[2]])


@pytest.mark.parametrize(
    "text",
    [
        '"Doctor: a\nPatient: b"',
        "“Doctor: a\nPatient: b”",
        '"Doctor: a"\n"Patient: b"',
        ' "Doctor: a\r\nPatient: b" \n',
    ],
)
def test_quotation_marks_around_a_dialogue_are_left_out(text: str) -> None:
    assert said(text) == [("Doctor", "a"), ("Patient", "b")]


def test_quotation_marks_within_a_dialogue_are_kept() -> None:
    assert said('Doctor: "a" is "b"\nPatient: "c"') == [
        ("Doctor", '"a" is "b"'),
        ("Patient", '"c"'),
    ]


def read(tmp_path: Path, content: str | bytes) -> list[DialogueRow | Problem]:
    path = tmp_path / "dialogues.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_dialogue_file(path)


def test_a_row_knows_the_line_on_which_it_begins(tmp_path: Path) -> None:
    rows = read(tmp_path, HEADER + '1,CC,text,"Doctor: a\nPatient: b"\n\n2,ROS,"t\nt",Doctor: c\n')
    assert rows == [
        DialogueRow(2, "1", "CC", "Doctor: a\nPatient: b"),
        DialogueRow(5, "2", "ROS", "Doctor: c"),
    ]


def test_other_columns_in_any_order_are_ignored(tmp_path: Path) -> None:
    rows = read(tmp_path, "\ufeffextra,Dialogue,id\r\nx,Doctor: a,7\r\n")
    assert rows == [DialogueRow(2, "7", "", "Doctor: a")]


def test_a_row_with_another_number_of_fields_is_a_problem(tmp_path: Path) -> None:
    rows = read(tmp_path, HEADER + "1,CC,Doctor: a\n2,CC,t,Doctor: a, b\n3,CC,t,Doctor: c\n")
    assert rows == [
        Problem(2, "3 fields instead of 4"),
        Problem(3, "5 fields instead of 4"),
        DialogueRow(4, "3", "CC", "Doctor: c"),
    ]


def test_bytes_that_are_not_utf8_cost_only_their_own_row(tmp_path: Path) -> None:
    rows = read(tmp_path, HEADER.encode() + b"1,CC,t,Doctor: ol\xe1\n2,CC,t,Doctor: ol\xc3\xa1\n")
    assert rows == [
        Problem(2, "bytes that are not UTF-8"),
        DialogueRow(3, "2", "CC", "Doctor: olá"),
    ]


def test_a_quote_that_is_never_closed_does_not_swallow_the_rows_below(tmp_path: Path) -> None:
    rows = read(tmp_path, HEADER + '1,CC,t,"Doctor: a\n2,CC,t,"Doctor: b"\n3,CC,t,Doctor: c\n')
    assert isinstance(rows[0], Problem)
    assert rows[0].line == 2
    assert rows[0].reason.startswith("not CSV: ")
    assert rows[1:] == [
        DialogueRow(3, "2", "CC", "Doctor: b"),
        DialogueRow(4, "3", "CC", "Doctor: c"),
    ]


ROW = ["7", "Anamnese", "texto; texto", "Doctor: Olá, tudo bem?\nPatient: Não, doutor; dói."]
READ = DialogueRow(2, ROW[0], ROW[1], ROW[3])


def saved(separator: str, encoding: str, first: str = "", row: list[str] = ROW) -> bytes:
    """What a spreadsheet saves."""
    file = io.StringIO(first, newline="")
    file.seek(0, io.SEEK_END)
    writer = csv.writer(file, delimiter=separator, lineterminator="\r\n")
    writer.writerows([["ID", "section_header", "section_text", "dialogue"], row])
    return file.getvalue().encode(encoding)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_a_file_is_read_as_a_spreadsheet_saves_it(
    tmp_path: Path, separator: str, encoding: str
) -> None:
    assert read(tmp_path, saved(separator, encoding)) == [READ]


@pytest.mark.parametrize("first", ["sep=;\r\n", '"sep=;"\r\n', "SEP=;\n"])
def test_a_first_line_may_name_the_separator(tmp_path: Path, first: str) -> None:
    assert read(tmp_path, saved(";", "cp1252", first)) == [dataclasses.replace(READ, line=3)]


def test_a_field_may_be_longer_than_the_librarys_limit(tmp_path: Path) -> None:
    row = [ROW[0], ROW[1], "linha\n" * 40_000, ROW[3]]
    content = saved(",", "utf-8", row=row) + b"8,CC,t,Doctor: a\r\n9,CC,t\r\n"
    assert read(tmp_path, content) == [
        READ,
        DialogueRow(40_004, "8", "CC", "Doctor: a"),
        Problem(40_005, "3 fields instead of 4"),
    ]


def test_a_broken_cell_of_many_lines_is_one_problem(tmp_path: Path) -> None:
    cell = '"Doctor: a "quoted" word\nPatient: b\nDoctor: c"'
    rows = read(tmp_path, HEADER + f"1,CC,t,{cell}\n2,CC,t,Doctor: d\n3,CC,t\n")
    assert [row.line for row in rows] == [2, 5, 6]
    assert isinstance(rows[0], Problem)
    assert rows[1:] == [DialogueRow(5, "2", "CC", "Doctor: d"), Problem(6, "3 fields instead of 4")]


def test_the_error_says_how_the_file_was_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"read as UTF-16-LE and tried with commas, semicolons"):
        read(tmp_path, "Código;diálogo\n1;Doctor: a\n".encode("utf-16"))
    with pytest.raises(InvalidInput, match=r"read as UTF-8 and tried with ';'"):
        read(tmp_path, "sep=;\nID,dialogue\n1,Doctor: a\n")


@pytest.mark.parametrize("content", ["", "ID,text\n1,a\n", "dialogue\nDoctor: a\n", '"ID,dialogue'])
def test_a_file_without_the_needed_columns_is_one_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(InvalidInput, match="the columns ID and dialogue") as refusal:
        read(tmp_path, content)
    assert refusal.value.code == "columns_missing"


def test_a_file_that_cannot_be_read_is_one_error(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(InvalidInput, match="cannot read") as refusal:
            read_dialogue_file(path)
        assert refusal.value.code == "file_unreadable"
