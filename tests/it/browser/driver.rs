//! A browser without a window, over the WebDriver protocol: the few calls that the tests need, which
//! are plain JSON over HTTP.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};

/// The keys of the WebDriver specification that the tests press.
pub mod key {
    pub const ENTER: &str = "\u{e007}";
    pub const SHIFT: &str = "\u{e008}";
    pub const CONTROL: &str = "\u{e009}";
    pub const BACKSPACE: &str = "\u{e003}";
    pub const ESCAPE: &str = "\u{e00c}";
    pub const DOWN: &str = "\u{e015}";
    pub const TAB: &str = "\u{e004}";
}

/// How long the tests wait for what a page does by itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// What starts browsers; it ends with its last test.
pub struct Driver {
    child: Child,
    base: String,
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Driver {
    /// The driver, or none where there is no Chromium: then the test is skipped, and says so.
    pub fn start() -> Option<Self> {
        let there = |name: &str| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
        };
        if !there("chromium") || !there("chromedriver") {
            eprintln!("SKIPPED: no chromium or chromedriver; scripts/test-setup says why");
            return None;
        }
        let mut child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.ok()?;
            let port = line.split("started successfully on port ").nth(1)?;
            Some(port.trim_end_matches('.').to_owned())
        });
        // Whoever stops reading stops the driver.
        std::thread::spawn(move || lines.for_each(drop));
        let driver = Self { child, base: format!("http://127.0.0.1:{}", port.unwrap()) };
        match driver.open(1280, false) {
            Ok(browser) => drop(browser),
            Err(error) => {
                eprintln!("SKIPPED: Chromium does not start here: {error}");
                return None;
            }
        }
        Some(driver)
    }

    /// Opens a browser of this width in pixels.
    pub fn browser(&self, width: u32, dark: bool) -> Browser {
        self.open(width, dark).unwrap()
    }

    fn open(&self, width: u32, dark: bool) -> Result<Browser, String> {
        let mut args = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            format!("--window-size={width},1000"),
        ];
        if dark {
            args.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "unhandledPromptBehavior": "accept",
            "goog:chromeOptions": { "args": args },
        } } });
        let session = ask("POST", &format!("{}/session", self.base), &wanted)?;
        let id = session["sessionId"].as_str().ok_or("no session")?;
        Ok(Browser { base: format!("{}/session/{id}", self.base) })
    }
}

#[track_caller]
fn call(method: &str, url: &str, body: &Value) -> Value {
    ask(method, url, body).unwrap_or_else(|error| panic!("{url} {body}: {error}"))
}

fn ask(method: &str, url: &str, body: &Value) -> Result<Value, String> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let answer = match method {
        "POST" => agent.post(url).send_json(body),
        "DELETE" => agent.delete(url).call(),
        _ => agent.get(url).call(),
    };
    let mut answer = answer.map_err(|error| error.to_string())?;
    let told: Value = answer
        .body_mut()
        .with_config()
        .limit(64 << 20)
        .read_json()
        .map_err(|error| error.to_string())?;
    match &told["value"]["error"] {
        Value::Null => Ok(told["value"].clone()),
        error => Err(format!("{error}: {}", told["value"]["message"])),
    }
}

/// A browser.
pub struct Browser {
    base: String,
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            call("DELETE", &self.base, &json!({}));
        }
    }
}

impl Browser {
    pub fn go(&self, url: &str) {
        call("POST", &format!("{}/url", self.base), &json!({ "url": url }));
    }

    /// Loads the page again.
    pub fn reload(&self) {
        call("POST", &format!("{}/refresh", self.base), &json!({}));
    }

    /// What a script returns.
    pub fn run(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        call("POST", &format!("{}/execute/sync", self.base), &body)
    }

    /// What a script hands to its callback, which is its last argument.
    pub fn wait_for(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        call("POST", &format!("{}/execute/async", self.base), &body)
    }

    /// Presses these keys one after the other.
    pub fn press(&self, keys: &[&str]) {
        let taps = keys.iter().flat_map(|key| {
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
        });
        self.act(taps.collect());
    }

    /// Presses a key while another is held.
    pub fn chord(&self, held: &str, key: &str) {
        self.act(vec![
            json!({ "type": "keyDown", "value": held }),
            json!({ "type": "keyDown", "value": key }),
            json!({ "type": "keyUp", "value": key }),
            json!({ "type": "keyUp", "value": held }),
        ]);
    }

    /// Types a text where the focus is.
    #[track_caller]
    pub fn type_in(&self, text: &str) {
        // A page that has only just come gives its field the focus a moment later.
        self.until("['INPUT', 'TEXTAREA'].includes(document.activeElement?.tagName)");
        let letters: Vec<String> = text.chars().map(String::from).collect();
        self.press(&letters.iter().map(String::as_str).collect::<Vec<_>>());
        self.until(&format!("document.activeElement.value.endsWith({})", json!(text)));
    }

    fn act(&self, actions: Vec<Value>) {
        let body = json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] });
        call("POST", &format!("{}/actions", self.base), &body);
    }

    /// Waits until an expression of the page is true.
    #[track_caller]
    pub fn until(&self, what: &str) {
        let start = Instant::now();
        while self.run(&format!("return Boolean({what})")) != true {
            if start.elapsed() > PATIENCE {
                let page = self.run("return document.body.innerText");
                panic!("`{what}` does not come true on {page}");
            }
            sleep(Duration::from_millis(30));
        }
    }

    /// Keeps a picture of the page.
    pub fn picture(&self, name: &str) -> PathBuf {
        let encoded = call("GET", &format!("{}/screenshot", self.base), &json!({}));
        let bytes = base64::engine::general_purpose::STANDARD.decode(encoded.as_str().unwrap());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}.png"));
        std::fs::write(&path, bytes.unwrap()).unwrap();
        path
    }
}
