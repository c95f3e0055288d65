//! Segmented studies in the archive.

use deepspine::imaging::Segment;
use deepspine::imaging::spine::{LevelMeasures, Section};
use deepspine::label::{
    Cell, Certainty, Evidence, Grade, ImageEvidence, Level, Mode, Opinion, Reader, ReaderKind,
    Target, Verdict,
};
use deepspine::report::Report;
use deepspine::store::{Body, FILE, Kept, NewDisc, NewRun, Seen, StoreError, StudyKeys};

use rusqlite::Connection;

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
    NewDisc {
        level,
        probability: level.map(|_| 0.9),
        centre: [0.0; 3],
        body: Body { opinions, measures: Some(measures), ..Body::default() },
    }
}

fn keep(test: &mut TestArchive, reader: &Reader, discs: &[NewDisc]) -> Kept {
    let keys = StudyKeys { uid: Some("1.2.3"), accession: Some("A1") };
    let run = NewRun { source: "", keys, patient: None, date: None, reader, discs };
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

/// Discs one above the other, the lowest so high.
fn stacked<const N: usize>(lowest: f64, discs: [NewDisc; N]) -> [NewDisc; N] {
    let mut height = lowest;
    discs.map(|disc| {
        height += 35.0;
        NewDisc { centre: [1.0, 2.0, height - 35.0], ..disc }
    })
}

fn discs() -> [NewDisc; 3] {
    let lowest = disc(Some(Level::L5S1), 140.7, Grade::Normal);
    let severe = disc(Some(Level::L4L5), 61.3, Grade::Severe);
    stacked(0.0, [lowest, severe, disc(None, 200.1, Grade::Normal)])
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

fn anna() -> Reader {
    let (version, content_hash) = (String::new(), String::new());
    Reader { kind: ReaderKind::Person, name: "anna".into(), version, content_hash }
}

fn rename(test: &mut TestArchive, uid: &str, names: &[Option<Level>]) -> Result<bool, StoreError> {
    test.archive.store_mut().write(|writer| writer.correct_naming(uid, names, &anna()))
}

#[test]
fn a_corrected_naming_takes_all_with_it_that_hangs_on_names() {
    let mut test = TestArchive::new();
    keep(&mut test, &reader("1"), &discs());
    let six = [Some(Level::L6S1), Some(Level::L5L6), Some(Level::L4L5)];
    assert!(rename(&mut test, "1.2.3", &six).unwrap());
    let corrected = ["0 L6-S1 140.7 normal", "1 L5-L6 61.3 severe", "2 L4-L5 200.1 -"];
    assert_eq!(shown(&test), corrected);
    let study = test.archive.store().image_keys().unwrap()[0].study;
    let names = test.archive.store().naming(study).unwrap();
    assert!(names.iter().all(|disc| disc.probability == Some(1.0)));
    let logged = test.archive.store().audit_log(u64::MAX >> 1, 1).unwrap().remove(0);
    assert_eq!((logged.action.as_str(), logged.subject.as_str()), ("correct naming", "1.2.3"));
    assert!(logged.detail.contains("\"before\":[\"L5-S1\",\"L4-L5\",\"-\"]"), "{}", logged.detail);
    // What stands is no change; what is derived again is the same.
    assert!(!rename(&mut test, "1.2.3", &six).unwrap());
    test.archive.store_mut().write(|writer| writer.derive_again(|| ())).unwrap();
    assert_eq!(shown(&test), corrected);
}

#[test]
fn what_people_see_and_call_discs_stays_when_a_study_is_segmented_anew() {
    let mut test = TestArchive::new();
    keep(&mut test, &reader("1"), &discs());
    let six = [Some(Level::L6S1), Some(Level::L5L6), Some(Level::L4L5)];
    rename(&mut test, "1.2.3", &six).unwrap();
    let study = test.archive.store().image_keys().unwrap()[0].study;
    let targets = &[Target::Central];
    let (verdict, mode) = (Verdict::Graded(Grade::Mild), Mode::Blind);
    let again_since = None;
    let seen = Seen { study, run: 1, ordinal: 1, targets, verdict, mode, again_since };
    assert!(test.archive.store_mut().write(|writer| writer.see(&anna(), &seen)).unwrap());
    assert_eq!(shown(&test)[1], "1 L5-L6 61.3 mild");
    // Archives of earlier versions do not know where discs are until they are found again.
    let database = Connection::open(test.path().join(FILE)).unwrap();
    database.execute("UPDATE subjects SET x = NULL", ()).unwrap();
    assert_eq!(keep(&mut test, &reader("1"), &discs()), Kept::Same(1));
    // The next run finds a disc more below, and the others a little aside; its names are its own.
    let names = [Level::L5S1, Level::L4L5, Level::L3L4, Level::L2L3];
    let found = names.map(|level| disc(Some(level), 90.0, Grade::Moderate));
    keep(&mut test, &reader("2"), &stacked(-33.0, found.clone()));
    let carried = ["0 - 90 -", "1 L6-S1 90 moderate", "2 L5-L6 90 mild", "3 L4-L5 90 moderate"];
    assert_eq!(shown(&test), carried);
    // What lies elsewhere is another spine, as far as anyone can tell; what a run has missed is found
    // again, and two halves of a disc are not both what was seen.
    keep(&mut test, &reader("3"), &stacked(500.0, found.clone()));
    assert_eq!(shown(&test)[1], "1 L4-L5 90 moderate");
    let [lower, half, other_half, upper] = stacked(-33.0, found);
    let half = NewDisc { centre: [1.0, 2.0, 33.0], ..half };
    let other_half = NewDisc { centre: [1.0, 2.0, 40.0], ..other_half };
    keep(&mut test, &reader("4"), &[lower, half, other_half, upper]);
    let grades: Vec<_> =
        shown(&test).iter().map(|disc| disc.rsplit_once(' ').unwrap().1.to_owned()).collect();
    assert_eq!(grades, ["moderate", "moderate", "mild", "moderate"]);
}

#[test]
fn a_person_who_finds_names_right_makes_them_sure() {
    let mut test = TestArchive::new();
    keep(&mut test, &reader("1"), &discs());
    let same = [Some(Level::L5S1), Some(Level::L4L5), None];
    assert!(rename(&mut test, "1.2.3", &same).unwrap());
    assert!(!rename(&mut test, "1.2.3", &same).unwrap());
    assert_eq!(keep(&mut test, &reader("1"), &discs()), Kept::Same(1), "the run is known");
}

#[test]
fn names_that_cannot_be_are_refused_with_the_reason() {
    let mut test = TestArchive::new();
    keep(&mut test, &reader("1"), &discs());
    let before = shown(&test);
    let mut refused =
        |uid: &str, names: &[Option<Level>]| rename(&mut test, uid, names).unwrap_err().to_string();
    assert!(refused("9.9", &[]).contains("`9.9` was never segmented"));
    assert!(refused("1.2.3", &[Some(Level::L5S1)]).contains("3 discs, and 1 names"));
    let turned = [Some(Level::L4L5), Some(Level::L5S1), None];
    assert_eq!(
        refused("1.2.3", &turned),
        "L4-L5 cannot be below L5-S1; names go from the lowest disc up"
    );
    assert_eq!(shown(&test), before);
}

#[test]
fn a_study_keeps_whose_it_is_and_when_it_was_made() {
    let mut test = TestArchive::new();
    let discs = discs();
    let mut keep = |patient, date| {
        let keys = StudyKeys { uid: Some("1.2.3"), accession: Some("A1") };
        let reader = &reader("1");
        let run = NewRun { source: "north", keys, patient, date, reader, discs: &discs };
        test.archive.store_mut().write(|writer| writer.add_run(&run)).unwrap();
        test.archive.store().image_keys().unwrap().remove(0)
    };
    let known = keep(Some("P1"), Some("2024-03-05"));
    assert_eq!(known.patient, Some(("north".to_owned(), "P1".to_owned())));
    assert_eq!(known.date.as_deref(), Some("2024-03-05"));
    assert_eq!(known.accessions, [("north".to_owned(), "A1".to_owned())]);
    assert_eq!(keep(None, None), known, "what is not said takes nothing away");
}

#[test]
fn segments_of_a_run_are_there_whole_or_not_at_all() {
    let mut test = TestArchive::new();
    let store = test.archive.store();
    let segments = [Segment::default(), Segment::default()];
    let all: Vec<&Segment> = segments.iter().collect();
    let home = test.path().join("segments/1.2.3");
    // Where the run is not kept, its segments are not either.
    drop(store.write_segments("1.2.3", &all).unwrap());
    assert_eq!(std::fs::read_dir(&home).unwrap().count(), 0);
    keep(&mut test, &reader("1"), &discs());
    assert_eq!(test.archive.store().segments("1.2.3").unwrap(), None);
    for of in [&all[..], &all[..1]] {
        let store = test.archive.store_mut();
        let written = store.write_segments("1.2.3", of).unwrap();
        store.write(|writer| writer.keep_segments("1.2.3", 1, &written)).unwrap();
        drop(written);
        let folder = test.archive.store().segments("1.2.3").unwrap().unwrap();
        assert_eq!(folder, home.join("1"));
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), of.len());
        assert_eq!(std::fs::read_dir(&home).unwrap().count(), 1, "nothing else is left");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            for folder in [test.path().join("segments"), home.clone(), home.join("1")] {
                let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o700, "only its owner sees {}", folder.display());
            }
        }
    }
    // A newer run has none until it is given its own.
    keep(&mut test, &reader("2"), &discs());
    assert_eq!(test.archive.store().segments("1.2.3").unwrap(), None);
    let store = test.archive.store_mut();
    let written = store.write_segments("9.9", &all).unwrap();
    let unknown = store.write(|writer| writer.keep_segments("9.9", 1, &written));
    assert!(unknown.unwrap_err().to_string().contains("no study `9.9`"));
}
