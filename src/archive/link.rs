//! Reports and segmented studies brought together, and what the report says of each segment.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use super::{Archive, ArchiveError};
use crate::export::segments::{SegmentLabel, TargetLabel};
use crate::label::{Cell, Grade, Level, LevelSet, ReaderKind, Status, Target};
use crate::link::{Disagreement, Keys, Links, disagreement, link};
use crate::store::{
    CurrentReading, ImageKeys, NamedDisc, ReportKeys, Store, StoreError, StoredLabel,
};

/// All reports and segmented studies, and what goes with what.
#[derive(Debug)]
pub struct Linking {
    /// The reports.
    pub reports: Vec<ReportKeys>,
    /// The studies.
    pub studies: Vec<ImageKeys>,
    /// What goes with what, by places in these two.
    pub links: Links,
    /// Reports, by place, of which the map says to go by their keys whatever was kept.
    pub by_keys: Vec<usize>,
    /// Rows of the map that could not be used, by their place in it, with why.
    pub unused: Vec<(usize, String)>,
}

/// A row of a map: someone says that a report is of a study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapRow {
    /// StudyInstanceUID, or the name of a study that has none; without it, what was said before is taken
    /// back and the report goes by its keys.
    pub study: Option<String>,
    /// The report's id.
    pub report: String,
    /// The source of the report, where its id alone does not tell.
    pub source: Option<String>,
}

/// How far the label of a cell is settled, the least first, as manifests have it. Up to `adjudicated`
/// it is what the report says; what people have `seen` on the image itself counts before that.
pub const LABEL_STATUSES: [&str; 5] =
    ["rules", "fused", "agreed", "adjudicated", SegmentLabel::SEEN];

/// A study with the reports that speak of it.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkedStudy {
    /// What its discs are called, from the lowest up.
    pub naming: Vec<NamedDisc>,
    /// What reports say and people see, and how far that is settled: one of [`LABEL_STATUSES`], by
    /// place.
    labels: Vec<(Cell, Grade, usize)>,
    /// What people and text readers said.
    opinions: Vec<(Cell, String, Grade)>,
    /// Where text and image differ in which levels there are: then it is not known which of its levels
    /// the text speaks of, and nothing that it says is a label.
    pub disagreement: Option<Disagreement>,
}

impl Archive {
    /// Brings reports and segmented studies together, as [`link`] does; what someone said before and the
    /// archive has kept stands where the map says nothing else.
    ///
    /// # Errors
    /// Those of the store.
    pub fn link(&self, map: &[MapRow], window: u32) -> Result<Linking, ArchiveError> {
        self.store.snapshot(|store| {
            let (reports, studies) = (store.report_keys()?, store.image_keys()?);
            let (said, unused) = places(map, &reports, &studies);
            let mut map: BTreeMap<usize, usize> =
                said.iter().filter_map(|(&report, &study)| Some((report, study?))).collect();
            let by_keys = said
                .iter()
                .filter(|(_, study)| study.is_none())
                .map(|(&report, _)| report)
                .collect();
            let kept = kept_places(store, &reports, &studies)?;
            map.extend(kept.into_iter().filter(|(report, _)| !said.contains_key(report)));
            let of_reports: Vec<Keys> = reports.iter().map(keys_of_report).collect();
            let of_studies: Vec<Keys> = studies.iter().map(keys_of_study).collect();
            let links = link(&of_reports, &of_studies, &map, window);
            Ok(Linking { reports, studies, links, by_keys, unused })
        })
    }

    /// A study with what reports say of it.
    ///
    /// # Errors
    /// Those of the store.
    pub fn linked_study(
        &self,
        study: &ImageKeys,
        reports: &[&ReportKeys],
    ) -> Result<LinkedStudy, ArchiveError> {
        let naming = self.store.naming(study.study)?;
        let (mut labels, mut opinions) = (Vec::new(), Vec::new());
        let mut text = LevelSet::EMPTY;
        for report in reports {
            for StoredLabel { label, kind, .. } in self.store.label(report.number)? {
                text = text.with(label.cell.level);
                if let Some(grade) = label.verdict.grade() {
                    labels.push((label.cell, grade, settled(report.status, kind)));
                }
            }
            opinions.extend(said(&self.store, report)?);
        }
        for StoredLabel { label, kind, .. } in self.store.image_label(study.study)? {
            if let (Some(grade), ReaderKind::Person) = (label.verdict.grade(), kind) {
                labels.push((label.cell, grade, place(SegmentLabel::SEEN)));
            }
        }
        let image: LevelSet = naming.iter().filter_map(|disc| disc.level).collect();
        let disagreement = disagreement(text, image);
        if disagreement.is_some() {
            labels.retain(|&(.., settled)| settled == place(SegmentLabel::SEEN));
            opinions.clear();
        }
        Ok(LinkedStudy { naming, labels, opinions, disagreement })
    }
}

impl LinkedStudy {
    /// Whether there is a label whose status is asked for.
    pub fn has_label(&self, is_wanted: impl Fn(&str) -> bool) -> bool {
        self.labels.iter().any(|(.., settled)| is_wanted(LABEL_STATUSES[*settled]))
    }

    /// What is known of the targets of a level; of labels, those whose status is asked for. Of
    /// several, the one that is settled furthest counts, and where such differ there is no label.
    pub fn targets(
        &self,
        level: Level,
        is_wanted: impl Fn(&str) -> bool,
    ) -> [TargetLabel; Target::ALL.len()] {
        Target::ALL.map(|target| {
            let cell = Cell { level, target };
            let of_cell = self
                .labels
                .iter()
                .filter(|(of, _, settled)| *of == cell && is_wanted(LABEL_STATUSES[*settled]));
            let furthest = of_cell.clone().map(|&(.., settled)| settled).max();
            let mut grades = of_cell
                .filter(|(.., settled)| Some(*settled) == furthest)
                .map(|&(_, grade, _)| grade);
            let first = grades.next();
            let grade = first.filter(|&first| grades.all(|grade| grade == first));
            let status = furthest.map(|settled| LABEL_STATUSES[settled]);
            let label = grade.zip(status);
            TargetLabel {
                label: label
                    .map(|(grade, status)| SegmentLabel { grade, status: status.to_owned() }),
                opinions: self
                    .opinions
                    .iter()
                    .filter(|(of, ..)| *of == cell)
                    .map(|(_, who, grade)| (who.clone(), *grade))
                    .collect(),
            }
        })
    }
}

/// How far a cell is settled that a reader of this kind decided.
fn settled(status: Status, decided_by: ReaderKind) -> usize {
    let name = match (decided_by, status) {
        (ReaderKind::Person, Status::Adjudicated) => "adjudicated",
        (ReaderKind::Person, _) => "agreed",
        (kind, _) => kind.name(),
    };
    place(name)
}

fn place(status: &str) -> usize {
    LABEL_STATUSES.iter().position(|of| *of == status).unwrap_or(0)
}

/// What everyone who reads texts says of a report's present text: image readers have no say in it.
/// Of a person who has read it twice, the reading that settles it counts.
fn said(store: &Store, report: &ReportKeys) -> Result<Vec<(Cell, String, Grade)>, StoreError> {
    let mut readings = store.current_readings(report.version)?;
    readings
        .retain(|reading| !matches!(reading.kind, ReaderKind::Grader | ReaderKind::Measurement));
    let settles = |of: &CurrentReading| {
        let again = |other: &CurrentReading| other.name == of.name && other.adjudicates;
        of.adjudicates || !readings.iter().any(again)
    };
    let counted = readings.iter().filter(|reading| settles(reading));
    Ok(counted
        .flat_map(|reading| {
            reading.body.opinions.iter().filter_map(|opinion| {
                Some((opinion.cell, reading.name.clone(), opinion.verdict.grade()?))
            })
        })
        .collect())
}

fn keys_of_report(report: &ReportKeys) -> Keys {
    let scoped = |key: &String| (report.source.clone(), key.clone());
    Keys {
        uids: report.study_uid.iter().cloned().collect(),
        accessions: report.accession.iter().map(scoped).collect(),
        patient: report.patient.as_ref().map(scoped),
        date: report.exam_date.as_deref().and_then(day),
    }
}

fn keys_of_study(study: &ImageKeys) -> Keys {
    Keys {
        uids: study.uids.clone(),
        accessions: study.accessions.clone(),
        patient: study.patient.clone(),
        date: study.date.as_deref().and_then(day),
    }
}

fn day(date: &str) -> Option<Date> {
    date.parse().ok()
}

/// The links that the archive has kept, by places of reports and studies.
fn kept_places(
    store: &Store,
    reports: &[ReportKeys],
    studies: &[ImageKeys],
) -> Result<Vec<(usize, usize)>, StoreError> {
    let by_number: HashMap<u64, usize> =
        studies.iter().enumerate().map(|(place, study)| (study.study, place)).collect();
    let place = |(report, study): (u64, u64)| {
        let report = reports.binary_search_by_key(&report, |report| report.number).ok()?;
        Some((report, *by_number.get(&study)?))
    };
    Ok(store.kept_links()?.into_iter().filter_map(place).collect())
}

/// By place, the study of each report that a map speaks of; none where it takes back what was said.
type StudyOfReport = BTreeMap<usize, Option<usize>>;

/// What a map says, and the rows of it that cannot be used.
fn places(
    map: &[MapRow],
    reports: &[ReportKeys],
    studies: &[ImageKeys],
) -> (StudyOfReport, Vec<(usize, String)>) {
    let (mut by_id, mut by_uid) = (HashMap::<&str, Vec<usize>>::new(), HashMap::new());
    if !map.is_empty() {
        for (place, report) in reports.iter().enumerate() {
            by_id.entry(&report.id).or_default().push(place);
        }
        for (place, study) in studies.iter().enumerate() {
            by_uid.extend(study.uids.iter().map(|uid| (uid.as_str(), place)));
        }
    }
    let place = |row: &MapRow| {
        let of_id = by_id.get(row.report.as_str()).into_iter().flatten().copied();
        let of_source = |&place: &usize| {
            row.source.as_ref().is_none_or(|source| *source == reports[place].source)
        };
        let found: Vec<usize> = of_id.filter(of_source).collect();
        let report = match found[..] {
            [report] => report,
            [] => return Err(format!("there is no report `{}`", row.report)),
            _ => return Err(format!("several sources have a report `{}`; name one", row.report)),
        };
        let study = row.study.as_ref().map(|study| {
            let place = by_uid.get(study.as_str()).copied();
            place.ok_or_else(|| format!("no study `{study}` was segmented"))
        });
        Ok((report, study.transpose()?))
    };
    let (mut places, mut unused) = (BTreeMap::new(), Vec::new());
    let mut contrary = Vec::new();
    for (number, row) in map.iter().enumerate() {
        match place(row) {
            Ok((report, study)) => {
                if places.insert(report, study).is_some_and(|other| other != study) {
                    contrary.push((number, report));
                }
            }
            Err(why) => unused.push((number, why)),
        }
    }
    // Neither of two that contradict each other is believed.
    for (number, report) in contrary {
        places.remove(&report);
        unused.push((number, format!("report `{}` has another study above", map[number].report)));
    }
    (places, unused)
}
