//! What stands below the options in `--help`: sections that are also those of the man page.

use std::fmt::{Display, Write as _};

use anstyle::Style;

use super::exit_status::ExitStatusHelp;

/// The look of clap's own headings.
const HEADING: Style = Style::new().bold().underline();

/// Text in sections.
///
/// A heading stands at the margin, an entry is indented by 2, and what is said of it by 6. Where an
/// entry ends with a colon, lines to paste follow. The man pages are made by this form.
#[derive(Debug, Default)]
pub(super) struct AfterHelp(String);

impl AfterHelp {
    /// A section of entries, each with a text.
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

    /// The end of every help: what the exit statuses mean, and examples, each told and shown.
    pub(super) fn end(self, statuses: &ExitStatusHelp, examples: &[(&str, &str)]) -> String {
        let examples = examples
            .iter()
            .map(|(what, line)| (format!("{what}:"), line));
        self.section("Exit status", statuses.entries())
            .section("Examples", examples)
            .0
    }
}
