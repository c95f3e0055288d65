//! Images beside the report that speaks of them: pictures, what people see, and names.

use std::collections::BTreeMap;

use deepspine::imaging::crop::SHAPES;
use deepspine::imaging::overview::Overview;
use deepspine::imaging::spine::{Column, parts};
use deepspine::imaging::{Crop, Geometry, Grid, Kind, Segment};
use deepspine::label::{
    Cell, Certainty, Doubt, Evidence, Grade, Level, Opinion, OutcomeSet, Reader, ReaderKind,
    Target, Verdict,
};
use deepspine::simulate::Phantom;
use deepspine::store::{Body, Kept, NewDisc, NewRun, Role, StudyKeys};
use half::f16;
use serde_json::{Value, json};
use ureq::http::StatusCode;

use super::{Client, TestServer};
use crate::archive::report;

pub(crate) const STUDY: &str = "1.2.3";

/// An opinion of the measurement.
fn measured(level: Level, grade: Grade) -> Opinion {
    Opinion {
        cell: Cell { level, target: Target::Central },
        verdict: Verdict::Graded(grade),
        certainty: Certainty::Stated,
        conflict: false,
        distribution: None,
        doubt: None,
        evidence: Evidence::Spans(Vec::new()),
    }
}

fn measurement(version: &str) -> Reader {
    Reader {
        kind: ReaderKind::Measurement,
        name: "measurement".into(),
        version: version.into(),
        content_hash: "hash".into(),
    }
}

/// The discs of the phantom, of which that of L4-L5 is narrow.
fn discs() -> Vec<NewDisc> {
    let levels = [Level::L5S1, Level::L4L5, Level::L3L4, Level::L2L3];
    let grades = [Grade::Normal, Grade::Severe, Grade::Normal, Grade::Normal];
    let disc = |(level, grade): (Level, Grade)| NewDisc {
        level: Some(level),
        probability: Some(0.9),
        centre: [0.0, 0.0, 35.0 * f64::from(level as u8)],
        body: Body { opinions: vec![measured(level, grade)], ..Body::default() },
    };
    levels.into_iter().zip(grades).map(disc).collect()
}

/// A run of the study.
fn run<'a>(reader: &'a Reader, discs: &'a [NewDisc]) -> NewRun<'a> {
    let keys = StudyKeys { uid: Some(STUDY), accession: None };
    NewRun { source: "", keys, patient: None, date: None, reader, discs }
}

/// A server with a report of L4-L5 and the segmented phantom that it is of.
pub(crate) fn server() -> TestServer {
    let mut server = TestServer::start(&[]);
    let mut about = report("A", "L4-L5: mild canal stenosis.");
    about.study_uid = Some(STUDY.into());
    server.archive.import(&[about]);
    let steps = [[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [4.0, 0.0, 0.0]];
    let geometry = Geometry::new([160, 260, 9], [-16.0, -80.0, 130.0], steps).unwrap();
    let phantom = Phantom::default();
    let placed = phantom.placed(&geometry);
    let (mask, image) = (placed.mask(geometry), placed.image(geometry, 1));
    let volume = Grid { geometry, values: image.values.iter().map(|&v| f32::from(v)).collect() };
    let column = Column::find(&mask).unwrap();
    let overview = Overview::of(&volume, &parts(&mask, &column), &column);
    let (reader, discs, segment) = (measurement("1"), discs(), segment());
    let store = server.archive.archive.store_mut();
    let written = store.write_segments(STUDY, &vec![&segment; discs.len()]).unwrap();
    written.add(&overview).unwrap();
    let kept = store.write(|writer| {
        writer.add_run(&run(&reader, &discs))?;
        writer.keep_segments(STUDY, 1, &written)
    });
    kept.unwrap();
    server
}

/// An axial crop alone, whose slices grow brighter from the head to the feet.
fn segment() -> Segment {
    let shape = SHAPES.iter().find(|shape| shape.kind == Kind::AxialT2).unwrap();
    let steps = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]];
    let geometry = Geometry::new(shape.size, [0.0; 3], steps).unwrap();
    let area = shape.size[0] * shape.size[1];
    let bright = |at: usize| f16::from_f32(0.1 * (at / area) as f32);
    let values = (0..area * shape.size[2]).map(bright).collect();
    Segment { crops: BTreeMap::from([(Kind::AxialT2, Crop { geometry, values })]) }
}

/// What the script of a review works with, where it has images.
fn work(client: &Client, slot: u64) -> Value {
    let page = client.get(&format!("/slots/{slot}")).done().text;
    let mark = "id=\"images-work\">";
    let start = page.find(mark).expect("the page has images") + mark.len();
    serde_json::from_str(page[start..].split("</script>").next().unwrap()).unwrap()
}

fn png(client: &Client, path: &str) -> image::GrayImage {
    let bytes = client.agent.get(format!("{}{path}", client.base)).call().unwrap();
    let bytes = bytes.into_body().read_to_vec().unwrap();
    image::load_from_memory(&bytes).unwrap().into_luma8()
}

#[test]
fn a_review_shows_the_images_of_its_study() {
    let mut server = server();
    let [anna, _, _, lea, _] = server.everyone();
    let slot = anna.claim(lea.make_batch("one", "assisted", "1")).unwrap();
    let work = work(&anna, slot);
    let discs = work["discs"].as_array().unwrap();
    assert_eq!(discs.len(), 4);
    assert_eq!(discs[1]["level"], "L4-L5");
    assert_eq!(discs[1]["series"][0]["kind"], "axial_t2");
    assert_eq!(discs[1]["says"]["central"][0]["verdict"], "severe");
    // The lowest disc is lowest on the picture too.
    assert!(discs[0]["line"][1].as_f64() > discs[1]["line"][1].as_f64());
    let median = png(&anna, "/studies/1/1/median.png");
    assert_eq!(work["width"], median.width());
    assert_eq!(work["height"], median.height());
    let strip = png(&anna, "/studies/1/1/1/axial_t2.png");
    assert_eq!(strip.dimensions(), (360, 360 * 8));
    let bright = |slice: u32| strip.get_pixel(180, 360 * slice + 180).0[0];
    assert!((1..8).all(|slice| bright(slice) > bright(slice - 1)));
    for absent in ["/studies/1/1/1/sagittal_t1.png", "/studies/1/2/median.png"] {
        assert_eq!(anna.get(absent).status, StatusCode::NOT_FOUND, "{absent}");
    }
}

#[test]
fn what_people_see_stands_before_what_was_measured_and_apart_from_the_report() {
    let mut server = server();
    let [anna, ben, cora, lea, _] = server.everyone();
    let look = |(client, slot): (&Client, u64), verdict: &str, settles: bool| {
        let asked = json!({ "run": 1, "ordinal": 1, "targets": ["central"], "verdict": verdict,
                            "settles": settles });
        client.post(&format!("/api/v1/slots/{slot}/look"), &asked)
    };
    let batch = lea.make_batch("all", "assisted", "3");
    let [anna_at, ben_at, cora_at] =
        [&anna, &ben, &cora].map(|person| (person, person.claim(batch).unwrap()));
    let central =
        |server: &TestServer| server.store().discs(STUDY).unwrap()[1].central.map(Verdict::name);
    assert_eq!(central(&server), Some("severe"));
    look(anna_at, "moderate", false).done();
    assert_eq!(central(&server), Some("moderate"));
    look(ben_at, "mild", false).done();
    assert_eq!(central(&server), None, "they differ");
    assert_eq!(look(ben_at, "mild", true).status, StatusCode::FORBIDDEN);
    let says = look(cora_at, "mild", true).done().json()["says"]["central"].clone();
    assert_eq!(says.as_array().unwrap().len(), 4);
    assert_eq!(central(&server), Some("mild"));
    // What is taken back is gone from the label, and stays in the history.
    look(cora_at, "not_mentioned", true).done();
    look(ben_at, "not_mentioned", false).done();
    assert_eq!(central(&server), Some("moderate"));
    assert_eq!(server.archive.label("A"), ["L4-L5/central mild rules"]);
    let slot = anna.claim(lea.make_batch("blind", "blind", "1")).unwrap();
    let says = &work(&anna, slot)["discs"][1]["says"]["central"];
    assert_eq!(says.as_array().unwrap().len(), 1, "only what anna saw herself: {says}");
    assert_eq!(says[0]["verdict"], "moderate");
    // Who is to see for themselves learns nothing of others by saying it.
    let says = look((&anna, slot), "severe", false).done().json()["says"]["central"].clone();
    assert_eq!(says.as_array().unwrap().len(), 1, "{says}");
    assert_eq!(look((&ben, slot), "severe", false).status, StatusCode::NOT_FOUND, "not his");
    let slot = cora.claim(lea.make_batch("blind too", "blind", "1")).unwrap();
    let says = look((&cora, slot), "severe", false).done().json()["says"]["central"].clone();
    assert_eq!(says.as_array().unwrap().len(), 1, "whatever her role: {says}");
    assert_eq!(look((&cora, slot), "severe", true).status, StatusCode::FORBIDDEN);
}

/// A batch of the study's report and another of it, one of which comes again at the end.
fn batch_with_a_repeat(server: &mut TestServer, lead: &Client) -> u64 {
    let mut other = report("B", "L4-L5: severe canal stenosis.");
    other.study_uid = Some(STUDY.into());
    server.archive.import(&[other]);
    let wanted = json!({
        "name": "twice", "mode": "blind", "annotators": 1, "origin": { "query": "" },
        "order": "oldest", "repeats": 50, "seed": 1,
    });
    lead.post("/api/v1/batches", &wanted).done().json()["batch"].as_u64().unwrap()
}

#[test]
fn who_looks_again_unknowingly_sees_nothing_of_before_and_changes_nothing() {
    let mut server = server();
    let [anna, _, _, lea, _] = server.everyone();
    let batch = batch_with_a_repeat(&mut server, &lea);
    let look_at = |slot: u64, ordinal: u8, verdict: &str| {
        let asked =
            json!({ "run": 1, "ordinal": ordinal, "targets": ["central"], "verdict": verdict });
        anna.post(&format!("/api/v1/slots/{slot}/look"), &asked).done().json()["says"].clone()
    };
    let look = |slot: u64, verdict: &str| look_at(slot, 1, verdict);
    let shown = |slot: u64| work(&anna, slot)["discs"][1]["says"].clone();
    let said =
        |verdict| json!({ "central": [{ "kind": "person", "name": "anna", "verdict": verdict }] });
    let first = anna.claim(batch).unwrap();
    assert_eq!(look(first, "moderate"), said("moderate"));
    // Before and after are told apart by the second, and who finishes a report has claimed the next.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    anna.finish(first).done();
    anna.finish(anna.claim(batch).unwrap()).done();
    let again = anna.claim(batch).expect("one of the two reports comes again");
    assert_eq!(shown(again), json!({}));
    assert_eq!(look(again, "severe"), said("severe"));
    assert_eq!(shown(again), said("severe"), "it is there when the page is loaded again");
    assert_eq!(shown(first), said("moderate"));
    // What they had said nothing of counts, whenever they say it.
    assert_eq!(look_at(again, 2, "mild"), said("mild"));
    let central = [1, 2].map(|disc| server.store().discs(STUDY).unwrap()[disc].central);
    assert_eq!(central, [Grade::Moderate, Grade::Mild].map(|grade| Some(Verdict::Graded(grade))));
}

#[test]
fn who_looks_again_is_told_nothing_by_a_study_that_is_segmented_anew_meanwhile() {
    let mut server = server();
    let [anna, _, _, lea, _] = server.everyone();
    let batch = batch_with_a_repeat(&mut server, &lea);
    let look = |slot: u64, run: u32, verdict: &str| {
        let asked = json!({ "run": run, "ordinal": 1, "targets": ["central"], "verdict": verdict });
        anna.post(&format!("/api/v1/slots/{slot}/look"), &asked).done();
    };
    let shown = |slot: u64| {
        let slot = anna.get(&format!("/api/v1/slots/{slot}")).done().json();
        (slot["images"]["run"].clone(), slot["images"]["discs"][1]["says"].clone())
    };
    let first = anna.claim(batch).unwrap();
    look(first, 1, "moderate");
    // Before and after are told apart by the second, and who finishes a report has claimed the next.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    anna.finish(first).done();
    anna.finish(anna.claim(batch).unwrap()).done();
    let again = anna.claim(batch).expect("one of the two reports comes again");
    let (reader, discs) = (measurement("2"), discs());
    let store = server.archive.archive.store_mut();
    let kept = store.write(|writer| writer.add_run(&run(&reader, &discs))).unwrap();
    assert_eq!(kept, Kept::New(2));
    assert_eq!(shown(again), (json!(2), json!({})), "what she saw first is told");
    look(again, 2, "severe");
    let said = json!({ "central": [{ "kind": "person", "name": "anna", "verdict": "severe" }] });
    assert_eq!(shown(again), (json!(2), said));
    let central = server.store().discs(STUDY).unwrap()[1].central;
    assert_eq!(central, Some(Verdict::Graded(Grade::Moderate)), "what she saw first stands");
}

#[test]
fn a_corrected_name_moves_all_levels_and_what_is_said_of_them() {
    let mut server = server();
    let anna = server.everyone().into_iter().next().unwrap();
    let names = |lowest: &str, lumbar: u8, run: u32| {
        let asked = json!({ "run": run, "lowest": lowest, "lumbar": lumbar });
        anna.post("/api/v1/studies/1/names", &asked)
    };
    assert_eq!(names("L4-L5", 5, 2).status, StatusCode::CONFLICT, "there is no such run");
    assert_eq!(names("T9-T10", 5, 1).status, StatusCode::BAD_REQUEST);
    names("L6-S1", 6, 1).done();
    let discs = server.store().discs(STUDY).unwrap();
    let shown = discs.iter().map(|disc| disc.level.unwrap().name()).collect::<Vec<_>>();
    assert_eq!(shown, ["L6-S1", "L5-L6", "L4-L5", "L3-L4"]);
    let severe: Vec<_> =
        discs.iter().filter(|d| d.central == Some(Verdict::Graded(Grade::Severe))).collect();
    assert_eq!((severe.len(), severe[0].ordinal), (1, 1), "the disc is narrow by any name");
}

/// The ids of the reports of a new batch, in the order of work.
fn queue(lead: &Client, order: &str) -> Vec<String> {
    let name = format!("{order} {}", lead.get("/api/v1/batches").done().json()["batches"]);
    let wanted = json!({
        "name": name, "mode": "assisted", "annotators": 1, "origin": { "query": "" },
        "order": order, "seed": 3,
    });
    let made = lead.post("/api/v1/batches", &wanted).done().json();
    let batch = lead.get(&format!("/api/v1/batches/{}", made["batch"])).done().json();
    let items = batch["items"].as_array().unwrap();
    items.iter().map(|item| item["report_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn reports_that_differ_from_their_images_come_first_until_someone_has_looked() {
    let mut server = server();
    let others = ["B", "C", "D"].map(|id| report(id, "L4-L5: severe canal stenosis."));
    server.archive.import(&others);
    let lead = server.new_person("lea", Role::Lead);
    let at_random = queue(&lead, "random");
    assert_eq!(at_random.len(), 4);
    assert_ne!(at_random[0], "A", "chance has to put another report first");
    assert_eq!(queue(&lead, "widest"), at_random, "nothing was graded");
    // The report says mild, and the measurement severe.
    assert_eq!(queue(&lead, "discrepant")[0], "A");

    // The grader agrees with the report, though not for certain, and stands before the measurement.
    let mut opinion = measured(Level::L4L5, Grade::Mild);
    let may_be = OutcomeSet { grades: Some((Grade::Mild, Grade::Severe)), ..OutcomeSet::default() };
    opinion.doubt = Some(Doubt { may_be, readers_differ: false, is_cut: false });
    let mut bodies = vec![Body::default(); 4];
    bodies[1].opinions.push(opinion);
    let grader = Reader {
        kind: ReaderKind::Grader,
        name: "grader".into(),
        version: "1".into(),
        content_hash: "hash".into(),
    };
    let store = server.archive.archive.store_mut();
    assert!(store.write(|writer| writer.read_discs(STUDY, 1, &grader, &bodies)).unwrap());
    assert_eq!(queue(&lead, "discrepant"), at_random, "it finds nothing wrong with the report");
    assert_eq!(queue(&lead, "widest")[0], "A");
}

#[test]
fn what_someone_has_seen_is_no_discrepancy_any_more() {
    let mut server = server();
    server.archive.import(&["B", "C", "D"].map(|id| report(id, "L4-L5: normal.")));
    let lead = server.new_person("lea", Role::Lead);
    assert_eq!(queue(&lead, "discrepant")[0], "A");
    let batch = lead.make_batch("look", "assisted", "1");
    let slot = loop {
        let claimed = lead.claim(batch).expect("one of them has images");
        let slot = lead.get(&format!("/api/v1/slots/{claimed}")).done().json();
        if !slot["images"].is_null() {
            break slot;
        }
        lead.finish(claimed).done();
    };
    let (images, disc) = (&slot["images"], &slot["images"]["discs"][1]);
    assert_eq!(
        (&disc["level"], &disc["says"]["central"][0]["verdict"]),
        (&json!("L4-L5"), &json!("severe"))
    );
    let look = json!({
        "run": images["run"], "ordinal": disc["ordinal"], "targets": ["central"], "verdict": "severe",
    });
    lead.post(&format!("/api/v1/slots/{}/look", slot["slot"]), &look).done();
    assert_eq!(queue(&lead, "discrepant"), queue(&lead, "random"));
}
