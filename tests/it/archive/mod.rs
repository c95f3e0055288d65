//! The archive as its users see it: what goes in comes out, once, whatever happens in between.

mod cohort;
mod import;
mod scan;
mod search;
mod segmentation;
mod store;

use std::path::Path;

use deepspine::archive::{Archive, Imported, Incoming};
use deepspine::extract::{Extractor, Lexicon};
use deepspine::label::{
    Cell, Certainty, Context, Doubt, Evidence, Grade, Level, Mode, Opinion, OutcomeSet, Reader,
    ReaderKind, Target, Verdict,
};
use deepspine::pipeline::TextReader;
use deepspine::report::Report;
use deepspine::store::{Body, NewReading};
use tempfile::TempDir;

/// An archive in a folder of its own.
pub(crate) struct TestArchive {
    pub(crate) folder: TempDir,
    pub(crate) archive: Archive,
    texts: TextReader,
}

impl TestArchive {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::open_or_create(folder.path()).unwrap();
        let texts = TextReader::rules(Extractor::new(&Lexicon::builtin("en").unwrap()));
        Self { folder, archive, texts }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn import(&mut self, reports: &[Report]) -> Imported {
        let incoming = |report: &Report| Incoming { report: report.clone(), read: None };
        let batch: Vec<_> = reports.iter().map(incoming).collect();
        let readers = self.texts.readers();
        let texts = &mut self.texts;
        let read = |text: &str| texts.read_to_keep(&[text]).swap_remove(0);
        self.archive.import(&readers, &batch, read).unwrap()
    }

    /// A person reads a report.
    fn read_by(&mut self, person: &str, mode: Mode, report: u64, labels: &[(Cell, Grade)]) {
        let body = Body { opinions: opinions(labels), ..Body::default() };
        let packed = body.pack();
        let context = Context { batch: "test".into(), mode, seconds: 1.5 };
        let new = NewBody { body: &body, packed: &packed, context: Some(&context) };
        self.add(&person_named(person), report, &new);
    }

    /// A transformer reads a report, and is fused with the rules: sure of nothing.
    pub(crate) fn read_by_machines(&mut self, report: u64, grade: Grade) {
        let mut grades = [0.04; Grade::ALL.len()];
        grades[grade as usize] = 0.71;
        let doubt = Doubt { may_be: may_be(grade), readers_differ: true, is_cut: false };
        for (kind, doubt) in [(ReaderKind::Transformer, None), (ReaderKind::Fused, Some(doubt))] {
            let opinion = Opinion { distribution: Some(grades), doubt, ..opinion(CENTRAL, grade) };
            let body = Body { opinions: vec![opinion], ..Body::default() };
            let packed = body.pack();
            let name = kind.name().to_owned();
            let (version, content_hash) = ("1".to_owned(), "hash".to_owned());
            let reader = Reader { kind, name, version, content_hash };
            self.add(&reader, report, &NewBody { body: &body, packed: &packed, context: None });
        }
    }

    fn add(&mut self, reader: &Reader, report: u64, new: &NewBody<'_>) {
        let NewBody { body, packed, context } = *new;
        let store = self.archive.store_mut();
        store
            .write(|writer| {
                let reader = writer.reader(reader)?;
                let (version, subject) = writer.present(report)?;
                let reading = NewReading { reader, at: None, context, body, packed };
                writer.add_reading(report, version, subject, &reading)
            })
            .unwrap();
    }

    pub(crate) fn number(&self, id: &str) -> u64 {
        self.archive.store().report_named(None, id).unwrap().unwrap()
    }

    /// The label of a report as `L4-L5/central severe anna`.
    pub(crate) fn label(&self, id: &str) -> Vec<String> {
        let labels = self.archive.store().label(self.number(id)).unwrap();
        let shown = |stored: &deepspine::store::StoredLabel| {
            format!("{} {} {}", stored.label.cell, stored.label.verdict.name(), stored.reader)
        };
        labels.iter().map(shown).collect()
    }

    pub(crate) fn status(&self, id: &str) -> &'static str {
        self.archive.store().report(self.number(id)).unwrap().unwrap().status.name()
    }
}

fn person_named(name: &str) -> Reader {
    Reader {
        kind: ReaderKind::Person,
        name: name.to_owned(),
        version: String::new(),
        content_hash: String::new(),
    }
}

fn opinions(labels: &[(Cell, Grade)]) -> Vec<Opinion> {
    labels.iter().map(|&(cell, grade)| opinion(cell, grade)).collect()
}

fn opinion(cell: Cell, grade: Grade) -> Opinion {
    Opinion {
        cell,
        verdict: Verdict::Graded(grade),
        certainty: Certainty::Stated,
        conflict: false,
        distribution: None,
        doubt: None,
        evidence: Evidence::Spans(Vec::new()),
    }
}

/// Sets of `not_mentioned` and a grade.
fn may_be(grade: Grade) -> OutcomeSet {
    OutcomeSet { not_mentioned: true, present: false, grades: Some((grade, grade)) }
}

/// A reading about to be added.
#[derive(Clone, Copy)]
struct NewBody<'a> {
    body: &'a Body,
    packed: &'a [u8],
    context: Option<&'a Context>,
}

const CENTRAL: Cell = Cell { level: Level::L4L5, target: Target::Central };

pub(crate) fn report(id: &str, text: &str) -> Report {
    Report { id: id.to_owned(), text: text.to_owned(), ..Report::default() }
}

/// The texts of the cases that the rules are developed on, file by file.
fn texts() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/reports/en/develop");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let cases = files.iter().flat_map(|file| {
        let table: toml::Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
        table["case"].as_array().unwrap().clone()
    });
    cases.map(|case| case["text"].as_str().unwrap().to_owned()).collect()
}
