//! Who is examined, when and where.

use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::spine::Spine;
use super::style::{self, Written};
use super::{SimulatedReport, chance, pick};
use crate::report::Report;

/// Hospitals, each with the form of its report ids and accessions. No two are of one size.
const SOURCES: [(&str, &str, &str, f64); 4] = [
    ("north", "N", "NA", 0.45),
    ("south", "S-", "2", 0.3),
    ("lakeside", "LKS.", "LK-", 0.17),
    ("clinic", "C", "CL", 0.08),
];

/// An arc that is reserved for examples.
const UID_ROOT: &str = "2.999.7.1";

/// Every report of a patient, oldest study first.
pub(super) fn reports(number: u64, random: &mut fastrand::Rng) -> Vec<SimulatedReport> {
    let sex = if chance(random, 0.54) { "F" } else { "M" };
    let first = date(2008, 1, 1).checked_add(random.i64(0..6_200).days()).unwrap_or(Date::MAX);
    // The middle of three is near the middle: most patients are between 40 and 75.
    let mut ages = [random.i16(18..95), random.i16(18..95), random.i16(30..88)];
    ages.sort_unstable();
    let born = first.checked_sub((i64::from(ages[1]) * 365 + random.i64(0..365)).days());
    let born = born.unwrap_or(Date::MIN);
    let source = source(random);
    let mut spine = Spine::new(ages[1] as f64, random);
    let mut studies = 1;
    while studies < 7 && chance(random, 0.32) {
        studies += 1;
    }
    let mut when = first;
    let mut reports = Vec::new();
    for study in 0..studies {
        if study > 0 {
            let days = random.i64(40..1_400);
            let next = when.checked_add(days.days()).unwrap_or(when);
            if next > date(2026, 6, 30) {
                break;
            }
            spine.progress(days as f64 / 365.0, random);
            when = next;
        }
        let who = Study { number, study, sex, born, when, source };
        who.report(&spine, random, &mut reports);
    }
    reports
}

fn source(random: &mut fastrand::Rng) -> usize {
    let mut left = random.f64();
    SOURCES
        .iter()
        .position(|(.., share)| {
            left -= share;
            left < 0.0
        })
        .unwrap_or(0)
}

/// One examination of a patient.
struct Study {
    number: u64,
    study: usize,
    sex: &'static str,
    born: Date,
    when: Date,
    source: usize,
}

impl Study {
    /// Adds the report of the study, and now and then an addendum that has its accession.
    fn report(&self, spine: &Spine, random: &mut fastrand::Rng, to: &mut Vec<SimulatedReport>) {
        let written = style::write(spine, random);
        let modality = if chance(random, 0.9) { "MR" } else { "CT" };
        let has_uid = chance(random, 0.8);
        to.push(self.filed(written, modality, has_uid, ""));
        if chance(random, 0.03) {
            to.push(self.filed(style::addendum(random), modality, has_uid, "-A"));
        }
    }

    fn filed(
        &self,
        written: Written,
        modality: &str,
        has_uid: bool,
        suffix: &str,
    ) -> SimulatedReport {
        let (source, id, accession, _) = SOURCES[self.source];
        let key = self.number * 8 + self.study as u64;
        let age = self.born.until((jiff::Unit::Year, self.when)).map_or(0, |span| span.get_years());
        SimulatedReport {
            report: Report {
                id: format!("{id}{key:08}{suffix}"),
                text: written.text,
                patient: Some(format!("{}", 10_000_000 + self.number)),
                accession: Some(format!("{accession}{key:09}")),
                study_uid: has_uid.then(|| format!("{UID_ROOT}.{}.{key}", self.source + 1)),
                exam_date: Some(self.when.to_string()),
                sex: Some(self.sex.to_owned()),
                age: u16::try_from(age).ok(),
                birth_date: Some(self.born.to_string()),
                modality: Some(modality.to_owned()),
                source: Some(source.to_owned()),
            },
            labels: written.labels,
            findings: written.findings,
        }
    }
}

/// A reason why someone is examined; what it names is no finding.
pub(super) fn indication(random: &mut fastrand::Rng) -> String {
    const COMPLAINTS: [&str; 14] = [
        "Low back pain",
        "Chronic low back pain",
        "Left leg pain and numbness",
        "Right sciatica for six weeks",
        "Bilateral leg pain on walking",
        "Neurogenic claudication",
        "Weakness of the right foot",
        "Back pain after a fall",
        "Persistent radicular pain despite physiotherapy",
        "Numbness of both feet",
        "Pain in the buttock on standing",
        "Difficulty walking",
        "Pain after lifting",
        "Burning pain in the left thigh",
    ];
    const QUESTIONS: [&str; 8] = [
        "Evaluate for spinal stenosis",
        "Rule out disc extrusion",
        "Severe canal stenosis suspected",
        "Query nerve root compression",
        "Please assess foraminal narrowing",
        "Known moderate stenosis at L3-L4",
        "Pre-operative planning",
        "Exclude cauda equina compression",
    ];
    let complaint = pick(random, &COMPLAINTS);
    if chance(random, 0.5) {
        format!("{complaint}. {}.", pick(random, &QUESTIONS))
    } else {
        format!("{complaint}.")
    }
}
