//! Builds a manual page from the help of a command.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::command_line::NAME;

/// The page of a command as roff. The command and its parents must be built.
pub(crate) fn man_page(command: &Command) -> Vec<u8> {
    let mut page = Vec::new();
    // Writing to a vector cannot fail.
    let _ = write_page(command, &mut page);
    page
}

fn write_page(command: &Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    let name = command.get_display_name().unwrap_or(NAME);
    let man = Man::new(
        command.clone().subcommand_help_heading("COMMANDS").subcommand_value_name("COMMAND"),
    )
    .title(name.to_uppercase())
    // An empty date argument, so that pages don't depend on the build date.
    .date("\"\"")
    .source(concat!("chunkmigrate ", env!("CARGO_PKG_VERSION")))
    .manual("User Commands");
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(page)?;
    }
    let after_help = command.get_after_long_help();
    let after_help = after_help.map(ToString::to_string).unwrap_or_default();
    let mut roff = sections(&after_help);
    if name != NAME {
        roff.control("SH", ["SEE ALSO"]);
        roff.text([bold(NAME), roman("(1)")]);
    }
    roff.to_writer(page)
}

/// The sections after the options, from the text of
/// [`after_help`](crate::cli::help_sections::after_help).
fn sections(after_help: &str) -> Roff {
    let mut roff = Roff::new();
    let mut shows_lines = false;
    for line in after_help.lines() {
        if let Some(text) = line.strip_prefix("      ") {
            match shows_lines {
                true => roff.control("EX", []).text([roman(text)]).control("EE", []),
                false => roff.text([roman(text)]),
            };
        } else if let Some(entry) = line.strip_prefix("  ") {
            shows_lines = entry.ends_with(':');
            let style = if shows_lines { roman } else { bold };
            roff.control("TP", []).text([style(entry)]);
        } else if let Some(heading) = line.strip_suffix(':') {
            roff.control("SH", [heading.to_uppercase().as_str()]);
        }
    }
    roff
}
