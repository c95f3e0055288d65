//! The segmented studies that the reports of a cohort are about.

use std::collections::HashSet;

use super::{Archive, ArchiveError};
use crate::link::WINDOW;
use crate::store::ImageKeys;

/// What of a cohort has images.
#[derive(Debug)]
pub struct CohortImages {
    /// Each study once, in the order of studies.
    pub studies: Vec<ImageKeys>,
    /// Reports that no segmented study goes with, each with why.
    pub without: Vec<(String, String)>,
}

impl Archive {
    /// The segmented studies of a frozen cohort. A report goes with a study as [`Self::link`] has it.
    ///
    /// # Errors
    /// Where there is no such cohort, and those of the store.
    pub fn cohort_images(&self, name: &str) -> Result<CohortImages, ArchiveError> {
        let cohort = self.store.cohort(name)?;
        let members: HashSet<u64> =
            self.store.members(&cohort)?.into_iter().map(|member| member.report).collect();
        let linking = self.link(&[], WINDOW)?;
        let is_member = |place: usize| members.contains(&linking.reports[place].number);
        let wanted: HashSet<usize> = (linking.links.links.iter())
            .filter(|link| is_member(link.report))
            .map(|link| link.study)
            .collect();
        let unlinked = linking.links.unlinked.iter().filter(|(place, _)| is_member(*place));
        let without = unlinked
            .map(|(place, why)| (linking.reports[*place].id.clone(), why.to_string()))
            .collect();
        let studies = linking.studies.into_iter().enumerate();
        let studies = studies.filter(|(place, _)| wanted.contains(place)).map(|(_, of)| of);
        Ok(CohortImages { studies: studies.collect(), without })
    }
}
