//! The server under a hundred annotators: how long pages and saves take, and whether each save that
//! was acknowledged is there after a kill -9 under that load.
//!
//! `cargo bench --bench serve -- 10000 20` takes fewer reports, and fewer seconds.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use deepspine::archive::{Archive, BatchPlan, Order, Origin, add_batch};
use deepspine::label::Mode;
use deepspine::simulate::Simulation;
use deepspine::store::Role;
use serde_json::json;
use ureq::Agent;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const ANNOTATORS: usize = 100;
const PASSWORD: &str = "four words nobody guesses";

/// How often someone saves, and how many saves go by until they open the next page.
const SAVE_EVERY: Duration = Duration::from_secs(1);
const SAVES_A_PAGE: usize = 5;

fn main() -> Fallible<()> {
    let mut numbers = std::env::args().filter_map(|arg| arg.parse::<usize>().ok());
    let reports = numbers.next().unwrap_or(100_000);
    let seconds = numbers.next().unwrap_or(60) as u64;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let data = folder.path().join("data");
    fill(&data, folder.path(), reports)?;
    let (server, base) = start(&data)?;
    let sessions = sign_everyone_in(&data, &base)?;
    println!("{reports} reports, {ANNOTATORS} annotators, {seconds} s");
    let load = Load::default();
    thread::scope(|scope| {
        for (number, session) in sessions.iter().enumerate() {
            let load = &load;
            scope.spawn(move || {
                // Not all in the same moment.
                thread::sleep(SAVE_EVERY.mul_f64(number as f64 / ANNOTATORS as f64));
                work(session, number, load);
            });
        }
        thread::sleep(Duration::from_secs(seconds));
        load.killed.store(true, Ordering::SeqCst);
        let mut server = server;
        server.kill().expect("the server runs");
        server.wait().expect("it was killed");
        load.over.store(true, Ordering::SeqCst);
    });
    print_times("pages", &load.pages);
    print_times("saves, durable", &load.saves);
    println!("errors before the kill: {}", load.errors.load(Ordering::SeqCst));
    verify(&data, &load)?;
    let (mut again, base) = start(&data)?;
    let page = ureq::get(format!("{base}/sign-in")).call()?;
    assert_eq!(page.status(), 200, "the server starts again");
    again.kill()?;
    again.wait()?;
    Ok(())
}

/// What the annotators saw.
#[derive(Default)]
struct Load {
    pages: Mutex<Vec<Duration>>,
    saves: Mutex<Vec<Duration>>,
    /// Saves that were acknowledged: slot and number to the comment that marks the edit.
    kept: Mutex<HashMap<(u64, u32), String>>,
    errors: AtomicUsize,
    /// The server is being killed: errors are no longer its fault.
    killed: AtomicBool,
    over: AtomicBool,
}

fn fill(data: &Path, folder: &Path, count: usize) -> Fallible<()> {
    let path = folder.join("reports.jsonl");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
    for simulated in Simulation::new(1).reports().take(count) {
        serde_json::to_writer(&mut file, &simulated.report)?;
        std::io::Write::write_all(&mut file, b"\n")?;
    }
    drop(file);
    let status = Command::new(env!("CARGO_BIN_EXE_deepspine"))
        .args(["import", "--data"])
        .args([data, &path])
        .stderr(Stdio::null())
        .status()?;
    assert!(status.success());
    let mut archive = Archive::open(data)?;
    let plan = BatchPlan {
        origin: Origin::Query(String::new()),
        order: Order::Random,
        limit: None,
        repeats: 0,
        seed: 1,
    };
    let items = archive.plan_batch(&plan)??;
    archive.store_mut().write(|writer| {
        let (lead, _) = writer.add_user("lea", Role::Lead)?;
        add_batch(writer, lead, "load", (Mode::Assisted, 1), &[], &plan, &items)
    })?;
    Ok(())
}

fn start(data: &Path) -> Fallible<(Child, String)> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_deepspine"))
        .args(["serve", "--port", "0", "--data"])
        .arg(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    Ok((child, line.trim().to_owned()))
}

/// Someone who is signed in.
struct Session {
    agent: Agent,
    base: String,
    token: String,
}

fn sign_everyone_in(data: &Path, base: &str) -> Fallible<Vec<Session>> {
    let mut archive = Archive::open(data)?;
    let mut sessions = Vec::new();
    for number in 0..ANNOTATORS {
        let name = format!("annotator {number}");
        let (_, secret) =
            archive.store_mut().write(|writer| writer.add_user(&name, Role::Annotator))?;
        let agent: Agent =
            Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
        let form = [("password", PASSWORD), ("again", PASSWORD)];
        agent.post(format!("{base}/welcome/{}", secret.reveal())).send_form(form)?;
        let page = agent.get(format!("{base}/")).call()?.body_mut().read_to_string()?;
        let token = page.split("name=\"form_token\" value=\"").nth(1).ok_or("not signed in")?;
        let token = token.split('"').next().unwrap_or_default().to_owned();
        sessions.push(Session { agent, base: base.to_owned(), token });
    }
    Ok(sessions)
}

impl Session {
    fn post(&self, path: &str, body: &serde_json::Value) -> Fallible<serde_json::Value> {
        let request = self.agent.post(format!("{}{path}", self.base));
        let mut answer = request.header("x-form-token", &self.token).send_json(body)?;
        if !answer.status().is_success() {
            return Err(format!("{path}: {}", answer.status()).into());
        }
        Ok(answer.body_mut().read_json()?)
    }

    fn open(&self, slot: u64) -> Fallible<()> {
        let mut answer = self.agent.get(format!("{}/slots/{slot}", self.base)).call()?;
        if !answer.status().is_success() {
            return Err(format!("page: {}", answer.status()).into());
        }
        answer.body_mut().read_to_vec()?;
        Ok(())
    }
}

/// Reads one report after the other until the server is gone.
fn work(session: &Session, number: usize, load: &Load) {
    let mut slot = None;
    while !load.over.load(Ordering::SeqCst) {
        if let Err(error) = read_one(session, number, load, &mut slot)
            && !load.killed.load(Ordering::SeqCst)
        {
            load.errors.fetch_add(1, Ordering::SeqCst);
            eprintln!("{error}");
            thread::sleep(SAVE_EVERY);
        }
    }
}

fn read_one(session: &Session, number: usize, load: &Load, slot: &mut Option<u64>) -> Fallible<()> {
    let current = match *slot {
        Some(slot) => slot,
        None => {
            let claimed = session.post("/api/v1/batches/1/claim", &json!({}))?;
            claimed["slot"].as_u64().ok_or("no report is left")?
        }
    };
    let start = Instant::now();
    session.open(current)?;
    load.pages.lock().unwrap().push(start.elapsed());
    for edit in 1..=SAVES_A_PAGE as u32 {
        let due = Instant::now() + SAVE_EVERY;
        let comment = format!("annotator {number}, slot {current}, edit {edit}");
        let cells = [json!({
            "cell": { "level": "L4-L5", "target": "central" },
            "after": { "verdict": "mild", "certainty": "stated", "comment": comment },
        })];
        let edits = json!({ "first": edit, "edits": [{ "cells": cells }], "seconds": edit });
        let start = Instant::now();
        session.post(&format!("/api/v1/slots/{current}/edits"), &edits)?;
        load.saves.lock().unwrap().push(start.elapsed());
        load.kept.lock().unwrap().insert((current, edit), comment);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let next = session.post(&format!("/api/v1/slots/{current}/finish"), &json!({}))?;
    *slot = next["next"].as_u64();
    Ok(())
}

fn print_times(name: &str, times: &Mutex<Vec<Duration>>) {
    let mut times = times.lock().unwrap();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{name:16} {:>6} p50 {:>7.2} ms  p99 {:>7.2} ms  max {:>7.2} ms",
        times.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

/// Every acknowledged save is there, once, and nobody has another's report.
fn verify(data: &Path, load: &Load) -> Fallible<()> {
    let archive = Archive::open(data)?;
    let kept = load.kept.lock().unwrap();
    let mut lost = 0;
    for ((slot, number), comment) in kept.iter() {
        let edits = archive.store().edits(*slot)?;
        let edit = edits.get(*number as usize - 1).and_then(|edit| edit.cells[0].after.as_ref());
        lost += usize::from(edit.is_none_or(|choice| choice.comment != *comment));
    }
    let mut doubled = 0;
    let mut owners: HashMap<u64, u64> = HashMap::new();
    let slots: std::collections::HashSet<u64> = kept.keys().map(|(slot, _)| *slot).collect();
    for slot in &slots {
        let slot = archive.store().slot(*slot)?.ok_or("a slot is gone")?;
        doubled += usize::from(owners.insert(slot.item, slot.user).is_some());
        let edits = archive.store().edits(slot.id)?;
        let comments: std::collections::HashSet<_> =
            edits.iter().map(|edit| edit.cells[0].after.as_ref().map(|c| &c.comment)).collect();
        doubled += edits.len() - comments.len();
    }
    println!(
        "after kill -9: {} saves were acknowledged in {} slots, {lost} are lost, {doubled} doubled",
        kept.len(),
        slots.len()
    );
    assert_eq!((lost, doubled), (0, 0));
    Ok(())
}
