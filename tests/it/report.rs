//! Reading reports, judged by what comes out of the files in `fixtures/formats`.

mod bad;
mod streams;

use std::io::{Cursor, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use deepspine::report::{
    BadRecord, Caution, ColumnNames, Event, Field, Format, Input, Options, Position, Reader,
    Report, Warning, encoding,
};

/// All that came of some inputs.
#[derive(Debug, Default)]
struct Outcome {
    reports: Vec<Report>,
    bad: Vec<BadRecord>,
    warnings: Vec<Warning>,
}

impl Outcome {
    fn ids(&self) -> Vec<&str> {
        self.reports.iter().map(|report| report.id.as_str()).collect()
    }

    fn texts(&self) -> Vec<&str> {
        self.reports.iter().map(|report| report.text.as_str()).collect()
    }

    fn bad_messages(&self) -> Vec<String> {
        self.bad.iter().map(ToString::to_string).collect()
    }

    /// Where in `name`, or in the stream, the bad records stand.
    fn bad_places(&self, name: &str) -> Vec<String> {
        let file =
            if name.is_empty() { "stream".into() } else { fixture(name).display().to_string() };
        let place = |bad: &BadRecord| bad.place.to_string().replace(&format!("{file}, "), "");
        self.bad.iter().map(place).collect()
    }

    fn cautions(&self) -> Vec<Caution> {
        self.warnings.iter().map(|warning| warning.caution).collect()
    }
}

fn read_all(inputs: Vec<Input>, options: Options) -> Outcome {
    let mut outcome = Outcome::default();
    let flow = Reader::new(inputs, options).for_each(|event| {
        match event {
            Event::Report(report) => outcome.reports.push(report),
            Event::Bad(bad) => outcome.bad.push(bad),
            Event::Warning(warning) => outcome.warnings.push(warning),
        }
        ControlFlow::Continue(())
    });
    assert!(flow.is_continue());
    outcome
}

/// Reads a file of `fixtures/formats`.
fn read(name: &str) -> Outcome {
    read_with(name, Options::default())
}

fn read_with(name: &str, options: Options) -> Outcome {
    read_all(vec![Input::named(fixture(name))], options)
}

fn fixture(name: &str) -> PathBuf {
    Path::new("fixtures/formats").join(name)
}

/// Reads bytes as standard input would bring them.
fn read_bytes(bytes: impl Into<Vec<u8>>, options: Options) -> Outcome {
    read_all(vec![stream(Cursor::new(bytes.into()))], options)
}

fn stream(reader: impl Read + Send + 'static) -> Input {
    Input::Stream("stream".to_owned(), Box::new(reader))
}

fn named_format(name: &str) -> Options {
    Options { format: Format::named(name), ..Options::default() }
}

/// The three reports that every file of good ones holds.
fn expected() -> Vec<Report> {
    let texts = [
        "FINDINGS:\nL4-L5: Moderate canal stenosis, severe left foraminal narrowing.\n\n\
         IMPRESSION:\nThe so-called \"vacuum\" disc at L4-L5; no fracture.",
        "Schmorl’s node at L1. Patient of Dr. Müller; rotated by 20°.\n\
         L3-L4: no stenosis – the foramina are patent.",
        "L5-S1: Mild bilateral recess stenosis; façade of the canal is ample | naïve spine.\tEnd.",
    ];
    let rows = [
        ("R-1", "P100", "A900", "1.2.840.99.1", "2019-03-25", "F", 67, "1951-11-02", "North"),
        ("R-2", "P101", "A901", "1.2.840.99.2", "2020-02-29", "M", 54, "1965-12-31", "North"),
        ("R-3", "P102", "A902", "1.2.840.99.3", "2021-07-04", "O", 71, "1950-01-15", "South"),
    ];
    let report = |(row, text): ((_, _, _, _, _, _, _, _, _), &str)| {
        let (id, patient, accession, uid, date, sex, age, born, site) = row;
        let some = |value: &str| Some(value.to_owned());
        Report {
            id: str::to_owned(id),
            text: text.to_owned(),
            patient: some(patient),
            accession: some(accession),
            study_uid: some(uid),
            exam_date: some(date),
            sex: some(sex),
            age: Some(age),
            birth_date: some(born),
            modality: some("MR"),
            source: some(site),
        }
    };
    rows.into_iter().zip(texts).map(report).collect()
}

#[test]
fn every_format_and_encoding_yields_the_same_reports() {
    let names = "comma.csv semicolon.csv tab.tsv pipe.csv table.txt excel-sep.csv no-extension \
                 utf-16le-bom.csv utf-16be-bom.csv utf-16le.csv utf-16be.csv windows-1252.csv \
                 comma.csv.gz comma.csv.zst lines.jsonl lines.ndjson.zst lines-named.json \
                 array.json array.json.gz objects.json workbook.xlsx";
    for name in names.split_whitespace() {
        let outcome = read(name);
        assert!(outcome.bad.is_empty(), "{name}: {:?}", outcome.bad);
        assert_eq!(outcome.reports, expected(), "{name}");
        let known: &[Caution] = match name {
            "windows-1252.csv" => &[Caution::GuessedEncoding],
            "workbook.xlsx" => &[Caution::SkippedSheet],
            _ => &[],
        };
        assert_eq!(outcome.cautions(), known, "{name}");
    }
}

#[test]
fn a_stream_is_known_by_its_content() {
    for name in ["comma.csv.gz", "semicolon.csv", "lines.jsonl", "array.json", "workbook.xlsx"] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        assert_eq!(read_bytes(bytes, Options::default()).reports, expected(), "{name}");
    }
}

#[test]
fn a_folder_is_read_in_order_and_says_what_it_skipped() {
    let outcome = read("folder");
    assert_eq!(outcome.ids(), ["R-1", "R-2", "R-3"]);
    assert_eq!(outcome.texts(), expected().iter().map(|r| &*r.text).collect::<Vec<_>>());
    assert_eq!(outcome.cautions(), [Caution::GuessedEncoding, Caution::SkippedFiles]);
    assert_eq!(outcome.warnings[1].value, "1 files (.pdf)");
}

#[test]
fn compressed_files_of_a_folder_are_read() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["comma.csv.zst", "array.json.gz"] {
        std::fs::copy(fixture(name), folder.path().join(name)).unwrap();
    }
    let outcome = read_all(vec![Input::named(folder.path())], Options::default());
    assert_eq!(outcome.reports.len(), 6);
    assert_eq!(outcome.cautions(), [Caution::DuplicateId; 3]);

    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let empty = read_all(vec![Input::named(folder.path().join("empty"))], Options::default());
    assert!(empty.bad_messages()[0].contains("give a folder with .xlsx"));
}

#[test]
fn findings_and_impression_make_a_text_where_no_column_has_it_whole() {
    let outcome = read("sections.csv");
    let whole = "TECHNIQUE:\nT2 sagittal.\n\nFINDINGS:\nL4-L5: moderate stenosis.\n\
                 L5-S1: normal.\n\nIMPRESSION:\nModerate stenosis.";
    assert_eq!(outcome.texts(), [whole, "IMPRESSION:\nNo stenosis."]);
    assert_eq!(outcome.bad_places("sections.csv"), ["line 5, column `Impression`"]);
}

#[test]
fn a_table_may_have_the_text_alone() {
    let texts =
        ["Mild stenosis at L4-L5, severe at L5-S1.", "Quoted, with a\nline break.", "No stenosis."];
    assert_eq!(read("only-text.csv").texts(), texts);
    let lines = read_bytes("narrative\nMild, at L4-L5.\n", named_format("csv"));
    assert_eq!(lines.texts(), ["Mild, at L4-L5."]);
}

#[test]
fn columns_can_be_named() {
    let table = "key\twords\tseen\n7\tFine.\t2019-03-25\n";
    let mut columns = ColumnNames::default();
    for (field, name) in [(Field::Text, "words"), (Field::Id, "KEY"), (Field::ExamDate, "seen")] {
        columns.set(field, name);
    }
    let options = Options { columns: columns.clone(), ..named_format("csv") };
    let report = &read_bytes(table, options).reports[0];
    assert_eq!((&*report.id, &*report.text), ("7", "Fine."));
    assert_eq!(report.exam_date.as_deref(), Some("2019-03-25"));

    let mut sections = ColumnNames::default();
    sections.set(Field::Findings, "Befund");
    let options = Options { columns: sections, ..Options::default() };
    let befund = read_bytes("id;text;Befund\n7;Not this.;Fine.\n", options);
    assert_eq!(befund.texts(), ["Befund:\nFine."], "a section that is named goes before a text");

    columns.set(Field::Sex, "gndr");
    let outcome = read_bytes(table, Options { columns, ..named_format("csv") });
    assert_eq!(
        outcome.bad_messages(),
        ["stream, line 1: has no column `gndr`; the columns are `key`, `words`, `seen`: correct \
          the name given"]
    );
}

#[test]
fn a_second_column_that_could_be_the_text_is_pointed_out() {
    let outcome = read_bytes("id,note,report_text\n1,Called Dr. A.,Fine.\n", Options::default());
    assert_eq!(outcome.texts(), ["Fine."]);
    assert_eq!(outcome.cautions(), [Caution::OtherTextColumn]);
    assert_eq!(outcome.warnings[0].value, "note");
}

#[test]
fn an_encoding_that_is_given_is_not_guessed() {
    let options =
        || Options { encoding: Some(encoding("windows-1252").unwrap()), ..Options::default() };
    let outcome = read_with("windows-1252.csv", options());
    assert_eq!((outcome.reports, outcome.warnings), (expected(), vec![]));
    assert_eq!(read_with("utf-16le-bom.csv", options()).reports, expected(), "a mark goes before");
    assert!(encoding("ebcdic-9").unwrap_err().to_string().contains("ebcdic-9"));
}

#[test]
fn an_encoding_shows_only_where_the_first_byte_beyond_ascii_comes() {
    let plain = "1,No stenosis.\n".repeat(9000);
    for (last, text) in [(&b"2,Caf\xe9.\n"[..], "Café."), ("2,Café.\n".as_bytes(), "Café.")] {
        let table = [b"id,text\n", plain.as_bytes(), last].concat();
        assert_eq!(read_bytes(table, Options::default()).texts().last(), Some(&text));
    }
    // What is read at a time ends between the two bytes of the é.
    let padding = "x".repeat(64 * 1024 - "id,text\n1,".len() - 1);
    let outcome = read_bytes(format!("id,text\n1,{padding}é\n"), Options::default());
    assert_eq!((outcome.texts(), outcome.warnings.len()), (vec![&*format!("{padding}é")], 0));
}

#[test]
fn the_same_id_of_another_source_is_no_duplicate() {
    let table = "id,site,text\n1,North,A.\n1,South,B.\n1,,C.\n1,East,D.\n";
    let options = Options { source: Some("East".to_owned()), ..Options::default() };
    let outcome = read_bytes(table, options);
    assert_eq!(outcome.reports[2].source.as_deref(), Some("East"));
    let places: Vec<_> = outcome.warnings.iter().map(|w| w.place.position).collect();
    assert_eq!(places, [Some(Position::Line(5))]);
}

#[test]
fn nul_bytes_and_lone_carriage_returns_do_no_harm() {
    let padded = read_bytes("id,text\n7\0\0,Fine\0.\n", Options::default());
    assert_eq!((padded.ids(), padded.texts()), (vec!["7"], vec!["Fine\0."]));
    let old = read_bytes("id,text\r1,\"A\rB.\"\r2,C.\r", Options::default());
    assert_eq!(old.texts(), ["A\rB.", "C."]);
    let tabs = read_bytes("sep=\t\r\nid\ttext\r\n1\tFine.\r\n", Options::default());
    assert_eq!(tabs.texts(), ["Fine."]);
}
