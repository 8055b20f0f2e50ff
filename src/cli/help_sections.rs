//! The sections after the options in `--help`; the man page has the same.

use anstyle::Style;

/// The style of clap's headings.
const HEADING: Style = Style::new().bold().underline();

/// Help with styled headings, from sections with an empty line between them.
///
/// Headings start at the margin, entries are indented by 2, and their descriptions by 6. An entry
/// that ends with a colon is followed by lines to paste. The man pages are generated from this
/// format.
pub(super) fn after_help(sections: &[&str]) -> String {
    let sections = sections.iter().map(|section| section.trim_matches('\n'));
    let text = sections.collect::<Vec<_>>().join("\n\n");
    let lines = text.lines().map(|line| match line {
        "" => String::new(),
        entry if entry.starts_with(' ') => entry.to_owned(),
        heading => format!("{HEADING}{heading}{HEADING:#}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}
