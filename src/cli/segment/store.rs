//! What `--store` keeps of a study.

use anyhow::{Result, ensure};

use crate::archive::Archive;
use crate::imaging::spine::Thresholds;
use crate::label::Reader;
use crate::pipeline::measurement::measured_discs;
use crate::pipeline::study::{Record, Segmented};
use crate::store::{Action, Kept, NewRun, StudyKeys};

/// The archive that studies are kept in, and who measures them.
pub(super) struct Keeper {
    pub(super) archive: Archive,
    /// Within which accession numbers are unique.
    pub(super) source: String,
    pub(super) reader: Reader,
}

impl Keeper {
    /// Keeps a study's discs, names and measures. A study without a StudyInstanceUID goes by its
    /// name.
    pub(super) fn keep(
        &mut self,
        record: &Record,
        found: &Segmented<'_>,
        thresholds: &Thresholds,
    ) -> Result<()> {
        let discs = measured_discs(found, thresholds);
        ensure!(discs.len() < usize::from(u8::MAX), "it has more discs than any spine");
        let protocol = &found.series.protocol;
        let uid = protocol.study.as_deref().unwrap_or(&record.study);
        let keys = StudyKeys { uid: Some(uid), accession: protocol.accession.as_deref() };
        let run = NewRun { source: &self.source, keys, reader: &self.reader, discs: &discs };
        self.archive.store_mut().write(|writer| {
            if let Kept::New(number) = writer.add_run(&run)? {
                writer.audit(Action::Segment, uid, &serde_json::json!({ "run": number }))?;
            }
            Ok(())
        })
    }
}
