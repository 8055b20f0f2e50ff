//! A headless Chromium, if the machine has one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::need::program_folders;

/// A browser that takes longer counts as hanging.
const HANG: Duration = Duration::from_secs(60);

/// Names of the programs.
pub(crate) const NAMES: [&str; 4] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// A browser.
pub(crate) struct Browser {
    program: PathBuf,
}

/// The result of opening a page in a browser.
pub(crate) struct Opened {
    /// The final document, as HTML.
    pub(crate) dom: String,
    /// The messages on the console.
    pub(crate) console: Vec<String>,
}

impl Browser {
    /// The browser of this machine.
    pub(crate) fn find() -> Option<Self> {
        let folders = program_folders();
        let mut programs =
            NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
        let program = programs.find(|program| program.is_file())?;
        Some(Browser { program })
    }

    /// Opens a page.
    pub(crate) fn open(&self, page: &Path) -> Opened {
        let profile = TempDir::new().unwrap();
        let mut command = assert_cmd::Command::new(&self.program);
        command
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--hide-scrollbars",
                "--enable-logging=stderr",
                "--v=0",
                "--dump-dom",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("file://{}", page.display()))
            .timeout(HANG);
        let output = command.output().unwrap();
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the browser failed: {log}");
        let console = log.lines().filter(|line| line.contains(":CONSOLE"));
        Opened {
            dom: String::from_utf8(output.stdout).unwrap(),
            console: console.map(str::to_owned).collect(),
        }
    }

    /// Opens a page in a frame of a given width in pixels and evaluates `question`, a JavaScript
    /// expression that returns a string. The page itself runs no script.
    pub(crate) fn ask(&self, page: &str, width: u32, question: &str) -> String {
        let wrapper = format!(
            "<!doctype html><meta charset=\"utf-8\">
            <script>
            function answer(frame) {{
                const page = frame.contentDocument, view = frame.contentWindow;
                document.body.innerText = 'answer:' + ({question}) + ':answer';
            }}
            </script>
            <iframe width=\"{width}\" height=\"900\" style=\"border:0\" onload=\"answer(this)\"
                srcdoc=\"{}\"></iframe>",
            page.replace('&', "&amp;").replace('"', "&quot;")
        );
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("wrapper.html");
        fs::write(&path, wrapper).unwrap();
        let Opened { dom, console } = self.open(&path);
        assert_eq!(console, Vec::<String>::new());
        let answer = dom.split_once("<body>answer:").unwrap_or_else(|| panic!("{dom}"));
        let (answer, _) = answer.1.rsplit_once(":answer").unwrap();
        answer.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }
}
