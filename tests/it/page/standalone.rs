use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use deepspine::label::{Certainty, Level, Span};
use deepspine::page::{Note, SCRIPT, STYLE, Sheet, standalone};

use super::{sample, shown, values};

fn page() -> String {
    sample::with_sheet(|sheet| standalone(sheet).unwrap())
}

/// What a reader sees of the page below its head.
fn words() -> String {
    let page = page();
    let (_, body) = page.split_once("<main>").unwrap();
    let (main, _) = body.split_once("</main>").unwrap();
    shown(main).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_link_leads_somewhere_on_the_page() {
    let page = page();
    let ids: BTreeSet<_> = values(&page, "id").into_iter().collect();
    let links = values(&page, "href");
    assert!(links.len() > 20, "cells and quotes are links");
    for link in links {
        assert!(ids.contains(link.strip_prefix('#').expect("no link leaves the page")), "{link}");
    }
    assert_eq!(ids.len(), values(&page, "id").len(), "an id is used once");
}

#[test]
fn the_page_reaches_for_nothing_outside_itself() {
    let page = page();
    for outside in ["http:", "https:", "src=", "<link", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    let policy = shown(values(&page, "content")[2]);
    assert!(policy.starts_with("default-src 'none';") && policy.contains("script-src 'sha256-"));
    // The policy's hashes are of what stands between the tags, byte for byte.
    assert!(page.contains(&format!("<style>{STYLE}</style>")));
    assert!(page.contains(&format!("<script>{SCRIPT}</script>")));
    // For the eye: the page stays where the build keeps its scratch files.
    fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("explain.html"), page).unwrap();
}

#[test]
fn each_cell_says_why() {
    let words = words();
    for said in [
        "L4-L5 Central severe! statements disagree: the most severe stands L4-L5 … severe spinal canal stenosis",
        "set aside by 22(a) indirect",
        "set aside by 22(b) universal",
        "set aside by 22(d) less severe",
        "right lateral recess is probably mildly narrowed mild hedged direct level named rules 3 13 18",
        "a degree binds to its own noun and carries in a list",
        "Foramen L, Foramen R mild L3-L4 … Mild bilateral neural foraminal narrowing",
    ] {
        assert!(words.contains(said), "{said}\n{words}");
    }
}

#[test]
fn mentions_and_measurements_are_listed_by_level() {
    let words = words();
    assert!(words.contains("no extrusion") && words.contains("nerve root contact, left?"));
    assert!(words.contains("L4-L5 canal diameter 6 mm"), "{words}");
}

#[test]
fn hostile_names_and_text_stay_text() {
    let hostile = "\"><script>alert(1)</script>";
    let note = Note {
        what: hostile.to_owned(),
        level: Some(Level::L4L5),
        negated: false,
        certainty: Certainty::Stated,
        span: Span { start: 0, end: 4 },
    };
    let sheet = Sheet {
        title: hostile,
        reader: hostile,
        text: hostile,
        opinions: &[],
        mentions: &[note],
        measurements: &[],
    };
    let page = standalone(&sheet).unwrap();
    assert_eq!(page.matches("<script").count(), 1, "only the page's own");
    assert!(page.contains("says nothing about stenosis"));
}
