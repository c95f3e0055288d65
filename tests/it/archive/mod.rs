//! The archive as its users see it: what goes in comes out, once, whatever happens in between.

mod cohort;
mod import;
mod scan;
mod search;
mod store;

use std::path::Path;

use deepspine::archive::{Archive, Imported, Incoming};
use deepspine::extract::{Extractor, Lexicon};
use deepspine::label::{
    Cell, Certainty, Context, Evidence, Grade, Level, Mode, Opinion, Reader, ReaderKind, Target,
    Verdict,
};
use deepspine::pipeline;
use deepspine::report::Report;
use deepspine::store::{Body, NewReading};
use tempfile::TempDir;

/// An archive in a folder of its own.
pub(crate) struct TestArchive {
    pub(crate) folder: TempDir,
    pub(crate) archive: Archive,
    extractor: Extractor,
}

impl TestArchive {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::open_or_create(folder.path()).unwrap();
        let extractor = Extractor::new(&Lexicon::builtin("en").unwrap());
        Self { folder, archive, extractor }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn import(&mut self, reports: &[Report]) -> Imported {
        let rules = pipeline::rules(&self.extractor);
        let incoming = |report: &Report| Incoming { report: report.clone(), read: None };
        let batch: Vec<_> = reports.iter().map(incoming).collect();
        let extractor = &mut self.extractor;
        self.archive.import(&rules, &batch, |text| pipeline::read(extractor, text)).unwrap()
    }

    /// A person reads a report.
    fn read_by(&mut self, person: &str, mode: Mode, report: u64, labels: &[(Cell, Grade)]) {
        let body = Body { opinions: opinions(labels), ..Body::default() };
        let packed = body.pack();
        let context = Context { batch: "test".into(), mode, seconds: 1.5 };
        let store = self.archive.store_mut();
        store
            .write(|writer| {
                let reader = writer.reader(&person_named(person))?;
                let (version, subject) = writer.present(report)?;
                let (body, packed) = (&body, packed.as_slice());
                let context = Some(&context);
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
    let opinion = |&(cell, grade): &(Cell, Grade)| Opinion {
        cell,
        verdict: Verdict::Graded(grade),
        certainty: Certainty::Stated,
        conflict: false,
        distribution: None,
        evidence: Evidence::Spans(Vec::new()),
    };
    labels.iter().map(opinion).collect()
}

const CENTRAL: Cell = Cell { level: Level::L4L5, target: Target::Central };

pub(crate) fn report(id: &str, text: &str) -> Report {
    Report { id: id.to_owned(), text: text.to_owned(), ..Report::default() }
}
