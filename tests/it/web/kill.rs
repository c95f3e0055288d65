//! The server killed while people save.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::{Client, TestServer, central};

/// A server in a process of its own, on the archive of another.
fn start(server: &TestServer) -> (std::process::Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_deepspine"))
        .args(["serve", "--port", "0", "--data"])
        .arg(server.archive.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().to_owned())
}

/// Saves until the server is gone, and returns how many saves it acknowledged.
fn save_on(client: &Client, base: &str, slot: u64) -> usize {
    let agent = client.agent.clone();
    for number in 1.. {
        let edits = json!({ "first": number, "edits": [central("mild")] });
        let request = agent.post(format!("{base}/api/v1/slots/{slot}/edits"));
        let answer = request.header("x-form-token", &client.form_token).send_json(&edits);
        if !answer.is_ok_and(|answer| answer.status().is_success()) {
            return number - 1;
        }
    }
    unreachable!()
}

#[test]
fn a_save_that_was_acknowledged_survives_any_kill() {
    let mut server = TestServer::start(&[("A", "L4-L5: mild."), ("B", "L4-L5: mild.")]);
    let [anna, ben, _, lea, _] = server.everyone();
    for round in 0..3 {
        let batch = lea.make_batch(&format!("round {round}"), "blind", "1");
        let slots = [anna.claim(batch).unwrap(), ben.claim(batch).unwrap()];
        let (mut child, base) = start(&server);
        let kept = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for (client, slot) in [&anna, &ben].into_iter().zip(slots) {
                let (kept, base) = (&kept, &base);
                scope.spawn(move || {
                    let saves = save_on(client, base, slot);
                    kept.lock().unwrap().push((slot, saves));
                });
            }
            thread::sleep(Duration::from_millis(400 + 150 * round));
            // On Unix this is SIGKILL.
            child.kill().unwrap();
            child.wait().unwrap();
        });
        for (slot, saves) in kept.into_inner().unwrap() {
            let stored = server.store().edits(slot).unwrap().len();
            assert!(saves > 0, "nothing was saved in round {round}");
            // One more may have been kept whose answer the kill cut off.
            assert!((saves..=saves + 1).contains(&stored), "{saves} told, {stored} kept");
        }
    }
}
