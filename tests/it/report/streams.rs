//! Reading as it goes: memory, progress, stopping, and bytes of any kind.

use std::io::{self, Cursor, Read, Write};
use std::ops::ControlFlow;

use deepspine::report::{Event, Fault, Format, Input, Options, Reader};
use proptest::prelude::*;

use super::{fixture, named_format, read_all, read_bytes, stream};

#[test]
fn reading_stops_when_the_caller_wants_no_more() {
    for name in
        ["comma.csv", "lines.jsonl", "array.json", "objects.json", "workbook.xlsx", "folder"]
    {
        let mut count = 0;
        let reader = Reader::new(vec![Input::named(fixture(name))], Options::default());
        let flow = reader.for_each(|event| {
            count += usize::from(matches!(event, Event::Report(_)));
            if count == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!((flow, count), (ControlFlow::Break(()), 2), "{name}");
    }
}

#[test]
fn progress_ends_at_the_total() {
    let inputs =
        ["comma.csv.gz", "folder", "workbook.xlsx"].map(|name| Input::named(fixture(name)));
    let reader = Reader::new(inputs.into(), Options::default());
    let progress = reader.progress();
    assert_eq!(progress.read(), 0);
    assert!(reader.for_each(|_| ControlFlow::Continue(())).is_continue());
    assert!(progress.read() > 1000);
    assert_eq!(Some(progress.read()), progress.total());
    let piped = Reader::new(vec![stream(io::empty())], Options::default());
    assert_eq!(piped.progress().total(), None);
}

/// Bytes made when they are asked for, so that what a reader holds shows in how far it is ahead.
struct Made<F> {
    make: F,
    pieces: std::ops::Range<u64>,
    piece: Cursor<Vec<u8>>,
}

impl<F: FnMut(u64) -> Vec<u8>> Read for Made<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.position() == self.piece.get_ref().len() as u64 {
            let Some(number) = self.pieces.next() else { return Ok(0) };
            self.piece = Cursor::new((self.make)(number));
        }
        self.piece.read(buffer)
    }
}

/// Reads `pieces` pieces of `per_piece` reports each, and checks that no more is read ahead than
/// some buffers hold.
fn stays_flat(pieces: u64, per_piece: u64, make: impl FnMut(u64) -> Vec<u8> + Send + 'static) {
    const AHEAD: u64 = 512 * 1024;
    let made = Made { make, pieces: 0..pieces, piece: Cursor::default() };
    let reader = Reader::new(vec![stream(made)], Options::default());
    let progress = reader.progress();
    let mut seen = 0;
    let mut marks = vec![0];
    let flow = reader.for_each(|event| {
        assert!(matches!(event, Event::Report(_)), "{event:?}");
        seen += 1;
        marks.push(progress.read());
        ControlFlow::Continue(())
    });
    assert!(flow.is_continue());
    assert_eq!(seen, pieces * per_piece);
    let total = progress.read();
    for (done, mark) in marks.iter().enumerate() {
        let due = total * done as u64 / seen;
        assert!(mark.saturating_sub(due) < AHEAD, "{mark} bytes were read for {done} reports");
    }
    assert!(total > 4 * AHEAD, "{total} bytes show nothing");
}

fn filler(number: u64) -> String {
    format!("L4-L5: moderate stenosis, case {number:09}. ").repeat(50)
}

#[test]
fn memory_stays_flat_over_long_streams() {
    let row = |n| format!("{n},\"{}\"\n", filler(n));
    stays_flat(16_000, 1, move |n| {
        let header = if n == 0 { "id,text\n" } else { "" };
        format!("{header}{}", row(n)).into_bytes()
    });
    let object = |n| format!("{{\"id\": {n}, \"text\": \"{}\"}}", filler(n));
    stays_flat(8000, 1, move |n| format!("{}\n", object(n)).into_bytes());
    stays_flat(8000, 1, move |n| {
        let (open, close) = (if n == 0 { '[' } else { ',' }, if n == 7999 { "]" } else { "" });
        format!("{open}\n{}{close}", object(n)).into_bytes()
    });
    // A gzip file may be many packed one after the other, and this one is.
    stays_flat(100, 100, move |n| {
        let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        let lines: String = (n * 100..n * 100 + 100).map(|n| object(n) + "\n").collect();
        member.write_all(lines.as_bytes()).unwrap();
        member.finish().unwrap()
    });
}

#[test]
fn a_record_without_end_is_given_up() {
    let rows: String = (0..10_000).map(|n| format!("{n},{}\n", filler(n))).collect();
    let table =
        read_bytes(format!("id,text\nbad,\"open\n{}", rows.replace(", ", " ")), Options::default());
    assert_eq!(table.reports.len(), 10_000);
    assert_eq!(table.bad_places(""), ["line 2"]);

    let long = "x".repeat(17 << 20);
    let lines = format!("{{\"text\": \"{long}\"}}\n{{\"text\": \"Fine.\"}}\n");
    let outcome = read_bytes(lines, named_format("jsonl"));
    assert_eq!((outcome.texts(), outcome.bad_places("")), (vec!["Fine."], vec!["line 1".into()]));
    let array = read_bytes(
        format!("[{{\"text\": \"Fine.\"}}, {{\"text\": \"{long}\"}}]"),
        named_format("json"),
    );
    assert_eq!((array.texts(), array.bad_places("")), (vec!["Fine."], vec!["item 2".into()]));
    let plain = read_bytes(long, named_format("text"));
    assert!(matches!(plain.bad[0].fault, Fault::TooLong { .. }));
}

#[test]
fn an_open_quote_is_given_up_before_the_whole_file_is_in_memory() {
    let open = |n| if n == 0 { "\"" } else { "" };
    let make = move |n| format!("{n},{}{}\n", open(n), filler(n)).into_bytes();
    let header = Cursor::new(b"id,text\n");
    let made = header.chain(Made { make, pieces: 0..20_000, piece: Cursor::default() });
    let reader = Reader::new(vec![stream(made)], named_format("csv"));
    let progress = reader.progress();
    let flow = reader.for_each(|event| {
        assert!(matches!(event, Event::Bad(_)), "{event:?}");
        ControlFlow::Break(())
    });
    assert!(flow.is_break());
    assert!(progress.read() < 20 << 20, "{}", progress.read());
}

/// A disk that fails at one place.
struct FailsOnce(Option<&'static str>);

impl Read for FailsOnce {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), |message| Err(io::Error::other(message)))
    }
}

#[test]
fn an_error_amid_a_file_is_never_taken_for_its_end() {
    let nothing = read_all(vec![stream(FailsOnce(Some("bad sector")))], Options::default());
    assert!(nothing.bad[0].to_string().contains("bad sector"));
    for before in [0, 1, 100, 200_000] {
        let rows = (0..before).map(|n| format!("{n},Fine.\n")).collect::<String>();
        let start = Cursor::new(format!("id,text\n{rows}"));
        let outcome =
            read_all(vec![stream(start.chain(FailsOnce(Some("bad sector"))))], Options::default());
        assert_eq!(outcome.reports.len(), before);
        assert_eq!(outcome.bad_places(""), [format!("line {}", before + 2)]);
        assert!(outcome.bad[0].to_string().contains("bad sector"));
    }
}

/// Bytes that look a little like the formats.
fn junk() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        proptest::sample::select(vec![
            "id,text\n",
            "\"",
            "\"\"",
            ",",
            "\n",
            "\r\n",
            "\t",
            "{\"text\": \"a\"}",
            "[",
            "]",
            "{",
            "}",
            "sep=;\n",
            "\u{feff}",
            "é",
            "\0",
            "PK\u{3}\u{4}",
            "\u{1f}",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
        Just(b"\xff\xfe".to_vec()),
        Just(b"\x1f\x8b\x08\x00".to_vec()),
        Just(b"\x28\xb5\x2f\xfd".to_vec()),
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_come_to_something_in_every_format(bytes in junk()) {
        for format in [None, Some("csv"), Some("json"), Some("jsonl"), Some("text"), Some("xlsx")] {
            let options = Options { format: format.and_then(Format::named), ..Options::default() };
            let outcome = read_bytes(bytes.clone(), options);
            let empty_list = format.is_none_or(|name| name == "json");
            prop_assert!(empty_list || !outcome.reports.is_empty() || !outcome.bad.is_empty());
        }
    }

    #[test]
    fn a_damaged_file_does_no_harm(
        name in proptest::sample::select(vec!["workbook.xlsx", "comma.csv.gz", "comma.csv.zst"]),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..9),
    ) {
        let mut bytes = std::fs::read(fixture(name)).unwrap();
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let outcome = read_bytes(bytes, Options::default());
        prop_assert!(!outcome.reports.is_empty() || !outcome.bad.is_empty());
    }

    #[test]
    fn what_is_written_is_read(
        texts in proptest::collection::vec("[a-z][\"',;|\t\r\nä€a-z ]{0,40}", 1..8),
        delimiter in proptest::sample::select(b",;\t|".to_vec()),
    ) {
        let texts: Vec<_> = texts.into_iter().filter(|text| !matches!(&**text, "na" | "nil")).collect();
        let mut table = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        table.write_record(["Accession", "Report Text"]).unwrap();
        let mut lines = String::new();
        for text in &texts {
            table.write_record(["1", text]).unwrap();
            lines += &serde_json::json!({"text": text}).to_string();
            lines.push('\n');
        }
        let from_table = read_bytes(table.into_inner().unwrap(), named_format("csv"));
        prop_assert_eq!(from_table.texts(), texts.clone());
        let from_lines = read_bytes(lines, named_format("jsonl"));
        prop_assert_eq!(from_lines.texts(), texts);
    }
}
