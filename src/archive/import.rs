//! Reports into the archive, batch by batch.

use sha2::{Digest, Sha256};

use super::{Archive, ArchiveError};
use crate::label::Reader;
use crate::report::Report;
use crate::store::{Body, NewReading, Outcome, ReaderId, StoreError, Writer};

/// What a reader made of a text, ready to be stored.
#[derive(Debug, Clone)]
pub struct Read {
    pub(super) body: Body,
    pub(super) packed: Vec<u8>,
}

impl Read {
    /// Packs what was read, which is work that need not be done while the store is locked.
    pub fn new(body: Body) -> Self {
        let packed = body.pack();
        Self { body, packed }
    }

    /// What was read.
    pub const fn body(&self) -> &Body {
        &self.body
    }
}

/// A report on its way into the archive.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The report.
    pub report: Report,
    /// What each reader made of it; none where the archive has that already.
    pub read: Option<Vec<Read>>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Imported {
    /// Reports that were not known.
    pub new: u64,
    /// Known ones whose text was another.
    pub new_versions: u64,
    /// Known ones of which something beside the text was not known.
    pub amended: u64,
    /// Known as they are.
    pub same: u64,
    /// Reports read.
    pub read: u64,
}

impl std::ops::AddAssign for Imported {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.new_versions += other.new_versions;
        self.amended += other.amended;
        self.same += other.same;
        self.read += other.read;
    }
}

impl Imported {
    /// How many reports there were.
    pub const fn reports(&self) -> u64 {
        self.new + self.new_versions + self.amended + self.same
    }

    const fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::New => self.new += 1,
            Outcome::NewVersion => self.new_versions += 1,
            Outcome::Amended => self.amended += 1,
            Outcome::Same => self.same += 1,
        }
    }
}

/// The numbers of readers.
pub(super) fn known(writer: &Writer<'_>, readers: &[Reader]) -> Result<Vec<ReaderId>, StoreError> {
    readers.iter().map(|reader| writer.reader(reader)).collect()
}

fn have_read(writer: &Writer<'_>, readers: &[ReaderId], subject: u64) -> Result<bool, StoreError> {
    for reader in readers {
        if !writer.has_read(*reader, subject)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Archive {
    /// Whether `readers` in these versions have read the report with this text, so that an import
    /// has nothing to read.
    ///
    /// # Errors
    /// Those of the store.
    pub fn is_read(&self, readers: &[Reader], report: &Report) -> Result<bool, ArchiveError> {
        let source = report.source.as_deref().unwrap_or_default();
        let text_hash = Sha256::digest(&report.text).into();
        for reader in readers {
            if !self.store.is_read(reader, source, &report.id, text_hash)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts a batch of reports into the store, with what `readers` made of them, in one
    /// transaction: after a kill it is all there or nothing of it, and importing it again
    /// completes it. `read` reads what turns out not to be read after all. The last reader has the
    /// last word, so its reading is the newest.
    ///
    /// # Errors
    /// Those of the store; then nothing of the batch is stored.
    pub fn import(
        &mut self,
        readers: &[Reader],
        batch: &[Incoming],
        mut read: impl FnMut(&str) -> Vec<Read>,
    ) -> Result<Imported, ArchiveError> {
        self.store.write(|writer| {
            let readers = known(writer, readers)?;
            let mut imported = Imported::default();
            for incoming in batch {
                let stored = writer.put_report(&incoming.report)?;
                imported.count(stored.outcome);
                if stored.outcome != Outcome::New && have_read(writer, &readers, stored.subject)? {
                    continue;
                }
                let late;
                let all = match &incoming.read {
                    Some(read) => read,
                    None => {
                        late = read(&incoming.report.text);
                        &late
                    }
                };
                for (&reader, Read { body, packed }) in readers.iter().zip(all) {
                    let reading = NewReading { reader, at: None, context: None, body, packed };
                    writer.add_reading(stored.report, stored.version, stored.subject, &reading)?;
                }
                imported.read += 1;
            }
            Ok(imported)
        })
    }
}
