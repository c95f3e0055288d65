//! Everything in the archive read anew, and what that changes.

use super::import::known;
use super::{Archive, ArchiveError, Read};
use crate::label::{Cell, CellLabel, Reader, Verdict};
use crate::store::{NewReading, StoredReport};

/// A cell that is read otherwise than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellChange {
    /// The cell.
    pub cell: Cell,
    /// What was read before; none where it was not mentioned.
    pub before: Option<CellLabel>,
    /// What is read now.
    pub after: Option<CellLabel>,
}

/// A report that is read otherwise than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where the report comes from.
    pub source: Option<String>,
    /// Its id within the source.
    pub id: String,
    /// The cells that differ, in order.
    pub cells: Vec<CellChange>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reread {
    /// Reports read anew.
    pub read: u64,
    /// Reports that this version of the reader had read already.
    pub same: u64,
    /// The reports whose opinions changed.
    pub changes: Vec<Change>,
}

impl Archive {
    /// Keeps what `readers` made of reports that are in the archive, in one transaction, and tells
    /// what the last of them reads otherwise than before. `None` stands for a report that these
    /// versions had read already.
    ///
    /// # Errors
    /// Those of the store; then nothing of the batch is stored.
    pub fn reread(
        &mut self,
        readers: &[Reader],
        batch: &[(StoredReport, Option<Vec<Read>>)],
    ) -> Result<Reread, ArchiveError> {
        self.store.write(|writer| {
            let readers = known(writer, readers)?;
            let mut reread = Reread::default();
            for (stored, read) in batch {
                let (version, subject) = writer.present(stored.number)?;
                // A version that came in between is its import's to read.
                let Some(read) = read.as_ref().filter(|_| version == stored.version) else {
                    reread.same += 1;
                    continue;
                };
                let (mut before, mut after) = (Vec::new(), Vec::<CellLabel>::new());
                for (&reader, Read { body, packed }) in readers.iter().zip(read) {
                    before = writer.current_opinions(reader, subject)?;
                    after = body.opinions.iter().map(Into::into).collect();
                    let reading = NewReading { reader, at: None, context: None, body, packed };
                    writer.add_reading(stored.number, version, subject, &reading)?;
                }
                reread.read += 1;
                let cells = differences(&before, &after);
                if !cells.is_empty() {
                    let source = stored.report.source.clone();
                    reread.changes.push(Change { source, id: stored.report.id.clone(), cells });
                }
            }
            Ok(reread)
        })
    }
}

/// The cells of which two readings say different things.
fn differences(before: &[CellLabel], after: &[CellLabel]) -> Vec<CellChange> {
    let of = |labels: &[CellLabel], cell: Cell| {
        let label = labels.iter().find(|label| label.cell == cell).copied();
        label.filter(|label| label.verdict != Verdict::NotMentioned)
    };
    Cell::all()
        .map(|cell| CellChange { cell, before: of(before, cell), after: of(after, cell) })
        .filter(|change| change.before != change.after)
        .collect()
}
