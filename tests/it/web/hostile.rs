//! Texts that would be markup, scripts or headers if anyone let them.

use serde_json::json;

use super::{TestServer, central};

/// What must never reach a page as it is.
const MARKUP: &str =
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'></textarea></script>";

#[test]
fn nothing_that_came_from_outside_is_rendered_as_markup() {
    let text = format!("FINDINGS: {MARKUP}\r\nL4-L5: severe canal stenosis {MARKUP}.");
    let mut server = TestServer::start(&[("A <script>alert(3)</script>", &text)]);
    let [anna, ben, cora, lea, ada] = server.everyone();
    let batch = lea.make_batch(MARKUP, "assisted", "2");
    for (client, grade) in [(&anna, "mild"), (&ben, "severe")] {
        let slot = client.claim(batch).unwrap();
        let page = client.get(&format!("/slots/{slot}")).done().text;
        check(&page);
        let mut edit = central(grade);
        edit["cells"][0]["after"]["comment"] = json!(MARKUP);
        edit["notes"] = json!({ "before": {}, "after": { "comment": MARKUP } });
        let edits = json!({ "first": 1, "edits": [edit] });
        client.post(&format!("/api/v1/slots/{slot}/edits"), &edits).done();
        check(&client.get(&format!("/slots/{slot}")).done().text);
        let suggest = json!({ "phrase": MARKUP, "note": MARKUP });
        client.post(&format!("/api/v1/slots/{slot}/suggest"), &suggest).done();
        client.finish(slot).done();
    }
    let slot = cora.post_form("/adjudicate", &[]).done().location.unwrap();
    check(&cora.get(&slot).done().text);
    let query = [("query", "stenosis"), ("sort", "")];
    let mut pages = vec![lea.post_form("/search", &query)];
    pages.push(lea.post_form("/search", &[("query", MARKUP), ("sort", "")]));
    for path in
        ["/", "/batches", "/batches/1", "/batches/1/agreement", "/suggestions", "/reports/1"]
    {
        pages.push(lea.get(path));
    }
    pages.push(ada.get("/audit"));
    pages.iter().for_each(|page| check(&page.text));
}

#[track_caller]
fn check(page: &str) {
    assert!(page.contains("</html>"), "a whole page: {page}");
    for bad in ["<script>alert", "<img src=x", "onerror=alert(2)>\"", "</textarea></script>"] {
        assert!(!page.contains(bad), "`{bad}` is in {page}");
    }
}

#[test]
fn answers_say_that_nothing_but_our_own_files_may_run() {
    let server = TestServer::start(&[("A", "L4-L5: mild canal stenosis.")]);
    let stranger = server.stranger();
    let answer = stranger.agent.get(format!("{}/sign-in", stranger.base)).call().unwrap();
    let header = |name: &str| answer.headers().get(name).unwrap().to_str().unwrap();
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
    assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cache-control"), "no-store");
}

#[test]
fn the_audit_log_tells_who_saw_what_and_holds_no_text() {
    let mut server = TestServer::start(&[("A", "L4-L5: mild canal stenosis by a rare tumour.")]);
    let [anna, _, _, lea, ada] = server.everyone();
    let slot = anna.claim(lea.make_batch("one", "assisted", "1")).unwrap();
    anna.get(&format!("/slots/{slot}")).done();
    anna.grade(slot, "severe").done();
    anna.finish(slot).done();
    lea.get("/reports/1").done();
    lea.post_form("/search", &[("query", "tumour"), ("sort", "")]).done();
    let log = server.store().audit_log(u64::MAX >> 1, 1000).unwrap();
    let of = |actor: &str, action: &str| {
        log.iter().any(|entry| entry.actor == actor && entry.action == action)
    };
    for (actor, action) in [
        ("anna", "claim"),
        ("anna", "view"),
        ("anna", "finish"),
        ("lea", "view"),
        ("lea", "search"),
        ("lea", "add batch"),
    ] {
        assert!(of(actor, action), "{actor} {action}");
    }
    let page = ada.get("/audit").done().text;
    assert!(page.contains("add batch") && !page.contains("tumour"));
    assert!(log.iter().all(|entry| !format!("{entry:?}").contains("tumour")));
}
