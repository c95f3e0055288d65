//! The server as browsers and programs meet it: over HTTP, with everything in between.

mod access;
mod adjudicate;
mod annotate;
mod hostile;
pub(crate) mod images;
mod kill;
mod search;
mod sign_in;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::channel;

use deepspine::store::{Role, Store};
use deepspine::web::{Config, run};
use serde_json::{Value, json};
use ureq::http::StatusCode;
use ureq::{Agent, Body};

use crate::archive::{TestArchive, report};

/// A server on a port of its own, with someone of each role. It ends with the tests' process.
pub(crate) struct TestServer {
    pub archive: TestArchive,
    base: String,
}

/// What everyone's password is.
pub(crate) const PASSWORD: &str = "four words nobody guesses";

/// Someone of each role, and two annotators.
const PEOPLE: [(&str, Role); 5] = [
    ("anna", Role::Annotator),
    ("ben", Role::Annotator),
    ("cora", Role::Adjudicator),
    ("lea", Role::Lead),
    ("ada", Role::Admin),
];

impl TestServer {
    pub(crate) fn start(reports: &[(&str, &str)]) -> Self {
        let mut archive = TestArchive::new();
        let reports: Vec<_> = reports.iter().map(|(id, text)| report(id, text)).collect();
        archive.import(&reports);
        let base = serve(&archive);
        Self { archive, base }
    }

    /// Where it is reached.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Another server on the same archive, as after a restart.
    fn restart(&mut self) {
        self.base = serve(&self.archive);
    }

    /// Someone who has just chosen a password and is signed in.
    fn new_person(&mut self, name: &str, role: Role) -> Client {
        let store = self.archive.archive.store_mut();
        let (_, secret) = store.write(|writer| writer.add_user(name, role)).unwrap();
        let mut client = self.stranger();
        let form = [("password", PASSWORD), ("again", PASSWORD)];
        let answer = client.post_form(&format!("/welcome/{}", secret.reveal()), &form);
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
        client.look_for_token();
        client
    }

    /// Everyone of [`PEOPLE`], signed in.
    pub(crate) fn everyone(&mut self) -> [Client; PEOPLE.len()] {
        PEOPLE.map(|(name, role)| self.new_person(name, role))
    }

    /// Someone who is not signed in.
    fn stranger(&self) -> Client {
        let agent: Agent =
            Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
        Client { agent, base: self.base.clone(), form_token: String::new() }
    }

    pub(crate) fn store(&self) -> &Store {
        self.archive.archive.store()
    }
}

fn serve(archive: &TestArchive) -> String {
    let config = Config {
        data: archive.path().to_owned(),
        address: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0),
        behind_tls: false,
        workers: 2,
    };
    let (told, address) = channel();
    std::thread::spawn(move || {
        run(&config, |built| told.send(built.address).unwrap()).unwrap();
    });
    format!("http://{}", address.recv().unwrap())
}

/// A browser or a program.
pub(crate) struct Client {
    agent: Agent,
    base: String,
    form_token: String,
}

pub(crate) struct Answer {
    status: StatusCode,
    pub location: Option<String>,
    text: String,
}

impl Answer {
    fn of(result: Result<ureq::http::Response<Body>, ureq::Error>) -> Self {
        let mut response = result.unwrap();
        let location = response.headers().get("location");
        let location = location.map(|value| value.to_str().unwrap().to_owned());
        let bytes = response.body_mut().read_to_vec().unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Self { status: response.status(), location, text }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The answer of a request that was done.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        let fine = self.status.is_success() || self.status.is_redirection();
        assert!(fine, "{}: {}", self.status, self.text);
        self
    }
}

impl Client {
    fn get(&self, path: &str) -> Answer {
        Answer::of(self.agent.get(format!("{}{path}", self.base)).call())
    }

    pub(crate) fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        let token = [("form_token", self.form_token.as_str())];
        let form = form.iter().copied().chain(token);
        Answer::of(self.agent.post(format!("{}{path}", self.base)).send_form(form))
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        let request = self.agent.post(format!("{}{path}", self.base));
        Answer::of(request.header("x-form-token", &self.form_token).send_json(body))
    }

    /// Reads the token of the session's forms off a page.
    fn look_for_token(&mut self) {
        let page = self.get("/").done().text;
        let mark = "name=\"form_token\" value=\"";
        let start = page.find(mark).expect("every page has a form") + mark.len();
        self.form_token = page[start..].split('"').next().unwrap().to_owned();
    }

    /// Makes a batch as a lead does, and returns its number.
    pub(crate) fn make_batch(&self, name: &str, mode: &str, annotators: &str) -> u64 {
        self.make_ordered_batch(name, mode, annotators, "oldest")
    }

    pub(crate) fn make_ordered_batch(
        &self,
        name: &str,
        mode: &str,
        annotators: &str,
        order: &str,
    ) -> u64 {
        let form = [
            ("name", name),
            ("from", "query"),
            ("query", ""),
            ("mode", mode),
            ("annotators", annotators),
            ("order", order),
            ("limit", ""),
            ("repeats", "0"),
            ("seed", "1"),
        ];
        let made = self.post_form("/batches", &form).done();
        made.location.unwrap().rsplit('/').next().unwrap().parse().unwrap()
    }

    pub(crate) fn claim(&self, batch: u64) -> Option<u64> {
        self.post(&format!("/api/v1/batches/{batch}/claim"), &json!({})).done().json()["slot"]
            .as_u64()
    }

    /// Grades L4-L5 central in a slot as its first edit.
    pub(crate) fn grade(&self, slot: u64, grade: &str) -> Answer {
        let edits = json!({ "first": 1, "edits": [central(grade)], "seconds": 2.0 });
        self.post(&format!("/api/v1/slots/{slot}/edits"), &edits)
    }

    pub(crate) fn finish(&self, slot: u64) -> Answer {
        self.post(&format!("/api/v1/slots/{slot}/finish"), &json!({ "seconds": 3.0 }))
    }
}

/// An edit that gives L4-L5 central a grade.
fn central(grade: &str) -> Value {
    json!({ "how": "do", "cells": [{
        "cell": { "level": "L4-L5", "target": "central" },
        "before": null,
        "after": { "verdict": grade, "certainty": "stated" },
    }] })
}
