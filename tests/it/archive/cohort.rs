//! Cohorts: chosen the same way they are the same, and nobody is named who must not be.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex};

use deepspine::archive::{Combination, Keep, Plan, Sample, Selection, Split};
use deepspine::export::Deidentifier;
use deepspine::export::dataset::{DATASETS, Record};
use deepspine::label::{Cell, CellLabel, Grade, Level, Mode, Status, Verdict};
use deepspine::learn::{Gold, read_gold};
use deepspine::report::Report;
use deepspine::search::query::Query;
use deepspine::store::Member;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, RowAccessor};

use super::{CENTRAL, TestArchive, report};

const GRADES: [&str; 4] = ["mild", "moderate", "severe", "no"];

/// Forty patients with one to three studies each.
fn reports() -> Vec<Report> {
    let study = |patient: u32, study: u32| Report {
        patient: Some(format!("patient-{patient}")),
        accession: Some(format!("accession-{patient}-{study}")),
        exam_date: (study != 2).then(|| format!("20{:02}-02-2{study}", 10 + study + patient % 7)),
        sex: Some(if patient.is_multiple_of(2) { "F" } else { "M" }.into()),
        age: Some(60 + patient as u16),
        birth_date: Some("1950-01-01".into()),
        source: Some("St. Mary".into()),
        ..report(
            &format!("report-{patient}-{study}"),
            &format!(
                "L4-L5: {} canal stenosis, seen by Dr. Grey.",
                GRADES[((patient + study) % 4) as usize]
            ),
        )
    };
    (0..40)
        .flat_map(|patient| (0..=patient % 3).map(move |number| study(patient, number)))
        .collect()
}

fn archive(reports: &[Report]) -> TestArchive {
    let mut test = TestArchive::new();
    test.import(reports);
    test
}

fn plan(queries: &[&str]) -> Plan {
    Plan {
        queries: queries.iter().map(|query| Query::parse(query).unwrap()).collect(),
        keep: Keep::All,
        sample: None,
        split: None,
    }
}

fn steps(selection: &Selection) -> Vec<(&str, u64, u64, u64)> {
    let steps = selection.steps.iter();
    steps.map(|s| (s.name.as_str(), s.reports, s.studies, s.patients)).collect()
}

#[test]
fn each_step_says_what_it_leaves() {
    let test = archive(&reports());
    let keep = Keep::LastStudy;
    let plan = Plan { keep, ..plan(&["source:\"St. Mary\"", "L4-L5.central>=moderate"]) };
    let selection = test.archive.choose(&plan).unwrap();
    let all = reports();
    let wanted =
        |report: &&Report| report.text.contains("moderate") || report.text.contains("severe");
    let patients: HashSet<_> = all.iter().filter(wanted).map(|r| &r.patient).collect();
    let (found, people) = (all.iter().filter(wanted).count() as u64, patients.len() as u64);
    assert_eq!(
        steps(&selection),
        [
            ("source:\"St. Mary\"", 79, 79, 40),
            ("L4-L5.central>=moderate", found, found, people),
            ("last study of each patient", people, people, people),
        ]
    );
}

#[test]
fn the_first_and_the_last_study_go_by_date_and_undated_ones_come_last() {
    let test = archive(&reports());
    let of = |keep: Keep| {
        let query = "patient:patient-2";
        let selection = test.archive.choose(&Plan { keep, ..plan(&[query]) }).unwrap();
        let number = selection.members[0].report;
        (selection.members.len(), test.archive.store().report(number).unwrap().unwrap().report.id)
    };
    assert_eq!(of(Keep::FirstStudy), (1, "report-2-0".into()));
    assert_eq!(of(Keep::LastStudy), (1, "report-2-1".into()));
    assert_eq!(of(Keep::All).0, 3);
}

#[test]
fn the_same_reports_have_the_same_hash_in_any_archive() {
    let mut shuffled = reports();
    fastrand::Rng::with_seed(3).shuffle(&mut shuffled);
    let choose = |test: &TestArchive, seed| {
        let sample = Some(Sample { cell: CENTRAL, per_grade: 5, seed });
        let split = Some(Split { shares: [60, 20, 20], seed });
        test.archive.choose(&Plan { sample, split, ..plan(&["*"]) }).unwrap()
    };
    let (one, other) = (archive(&reports()), archive(&shuffled));
    assert_eq!(choose(&one, 1).hash(), choose(&other, 1).hash());
    assert_ne!(choose(&one, 1).hash(), choose(&one, 2).hash(), "a seed decides");
}

#[test]
fn a_sample_has_as_many_of_each_grade() {
    let test = archive(&reports());
    let sample = Some(Sample { cell: CENTRAL, per_grade: 7, seed: 1 });
    let selection = test.archive.choose(&Plan { sample, ..plan(&["*"]) }).unwrap();
    let mut grades: BTreeMap<&str, u64> = BTreeMap::new();
    for member in &selection.members {
        let label = test.archive.store().label(member.report).unwrap();
        *grades.entry(label[0].label.verdict.name()).or_default() += 1;
    }
    assert_eq!(
        grades,
        BTreeMap::from([("mild", 7), ("moderate", 7), ("normal", 7), ("severe", 7)])
    );
}

#[test]
fn no_patient_is_in_two_parts_and_the_shares_are_kept() {
    let test = archive(&reports());
    let split = Some(Split { shares: [70, 15, 15], seed: 4 });
    let selection = test.archive.choose(&Plan { split, ..plan(&["*"]) }).unwrap();
    let mut parts: HashMap<String, HashSet<String>> = HashMap::new();
    for member in &selection.members {
        let stored = test.archive.store().report(member.report).unwrap().unwrap();
        let part = member.part.clone().unwrap();
        parts.entry(part).or_default().insert(stored.report.patient.unwrap());
    }
    let count = |part: &str| parts[part].len();
    assert_eq!((count("train"), count("validation"), count("test")), (28, 6, 6));
    let all: HashSet<_> = parts.values().flatten().collect();
    assert_eq!(all.len(), 40);
}

#[test]
fn a_frozen_cohort_stays_as_it_was_and_tells_that_the_archive_went_on() {
    let mut test = archive(&reports());
    let severe = test.archive.choose(&plan(&["L4-L5.central=severe"])).unwrap();
    test.archive.freeze("severe", &severe).unwrap();
    let taken = test.archive.freeze("severe", &severe).unwrap_err().to_string();
    assert!(taken.contains("a cohort `severe` already"), "{taken}");
    let first = severe.members[0].report;
    let id = test.archive.store().report(first).unwrap().unwrap().report.id;
    let source = Some("St. Mary".into());
    test.import(&[Report { source, ..report(&id, "L4-L5: normal.") }]);
    let store = test.archive.store();
    let cohort = store.cohort("severe").unwrap();
    let members = store.members(&cohort).unwrap();
    assert_eq!(members, severe.members);
    let record = test.archive.record(&members[0]).unwrap();
    assert_eq!((record.version, record.labels[0].verdict.name()), (1, "severe"));
    assert!(record.text.unwrap().contains("severe"));
    let again = test.archive.choose_again(&deepspine::archive::Archive::recipe(&cohort).unwrap());
    assert_eq!(again.unwrap().members.len() + 1, members.len());
    let missing = store.cohort("sever").unwrap_err().to_string();
    assert!(missing.contains("no cohort `sever`; there are: severe"), "{missing}");
}

#[test]
fn a_record_has_the_status_of_the_text_that_was_frozen() {
    use Status::{Adjudicated, Agreed, Machine, ToAdjudicate};
    let mut test = TestArchive::new();
    let ids = ["machine", "agreed", "differs", "settled"];
    test.import(&ids.map(|id| report(id, "L4-L5: mild canal stenosis.")));
    let [agreed, differs, settled] = ["agreed", "differs", "settled"].map(|id| test.number(id));
    test.read_by("anna", Mode::Blind, agreed, &[(CENTRAL, Grade::Severe)]);
    test.read_by("anna", Mode::Blind, differs, &[(CENTRAL, Grade::Severe)]);
    test.read_by("ben", Mode::Blind, differs, &[]);
    test.read_by("cora", Mode::Adjudication, settled, &[(CENTRAL, Grade::Moderate)]);
    let chosen = test.archive.choose(&plan(&["*"])).unwrap();
    let records = |test: &TestArchive, members: &[Member]| -> Vec<(String, Status, String)> {
        let record = |member| {
            let record = test.archive.record(member).unwrap();
            (record.id, record.status, record.labels[0].verdict.name().to_owned())
        };
        let mut records: Vec<_> = members.iter().map(record).collect();
        records.sort();
        records
    };
    let before = records(&test, &chosen.members);
    let statuses = before.iter().map(|(_, status, _)| *status).collect::<Vec<_>>();
    assert_eq!(statuses, [Agreed, ToAdjudicate, Machine, Adjudicated], "by id");
    test.import(&ids.map(|id| report(id, "L4-L5: severe canal stenosis.")));
    assert_eq!(test.status("settled"), "to_adjudicate");
    assert_eq!(records(&test, &chosen.members), before);
    // Of a text that people were to read anew, that is so still when there is a third.
    let chosen = test.archive.choose(&plan(&["*"])).unwrap();
    let before = records(&test, &chosen.members);
    let statuses = before.iter().map(|(_, status, _)| *status).collect::<Vec<_>>();
    assert_eq!(statuses, [ToAdjudicate, ToAdjudicate, Machine, ToAdjudicate], "by id");
    test.import(&ids.map(|id| report(id, "L4-L5: normal.")));
    assert_eq!(records(&test, &chosen.members), before);
}

#[test]
fn two_cohorts_make_one() {
    let mut test = archive(&reports());
    for (name, query) in [("a", "age:..75"), ("b", "age:70..")] {
        let selection = test.archive.choose(&plan(&[query])).unwrap();
        test.archive.freeze(name, &selection).unwrap();
    }
    let size = |how| test.archive.combine(how, "a", "b").unwrap().members.len();
    let found = |query: &str| test.archive.find(&Query::parse(query).unwrap()).unwrap().len();
    assert_eq!(size(Combination::Union), found("*"));
    assert_eq!(size(Combination::Intersection), found("age:70..75"));
    assert_eq!(size(Combination::Difference), found("age:..69"));
}

/// What a writer wrote.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn write(format: &str, records: &[Record]) -> Vec<u8> {
    let written = Written::default();
    let dataset = DATASETS.iter().find(|dataset| dataset.name == format).unwrap();
    let mut writer = dataset.create(Box::new(written.clone())).unwrap();
    records.iter().for_each(|record| writer.write(record).unwrap());
    writer.finish().unwrap();
    written.0.lock().unwrap().clone()
}

/// Every record of an archive in which a person has labelled something.
fn records() -> (TestArchive, Vec<Record>) {
    let mut test = archive(&reports());
    test.read_by("anna", Mode::Blind, 1, &[(CENTRAL, Grade::Moderate)]);
    let split = Some(Split { shares: [1, 1, 1], seed: 0 });
    let selection = test.archive.choose(&Plan { split, ..plan(&["*"]) }).unwrap();
    let records = selection.members.iter().map(|m| test.archive.record(m).unwrap()).collect();
    (test, records)
}

#[test]
fn every_format_holds_what_is_known() {
    let (_test, records) = records();
    let csv = String::from_utf8(write("csv", &records)).unwrap();
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let header = rows.headers().unwrap().clone();
    let row = rows.records().next().unwrap().unwrap();
    let cell = |name: &str| row.get(header.iter().position(|column| column == name).unwrap());
    assert_eq!(cell("source"), Some("St. Mary"));
    assert_eq!(cell("l4_l5_central"), Some("moderate"));
    assert_eq!(cell("decided_by"), Some("anna"));
    assert_eq!(cell("exam_date"), Some("2010-02-20"));
    assert_eq!(cell("l5_s1_central"), Some(""));
    assert_eq!(csv.lines().count(), records.len() + 1);

    let jsonl = String::from_utf8(write("jsonl", &records)).unwrap();
    let line: serde_json::Value = serde_json::from_str(jsonl.lines().next().unwrap()).unwrap();
    assert_eq!(line["cells"]["L4-L5"]["central"], "moderate");
    assert_eq!((&line["status"], &line["version"]), (&"agreed".into(), &1.into()));
    assert!(line.get("study_uid").is_none(), "what is absent is left out");

    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&write("parquet", &records)).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    let schema = reader.metadata().file_metadata().schema_descr();
    let place = |name: &str| {
        (0..schema.num_columns()).find(|&at| schema.column(at).name() == name).unwrap()
    };
    assert_eq!(reader.get_row_iter(None).unwrap().count(), records.len());
    let row = reader.get_row_iter(None).unwrap().next().unwrap().unwrap();
    assert_eq!(row.get_string(place("l4_l5_central")).unwrap(), "moderate");
    assert_eq!(row.get_int(place("age")).unwrap(), 60);
    let day = row.get_column_iter().nth(place("exam_date")).unwrap().1;
    assert_eq!(*day, Field::Date(14_660), "days since 1970");
    assert!(row.get_string(place("l5_s1_central")).is_err(), "absent");
}

/// So that a transformer can be trained on what people have settled.
#[test]
fn json_lines_of_a_cohort_are_gold_labels() {
    let (_test, mut records) = records();
    let elsewhere = Cell { level: Level::L5S1, target: CENTRAL.target };
    let unjudged =
        CellLabel { cell: elsewhere, verdict: Verdict::Unassessable, ..records[0].labels[0] };
    records[0].labels.push(unjudged);
    let gold: Vec<Gold> =
        read_gold(&write("jsonl", &records)[..]).collect::<Result<_, _>>().unwrap();
    assert_eq!(gold.len(), records.len());
    assert_eq!(Some(&gold[0].text), records[0].text.as_ref());
    assert_eq!(gold[0].labels.get(CENTRAL).unwrap().grade, Grade::Moderate);
    assert_eq!(gold[0].labels.get(elsewhere), None);
}

#[test]
fn more_rows_than_a_group_of_parquet_are_all_there() {
    let (_test, records) = records();
    let many: Vec<Record> = records.iter().cycle().take(25_000).cloned().collect();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&write("parquet", &many)).unwrap();
    let reader: SerializedFileReader<File> = SerializedFileReader::new(file).unwrap();
    assert_eq!(
        (reader.num_row_groups(), reader.metadata().file_metadata().num_rows()),
        (3, 25_000)
    );
}

#[test]
fn without_identifiers_no_format_names_anyone() {
    let (_test, records) = records();
    let deidentifier = Deidentifier::new(b"secret");
    let hidden: Vec<Record> = records.iter().map(|r| deidentifier.apply(r.clone())).collect();
    let mut named: Vec<String> =
        vec!["St. Mary".into(), "Grey".into(), "1950-01-01".into(), "anna".into()];
    for record in &records {
        named.extend([&record.id, &record.text_hash, &record.study].map(Clone::clone));
        named.extend([&record.patient, &record.accession].into_iter().flatten().cloned());
    }
    for dataset in DATASETS.each_ref() {
        let bytes = write(dataset.name, &hidden);
        for name in &named {
            let found = bytes.windows(name.len()).any(|window| window == name.as_bytes());
            assert!(!found, "{name} in {}", dataset.name);
        }
    }
    // What is told apart stays apart, and what belongs together stays together.
    let count = |of: fn(&Record) -> Option<String>, all: &[Record]| {
        all.iter().filter_map(of).collect::<HashSet<_>>().len()
    };
    for of in [
        (|r: &Record| Some(r.id.clone())) as fn(&Record) -> Option<String>,
        |r| r.patient.clone(),
        |r| Some(r.study.clone()),
    ] {
        assert_eq!(count(of, &hidden), count(of, &records));
    }
    assert_eq!(hidden[0], deidentifier.apply(records[0].clone()), "the same key, the same hash");
    assert_ne!(hidden[0].id, Deidentifier::new(b"other").apply(records[0].clone()).id);
    assert!(hidden.iter().all(|record| record.age.unwrap() <= 90));
    // The time between two examinations of a patient stays, and nobody's date stays.
    let days = |record: &Record| -> Option<jiff::civil::Date> {
        Some(record.exam_date.as_ref()?.parse().unwrap())
    };
    let mut shifts: HashMap<&Option<String>, HashSet<i32>> = HashMap::new();
    for (before, after) in records.iter().zip(&hidden) {
        if let (Some(from), Some(to)) = (days(before), days(after)) {
            let shift = to.until(from).unwrap().get_days();
            assert!((1..=365).contains(&shift), "{shift}");
            shifts.entry(&before.patient).or_default().insert(shift);
        }
    }
    assert!(shifts.values().all(|shift| shift.len() == 1));
    assert!(shifts.values().flatten().collect::<HashSet<_>>().len() > 20);
}
