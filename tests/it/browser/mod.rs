//! The server in a real browser, by keyboard alone.

mod driver;

use driver::{Browser, Driver, key};

use deepspine::label::Verdict;

use crate::web::{PASSWORD, TestServer, images};

const TEXTS: [(&str, &str); 3] = [
    (
        "R-1",
        "FINDINGS:\nL3-L4: Mild canal stenosis.\nL4-L5: Severe canal stenosis, mild left foraminal narrowing.\n\nIMPRESSION: Severe stenosis at L4-L5.",
    ),
    ("R-2", "L4-L5: moderate canal stenosis. L5-S1: possible mild right foraminal narrowing."),
    ("R-3", "L4-L5: the spinal canal is patent."),
];

/// Signs in by keyboard.
fn sign_in(browser: &Browser, server: &TestServer, name: &str) {
    browser.run("return 0");
    browser.go(&format!("{}/sign-in", server.base()));
    browser.type_in(name);
    browser.press(&[key::TAB]);
    browser.type_in(PASSWORD);
    browser.press(&[key::ENTER]);
    browser.until("location.pathname == '/'");
}

fn sign_out(browser: &Browser) {
    browser.run("document.querySelector('.out').submit()");
    browser.until("location.pathname == '/sign-in'");
}

/// What stands in a cell of the grid.
fn chip(cell: &str) -> String {
    format!("document.querySelector('#grid button[data-cell=\"{cell}\"]').textContent")
}

const SAVED: &str = "document.querySelector('#saved').textContent == 'saved'";

#[test]
fn two_annotators_an_adjudicator_and_a_lead_do_their_work_by_keyboard() {
    let Some(driver) = Driver::start() else { return };
    let mut server = TestServer::start(&TEXTS[..2]);
    let [_, _, _, lea, _] = server.everyone();
    let batch = lea.make_batch("by keyboard", "blind", "2");
    let browser = driver.browser(1280, false);
    for (name, grade) in [("anna", "5"), ("ben", "3")] {
        sign_in(&browser, &server, name);
        browser.press(&[key::ENTER]);
        browser.until("document.querySelector('#grid')");
        for number in 1..=2 {
            // L1-L2 has the focus; L4-L5 is three below.
            browser.press(&[key::DOWN, key::DOWN, key::DOWN, grade]);
            browser.until(SAVED);
            browser.chord(key::CONTROL, key::ENTER);
            let there = if number == 1 {
                "document.querySelector('#done')?.textContent == '1'"
            } else {
                "location.pathname == '/'"
            };
            browser.until(there);
        }
        sign_out(&browser);
    }
    sign_in(&browser, &server, "cora");
    browser.press(&["a"]);
    browser.until("document.querySelector('.differ')");
    // Each report has one cell on which they differ: one side for the first, another grade and its
    // reason for the second.
    browser.chord(key::SHIFT, "2");
    browser.until(SAVED);
    browser.chord(key::CONTROL, key::ENTER);
    browser.until("document.querySelector('#done')?.textContent == '1'");
    browser.press(&["1"]);
    browser.until(SAVED);
    browser.chord(key::CONTROL, key::ENTER);
    browser.until("document.querySelector('#left').textContent.includes('say why')");
    browser.press(&["c"]);
    browser.type_in("neither");
    browser.chord(key::CONTROL, key::ENTER);
    browser.until("!document.querySelector('dialog[open]')");
    browser.until(SAVED);
    browser.chord(key::CONTROL, key::ENTER);
    browser.until("location.pathname == '/'");
    sign_out(&browser);
    for id in ["R-1", "R-2"] {
        assert_eq!(server.archive.status(id), "adjudicated");
        assert!(server.archive.label(id).iter().all(|label| label.ends_with("cora")));
    }
    sign_in(&browser, &server, "lea");
    browser.go(&format!("{}/batches/{batch}/agreement", server.base()));
    browser.until("document.body.innerText.includes('anna and ben')");
    let export = format!(
        "const done = arguments[0];
         fetch('/api/v1/batches/{batch}/labels.rsna2024').then(a => a.text()).then(done)"
    );
    let table = browser.wait_for(&export);
    assert_eq!(table.as_str().unwrap().lines().count(), 3);
}

#[test]
fn what_is_undone_lost_or_left_comes_back() {
    let Some(driver) = Driver::start() else { return };
    let mut server = TestServer::start(&TEXTS[..1]);
    let [anna, _, _, lea, _] = server.everyone();
    let slot = anna.claim(lea.make_batch("one", "assisted", "1")).unwrap();
    let browser = driver.browser(1280, false);
    sign_in(&browser, &server, "anna");
    browser.go(&format!("{}/slots/{slot}", server.base()));
    let cell = chip("L3-L4/central");
    browser.until(&format!("{cell} == 'mild'"));
    browser.press(&["4", "5"]);
    browser.until(&format!("{cell} == 'severe'"));
    browser.press(&["u", "u"]);
    browser.until(&format!("{cell} == 'mild'"));
    browser.press(&["r"]);
    browser.until(&format!("{cell} == 'moderate–severe'"));
    browser.until(SAVED);
    // Undone even after the page was left.
    browser.reload();
    browser.until(&format!("document.querySelector('#grid') && {cell} == 'moderate–severe'"));
    browser.press(&[key::DOWN, "u"]);
    browser.until(&format!("{cell} == 'mild'"));
    browser.until(SAVED);
    // The connection is lost, the page too, and nothing with them.
    browser.run("window.fetch = () => Promise.reject(new TypeError('offline'))");
    browser.press(&["2"]);
    browser.until("document.querySelector('#saved').textContent.includes('1 change is kept here')");
    browser.reload();
    browser.until(&format!("document.querySelector('#grid') && {cell} == 'mild–moderate'"));
    browser.until(SAVED);
    let edits = server.store().edits(slot).unwrap();
    assert_eq!(edits.len(), 7, "4, 5, two undos, a redo, an undo and 2: {edits:?}");
    // Selected words become evidence of the cell.
    browser.run(
        "const text = document.querySelector('#report').querySelector('mark').firstChild;
         getSelection().setBaseAndExtent(text, 0, text, text.length)",
    );
    browser.press(&["e"]);
    browser.until(SAVED);
    browser.until("document.querySelector('#cell-note').textContent.includes('“')");
    browser.press(&["?"]);
    browser.until("document.querySelector('#keys[open]')");
    browser.press(&[key::ESCAPE]);
    browser.chord(key::CONTROL, key::ENTER);
    browser.until("location.pathname == '/'");
    let opinions = &server.store().readings(1).unwrap()[1].body.opinions;
    assert!(opinions.iter().any(|opinion| format!("{:?}", opinion.evidence).contains("Spans")));
}

/// What people see on the image of L4-L5 in its canal, as the page has it.
const SEEN: &str = "document.querySelector('[data-target=central]').cells[2].textContent";

#[test]
fn what_an_image_shows_is_graded_by_keyboard_and_the_report_is_left_alone() {
    let Some(driver) = Driver::start() else { return };
    let mut server = images::server();
    let [_, _, cora, lea, _] = server.everyone();
    let slot = cora.claim(lea.make_batch("images", "assisted", "1")).unwrap();
    let browser = driver.browser(1280, false);
    sign_in(&browser, &server, "cora");
    browser.go(&format!("{}/slots/{slot}", server.base()));
    let caption = "document.querySelector('[data-series=axial_t2] figcaption').textContent";
    browser.until(&format!("{caption} == 'axial T2 5/8'"));
    browser.press(&["["]);
    browser.until(&format!("{caption} == 'axial T2 4/8'"));
    browser.press(&["i", "3"]);
    browser.until(&format!("{SEEN} == 'moderate'"));
    browser.press(&["h", "a", "u"]);
    browser.until("document.querySelector('#left').textContent.includes('leads back')");
    browser.press(&[key::BACKSPACE]);
    browser.until(&format!("{SEEN} == ''"));
    browser.press(&["s", "4"]);
    browser.until(&format!("{SEEN} == 'moderate–severe'"));
    browser.press(&["y"]);
    browser.until("document.querySelector('.names ~ .hint')?.textContent == 'confirmed'");
    assert!(server.store().edits(slot).unwrap().is_empty(), "the report was not touched");
    let discs = server.store().discs(images::STUDY).unwrap();
    assert_eq!(discs[1].central.map(Verdict::name), Some("moderate_severe"));
    if let Some(axe) = axe() {
        assert_eq!(violations(&browser, &axe), [""; 0]);
    }
    browser.picture("images-1280-light");
}

/// What judges whether pages are accessible, where it could be fetched.
fn axe() -> Option<String> {
    let axe = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/axe.min.js");
    let axe = std::fs::read_to_string(axe).ok();
    if axe.is_none() {
        eprintln!("SKIPPED: no axe-core; scripts/test-setup says why");
    }
    axe
}

/// What is not accessible on the page that is open.
fn violations(browser: &Browser, axe: &str) -> Vec<String> {
    browser.run(axe);
    let found = browser.wait_for(
        "const done = arguments[0];
         axe.run().then(found => done(found.violations.map(one => one.id + ': ' +
             one.nodes.map(node => node.html.slice(0, 120) + ' ' +
                 (node.any[0]?.message ?? '')).join('; '))))",
    );
    found.as_array().unwrap().iter().map(|fault| fault.as_str().unwrap().to_owned()).collect()
}

/// Every page for everyone, with an annotator's, an adjudicator's and a lead's work on it.
fn pages(server: &mut TestServer) -> Vec<(&'static str, String, &'static str)> {
    let [anna, ben, cora, lea, _] = server.everyone();
    let batch = lea.make_batch("pages", "blind", "2");
    for (client, grade) in [(&anna, "mild"), (&ben, "severe")] {
        for _ in 0..2 {
            let slot = client.claim(batch).unwrap();
            client.grade(slot, grade).done();
            client.finish(slot).done();
        }
    }
    let assisted = lea.make_batch("assisted", "assisted", "1");
    let slot = anna.claim(assisted).unwrap();
    let adjudication = cora.post_form("/adjudicate", &[]).done().location.unwrap();
    lea.post_form("/cohorts", &[("name", "narrow"), ("query", "stenosis"), ("keep", "all")]).done();
    [
        ("home", "/".to_owned(), "anna"),
        ("review", format!("/slots/{slot}"), "anna"),
        ("adjudication", adjudication, "cora"),
        ("home-adjudicator", "/".to_owned(), "cora"),
        ("search", "/search".to_owned(), "lea"),
        ("guideline", "/guideline".to_owned(), "lea"),
        ("report", "/reports/1".to_owned(), "lea"),
        ("account", "/account".to_owned(), "lea"),
        ("batches", "/batches".to_owned(), "lea"),
        ("batch", format!("/batches/{batch}"), "lea"),
        ("agreement", format!("/batches/{batch}/agreement"), "lea"),
        ("cohorts", "/cohorts".to_owned(), "lea"),
        ("cohort", "/cohorts/1".to_owned(), "lea"),
        ("phrases", "/suggestions".to_owned(), "lea"),
        ("users", "/users".to_owned(), "ada"),
        ("audit", "/audit".to_owned(), "ada"),
    ]
    .into()
}

#[test]
fn every_page_is_accessible_and_has_its_picture_taken() {
    let Some(driver) = Driver::start() else { return };
    let Some(axe) = axe() else { return };
    let mut server = TestServer::start(&TEXTS);
    let pages = pages(&mut server);
    let mut faults = Vec::new();
    for (width, dark) in [(1280, false), (1920, true)] {
        let browser = driver.browser(width, dark);
        let look = if dark { "dark" } else { "light" };
        let mut check = |name: &str| {
            for fault in violations(&browser, &axe) {
                faults.push(format!("{name}, {width} px, {look}: {fault}"));
            }
            browser.picture(&format!("{name}-{width}-{look}"));
        };
        browser.go(&format!("{}/sign-in", server.base()));
        check("sign-in");
        let mut signed_in = "";
        for (name, path, person) in &pages {
            if signed_in != *person {
                if !signed_in.is_empty() {
                    sign_out(&browser);
                }
                sign_in(&browser, &server, person);
                signed_in = person;
            }
            browser.go(&format!("{}{path}", server.base()));
            if *name == "search" {
                browser.type_in("stenosis L4-L5.central>=mild");
                browser.press(&[key::ENTER]);
                browser.until("document.querySelector('.hits')");
            }
            check(name);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
