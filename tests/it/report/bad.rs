//! Records that cannot be read: each is named, and the others are read.

use deepspine::report::{Caution, DateOrder, Fault, Format, Input, Options, Position};

use super::{expected, fixture, read, read_all, read_bytes, read_with};

#[test]
fn bad_rows_are_named_and_the_others_are_read() {
    let outcome = read("bad/rows.csv");
    let hash = "82032fe2b6691fa66f527ddaff0370da817016cbf17bc76e23d9f22462b3b4c9";
    assert_eq!(outcome.ids(), ["B-2", "B-6", "B-9", "B-2", hash, "B-14"]);
    assert_eq!(outcome.texts()[0], "Fine,\r\non two lines.");
    let file = "fixtures/formats/bad/rows.csv";
    assert_eq!(
        outcome.bad_messages(),
        [
            format!(
                "{file}, line 4: has 3 fields where the header has 5; quote fields that hold the \
                 delimiter or a line break"
            ),
            format!(
                "{file}, line 5, column `report_text`: the report text is empty; fill it in or \
                 leave the record out"
            ),
            format!(
                "{file}, line 7: a quote stands inside a quoted field; write it twice (left out \
                 up to line 7)"
            ),
            format!(
                "{file}, line 10, column `report_text`: holds bytes that are not UTF-8; give the \
                 file's encoding with --encoding"
            ),
            format!("{file}, line 13: a quote is opened and never closed; close it"),
        ]
    );
}

#[test]
fn values_that_are_not_understood_are_left_out_with_a_warning() {
    let outcome = read("bad/rows.csv");
    let report = &outcome.reports[1];
    assert_eq!((&report.exam_date, &report.sex, report.age), (&None, &None, None));
    let places: Vec<_> = outcome
        .warnings
        .iter()
        .map(|w| (w.place.position, w.place.column.as_deref(), w.value.as_str(), w.caution))
        .collect();
    let line = |number| Some(Position::Line(number));
    assert_eq!(
        places,
        [
            (line(6), Some("exam_date"), "03/04/2019", Caution::AmbiguousDate),
            (line(6), Some("sex"), "?", Caution::UnknownSex),
            (line(6), Some("age"), "old", Caution::UnknownAge),
            (line(11), None, "B-2", Caution::DuplicateId),
        ]
    );
    let options = Options { date_order: Some(DateOrder::Mdy), ..Options::default() };
    let dates = read_with("bad/rows.csv", options).reports;
    assert_eq!(dates[1].exam_date.as_deref(), Some("2019-03-04"));
}

#[test]
fn bad_json_is_named_and_the_other_objects_are_read() {
    let lines = read("bad/lines.jsonl");
    assert_eq!(lines.texts(), ["Fine.", "Id too long for a number.", "Fine again."]);
    assert_eq!(
        lines.bad_places("bad/lines.jsonl"),
        ["line 2", "line 4", "line 5, column `text`", "line 6", "line 8, column `text`",]
    );
    assert!(lines.bad[0].to_string().contains("not valid JSON: expected value at byte 23"));
    assert_eq!(lines.cautions(), [Caution::UnusableValue]);
    assert_eq!(lines.reports[1].id.len(), 64, "an id that lost digits is none");

    let first = read_bytes("{\"text\": \"Cut off.\n{\"text\": \"Fine.\"}\n", Options::default());
    assert_eq!((first.texts(), first.bad_places("")), (vec!["Fine."], vec!["line 1".into()]));

    let array = read("bad/array.json");
    assert_eq!(array.ids(), ["K-1", "K-4"]);
    assert_eq!(array.bad_places("bad/array.json"), ["item 2, column `text`", "item 3", "item 5"]);
    assert!(matches!(array.bad[2].fault, Fault::BrokenJson(_)));
}

#[test]
fn bad_rows_of_a_sheet_are_named_and_the_others_are_read() {
    let sheet = read("bad/sheet.xlsx");
    assert_eq!(sheet.texts(), ["Fine.", "Serial date.", "Carriage\r\nreturn."]);
    assert_eq!(sheet.reports[1].exam_date.as_deref(), Some("2019-03-25"));
    assert_eq!(
        sheet.bad_places("bad/sheet.xlsx"),
        ["row 3, column `report text`", "row 5, column `report text`"]
    );
    assert_eq!(sheet.cautions(), [Caution::UnknownDate]);
    assert_eq!(sheet.warnings[0].place.position, Some(Position::Row(6)));
}

#[test]
fn a_file_that_cannot_be_read_is_one_bad_record_and_the_next_file_is_read() {
    for (name, remedy) in [
        ("bad/headerless.csv", "name one of them with --text-column NAME"),
        ("bad/header-only.csv", "holds no report"),
        ("bad/empty.csv", "holds no report"),
        ("bad/blank.txt", "the report text is empty"),
        ("bad/scan.pdf", "convert it"),
        ("bad/not-a-workbook.xlsx", "save it again as .xlsx or as .csv"),
        ("bad/nowhere.csv", "check that it exists"),
    ] {
        let inputs = [name, "comma.csv"].map(|name| Input::named(fixture(name)));
        let outcome = read_all(inputs.into(), Options::default());
        assert_eq!(outcome.reports, expected(), "{name}");
        let messages = outcome.bad_messages();
        assert_eq!(messages.len(), 1, "{messages:?}");
        assert!(messages[0].contains(name) && messages[0].contains(remedy), "{messages:?}");
    }
}

#[test]
fn a_file_cut_short_is_read_as_far_as_it_goes() {
    let outcome = read("bad/cut-short.csv.gz");
    let count = outcome.reports.len();
    assert!(count > 50, "{count}");
    let last = format!("line {}", count + 2);
    assert_eq!(outcome.bad_places("bad/cut-short.csv.gz"), [last]);
}

#[test]
fn an_open_quote_costs_one_row_wherever_it_is() {
    for quoted in [true, false] {
        for open in 0..4 {
            let mut table = String::from("id,text,site\n");
            for row in 0..4 {
                let quote = if quoted || row == open { "\"" } else { "" };
                let close = if row == open { "" } else { quote };
                table += &format!("{row},{quote}Text {row}.{close},North\n");
            }
            let outcome = read_bytes(table, Options::default());
            let rest: Vec<_> = (0..4).filter(|&row| row != open).map(|n| n.to_string()).collect();
            assert_eq!(outcome.ids(), rest, "{quoted} {open}");
            assert_eq!(outcome.bad_places(""), [format!("line {}", open + 2)]);
        }
    }
}

#[test]
fn in_a_table_of_texts_no_piece_of_a_bad_one_passes_for_a_report() {
    let table = "narrative\n\"One\nthe \"vacuum\" sign\nlast line.\"\n\"A \"B\" C.\"\n\"Fine.\"\n";
    let outcome = read_bytes(table, Options { format: Format::named("csv"), ..Options::default() });
    assert_eq!(outcome.texts(), ["Fine."]);
    assert_eq!(outcome.bad_places(""), ["line 2", "line 5"]);
    assert!(outcome.bad[0].to_string().contains("up to line 4"));
}
