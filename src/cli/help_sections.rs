//! The sections after the options in `--help`; the man page has the same.

use std::fmt::{Display, Write as _};

use anstyle::Style;

use super::exit_status::ExitStatusHelp;

/// The style of clap's headings.
const HEADING: Style = Style::new().bold().underline();

/// Text in sections.
///
/// Headings start at the margin, entries are indented by 2, and their descriptions by 6. An entry
/// that ends with a colon is followed by lines to paste. The man pages are generated from this
/// format.
#[derive(Debug, Default)]
pub(super) struct AfterHelp(String);

impl AfterHelp {
    /// Adds a section of entries with descriptions.
    pub(super) fn section<E: Display, T: Display>(
        mut self,
        heading: &str,
        entries: impl IntoIterator<Item = (E, T)>,
    ) -> Self {
        if !self.0.is_empty() {
            self.0.push_str("\n\n");
        }
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{HEADING}{heading}:{HEADING:#}");
        for (entry, text) in entries {
            let _ = write!(self.0, "\n  {entry}\n      {text}");
        }
        self
    }

    /// Finishes the help: the exit statuses, and examples with a description and a command each.
    pub(super) fn end(self, statuses: &ExitStatusHelp, examples: &[(&str, &str)]) -> String {
        let examples = examples
            .iter()
            .map(|(what, line)| (format!("{what}:"), line));
        self.section("Exit status", statuses.entries())
            .section("Examples", examples)
            .0
    }
}
