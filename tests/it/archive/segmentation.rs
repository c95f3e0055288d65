//! Segmented studies in the archive.

use deepspine::imaging::spine::{LevelMeasures, Section};
use deepspine::label::{
    Cell, Certainty, Evidence, Grade, ImageEvidence, Level, Opinion, Reader, ReaderKind, Target,
    Verdict,
};
use deepspine::report::Report;
use deepspine::store::{Body, Kept, NewDisc, NewRun, StudyKeys};

use super::{TestArchive, report};

fn reader(version: &str) -> Reader {
    Reader {
        kind: ReaderKind::Measurement,
        name: "measurement".into(),
        version: version.into(),
        content_hash: "hash".into(),
    }
}

fn disc(level: Option<Level>, area: f64, grade: Grade) -> NewDisc {
    let section = Section { centre: [0.1, 0.2, 0.3], ap: 9.7, width: 17.3, area, is_cut: false };
    let evidence = ImageEvidence { series: "1.2".into(), slice: 3, bounds: [1, 2, 3, 4] };
    let opinion = |level| Opinion {
        cell: Cell { level, target: Target::Central },
        verdict: Verdict::Graded(grade),
        certainty: Certainty::Stated,
        conflict: false,
        distribution: None,
        doubt: None,
        evidence: Evidence::Image(evidence.clone()),
    };
    let opinions = level.map(opinion).into_iter().collect();
    let measures = LevelMeasures { narrowest: Some(section), ..LevelMeasures::default() };
    NewDisc { level, body: Body { opinions, measures: Some(measures), ..Body::default() } }
}

fn keep(test: &mut TestArchive, reader: &Reader, discs: &[NewDisc]) -> Kept {
    let keys = StudyKeys { uid: Some("1.2.3"), accession: Some("A1") };
    let run = NewRun { source: "", keys, reader, discs };
    test.archive.store_mut().write(|writer| writer.add_run(&run)).unwrap()
}

/// Level, area and grade of each disc, from the lowest up.
fn shown(test: &TestArchive) -> Vec<String> {
    let discs = test.archive.store().discs("1.2.3").unwrap();
    let show = |disc: &deepspine::store::StoredDisc| {
        let level = disc.level.map_or("-", Level::name);
        let area = disc.measures.unwrap().narrowest.unwrap().area;
        let central = disc.central.map_or("-", Verdict::name);
        format!("{} {level} {area} {central}", disc.ordinal)
    };
    discs.iter().map(show).collect()
}

fn discs() -> [NewDisc; 3] {
    [
        disc(Some(Level::L5S1), 140.7, Grade::Normal),
        disc(Some(Level::L4L5), 61.3, Grade::Severe),
        disc(None, 200.1, Grade::Normal),
    ]
}

#[test]
fn a_run_is_kept_with_its_names_and_measures_and_once() {
    let mut test = TestArchive::new();
    assert!(shown(&test).is_empty());
    assert_eq!(keep(&mut test, &reader("1"), &discs()), Kept::New(1));
    let first = ["0 L5-S1 140.7 normal", "1 L4-L5 61.3 severe", "2 - 200.1 -"];
    assert_eq!(shown(&test), first);
    assert_eq!(keep(&mut test, &reader("1"), &discs()), Kept::Same(1));
    // Another model, or another result, is another run, and the newest stands.
    let mut other = discs();
    other[0] = disc(Some(Level::L5S1), 90.0, Grade::Moderate);
    assert_eq!(keep(&mut test, &reader("2"), &other), Kept::New(2));
    assert_eq!(shown(&test)[0], "0 L5-S1 90 moderate");
    assert_eq!(keep(&mut test, &reader("1"), &discs()), Kept::New(3));
    assert_eq!(shown(&test), first);
}

#[test]
fn what_images_show_can_be_derived_again() {
    let mut test = TestArchive::new();
    test.import(&[report("a", "L4-L5: mild canal stenosis.")]);
    keep(&mut test, &reader("1"), &discs());
    let before = shown(&test);
    test.archive.store_mut().write(|writer| writer.derive_again(|| ())).unwrap();
    assert_eq!(shown(&test), before);
    assert_eq!(test.label("a"), ["L4-L5/central mild rules"], "reports keep their own labels");
}

#[test]
fn images_and_reports_of_a_study_meet_by_its_keys() {
    let mut test = TestArchive::new();
    let by = |accession: Option<&str>, uid: Option<&str>| Report {
        accession: accession.map(str::to_owned),
        study_uid: uid.map(str::to_owned),
        ..report("a", "L4-L5: normal.")
    };
    test.import(&[by(Some("A1"), None)]);
    keep(&mut test, &reader("1"), &discs());
    test.import(&[Report { id: "b".into(), ..by(None, Some("1.2.3")) }]);
    let study = |id: &str| {
        let store = test.archive.store();
        let number = store.report_named(None, id).unwrap().unwrap();
        store.report(number).unwrap().unwrap().study
    };
    assert_eq!(study("a"), study("b"));
}
