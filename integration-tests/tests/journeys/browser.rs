//! A headless Chromium that looks at pages, driven over its debugging pipe (Chrome DevTools Protocol: JSON, each message
//! ended by NUL).

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use wathiq_local::layout::{Layout, find_root};

/// A cheap phone's width, and a desk's, in CSS pixels.
const WIDTHS: [u32; 2] = [360, 1280];
/// What WCAG 2 asks for at levels A and AA, as far as a program can tell.
const JUDGE: &str = "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa']}).then(found =>
    found.violations.map(rule => rule.id + ' ' + rule.nodes.map(node => node.html).join(' | ')))";

pub(crate) struct Browser {
    program: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    judge: String,
    session: Option<Value>,
    asked: u64,
    /// A page has loaded since it was asked for: the browser may say so before it answers the call that asked.
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
        let output = BufReader::new(program.stdout.take().context("no way out")?);
        let mut browser = Self {
            program,
            input,
            output,
            judge,
            session: None,
            asked: 0,
            loaded: false,
            _profile: profile,
        };
        let target = browser.call("Target.createTarget", &json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        browser.session = Some(browser.call("Target.attachToTarget", &attach)?["sessionId"].clone());
        browser.call("Page.enable", &json!({}))?;
        Ok(browser)
    }

    /// Opens a page at both widths: nothing sticks out of it sideways, and what a program can tell of its accessibility holds.
    pub(crate) fn look(&mut self, url: &str, cookie: Option<(&str, &str)>) -> Result<()> {
        self.call("Network.clearBrowserCookies", &json!({}))?;
        if let Some((name, value)) = cookie {
            let cookie = json!({"name": name, "value": value, "url": url, "path": "/", "secure": true});
            let set = self.call("Network.setCookie", &cookie)?;
            ensure!(set["success"] == true, "the cookie is not taken: {set}");
        }
        for width in WIDTHS {
            let screen = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
            self.call("Emulation.setDeviceMetricsOverride", &screen)?;
            self.loaded = false;
            self.call("Page.navigate", &json!({"url": url}))?;
            while !self.loaded {
                self.read()?;
            }
            let wide = self.evaluate("document.documentElement.scrollWidth")?;
            ensure!(
                wide.as_u64() <= Some(u64::from(width)),
                "{url} is {wide} wide on a screen of {width}"
            );
            let judge = self.judge.clone();
            self.evaluate(&judge)?;
            let found = self.evaluate(JUDGE)?;
            ensure!(found == json!([]), "{url} at {width}: {found:#}");
        }
        Ok(())
    }

    fn evaluate(&mut self, expression: &str) -> Result<Value> {
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
        let mut message = Vec::new();
        self.output.read_until(0, &mut message)?;
        if message.pop() != Some(0) {
            bail!("the browser has ended");
        }
        let message: Value = serde_json::from_slice(&message)?;
        self.loaded |= message["method"] == "Page.loadEventFired";
        Ok(message)
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
