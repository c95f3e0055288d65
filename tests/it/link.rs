//! Reports and segmented studies brought together on the command line, into a manifest.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use deepspine::archive::{Archive, Incoming};
use deepspine::export::segments::{self, Part, SegmentRow};
use deepspine::extract::{Extractor, Lexicon};
use deepspine::imaging::{Crop, Geometry, Kind, Segment, npz};
use deepspine::label::{
    Cell, Certainty, Context, Evidence, Grade, ImageEvidence, Level, Mode, Opinion, Reader,
    ReaderKind, Target, Verdict,
};
use deepspine::pipeline::TextReader;
use deepspine::report::Report;
use deepspine::store::{Body, Kept, NewDisc, NewReading, NewRun, Seen, StudyKeys};
use half::f16;
use tempfile::TempDir;

/// An archive with a study, and somewhere to write.
struct Test {
    folder: TempDir,
    archive: Archive,
}

const FIVE: [Level; 5] = [Level::L5S1, Level::L4L5, Level::L3L4, Level::L2L3, Level::L1L2];

/// A study as `segment --store` keeps it.
#[derive(Clone, Copy)]
struct Image<'a> {
    uid: &'a str,
    accession: Option<&'a str>,
    patient: Option<&'a str>,
    date: Option<&'a str>,
    /// From the lowest up.
    levels: &'a [Level],
}

impl<'a> Image<'a> {
    const fn named(uid: &'a str) -> Self {
        Self { uid, accession: None, patient: None, date: None, levels: &FIVE }
    }
}

fn person(name: &str) -> Reader {
    let (version, content_hash) = (String::new(), String::new());
    Reader { kind: ReaderKind::Person, name: name.into(), version, content_hash }
}

impl Test {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let archive = Archive::open_or_create(&folder.path().join("data")).unwrap();
        Self { folder, archive }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn import(&mut self, reports: &[Report]) {
        let mut texts = TextReader::rules(Extractor::new(&Lexicon::builtin("en").unwrap()));
        let incoming = |report: &Report| Incoming { report: report.clone(), read: None };
        let batch: Vec<_> = reports.iter().map(incoming).collect();
        let readers = texts.readers();
        let read = |text: &str| texts.read_to_keep(&[text]).swap_remove(0);
        self.archive.import(&readers, &batch, read).unwrap();
    }

    /// Keeps a run, and a segment for each disc that has its ordinal for brightness.
    fn segment(&mut self, image: Image<'_>) -> u32 {
        let kept = self.keep(image);
        let Kept::New(run) = kept else { panic!("{kept:?}") };
        let segments: Vec<Segment> = (1..=image.levels.len()).map(segment).collect();
        let store = self.archive.store_mut();
        let written =
            store.write_segments(image.uid, &segments.iter().collect::<Vec<_>>()).unwrap();
        store.write(|writer| writer.keep_segments(image.uid, run, &written)).unwrap();
        run
    }

    fn keep(&mut self, image: Image<'_>) -> Kept {
        let measured = |&level: &Level| NewDisc {
            level: Some(level),
            probability: Some(0.75),
            centre: [0.0, 0.0, 35.0 * f64::from(level as u8)],
            body: Body { opinions: vec![severe(level)], ..Body::default() },
        };
        let discs: Vec<NewDisc> = image.levels.iter().map(measured).collect();
        let reader = Reader {
            kind: ReaderKind::Measurement,
            name: "measurement".into(),
            version: "1".into(),
            content_hash: "hash".into(),
        };
        let run = NewRun {
            source: "",
            keys: StudyKeys { uid: Some(image.uid), accession: image.accession },
            patient: image.patient,
            date: image.date,
            reader: &reader,
            discs: &discs,
        };
        self.archive.store_mut().write(|writer| writer.add_run(&run)).unwrap()
    }

    /// A person reads a report.
    fn read_by(&mut self, name: &str, id: &str, mode: Mode, cell: Cell, grade: Grade) {
        let opinion = Opinion {
            cell,
            verdict: Verdict::Graded(grade),
            certainty: Certainty::Stated,
            conflict: false,
            distribution: None,
            doubt: None,
            evidence: Evidence::Spans(Vec::new()),
        };
        let body = Body { opinions: vec![opinion], ..Body::default() };
        let (packed, reader) = (body.pack(), person(name));
        let context = Context { batch: "test".into(), mode, seconds: 1.5 };
        let store = self.archive.store_mut();
        let number = store.report_named(None, id).unwrap().unwrap();
        store
            .write(|writer| {
                let reader = writer.reader(&reader)?;
                let (version, subject) = writer.present(number)?;
                let (context, packed) = (Some(&context), &packed[..]);
                let reading = NewReading { reader, at: None, context, body: &body, packed };
                writer.add_reading(number, version, subject, &reading)
            })
            .unwrap();
    }

    /// A person grades the canal at a disc of a study's first run.
    fn look(&mut self, name: &str, uid: &str, ordinal: u8, grade: Grade) {
        let store = self.archive.store_mut();
        let keys = store.image_keys().unwrap();
        let study = keys.iter().find(|keys| keys.uids.iter().any(|own| own == uid)).unwrap().study;
        let seen = Seen {
            study,
            run: 1,
            ordinal,
            targets: &[Target::Central],
            verdict: Verdict::Graded(grade),
            mode: Mode::Assisted,
            again_since: None,
        };
        assert!(store.write(|writer| writer.see(&person(name), &seen)).unwrap());
    }

    fn link(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_deepspine"))
            .arg("link")
            .args(["--data".as_ref(), self.path("data").as_os_str()])
            .args(["-o".as_ref(), self.path("out").as_os_str()])
            .args(arguments)
            .output()
            .unwrap()
    }

    /// Links, and reads what came of it.
    fn rows(&self, arguments: &[&str]) -> Vec<SegmentRow> {
        let output = self.link(arguments);
        assert!(output.status.success(), "{}", said(&output));
        segments::read(&self.path("out")).unwrap()
    }

    /// A table of the output as lines without the header.
    fn table(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path("out").join(name)).unwrap();
        text.lines().skip(1).map(str::to_owned).collect()
    }
}

/// What an image reader would say, which no label may hold.
fn severe(level: Level) -> Opinion {
    let evidence = ImageEvidence { series: "1".into(), slice: 0, bounds: [0; 4] };
    Opinion {
        cell: Cell { level, target: Target::Central },
        verdict: Verdict::Graded(Grade::Severe),
        certainty: Certainty::Stated,
        conflict: false,
        distribution: None,
        doubt: None,
        evidence: Evidence::Image(evidence),
    }
}

fn segment(ordinal: usize) -> Segment {
    let steps = [[0.0, 0.5, 0.0], [0.0, 0.0, -0.5], [2.5, 0.0, 0.0]];
    let geometry = Geometry::new([4, 3, 2], [1.0, 2.0, 3.0], steps).unwrap();
    let crop = Crop::filled(geometry, f16::from_f32(ordinal as f32));
    Segment { crops: [(Kind::SagittalT2, crop)].into() }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn report(id: &str, text: &str) -> Report {
    Report { id: id.into(), text: text.into(), ..Report::default() }
}

/// The label of each labelled cell, as `L4-L5/central=mild adjudicated`.
fn labels(rows: &[SegmentRow]) -> Vec<String> {
    let mut labels = Vec::new();
    for row in rows {
        for target in Target::ALL {
            if let Some(label) = row.label(target) {
                labels.push(format!("{}/{target}={} {}", row.level, label.grade, label.status));
            }
        }
    }
    labels.sort();
    labels
}

const CENTRAL: Cell = Cell { level: Level::L4L5, target: Target::Central };

#[test]
fn a_manifest_has_what_reports_say_of_the_segments_of_their_studies() {
    let mut test = Test::new();
    let text = "L4-L5: moderate canal stenosis, mild left foraminal stenosis. T10-T11: normal.";
    test.import(&[Report {
        study_uid: Some("1.2.3".into()),
        patient: Some("P7".into()),
        ..report("a", text)
    }]);
    test.segment(Image::named("1.2.3"));
    let rows = test.rows(&[]);
    assert_eq!(rows.iter().map(|row| row.level).collect::<Vec<_>>(), FIVE);
    for (place, row) in rows.iter().enumerate() {
        assert_eq!((row.patient.as_str(), row.study.as_str()), ("P7", "1.2.3"));
        assert_eq!((row.ordinal, row.name_probability), (place as u8 + 1, Some(0.75)));
        let file = fs::File::open(test.path("out").join(&row.segment)).unwrap();
        assert_eq!(npz::read(file).unwrap(), segment(place + 1), "{}", row.segment);
    }
    let said = ["L4-L5/central=moderate rules", "L4-L5/foraminal_left=mild rules"];
    assert_eq!(labels(&rows), said);
    let opinions = &rows[1].targets[Target::Central as usize].opinions;
    assert_eq!(opinions, &[("rules".to_owned(), Grade::Moderate)], "the image has no say");
    assert_eq!(test.table("links.csv"), ["1.2.3,,a,study_uid,machine,5,"]);
    assert!(test.table("unlinked.csv").is_empty());

    test.read_by("anna", "a", Mode::Blind, CENTRAL, Grade::Mild);
    let rows = test.rows(&[]);
    assert_eq!(
        labels(&rows),
        ["L4-L5/central=mild agreed"],
        "and nothing else is left of the rules"
    );
    test.read_by("ben", "a", Mode::Blind, CENTRAL, Grade::Severe);
    test.read_by("cora", "a", Mode::Adjudication, CENTRAL, Grade::Moderate);
    let rows = test.rows(&[]);
    assert_eq!(labels(&rows), ["L4-L5/central=moderate adjudicated"]);
    let opinions = rows[1].targets[Target::Central as usize].opinions.iter();
    let opinions: Vec<_> = opinions.map(|(who, grade)| format!("{who}={grade}")).collect();
    assert_eq!(opinions, ["rules=moderate", "anna=mild", "ben=severe", "cora=moderate"]);
    assert!(labels(&test.rows(&["--status", "rules,agreed"])).is_empty());
    assert_eq!(labels(&test.rows(&["--status", "adjudicated"])).len(), 1);

    // What someone has seen on the image counts before all that is said of the report.
    test.look("dan", "1.2.3", 1, Grade::Severe);
    assert_eq!(labels(&test.rows(&[])), ["L4-L5/central=severe seen"]);
    let reported = ["L4-L5/central=moderate adjudicated"];
    assert_eq!(labels(&test.rows(&["--status", "adjudicated"])), reported);
    assert_eq!(labels(&test.rows(&["--status", "seen"])), ["L4-L5/central=severe seen"]);
}

#[test]
fn the_same_rows_are_in_every_format() {
    let mut test = Test::new();
    test.import(&[Report {
        study_uid: Some("1.2.3".into()),
        ..report("a", "L4-L5: moderate canal stenosis.")
    }]);
    test.segment(Image::named("1.2.3"));
    let rows = test.rows(&[]);
    let lines = fs::read_to_string(test.path("out/manifest.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), rows.len());
    assert_eq!(lines[1]["level"], "L4-L5");
    assert_eq!(lines[1]["ordinal"], 2);
    assert_eq!(lines[1]["name_probability"], 0.75);
    assert_eq!(lines[1]["central"], "moderate");
    assert_eq!(lines[1]["central_opinions"], "rules=moderate");
    assert!(lines[1]["recess_left"].is_null());
    assert_eq!(lines[1]["patient"], "1.2.3", "a study of nobody known is somebody of its own");
    let columns: Vec<String> = segments::columns().into_iter().map(|c| c.name).collect();
    let header = fs::read_to_string(test.path("out/manifest.csv")).unwrap();
    assert_eq!(header.lines().next().unwrap(), columns.join(","));
    let file = fs::File::open(test.path("out/manifest.parquet")).unwrap();
    let parquet = parquet::file::serialized_reader::SerializedFileReader::new(file).unwrap();
    let parquet: Vec<_> = parquet.into_iter().map(Result::unwrap).collect();
    assert_eq!(parquet.len(), rows.len());
    let shown = parquet[1].to_string();
    for part in ["name_probability: 0.75", "central: \"moderate\"", "ordinal: 2"] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn links_carry_their_reasons_and_what_is_ambiguous_is_only_listed() {
    let mut test = Test::new();
    let of =
        |id: &str, accession: Option<&str>, patient: Option<&str>, date: Option<&str>| Report {
            accession: accession.map(str::to_owned),
            patient: patient.map(str::to_owned),
            exam_date: date.map(str::to_owned),
            ..report(id, "L4-L5: mild canal stenosis.")
        };
    test.import(&[
        of("by-accession", Some("A1"), None, None),
        of("by-date", None, Some("P2"), Some("2024-03-05")),
        of("twice", None, Some("P3"), Some("2024-03-05")),
        of("far", None, Some("P2"), Some("2023-01-01")),
        of("alone", None, None, None),
    ]);
    let image = |uid, patient, date| Image { patient, date, ..Image::named(uid) };
    test.segment(Image { accession: Some("A1"), ..Image::named("1.1") });
    test.segment(image("1.2", Some("P2"), Some("2024-03-06")));
    test.segment(image("1.3", Some("P3"), Some("2024-03-05")));
    test.segment(image("1.4", Some("P3"), Some("2024-03-05")));
    test.segment(Image::named("scan.nii"));
    let rows = test.rows(&[]);
    assert_eq!(rows.len(), 10);
    let linked = [
        "1.1,,by-accession,accession,machine,5,",
        "1.2,,by-date,patient_and_date (1 days apart),machine,5,",
    ];
    assert_eq!(test.table("links.csv"), linked);
    let unlinked = test.table("unlinked.csv");
    assert_eq!(unlinked.len(), 6, "{unlinked:?}");
    assert_eq!(unlinked[0], "report,,twice,2 studies fit by patient and date,1.3;1.4");
    assert!(unlinked[1].starts_with("report,,far,\"no study has"), "{unlinked:?}");
    assert_eq!(unlinked[5], "study,,scan.nii,no report goes with it,");

    fs::write(test.path("map.csv"), "study,report\nscan.nii,alone\n1.3,twice\n1.9,far\n").unwrap();
    let map = test.path("map.csv");
    let output = test.link(&["--map", map.to_str().unwrap(), "--window", "0"]);
    assert_eq!(output.status.code(), Some(2), "a row of the map was skipped: {}", said(&output));
    assert!(said(&output).contains("map.csv`, line 4: no study `1.9`"), "{}", said(&output));
    assert!(said(&output).contains("1 by accession, 2 by map"), "{}", said(&output));
    let linked = test.table("links.csv");
    assert_eq!(linked[1..], ["1.3,,twice,map,machine,5,", "scan.nii,,alone,map,machine,5,"]);

    // What is kept stands without the map, for pages and queues too.
    let images = |test: &Test| {
        let store = test.archive.store();
        store.images(store.report_named(None, "alone").unwrap().unwrap()).unwrap()
    };
    assert!(images(&test).is_none());
    test.link(&["--map", map.to_str().unwrap(), "--keep"]);
    assert_eq!(images(&test).unwrap().discs.len(), 5);
    let output = test.link(&["--window", "0"]);
    assert!(said(&output).contains("1 by accession, 2 by map"), "{}", said(&output));

    // It can be taken back, and the report goes by its keys again.
    fs::write(&map, "study,report\n-,alone\n").unwrap();
    let output = test.link(&["--map", map.to_str().unwrap(), "--window", "0", "--keep"]);
    assert!(said(&output).contains("kept: 0 reports with their studies, 1 taken back"));
    assert!(images(&test).is_none());
    let output = test.link(&["--window", "0"]);
    assert!(said(&output).contains("1 by accession, 1 by map"), "{}", said(&output));
}

#[test]
fn a_study_whose_text_has_other_levels_is_held_back_until_its_names_are_corrected() {
    let mut test = Test::new();
    let text = "Six lumbar vertebrae. L5-L6: severe canal stenosis. L6-S1: normal.";
    test.import(&[Report { study_uid: Some("1.2.3".into()), ..report("a", text) }]);
    test.segment(Image::named("1.2.3"));
    assert!(test.rows(&[]).is_empty());
    let links = test.table("links.csv");
    assert!(links[0].contains("the text speaks of L5-L6, L6-S1, and the image has"), "{links:?}");

    // What someone has seen at a disc holds whatever the disc is called.
    test.look("dan", "1.2.3", 1, Grade::Moderate);
    let rows = test.rows(&[]);
    assert_eq!(labels(&rows), ["L4-L5/central=moderate seen"]);
    assert!(rows.iter().flat_map(|row| &row.targets).all(|target| target.opinions.is_empty()));
    assert!(test.table("links.csv")[0].contains(",5,\"the text speaks of"));

    let six = [Level::L6S1, Level::L5L6, Level::L4L5, Level::L3L4, Level::L2L3].map(Some);
    let store = test.archive.store_mut();
    let change = |writer: &deepspine::store::Writer<'_>| {
        writer.correct_naming("1.2.3", &six, &person("anna"))
    };
    assert!(store.write(change).unwrap());
    let rows = test.rows(&[]);
    let names: BTreeMap<u8, Level> = rows.iter().map(|row| (row.ordinal, row.level)).collect();
    assert_eq!(names[&2], Level::L5L6);
    assert_eq!(rows[1].name_probability, Some(1.0));
    let labels = labels(&rows);
    for label in ["L6-S1/central=normal rules", "L5-L6/central=moderate seen"] {
        assert!(labels.contains(&label.to_owned()), "{labels:?}");
    }
}

#[test]
fn reports_that_differ_leave_no_label_unless_one_is_settled_further() {
    let mut test = Test::new();
    let of = |id: &str, text: &str| Report { study_uid: Some("1.2.3".into()), ..report(id, text) };
    test.import(&[
        of("a", "L4-L5: moderate canal stenosis. L3-L4: mild canal stenosis."),
        of("b", "L4-L5: severe canal stenosis. L3-L4: mild canal stenosis."),
    ]);
    test.segment(Image::named("1.2.3"));
    assert_eq!(labels(&test.rows(&[])), ["L3-L4/central=mild rules"]);
    test.read_by("anna", "b", Mode::Blind, CENTRAL, Grade::Severe);
    let settled = ["L3-L4/central=mild rules", "L4-L5/central=severe agreed"];
    assert_eq!(labels(&test.rows(&[])), settled);
}

#[test]
fn patients_stay_in_their_parts_when_others_come() {
    let mut test = Test::new();
    let parts = |rows: &[SegmentRow]| -> BTreeMap<String, Part> {
        rows.iter().map(|row| (row.patient.clone(), row.split)).collect()
    };
    let mut before = BTreeMap::new();
    for more in [0..12, 12..30] {
        for number in more {
            let uid = format!("1.2.{number}");
            test.import(&[Report {
                study_uid: Some(uid.clone()),
                patient: Some(format!("P{}", number / 2)),
                ..report(&uid, "L4-L5: normal.")
            }]);
            test.segment(Image { levels: &FIVE[..2], ..Image::named(&uid) });
        }
        let now = parts(&test.rows(&["--split", "50/25/25", "--seed", "3"]));
        assert!(before.iter().all(|(patient, part)| now[patient] == *part));
        before = now;
    }
    assert_eq!(before.len(), 15);
    let count = |part: Part| before.values().filter(|of| **of == part).count();
    assert!(Part::ALL.into_iter().all(|part| count(part) > 0), "{before:?}");
    assert_ne!(before, parts(&test.rows(&["--split", "50/25/25", "--seed", "4"])));
}

#[test]
fn a_study_without_segments_is_told_of() {
    let mut test = Test::new();
    test.import(&[Report { study_uid: Some("1.2.3".into()), ..report("a", "L4-L5: normal.") }]);
    test.keep(Image::named("1.2.3"));
    let output = test.link(&[]);
    assert!(output.status.success());
    assert!(said(&output).contains("1 without segments"), "{}", said(&output));
    assert!(test.table("links.csv")[0].contains("segment --store --again"));
}

#[test]
fn the_output_is_a_manifest_or_it_is_left_alone() {
    let mut test = Test::new();
    let none = test.link(&[]);
    assert_eq!(none.status.code(), Some(1));
    assert!(said(&none).contains("segment --store"), "{}", said(&none));
    test.segment(Image::named("1.2.3"));
    fs::create_dir(test.path("out")).unwrap();
    for beside in ["nothing", "an earlier manifest"] {
        fs::write(test.path("out/thesis.txt"), "mine").unwrap();
        let output = test.link(&[]);
        assert_eq!(output.status.code(), Some(1), "{beside}");
        assert!(said(&output).contains("such as `thesis.txt`"), "{beside}: {}", said(&output));
        assert_eq!(fs::read(test.path("out/thesis.txt")).unwrap(), b"mine", "{beside}");
        fs::remove_file(test.path("out/thesis.txt")).unwrap();
        assert!(test.rows(&[]).is_empty(), "it takes the place of {beside}");
    }
    let left: Vec<_> = fs::read_dir(test.folder.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn what_is_wrong_in_a_manifest_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.csv");
    let read = |text: &str| {
        fs::write(&path, text).unwrap();
        segments::read(folder.path())
    };
    let header =
        "patient,study,level,ordinal,name_probability,split,segment,central,central_status";
    let rows = read(&format!("{header}\nP,S,L4-L5,2,,test,a.npz,mild,truth\n")).unwrap();
    assert_eq!(labels(&rows), ["L4-L5/central=mild truth"]);
    assert_eq!(rows[0].name_probability, None);
    let error = |row: &str| read(&format!("{header}\n{row}\n")).unwrap_err().to_string();
    assert!(error("P,S,L9,2,,test,a.npz,,").contains("row 1, column `level`"));
    assert!(error("P,S,L4-L5,0,,test,a.npz,,").contains("ordinal"));
    assert!(error("P,S,L4-L5,2,1.5,test,a.npz,,").contains("name_probability"));
    assert!(error("P,S,L4-L5,2,,training,a.npz,,").contains("train validate test"));
    assert!(error("P,S,L4-L5,2,,test,a.npz,awful,").contains("`awful`"));
    let missing = read("patient,study\n").unwrap_err().to_string();
    assert!(missing.contains("no column `level`, `ordinal`, "), "{missing}");
    assert!(segments::read(Path::new("nowhere")).is_err());
}
