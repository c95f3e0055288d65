//! Who may do what: every route, every role, and everyone who only pretends.

use deepspine::store::Role;
use deepspine::web::{Who, rows};
use serde_json::json;
use ureq::http::StatusCode;

use super::{PEOPLE, TestServer, central};

/// A path of the table with something in place of its variables.
fn filled(path: &str) -> String {
    let known = [
        ("{name}", "page.css"),
        ("{secret}", "nobody"),
        ("{format}", "csv"),
        ("{user}", "anna"),
        ("{act}", "hold-on"),
        ("{kind}", "axial_t2"),
    ];
    let mut filled = path.to_owned();
    for (variable, value) in known {
        filled = filled.replace(variable, value);
    }
    let numbers = [
        "{batch}",
        "{slot}",
        "{item}",
        "{report}",
        "{token}",
        "{cohort}",
        "{study}",
        "{run}",
        "{ordinal}",
    ];
    for variable in numbers {
        filled = filled.replace(variable, "1");
    }
    assert!(!filled.contains('{'), "{path} has a variable that the test does not know");
    filled
}

#[test]
fn every_route_is_open_to_those_who_may_and_to_nobody_else() {
    let mut server = TestServer::start(&[("A", "L4-L5: mild canal stenosis.")]);
    let everyone = server.everyone();
    let stranger = server.stranger();
    // Signing out would spoil the session for what follows.
    for row in rows().iter().filter(|row| row.path != "/sign-out") {
        let path = filled(row.path);
        let ask = |client: &super::Client| match row.method.as_str() {
            "GET" => client.get(&path),
            _ if path.starts_with("/api/") => client.post(&path, &json!({})),
            _ => client.post_form(&path, &[]),
        };
        let told = ask(&stranger);
        let Who::AtLeast(least) = row.who else {
            assert_ne!(told.status, StatusCode::FORBIDDEN, "{path}");
            continue;
        };
        let turned_away = match path.starts_with("/api/") {
            true => told.status == StatusCode::UNAUTHORIZED,
            false => told.location.as_deref() == Some("/sign-in"),
        };
        assert!(turned_away, "{path} lets strangers in: {} {}", told.status, told.text);
        for ((name, role), client) in PEOPLE.iter().zip(&everyone) {
            let status = ask(client).status;
            if *role < least {
                assert_eq!(status, StatusCode::FORBIDDEN, "{name} at {path}");
            } else {
                let open = status != StatusCode::FORBIDDEN && status != StatusCode::UNAUTHORIZED;
                assert!(open && !status.is_server_error(), "{name} at {path}: {status}");
            }
        }
    }
}

#[test]
fn nothing_is_changed_without_the_token_of_the_session() {
    let mut server = TestServer::start(&[("A", "L4-L5: mild canal stenosis.")]);
    let [mut anna, mut ben, _, _, mut ada] = server.everyone();
    for forged in ["", "forged", ben.form_token.clone().as_str()] {
        for client in [&mut anna, &mut ada] {
            let own = std::mem::replace(&mut client.form_token, forged.to_owned());
            for row in rows().iter().filter(|row| row.method.as_str() == "POST") {
                if row.who == Who::Anyone {
                    continue;
                }
                let path = filled(row.path);
                let form = client.post_form(&path, &[("name", "x"), ("role", "admin")]);
                let header = client.post(&path, &json!({}));
                for answer in [form, header] {
                    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {forged}");
                }
            }
            client.form_token = own;
        }
    }
    ben.form_token = ada.form_token.clone();
    assert_eq!(ben.post_form("/sign-out", &[]).status, StatusCode::FORBIDDEN);
    assert!(server.store().users().unwrap().len() == PEOPLE.len() + 1, "nobody was added");
}

#[test]
fn other_sites_cannot_speak_for_a_session() {
    let mut server = TestServer::start(&[("A", "L4-L5: mild canal stenosis.")]);
    let ada = server.new_person("ada", Role::Admin);
    for (header, value) in [("origin", "http://elsewhere"), ("sec-fetch-site", "cross-site")] {
        for path in ["/users", "/sign-in"] {
            let request = ada.agent.post(format!("{}{path}", ada.base)).header(header, value);
            let form = [("form_token", ada.form_token.as_str()), ("name", "x"), ("role", "admin")];
            let answer = super::Answer::of(request.send_form(form));
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {header}");
        }
    }
}

#[test]
fn a_slot_is_its_owners_alone() {
    let mut server = TestServer::start(&[("A", "L4-L5: mild canal stenosis.")]);
    let [anna, ben, cora, lea, ada] = server.everyone();
    let slot = anna.claim(lea.make_batch("one", "blind", "1")).unwrap();
    for other in [&ben, &cora, &lea, &ada] {
        let edits = json!({ "first": 1, "edits": [central("severe")] });
        let asked = [
            other.get(&format!("/slots/{slot}")),
            other.get(&format!("/api/v1/slots/{slot}")),
            other.post(&format!("/api/v1/slots/{slot}/edits"), &edits),
            other.post(&format!("/api/v1/slots/{slot}/hold"), &json!({})),
            other.post(&format!("/api/v1/slots/{slot}/release"), &json!({})),
            other.finish(slot),
        ];
        for answer in asked {
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.text);
        }
    }
    assert!(server.store().edits(slot).unwrap().is_empty());
}

#[test]
fn who_may_no_longer_sign_in_is_out_at_once() {
    let mut server = TestServer::start(&[("A", "L4-L5: mild canal stenosis.")]);
    let [anna, _, _, _, ada] = server.everyone();
    let made = anna.post_form("/account/tokens", &[("name", "script")]).done().text;
    let token = made.split("class=\"secret\">").nth(1).unwrap().split('<').next().unwrap();
    let by_token = |method: &str| {
        let stranger = server.stranger();
        let request = stranger.agent.get(format!("{}/api/v1/batches", stranger.base));
        super::Answer::of(request.header("authorization", format!("{method} {token}")).call())
    };
    assert_eq!(by_token("Bearer").status, StatusCode::OK);
    assert_eq!(by_token("Basic").status, StatusCode::UNAUTHORIZED);
    assert_eq!(anna.get("/").status, StatusCode::OK);
    ada.post_form("/users/anna", &[("role", "annotator")]).done();
    assert_eq!(anna.get("/").location.as_deref(), Some("/sign-in"));
    assert_eq!(by_token("Bearer").status, StatusCode::UNAUTHORIZED);
    // The last admin cannot lock everyone out; the server's own `admin` never chose a password.
    ada.post_form("/users/admin", &[("role", "annotator")]).done();
    let alone = ada.post_form("/users/ada", &[("role", "lead"), ("active", "on")]);
    assert_eq!(alone.status, StatusCode::CONFLICT);
}

#[test]
fn a_body_that_makes_no_sense_is_refused_and_says_so() {
    let mut server = TestServer::start(&[("A", "L4-L5: mild canal stenosis.")]);
    let [anna, _, _, lea, _] = server.everyone();
    let slot = anna.claim(lea.make_batch("one", "blind", "1")).unwrap();
    let path = format!("/api/v1/slots/{slot}/edits");
    let cell = json!({ "level": "L4-L5", "target": "central" });
    let choice = |after| json!({ "cells": [{ "cell": cell, "after": after }] });
    let outside = json!({ "verdict": "mild", "evidence": [[3, 4000]] });
    let long = json!({ "verdict": "mild", "comment": "x".repeat(5000) });
    for edits in [
        json!({}),
        json!({ "first": 0, "edits": [] }),
        json!({ "first": 1, "edits": [choice(json!({ "verdict": "enormous" }))] }),
        json!({ "first": 1, "edits": [choice(outside)] }),
        json!({ "first": 1, "edits": [choice(long)] }),
        json!({ "first": 1, "edits": [central("mild")], "surprise": true }),
        json!([1, 2]),
    ] {
        let answer = anna.post(&path, &edits);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{edits}: {}", answer.text);
        assert!(answer.json()["error"].as_str().is_some_and(|error| !error.is_empty()));
    }
    let large = json!({ "first": 1, "edits": [], "seconds": 1, "x": "y".repeat(6 << 20) });
    assert_eq!(anna.post(&path, &large).status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(anna.get("/slots/x").status, StatusCode::NOT_FOUND);
    assert_eq!(anna.get("/nowhere").status, StatusCode::NOT_FOUND);
    assert!(server.store().edits(slot).unwrap().is_empty(), "nothing of it was kept");
}
