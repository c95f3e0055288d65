//! Which report speaks of which study: pure, over lists.
//!
//! A report goes with a study by an explicit map, else by StudyInstanceUID, else by accession within
//! its source, else by patient and date. What fits several is listed and never guessed, and so is
//! what one key joins and another contradicts. Each link carries its reason.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use jiff::civil::Date;

use crate::label::{Level, LevelSet};

/// What a report or a study is known by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    /// StudyInstanceUIDs. A study without one goes by its name here.
    pub uids: Vec<String>,
    /// Accession numbers, each with the source within which it is unique.
    pub accessions: Vec<Scoped>,
    /// The patient's id, with the source within which it is unique.
    pub patient: Option<Scoped>,
    /// When the examination was.
    pub date: Option<Date>,
}

/// A key, after the source within which it is unique.
pub type Scoped = (String, String);

/// Why a report goes with a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Someone says so.
    Map,
    /// Both have the same StudyInstanceUID.
    StudyUid,
    /// Both have the same accession within a source.
    Accession,
    /// It is of the same patient, so many days apart, and there is no other of either.
    PatientAndDate {
        /// Days between report and study.
        days: u32,
    },
}

impl Reason {
    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Map => "map",
            Self::StudyUid => "study_uid",
            Self::Accession => "accession",
            Self::PatientAndDate { .. } => "patient_and_date",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PatientAndDate { days } => write!(f, "{} ({days} days apart)", self.name()),
            _ => f.write_str(self.name()),
        }
    }
}

/// A report that goes with a study, both by their places in the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The report.
    pub report: usize,
    /// The study.
    pub study: usize,
    /// Why.
    pub reason: Reason,
}

/// Why a report goes with no study.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unlinked {
    /// No study has a key of its.
    #[error("no study has its UID, its accession, or its patient within {window} days")]
    NoStudy {
        /// How many days were looked at.
        window: u32,
    },
    /// It has no key at all.
    #[error("it has no study UID, no accession, and no patient with a date")]
    NoKeys,
    /// Several studies fit; `studies` are their places.
    #[error("{} studies fit by {by}", .studies.len())]
    Several {
        /// By which kind of key.
        by: &'static str,
        /// The studies.
        studies: Vec<usize>,
    },
    /// Another report fits the study as well.
    #[error("another report fits the same study by patient and date")]
    Shared {
        /// The study.
        study: usize,
    },
    /// The study goes with another report by a better key.
    #[error("the study of its patient and date goes with another report")]
    Taken {
        /// The study.
        study: usize,
    },
    /// One key joins them, another says that they are of different studies.
    #[error("a study fits by {by}, but its {but} is another")]
    Contradicted {
        /// The key that joins them.
        by: &'static str,
        /// The key that differs.
        but: &'static str,
        /// The study.
        study: usize,
    },
}

impl Unlinked {
    /// The studies that it might go with.
    pub fn candidates(&self) -> Vec<usize> {
        match self {
            Self::NoStudy { .. } | Self::NoKeys => Vec::new(),
            Self::Several { studies, .. } => studies.clone(),
            Self::Shared { study } | Self::Taken { study } | Self::Contradicted { study, .. } => {
                vec![*study]
            }
        }
    }

    /// Whether there is something to choose from, for a person.
    pub fn is_ambiguous(&self) -> bool {
        !matches!(self, Self::NoStudy { .. } | Self::NoKeys)
    }
}

/// What goes with what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links {
    /// Reports with their studies, in the order of reports. A study may have several reports.
    pub links: Vec<Link>,
    /// Reports without one, in their order, each with the reason.
    pub unlinked: Vec<(usize, Unlinked)>,
    /// Studies without a report.
    pub studies: Vec<usize>,
}

/// How many days a report and a study of the same patient may be apart, where nobody says otherwise.
pub const WINDOW: u32 = 1;

const BY_ACCESSION: &str = "accession";
const BY_PATIENT: &str = "patient and date";

/// Links reports to studies. `map` has the study of some reports, by their places; it comes before
/// all else. Without it, a report and a study of the same patient may be `window` days apart.
pub fn link(
    reports: &[Keys],
    studies: &[Keys],
    map: &BTreeMap<usize, usize>,
    window: u32,
) -> Links {
    let index = Index::of(studies);
    let mut found: Vec<Result<Link, Unlinked>> = reports
        .iter()
        .enumerate()
        .map(|(report, keys)| match map.get(&report) {
            Some(&study) => Ok(Link { report, study, reason: Reason::Map }),
            None => index.by_key(report, keys, window),
        })
        .collect();
    let taken: BTreeSet<usize> = found.iter().flatten().map(|link| link.study).collect();
    let by_patient: Vec<(usize, Result<Link, Unlinked>)> = reports
        .iter()
        .enumerate()
        .filter(|(report, _)| matches!(found[*report], Err(Unlinked::NoStudy { .. })))
        .map(|(report, keys)| (report, index.by_patient(report, keys, window, &taken)))
        .collect();
    let mut wanted: HashMap<usize, usize> = HashMap::new();
    for link in by_patient.iter().filter_map(|(_, result)| result.as_ref().ok()) {
        *wanted.entry(link.study).or_default() += 1;
    }
    for (report, result) in by_patient {
        found[report] = match result {
            Ok(Link { study, .. }) if wanted[&study] > 1 => Err(Unlinked::Shared { study }),
            result => result,
        };
    }
    let mut links = Links::default();
    for (report, result) in found.into_iter().enumerate() {
        match result {
            Ok(link) => links.links.push(link),
            Err(why) => links.unlinked.push((report, why)),
        }
    }
    let linked: BTreeSet<usize> = links.links.iter().map(|link| link.study).collect();
    links.studies = (0..studies.len()).filter(|study| !linked.contains(study)).collect();
    links
}

/// Studies by what they are known by.
struct Index<'a> {
    studies: &'a [Keys],
    uids: HashMap<&'a str, usize>,
    accessions: HashMap<&'a Scoped, Vec<usize>>,
    patients: HashMap<&'a Scoped, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn of(studies: &'a [Keys]) -> Self {
        let (mut uids, mut accessions, mut patients) =
            (HashMap::new(), HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (study, keys) in studies.iter().enumerate() {
            uids.extend(keys.uids.iter().map(|uid| (uid.as_str(), study)));
            for accession in &keys.accessions {
                accessions.entry(accession).or_default().push(study);
            }
            if let Some(patient) = &keys.patient {
                patients.entry(patient).or_default().push(study);
            }
        }
        Self { studies, uids, accessions, patients }
    }

    /// By StudyInstanceUID, else by accession.
    fn by_key(&self, report: usize, keys: &Keys, window: u32) -> Result<Link, Unlinked> {
        if let Some(&study) = keys.uids.iter().find_map(|uid| self.uids.get(uid.as_str())) {
            return Ok(Link { report, study, reason: Reason::StudyUid });
        }
        let fit: BTreeSet<usize> = keys
            .accessions
            .iter()
            .filter_map(|key| self.accessions.get(key))
            .flatten()
            .copied()
            .collect();
        match self.only(keys, &fit, BY_ACCESSION)? {
            Some(study) => Ok(Link { report, study, reason: Reason::Accession }),
            None if keys.is_empty() => Err(Unlinked::NoKeys),
            None => Err(Unlinked::NoStudy { window }),
        }
    }

    /// By patient and date.
    fn by_patient(
        &self,
        report: usize,
        keys: &Keys,
        window: u32,
        taken: &BTreeSet<usize>,
    ) -> Result<Link, Unlinked> {
        let of_patient = keys.patient.as_ref().and_then(|patient| self.patients.get(patient));
        let days = |study: usize| {
            let days = keys.date?.until(self.studies[study].date?).ok()?.get_days();
            Some(days.unsigned_abs()).filter(|days| *days <= window)
        };
        let near = of_patient.into_iter().flatten().copied().filter(|&study| days(study).is_some());
        let fit: BTreeSet<usize> = near.collect();
        match self.only(keys, &fit, BY_PATIENT)? {
            Some(study) if taken.contains(&study) => Err(Unlinked::Taken { study }),
            Some(study) => {
                let reason = Reason::PatientAndDate { days: days(study).unwrap_or(0) };
                Ok(Link { report, study, reason })
            }
            None => Err(Unlinked::NoStudy { window }),
        }
    }

    /// The one study of those that fit by a key and that no other key contradicts.
    fn only(
        &self,
        keys: &Keys,
        fit: &BTreeSet<usize>,
        by: &'static str,
    ) -> Result<Option<usize>, Unlinked> {
        let but = |study: usize| keys.contradicts(&self.studies[study], by);
        let agreed: Vec<usize> =
            fit.iter().copied().filter(|&study| but(study).is_none()).collect();
        match agreed[..] {
            [study] => Ok(Some(study)),
            [] => match fit.first() {
                Some(&study) => {
                    let but = but(study).unwrap_or_default();
                    Err(Unlinked::Contradicted { by, but, study })
                }
                None => Ok(None),
            },
            _ => Err(Unlinked::Several { by, studies: agreed }),
        }
    }
}

impl Keys {
    fn is_empty(&self) -> bool {
        let has_day = self.patient.is_some() && self.date.is_some();
        self.uids.is_empty() && self.accessions.is_empty() && !has_day
    }

    /// Which key tells a report from a study that fits by another.
    fn contradicts(&self, study: &Self, by: &str) -> Option<&'static str> {
        let is_uid = |uid: &&String| uid.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let has_uid = |keys: &Self| keys.uids.iter().any(|uid| is_uid(&uid));
        // The name of a study that has no UID says nothing.
        if has_uid(self) && has_uid(study) && !self.uids.iter().any(|uid| study.uids.contains(uid))
        {
            return Some("study UID");
        }
        let same_source = |(own, _): &Scoped, other: &Option<Scoped>| {
            other.as_ref().is_some_and(|(other, _)| own == other)
        };
        if let Some(patient) = &self.patient
            && same_source(patient, &study.patient)
            && self.patient != study.patient
        {
            return Some("patient");
        }
        let known =
            |(source, _): &Scoped| study.accessions.iter().any(|(other, _)| other == source);
        let apart = |own: &Scoped| known(own) && !study.accessions.contains(own);
        (by != BY_ACCESSION && self.accessions.iter().any(apart)).then_some(BY_ACCESSION)
    }
}

/// Text and image differ in which levels there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text speaks of {}, and the image has {}", names(*text), names(*image))]
pub struct Disagreement {
    /// Levels that only the text has.
    pub text: LevelSet,
    /// All levels of the image.
    pub image: LevelSet,
}

fn names(levels: LevelSet) -> String {
    levels.iter().map(Level::name).collect::<Vec<_>>().join(", ")
}

/// Where a text labels levels that an image does not have, though they are not above it: then the two
/// count vertebrae differently, or the image ends higher.
pub fn disagreement(text: LevelSet, image: LevelSet) -> Option<Disagreement> {
    let highest = image.iter().next()?;
    let only: LevelSet = text.difference(image).iter().filter(|&level| level > highest).collect();
    (!only.is_empty()).then_some(Disagreement { text: only, image })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scoped(key: &str) -> Scoped {
        ("north".to_owned(), key.to_owned())
    }

    /// `uid accession patient day`, `-` where there is none.
    fn keys(line: &str) -> Keys {
        let parts: Vec<Option<&str>> =
            line.split(' ').map(|part| Some(part).filter(|part| *part != "-")).collect();
        Keys {
            uids: parts[0].into_iter().map(str::to_owned).collect(),
            accessions: parts[1].into_iter().map(scoped).collect(),
            patient: parts[2].map(scoped),
            date: parts[3].map(|day| jiff::civil::date(2024, 1, day.parse().unwrap())),
        }
    }

    /// What becomes of each report, with a window of two days.
    fn shown(reports: &[&str], studies: &[&str], map: &[(usize, usize)]) -> Vec<String> {
        let all = |lines: &[&str]| lines.iter().map(|line| keys(line)).collect::<Vec<_>>();
        let (reports, studies) = (all(reports), all(studies));
        let links = link(&reports, &studies, &map.iter().copied().collect(), 2);
        let mut shown = vec![String::new(); reports.len()];
        for link in links.links {
            shown[link.report] = format!("{} {}", link.study, link.reason);
        }
        for (report, why) in links.unlinked {
            shown[report] = why.to_string();
        }
        shown
    }

    #[test]
    fn the_best_key_links() {
        let studies = ["1.1 A1 P1 5", "1.2 A2 P2 5", "scan4 - P4 5"];
        let shown = shown(
            &["1.1 A2 P2 5", "- A2 - -", "- - P4 6", "- - P1 20", "- - - -", "9.9 - P4 5"],
            &studies,
            &[],
        );
        assert_eq!(shown[0], "0 study_uid", "the UID alone decides");
        assert_eq!(shown[1], "1 accession");
        assert_eq!(shown[3], "no study has its UID, its accession, or its patient within 2 days");
        assert_eq!(shown[4], "it has no study UID, no accession, and no patient with a date");
        assert_eq!(
            [&shown[2], &shown[5]],
            ["another report fits the same study by patient and date"; 2]
        );
    }

    #[test]
    fn what_fits_several_is_listed_and_never_guessed() {
        let studies = ["1.1 A1 P1 5", "1.2 A1 P1 6", "1.3 - P3 5"];
        let by_accession = shown(&["- A1 - -", "1.2 A1 - -"], &studies, &[]);
        assert_eq!(by_accession, ["2 studies fit by accession", "1 study_uid"]);
        assert_eq!(shown(&["- - P1 5"], &studies, &[]), ["2 studies fit by patient and date"]);
        let nearer = shown(&["- - P1 3"], &studies, &[]);
        assert_eq!(nearer, ["0 patient_and_date (2 days apart)"], "the other is too far");
        let taken = shown(&["1.3 - P3 5", "- - P3 5"], &studies, &[]);
        assert_eq!(taken[1], "the study of its patient and date goes with another report");
    }

    #[test]
    fn keys_that_contradict_each_other_link_nothing() {
        let studies = ["1.1 A1 P1 5", "scan A2 P2 5"];
        let but = |report: &str| shown(&[report], &studies, &[]).remove(0);
        assert_eq!(but("9.9 A1 P1 5"), "a study fits by accession, but its study UID is another");
        assert_eq!(but("- A1 P9 5"), "a study fits by accession, but its patient is another");
        assert_eq!(
            but("- A9 P1 5"),
            "a study fits by patient and date, but its accession is another"
        );
        assert_eq!(but("9.9 A2 P2 5"), "1 accession", "the image has no UID to differ");
    }

    #[test]
    fn a_map_comes_before_all_else() {
        let studies = ["1.1 A1 P1 5", "1.2 A2 P1 5"];
        assert_eq!(
            shown(&["1.1 A1 P1 5", "- - P1 5"], &studies, &[(0, 1)]),
            ["1 map".to_owned(), "2 studies fit by patient and date".to_owned(),]
        );
        let links = link(&[keys("1.1 - - -")], &studies.map(keys), &BTreeMap::new(), 0);
        assert_eq!(links.studies, [1]);
    }

    #[test]
    fn sources_keep_their_keys_apart() {
        let mut report = keys("- A1 P1 5");
        for (source, _) in report.accessions.iter_mut().chain(&mut report.patient) {
            *source = "south".to_owned();
        }
        let links = link(&[report], &[keys("- A1 P1 5")], &BTreeMap::new(), 2);
        assert!(links.links.is_empty());
    }

    #[test]
    fn text_and_image_may_count_differently() {
        use Level::{L5L6, L5S1, L6S1, S1S2, T12L1};
        let five = LevelSet::LUMBAR;
        assert_eq!(disagreement(five, five), None);
        assert_eq!(disagreement(five.with(T12L1), five), None, "above what the image shows");
        assert_eq!(disagreement(LevelSet::EMPTY, five), None);
        assert_eq!(disagreement(five, LevelSet::EMPTY), None, "no level has a name");
        let six = disagreement(LevelSet::SIX_LUMBAR, five).unwrap();
        assert_eq!(six.text, LevelSet::EMPTY.with(L5L6).with(L6S1));
        assert_eq!(disagreement(five, LevelSet::SIX_LUMBAR).unwrap().text, L5S1.into());
        let said = disagreement(five.with(S1S2), five).unwrap().to_string();
        assert!(said.starts_with("the text speaks of S1-S2, and the image has L1-L2"), "{said}");
    }
}
