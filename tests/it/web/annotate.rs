//! The work: claiming, saving, finishing, settling, and what becomes of it.

use serde_json::json;
use ureq::http::StatusCode;

use deepspine::label::Grade;

use super::{TestServer, central};
use crate::archive::report;

const TEXTS: [(&str, &str); 3] = [
    ("A", "L4-L5: mild canal stenosis."),
    ("B", "L4-L5: severe canal stenosis."),
    ("C", "L4-L5: the spinal canal is patent."),
];

#[test]
fn two_annotators_differ_and_an_adjudicator_settles() {
    let mut server = TestServer::start(&TEXTS[..1]);
    let [anna, ben, cora, lea, _] = server.everyone();
    let batch = lea.make_batch("one", "blind", "2");
    for (client, grade) in [(&anna, "mild"), (&ben, "severe")] {
        let slot = client.claim(batch).unwrap();
        client.grade(slot, grade).done();
        assert!(client.finish(slot).done().json()["next"].is_null());
        assert_eq!(client.claim(batch), None);
    }
    assert_eq!(server.archive.status("A"), "to_adjudicate");
    let page = cora.post_form("/adjudicate", &[]).done().location.unwrap();
    let slot: u64 = page.rsplit('/').next().unwrap().parse().unwrap();
    let text = cora.get(&page).done().text;
    for said in ["anna", "ben", "rules", "They differ on 1 cell"] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    // Undecided, then overruled without a reason, then with one.
    assert!(cora.finish(slot).text.contains("decide L4-L5/central"));
    cora.grade(slot, "moderate").done();
    assert!(cora.finish(slot).text.contains("say why L4-L5/central"));
    let mut reasoned = central("moderate");
    reasoned["cells"][0]["after"]["comment"] = json!("between the two");
    let edits = json!({ "first": 2, "edits": [reasoned] });
    cora.post(&format!("/api/v1/slots/{slot}/edits"), &edits).done();
    cora.finish(slot).done();
    assert_eq!(server.archive.status("A"), "adjudicated");
    assert_eq!(server.archive.label("A"), ["L4-L5/central moderate cora"]);
    let agreement = lea.get(&format!("/api/v1/batches/{batch}/agreement")).done().json();
    let pair = &agreement["pairs"][0];
    assert_eq!((&pair["first"], &pair["second"]), (&json!("anna"), &json!("ben")));
    assert_eq!((&pair["cells"], &pair["same"]), (&json!(1), &json!(0)));
    let page = lea.get(&format!("/batches/{batch}/agreement")).done().text;
    assert!(page.contains("On what they differ") && page.contains("/reports/1\">A</a>"));
    let labels = lea.get(&format!("/api/v1/batches/{batch}/labels.jsonl")).done().text;
    assert!(labels.contains("moderate") && labels.contains("cora"), "{labels}");
    let readings = lea.get(&format!("/api/v1/batches/{batch}/labels.readings")).done().text;
    assert_eq!(readings.lines().count(), 4, "rules, two annotators, an adjudicator: {readings}");
    assert!(readings.contains("between the two"));
    let table = lea.get(&format!("/api/v1/batches/{batch}/labels.rsna2024")).done().text;
    assert_eq!(table.lines().count(), 2);
}

#[test]
fn what_is_sent_twice_counts_once_and_a_gap_is_refused() {
    let mut server = TestServer::start(&TEXTS[..1]);
    let [anna, _, _, lea, _] = server.everyone();
    let slot = anna.claim(lea.make_batch("one", "assisted", "1")).unwrap();
    let path = format!("/api/v1/slots/{slot}/edits");
    let both = json!({ "first": 1, "edits": [central("mild"), central("severe")] });
    for _ in 0..3 {
        assert_eq!(anna.post(&path, &both).done().json()["kept"], 2);
    }
    let more = json!({ "first": 2, "edits": [central("severe"), central("normal")] });
    assert_eq!(anna.post(&path, &more).done().json()["kept"], 3);
    let gap = json!({ "first": 9, "edits": [central("mild")] });
    assert_eq!(anna.post(&path, &gap).status, StatusCode::CONFLICT);
    let other = json!({ "first": 1, "edits": [central("present")] });
    assert_eq!(anna.post(&path, &other).status, StatusCode::CONFLICT);
    assert_eq!(server.store().edits(slot).unwrap().len(), 3);
    anna.finish(slot).done();
    assert_eq!(server.archive.label("A"), ["L4-L5/central normal anna"]);
}

#[test]
fn nobody_gets_a_claimed_report_until_it_is_let_go() {
    let mut server = TestServer::start(&TEXTS[..2]);
    let [anna, ben, _, lea, _] = server.everyone();
    let batch = lea.make_batch("one", "assisted", "1");
    let (first, second) = (anna.claim(batch).unwrap(), ben.claim(batch).unwrap());
    assert_ne!(first, second);
    assert_eq!(anna.claim(batch), Some(first), "what was begun comes first");
    anna.grade(first, "severe").done();
    ben.finish(second).done();
    assert_eq!(ben.claim(batch), None);
    anna.post(&format!("/api/v1/slots/{first}/release"), &json!({})).done();
    let taken = ben.claim(batch).unwrap();
    let hold = anna.post(&format!("/api/v1/slots/{first}/hold"), &json!({}));
    assert_eq!(hold.status, StatusCode::CONFLICT, "ben is at it now");
    ben.finish(taken).done();
    // What anna had saved stays, but the report is done.
    assert_eq!(server.store().edits(first).unwrap().len(), 1);
    assert_eq!(anna.finish(first).status, StatusCode::CONFLICT);
    assert_eq!(server.archive.status("A"), "agreed");
}

#[test]
fn blind_hides_the_opinions_of_machines_everywhere() {
    let mut server = TestServer::start(&TEXTS[1..2]);
    let [anna, ben, _, lea, _] = server.everyone();
    let batch = lea.make_batch("one", "blind", "2");
    let slot = anna.claim(batch).unwrap();
    let search = json!({ "query": "stenosis" });
    let pages = || {
        [
            anna.get(&format!("/slots/{slot}")).done().text,
            anna.get(&format!("/api/v1/slots/{slot}")).done().text,
            anna.get("/reports/1").done().text,
            anna.post("/api/v1/search", &search).done().text,
        ]
    };
    let told = ["g-severe\">severe", "\"verdict\":\"severe\"", "L4-L5/central\":\"severe", "from-"];
    for page in pages() {
        for sign in told {
            assert!(!page.contains(sign), "{sign} is in {page}");
        }
        assert!(!page.contains("data-k"), "evidence is marked in {page}");
    }
    anna.grade(slot, "severe").done();
    anna.finish(slot).done();
    assert!(anna.get("/reports/1").done().text.contains("severe"));
    // Nor does one annotator see another's.
    let other = ben.claim(batch).unwrap();
    assert!(!ben.get(&format!("/slots/{other}")).done().text.contains("anna"));
    assert!(!ben.get("/reports/1").done().text.contains("anna"));
}

#[test]
fn assisted_shows_the_rules_and_done_accepts_them() {
    let mut server = TestServer::start(&TEXTS[1..2]);
    let [anna, _, _, lea, _] = server.everyone();
    let slot = anna.claim(lea.make_batch("one", "assisted", "1")).unwrap();
    let shown = anna.get(&format!("/api/v1/slots/{slot}")).done().json();
    assert_eq!(shown["shown"][0]["verdict"], "severe");
    anna.finish(slot).done();
    assert_eq!(server.archive.label("B"), ["L4-L5/central severe anna"]);
}

#[test]
fn assisted_shows_what_each_machine_says_and_doubt_comes_first() {
    let mut server = TestServer::start(&TEXTS);
    let report = server.archive.number("B");
    server.archive.read_by_machines(report, Grade::Moderate);
    let label = server.archive.label("B");
    assert_eq!(label, ["L4-L5/central moderate fused"], "the newest machine labels");
    let [anna, _, _, lea, _] = server.everyone();
    let page = lea.make_ordered_batch("doubt", "assisted", "1", "uncertain");
    let slot = anna.claim(page).unwrap();
    let text = anna.get(&format!("/slots/{slot}")).done().text;
    assert!(text.contains("<h1>B</h1>"), "the report that is in doubt is not the first: {text}");
    for said in [
        r#""origin":"fused","conflict":false,"uncertain":true"#,
        r#"{"reader":"rules","verdict":"severe","certainty":"stated"}"#,
        r#"{"reader":"transformer","verdict":"moderate","certainty":"stated","probability":0.71}"#,
        r#""may_be":"not_mentioned, moderate""#,
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    anna.finish(slot).done();
    let readings = server.store().readings(report).unwrap();
    let hers = &readings.last().unwrap().body.opinions[0];
    assert_eq!((hers.distribution, hers.doubt), (None, None), "how sure it was is not hers");

    let blind = lea.make_ordered_batch("blind", "blind", "1", "uncertain");
    let slot = anna.claim(blind).unwrap();
    let text = anna.get(&format!("/slots/{slot}")).done().text;
    assert!(text.contains(r#""machines":{}"#) && !text.contains("transformer"), "{text}");
}

#[test]
fn a_report_sent_back_is_read_anew() {
    let mut server = TestServer::start(&TEXTS[..1]);
    let [anna, ben, cora, lea, _] = server.everyone();
    let batch = lea.make_batch("one", "blind", "2");
    let read = |grades: [&str; 2]| {
        for (client, grade) in [&anna, &ben].into_iter().zip(grades) {
            let slot = client.claim(batch).unwrap();
            client.grade(slot, grade).done();
            client.finish(slot).done();
        }
    };
    read(["mild", "severe"]);
    let page = cora.post_form("/adjudicate", &[]).done().location.unwrap();
    let slot = page.rsplit('/').next().unwrap();
    let path = format!("/api/v1/slots/{slot}/send-back");
    assert_eq!(cora.post(&path, &json!({})).status, StatusCode::BAD_REQUEST);
    cora.post(&path, &json!({ "reason": "mind rule 11" })).done();
    let again = anna.claim(batch).unwrap();
    assert!(anna.get(&format!("/slots/{again}")).done().text.contains("mind rule 11"));
    read(["moderate", "moderate"]);
    assert_eq!(server.archive.status("A"), "agreed");
    assert_eq!(server.archive.label("A")[0].split(' ').nth(1), Some("moderate"));
}

#[test]
fn a_hidden_repeat_measures_and_changes_nothing() {
    let mut server = TestServer::start(&TEXTS);
    let [anna, _, _, lea, _] = server.everyone();
    let form = [
        ("name", "twice"),
        ("from", "query"),
        ("query", ""),
        ("mode", "blind"),
        ("annotators", "1"),
        ("order", "oldest"),
        ("limit", ""),
        ("repeats", "50"),
        ("seed", "1"),
    ];
    lea.post_form("/batches", &form).done();
    let mut count = 0;
    while let Some(slot) = anna.claim(1) {
        count += 1;
        // The repeat, which comes last, is read otherwise.
        anna.grade(slot, if count == 4 { "severe" } else { "mild" }).done();
        anna.finish(slot).done();
        let left = format!("{count} done, {} left", [3, 2, 1, 0][count - 1]);
        let page = anna.get("/").done().text;
        assert!(page.contains(&left) || count < 3, "{left} is not in {page}");
    }
    assert_eq!(count, 4, "three reports and a repeat");
    let agreement = lea.get("/api/v1/batches/1/agreement").done().json();
    let own = &agreement["repeats"][0];
    assert_eq!(
        (&own["first"], &own["cells"], &own["same"]),
        (&json!("anna"), &json!(1), &json!(0))
    );
    for (id, number) in [("A", 1), ("B", 2), ("C", 3)] {
        assert_eq!(server.archive.label(id), ["L4-L5/central mild anna"]);
        let page = anna.get(&format!("/reports/{number}")).done().text;
        assert!(!page.contains("repeat"), "a repeat is told in {page}");
    }
}

#[test]
fn an_earlier_reading_of_ones_own_can_stand_again() {
    let mut server = TestServer::start(&TEXTS[..1]);
    let [anna, ben, _, lea, _] = server.everyone();
    let slot = anna.claim(lea.make_batch("one", "blind", "1")).unwrap();
    anna.grade(slot, "mild").done();
    anna.finish(slot).done();
    let edits = json!({ "first": 2, "edits": [central("severe")] });
    anna.post(&format!("/api/v1/slots/{slot}/edits"), &edits).done();
    anna.finish(slot).done();
    assert_eq!(server.archive.label("A"), ["L4-L5/central severe anna"]);
    let first = server.store().readings(1).unwrap()[1].id.to_string();
    let foreign = ben.post_form("/reports/1/restore", &[("reading", &first)]);
    assert_eq!(foreign.status, StatusCode::CONFLICT);
    assert!(anna.get("/reports/1").done().text.contains("Let this stand again"));
    anna.post_form("/reports/1/restore", &[("reading", &first)]).done();
    assert_eq!(server.archive.label("A"), ["L4-L5/central mild anna"]);
    assert_eq!(server.store().readings(1).unwrap().len(), 4, "nothing is taken out");
}

#[test]
fn a_reading_of_an_earlier_text_does_not_stand_again() {
    let mut server = TestServer::start(&TEXTS[1..2]);
    let [anna, _, _, lea, _] = server.everyone();
    let slot = anna.claim(lea.make_batch("one", "assisted", "1")).unwrap();
    anna.finish(slot).done();
    let first = server.store().readings(1).unwrap()[1].id.to_string();
    server.archive.import(&[report("B", "Normal.")]);
    let before = (server.archive.label("B"), server.archive.status("B"));
    assert!(!anna.get("/reports/1").done().text.contains("Let this stand again"));
    let refused = anna.post_form("/reports/1/restore", &[("reading", &first)]);
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
    assert!(refused.text.contains("an earlier text"), "{}", refused.text);
    assert_eq!((server.archive.label("B"), server.archive.status("B")), before);
    assert_eq!(server.store().readings(1).unwrap().len(), 3, "nothing is added");
}

#[test]
fn a_hidden_repeat_counts_once_whatever_is_sent_back_or_settled() {
    let mut server = TestServer::start(&TEXTS[..2]);
    let [_, _, cora, lea, _] = server.everyone();
    let wanted = json!({
        "name": "twice", "mode": "blind", "annotators": 1, "origin": { "query": "" },
        "order": "oldest", "repeats": 50, "seed": 1,
    });
    let batch = lea.post("/api/v1/batches", &wanted).done().json()["batch"].as_u64().unwrap();
    let read = |grades: &[&str]| {
        for grade in grades {
            let slot = cora.claim(batch).unwrap();
            cora.grade(slot, grade).done();
            cora.finish(slot).done();
        }
        assert_eq!(cora.claim(batch), None);
    };
    let settle = |item: u64| {
        let page = cora.post_form(&format!("/adjudicate/{item}"), &[]).done().location.unwrap();
        page.rsplit('/').next().unwrap().parse::<u64>().unwrap()
    };
    // Both reports, and one of them again.
    read(&["mild", "mild", "severe"]);
    let items = server.store().items(batch, None, 0, 9).unwrap();
    let send_back = |item: u64| {
        let back = format!("/api/v1/slots/{}/send-back", settle(item));
        cora.post(&back, &json!({ "reason": "mind rule 11" })).done();
    };
    items.iter().filter(|item| !item.repeat).for_each(|item| send_back(item.id));
    read(&["severe", "severe"]);
    let repeat = items.iter().find(|item| item.repeat).unwrap();
    send_back(repeat.id);
    read(&["moderate"]);
    cora.finish(settle(repeat.id)).done();
    let agreement = lea.get(&format!("/api/v1/batches/{batch}/agreement")).done().json();
    let own = &agreement["repeats"][0];
    assert_eq!((&own["cells"], &own["same"]), (&json!(1), &json!(0)), "mild, then severe: {own}");
}

#[test]
fn a_batch_is_made_of_a_list_or_says_what_is_missing() {
    let mut server = TestServer::start(&TEXTS);
    let [_, _, _, lea, _] = server.everyone();
    let make = |ids: &str| {
        let form = [
            ("name", "listed"),
            ("from", "ids"),
            ("ids", ids),
            ("mode", "blind"),
            ("annotators", "1"),
            ("order", "random"),
            ("limit", ""),
            ("repeats", "0"),
            ("seed", "1"),
        ];
        lea.post_form("/batches", &form)
    };
    let missing = make("A\nZ\n");
    assert_eq!(missing.status, StatusCode::BAD_REQUEST);
    assert!(missing.text.contains("no report `Z`"), "{}", missing.text);
    make("A\r\nC\r\n").done();
    assert_eq!(server.store().items(1, None, 0, 9).unwrap().len(), 2);
    assert_eq!(make("A").status, StatusCode::CONFLICT, "the name is taken");
}

#[test]
fn the_document_of_the_interface_tells_of_every_route() {
    let server = TestServer::start(&TEXTS[..1]);
    let document = server.stranger().get("/api/v1/openapi.json").done().json();
    let routes = deepspine::web::rows().iter().filter(|row| row.path.starts_with("/api/"));
    for row in routes {
        let operation = &document["paths"][row.path][row.method.as_str().to_lowercase()];
        assert!(operation["summary"].as_str().is_some_and(|s| s.len() > 10), "{}", row.path);
    }
}

#[test]
fn a_restored_backup_is_what_the_server_shows() {
    let mut server = TestServer::start(&TEXTS[..1]);
    let [_, _, _, lea, _] = server.everyone();
    let backup = server.archive.path().join("backup.db");
    server.store().back_up(&backup, |_, _| ()).unwrap();
    server.archive.import(&[report("D", "A rare tumour.")]);
    let found = |word: &str| {
        lea.post("/api/v1/search", &json!({ "query": word })).done().json()["reports"].clone()
    };
    let until = |word: &str, wanted: u64| {
        for _ in 0..200 {
            if found(word) == wanted {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("`{word}` is found {} times, not {wanted}", found(word));
    };
    until("tumour", 1);
    server.archive.archive.restore(&backup, |_, _| ()).unwrap();
    until("tumour", 0);
    until("stenosis", 1);
}
