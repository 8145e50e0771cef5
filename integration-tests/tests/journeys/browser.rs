//! A headless Chromium that looks at pages, driven over its debugging pipe (Chrome DevTools Protocol: JSON, each message
//! ended by NUL).

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use data_encoding::BASE64;
use serde_json::{Value, json};
use tempfile::TempDir;
use wathiq_local::layout::{Layout, find_root};

/// A page that was never painted drops keys.
const PAINTED: &str =
    "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))";

/// A cheap phone's width, and a desk's, in CSS pixels.
const WIDTHS: [u32; 2] = [360, 1280];
/// Longest wait for the browser's next word.
const BOUND: Duration = Duration::from_secs(30);
/// What WCAG 2 asks for at levels A and AA, as far as a program can tell.
const JUDGE: &str = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa']}).then(found =>
    found.violations.map(rule => rule.id + ' ' + rule.nodes.map(node => node.html).join(' | ')))";

pub(crate) struct Browser {
    program: Child,
    input: ChildStdin,
    output: Receiver<Value>,
    judge: String,
    session: Option<Value>,
    asked: u64,
    /// Where the page stands that was come to since one was asked for: the browser may say so before it answers the call that
    /// asked.
    at: String,
    /// That page has loaded.
    loaded: bool,
    _profile: TempDir,
}

impl Browser {
    pub(crate) fn open() -> Result<Self> {
        let layout = Layout::demonstration(&find_root()?);
        let judge = std::fs::read_to_string(layout.tools().join("node/node_modules/axe-core/axe.min.js"))?;
        let profile = tempfile::tempdir()?;
        // Chromium reads commands from descriptor 3 and answers on 4.
        let command = "exec chromium --headless=new --no-sandbox --disable-gpu --remote-debugging-pipe \
             --user-data-dir=\"$0\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null";
        let mut program = Command::new("sh")
            .args(["-c", command])
            .arg(profile.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = program.stdin.take().context("no way in")?;
        let answers = BufReader::new(program.stdout.take().context("no way out")?);
        let (told, output) = mpsc::channel();
        std::thread::spawn(move || listen(answers, &told));
        let mut browser = Self {
            program,
            input,
            output,
            judge,
            session: None,
            asked: 0,
            at: String::new(),
            loaded: false,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        browser.session = Some(browser.call("Target.attachToTarget", &attach)?["sessionId"].clone());
        browser.call("Page.enable", &json!({}))?;
        browser.call("Emulation.setFocusEmulationEnabled", &json!({"enabled": true}))?;
        Ok(browser)
    }

    /// Opens a page at both widths: nothing sticks out of it sideways, and what a program can tell of its accessibility holds.
    pub(crate) fn look(&mut self, url: &str, cookie: Option<(&str, &str)>) -> Result<()> {
        self.enter(url, cookie)?;
        self.visit(url)?;
        self.judge()
    }

    /// Whoever was signed in is not any more; with a cookie, somebody else is.
    pub(crate) fn enter(&mut self, url: &str, cookie: Option<(&str, &str)>) -> Result<()> {
        self.call("Network.clearBrowserCookies", &json!({}))?;
        if let Some((name, value)) = cookie {
            let cookie = json!({"name": name, "value": value, "url": url, "path": "/", "secure": true});
            let set = self.call("Network.setCookie", &cookie)?;
            ensure!(set["success"] == true, "the cookie is not taken: {set}");
        }
        Ok(())
    }

    pub(crate) fn visit(&mut self, url: &str) -> Result<()> {
        self.leading("Page.navigate", &json!({"url": url}))
    }

    /// Judges the page that is open, at both widths.
    pub(crate) fn judge(&mut self) -> Result<()> {
        let judge = self.judge.clone();
        self.evaluate(&judge)?;
        for width in WIDTHS {
            self.widen(width)?;
            let wide = self.evaluate("document.documentElement.scrollWidth")?;
            let url = self.address()?;
            ensure!(
                wide.as_u64() <= Some(u64::from(width)),
                "{url} is {wide} wide on a screen of {width}"
            );
            let found = self.evaluate(JUDGE)?;
            ensure!(found == json!([]), "{url} at {width}: {found:#}");
        }
        Ok(())
    }

    /// Types into the field that has the focus, key by key, as a keyboard or a barcode gun does, and ends with Enter. What
    /// this sends has been answered by another page then.
    pub(crate) fn scan(&mut self, code: &str) -> Result<()> {
        self.evaluate(PAINTED)?;
        for character in code.chars() {
            let text = character.to_string();
            for kind in ["keyDown", "keyUp"] {
                let key =
                    json!({"type": kind, "key": text, "text": if kind == "keyDown" { &text } else { "" }});
                self.call("Input.dispatchKeyEvent", &key)?;
            }
        }
        self.leading(
            "Input.dispatchKeyEvent",
            &json!({"type": "keyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}),
        )
    }

    /// Gives a field a value.
    pub(crate) fn fill(&mut self, field: &str, value: &str) -> Result<()> {
        let done = self.evaluate(&format!(
            "(() => {{ const field = document.querySelector({}); if (!field) return false; field.value = {};
               return field.value === {}; }})()",
            json!(field),
            json!(value),
            json!(value)
        ))?;
        ensure!(done == true, "{field} does not take {value} on {}", self.text()?);
        Ok(())
    }

    /// Chooses what leads to no other page.
    pub(crate) fn choose(&mut self, what: &str) -> Result<()> {
        let script = format!("document.querySelector({}).click()", json!(what));
        self.evaluate(&script).map(|_| ())
    }

    /// Follows a link or presses a button, which lead to a page whose address has this in it, at once or by way of others.
    pub(crate) fn press(&mut self, what: &str, to: &str) -> Result<()> {
        let pressed = format!(
            "(() => {{ const what = document.querySelector({});
               if (what) setTimeout(() => what.click(), 0);
               return !!what; }})()",
            json!(what)
        );
        self.leave();
        let pressed = self.evaluate(&pressed)?;
        ensure!(pressed == true, "there is no {what} on {}", self.text()?);
        self.arrive(to)
    }

    /// The address of the page that is open.
    pub(crate) fn address(&mut self) -> Result<String> {
        let address = self.evaluate("location.href")?;
        Ok(address.as_str().context("no address")?.to_owned())
    }

    /// What a person reads on the page.
    pub(crate) fn text(&mut self) -> Result<String> {
        let text = self.evaluate("document.body.innerText")?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Keeps a picture of the whole page as a phone shows it.
    pub(crate) fn picture(&mut self, file: &Path) -> Result<()> {
        let width = WIDTHS[0];
        self.widen(width)?;
        let height = self.evaluate("document.documentElement.scrollHeight")?;
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        let shot = json!({"captureBeyondViewport": true, "clip": clip});
        let answer = self.call("Page.captureScreenshot", &shot)?;
        let picture = answer["data"].as_str().context("no picture")?;
        std::fs::write(file, BASE64.decode(picture.as_bytes())?)?;
        Ok(())
    }

    fn widen(&mut self, width: u32) -> Result<()> {
        let screen = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &screen)
            .map(|_| ())
    }

    /// A call that leads to another page.
    fn leading(&mut self, method: &str, parameters: &Value) -> Result<()> {
        self.leave();
        self.call(method, parameters)?;
        self.arrive("")
    }

    fn leave(&mut self) {
        (self.at, self.loaded) = (String::new(), false);
    }

    fn arrive(&mut self, to: &str) -> Result<()> {
        while !self.loaded || !self.at.contains(to) {
            let at = self.at.clone();
            self.read().with_context(|| format!("no {to} after {at}"))?;
        }
        Ok(())
    }

    pub(crate) fn evaluate(&mut self, expression: &str) -> Result<Value> {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", &asked)?;
        ensure!(
            answer["exceptionDetails"].is_null(),
            "{}",
            answer["exceptionDetails"]
        );
        Ok(answer["result"]["value"].clone())
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value> {
        self.asked += 1;
        let mut message = json!({"id": self.asked, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = session.clone();
        }
        write!(self.input, "{message}\0")?;
        self.input.flush()?;
        loop {
            let mut answer = self.read()?;
            if answer["id"] == self.asked {
                ensure!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return Ok(answer["result"].take());
            }
        }
    }

    fn read(&mut self) -> Result<Value> {
        let message = self.output.recv_timeout(BOUND);
        let message = message.context("the browser has ended, or no page loads")?;
        if message["method"] == "Page.frameNavigated" && message["params"]["frame"]["parentId"].is_null() {
            let at = message["params"]["frame"]["url"].as_str();
            (self.at, self.loaded) = (at.unwrap_or_default().to_owned(), false);
        }
        self.loaded |= message["method"] == "Page.loadEventFired" && !self.at.is_empty();
        Ok(message)
    }
}

/// Hands on what the browser says, to its end.
fn listen(mut answers: BufReader<ChildStdout>, told: &Sender<Value>) {
    let mut message = Vec::new();
    while answers.read_until(0, &mut message).is_ok() && message.pop() == Some(0) {
        let Ok(value) = serde_json::from_slice(&message) else {
            return;
        };
        if told.send(value).is_err() {
            return;
        }
        message.clear();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // One that has ended already needs no ending.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn what_is_wrong_with_a_page_is_found() {
    let mut browser = Browser::open().unwrap();
    let page = |body: &str| format!("data:text/html,<html lang=fr><title>Page</title><main>{body}</main>");
    browser.look(&page("<h1>Bonjour</h1>"), None).unwrap();
    for (body, fault) in [
        ("<img src=x>", "image-alt"),
        ("<input>", "label"),
        ("<p style='color:silver'>pale</p>", "color-contrast"),
        ("<p style='width:400px'>large</p>", "wide on a screen of 360"),
    ] {
        let found = browser.look(&page(body), None).unwrap_err().to_string();
        assert!(found.contains(fault), "{body}: {found}");
    }
}
