//! Searches over HTTP: what they may cost, and what they may tell.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, TestServer};

const TEXTS: [(&str, &str); 2] =
    [("A", "L4-L5: mild canal stenosis."), ("B", "L4-L5: severe canal stenosis.")];

/// What a search finds once everything that was written before can be found.
fn found(client: &Client, asked: &Value) -> Value {
    for _ in 0..200 {
        let found = client.post("/api/v1/search", asked).done().json();
        if found["behind"] == 0 {
            return found;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("the index is not caught up")
}

/// How many reports a query finds, which are those of the first page.
fn count(client: &Client, query: &str) -> u64 {
    let found = found(client, &json!({ "query": query }));
    let count = found["reports"].as_u64().unwrap();
    assert_eq!(found["hits"].as_array().unwrap().len() as u64, count, "{query}");
    count
}

#[test]
fn a_page_behind_the_last_report_is_empty_however_far_behind() {
    let mut server = TestServer::start(&TEXTS);
    let anna = server.everyone().into_iter().next().unwrap();
    for query in ["stenosis", "stenosis OR canal", ""] {
        for sort in ["relevance", "newest", "oldest", "number"] {
            for (offset, hits) in [(0, 2), (1, 1), (2, 0), (1 << 40, 0), (u64::MAX, 0)] {
                let asked =
                    json!({ "query": query, "sort": sort, "offset": offset, "limit": 1000 });
                let found = found(&anna, &asked);
                let shown = found["hits"].as_array().unwrap().len();
                assert_eq!((shown, &found["reports"]), (hits, &json!(2)), "{asked}");
            }
        }
    }
    let form = [("query", "stenosis"), ("sort", "newest"), ("offset", "18446744073709551615")];
    let page = anna.post_form("/search", &form).done().text;
    assert!(page.contains("2 reports") && !page.contains(">More<"), "{page}");
}

#[test]
fn who_is_to_read_blind_learns_no_label_by_searching() {
    let mut server = TestServer::start(&TEXTS);
    let [anna, _, _, lea, _] = server.everyone();
    let batch = lea.make_batch("one", "blind", "1");
    let of_labels = [
        ("L4-L5.central=severe", 1),
        ("any.central>=mild", 2),
        ("id:B AND NOT any.central=mild", 1),
        ("stenosis OR any.central=normal", 2),
        ("status:machine", 2),
        ("by:rules", 2),
        ("NOT conflict", 2),
    ];
    for (query, all) in of_labels {
        assert_eq!((count(&lea, query), count(&anna, query)), (all, 0), "{query}");
    }
    let page = |client: &Client, query: &str| {
        client.post_form("/search", &[("query", query), ("sort", "")]).done().text
    };
    assert!(page(&lea, "any.central>=mild").contains("<mark>"), "evidence is lit up");
    assert!(!page(&anna, "any.central>=mild OR id:B").contains("<mark>"));
    // Words and what is known beside the label still find them, and do not tell it.
    let asked = json!({ "query": "stenosis", "facets": true });
    let (hers, all) = (found(&anna, &asked), found(&lea, &asked));
    assert_eq!((&hers["reports"], &all["reports"]), (&json!(2), &json!(2)));
    assert_eq!(all["facets"]["cells"]["L4-L5/central"], json!({ "mild": 1, "severe": 1 }));
    assert_eq!(hers["facets"]["cells"], json!({}));
    assert!(hers["hits"].as_array().unwrap().iter().all(|hit| hit["cells"] == json!({})));
    // What she has read is no secret any more.
    while let Some(slot) = anna.claim(batch) {
        anna.grade(slot, "severe").done();
        anna.finish(slot).done();
    }
    assert_eq!(count(&anna, "any.central=severe"), 2);
    let hers = found(&anna, &asked);
    assert_eq!(hers["facets"]["cells"]["L4-L5/central"], json!({ "severe": 2 }));
}
