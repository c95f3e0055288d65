//! Settling what readers differ on, when several adjudicators do so and when a text changes.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;
use ureq::http::StatusCode;

use super::{Answer, Client, TestServer};
use crate::archive::report;

const TEXT: [(&str, &str); 1] = [("A", "L4-L5: mild canal stenosis.")];

/// Two annotators grade the report differently, in a new batch.
fn differ(lead: &Client, annotators: [&Client; 2]) {
    let batch = lead.make_batch("one", "blind", "2");
    for (client, grade) in annotators.into_iter().zip(["mild", "severe"]) {
        let slot = client.claim(batch).unwrap();
        client.grade(slot, grade).done();
        client.finish(slot).done();
    }
}

/// The slot that a page leads to.
fn slot(page: &Answer) -> u64 {
    page.location.as_ref().unwrap().rsplit('/').next().unwrap().parse().unwrap()
}

/// The next slot of the adjudicators' queue.
fn next(client: &Client) -> u64 {
    slot(&client.post_form("/adjudicate", &[]).done())
}

fn act(client: &Client, slot: u64, act: &str) -> Answer {
    client.post(&format!("/api/v1/slots/{slot}/{act}"), &json!({ "reason": "mind rule 11" }))
}

#[test]
fn who_comes_too_late_does_not_settle_over_another() {
    let mut server = TestServer::start(&TEXT);
    let [anna, ben, cora, lea, ada] = server.everyone();
    differ(&lea, [&anna, &ben]);
    let late = next(&cora);
    cora.grade(late, "severe").done();
    act(&cora, late, "release").done();
    let slot_of_ada = next(&ada);
    ada.grade(slot_of_ada, "mild").done();
    ada.finish(slot_of_ada).done();
    let finished = cora.finish(late);
    assert_eq!(finished.status, StatusCode::CONFLICT, "{}", finished.text);
    assert!(finished.text.contains("another adjudicator has settled"), "{}", finished.text);
    assert_eq!(act(&cora, late, "send-back").status, StatusCode::CONFLICT);
    assert_eq!(server.archive.label("A"), ["L4-L5/central mild ada"]);
    assert_eq!(server.archive.status("A"), "adjudicated");
    // Who claims it again knows what was settled. Before and after are told apart by the second.
    sleep(Duration::from_millis(1100));
    let item = server.store().slot(late).unwrap().unwrap().item;
    let again = slot(&cora.post_form(&format!("/adjudicate/{item}"), &[]).done());
    assert_eq!(again, late);
    cora.finish(again).done();
    assert_eq!(server.archive.label("A"), ["L4-L5/central severe cora"]);
    assert_eq!(ada.finish(slot_of_ada).status, StatusCode::CONFLICT, "now hers is the stale one");
}

#[test]
fn what_was_sent_back_is_not_sent_back_by_another_or_twice() {
    let mut server = TestServer::start(&TEXT);
    let [anna, ben, cora, lea, ada] = server.everyone();
    differ(&lea, [&anna, &ben]);
    let late = next(&cora);
    act(&cora, late, "release").done();
    let first = next(&ada);
    act(&ada, first, "send-back").done();
    for (client, slot) in [(&cora, late), (&ada, first)] {
        let refused = act(client, slot, "send-back");
        assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.text);
        assert_eq!(client.finish(slot).status, StatusCode::CONFLICT);
    }
    let items = server.store().items(1, None, 0, 9).unwrap();
    assert_eq!((items.len(), items[0].state.as_str()), (1, "sent back"));
    let entries = server.store().audit_log(u64::MAX >> 1, 1000).unwrap();
    assert_eq!(entries.iter().filter(|entry| entry.action == "send back").count(), 1);
}

#[test]
fn a_settled_report_whose_text_changes_is_told_of_and_settled_again() {
    let mut server = TestServer::start(&TEXT);
    let [anna, ben, cora, lea, _] = server.everyone();
    differ(&lea, [&anna, &ben]);
    let first = next(&cora);
    cora.grade(first, "mild").done();
    cora.finish(first).done();
    server.archive.import(&[report("A", "L4-L5: severe canal stenosis.")]);
    assert_eq!(server.archive.status("A"), "to_adjudicate");
    let home = |client: &Client| client.get("/").done().text;
    assert!(home(&cora).contains("0 reports wait"), "nobody has read the new text");
    for client in [&cora, &lea] {
        assert!(home(client).contains("1 more has a text that no batch has"), "{}", home(client));
    }
    assert!(!home(&anna).contains("no batch has"));
    let form = [("query", "status:to_adjudicate")];
    let draft = lea.post_form("/batches/draft", &form).done().text;
    assert!(draft.contains("value=\"status:to_adjudicate\""), "{draft}");
    let wanted = json!({
        "name": "changed", "mode": "blind", "annotators": 1,
        "origin": { "query": "status:to_adjudicate" }, "order": "oldest", "repeats": 0, "seed": 1,
    });
    let batch = lea.post("/api/v1/batches", &wanted).done().json()["batch"].as_u64().unwrap();
    assert!(!home(&lea).contains("no batch has"), "it is being read");
    let slot = anna.claim(batch).unwrap();
    assert!(anna.get(&format!("/slots/{slot}")).done().text.contains("severe canal"));
    anna.grade(slot, "severe").done();
    anna.finish(slot).done();
    assert!(home(&cora).contains("1 report waits"), "{}", home(&cora));
    let second = next(&cora);
    assert_ne!(second, first);
    cora.finish(second).done();
    assert_eq!(server.archive.status("A"), "adjudicated");
    assert_eq!(server.archive.label("A"), ["L4-L5/central severe cora"]);
}
