use std::io::{self, Write};
use std::path::PathBuf;

use chunkmigrate::record::IdSequences;
use chunkmigrate::verify::{Digest, InspectOptions, Inspection, inspect};
use clap::ValueHint;
use indicatif::{HumanBytes, HumanCount};

use crate::cli::commands::jobs_arg::JobsArg;
use crate::cli::exit_status::Exit;
use crate::cli::failure::CliError;
use crate::cli::help_sections::after_help;
use crate::cli::report::other_tables::{write_missing_table, write_tables};
use crate::cli::report::pluralize::closed;
use crate::cli::report::table::{write_fact, write_kinds};
use crate::cli::term::terminal_escape::{escaped, escaped_path};
use crate::cli::term::ui::Ui;

/// Show what a store contains: record counts, sizes and digests
///
/// A database and the KV file copied from it have the same digests, so two machines can compare
/// their stores without copying them. Tables of a database that are not copied are listed too.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help(&[AFTER_HELP]))]
pub(crate) struct Args {
    /// A database or KV file
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
    #[command(flatten)]
    threads: JobsArg,
}

const AFTER_HELP: &str = "
Exit status:
  0
      the whole store was read, and everything in it is valid
  1
      invalid rows or entries, unknown keys, or a manifest that does not match the contents
  2
      error: bad usage, unreadable or corrupt input, I/O failure, or out of memory
  129, 130, 143
      interrupted by SIGHUP, SIGINT or SIGTERM: nothing was reported

Examples:
  Show what a database contains:
      chunkmigrate inspect code.db
  Show the digest of all records together:
      chunkmigrate inspect code.kv | grep '^all'
  Save what a KV file contains as JSON:
      chunkmigrate inspect code.kv --format json > code.json
";

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    let options = InspectOptions::default().jobs(args.threads.jobs);
    let inspection = inspect(&args.file, &options, &ui.progress())?;
    ui.report(|out| write(out, &inspection), &inspection)?;
    Ok(match inspection.is_sound() {
        true => Exit::Done,
        false => Exit::Diverged,
    })
}

fn write(out: &mut dyn Write, inspection: &Inspection) -> io::Result<()> {
    let version = match (inspection.format_version, inspection.schema_version) {
        (Some(version), _) => {
            let state = closed(inspection.label.closed_cleanly);
            format!("KV, format {version}{state}")
        }
        (None, Some(version)) => format!("SQLite, Magellan schema {version}"),
        (None, None) => "SQLite".to_owned(),
    };
    let path = escaped_path(&inspection.label.path);
    let size = HumanBytes(inspection.file_bytes);
    writeln!(out, "{path} ({version}), {size}\n")?;
    let columns = ["records", "key bytes", "value bytes", "invalid"];
    let kinds = inspection.kinds.iter().map(|(kind, content)| {
        let totals = &content.totals;
        let (keys, values) = (totals.key_bytes, totals.value_bytes);
        (kind, vec![totals.records, keys, values, content.invalid])
    });
    write_kinds(out, &columns, kinds)?;
    writeln!(out)?;
    for (kind, _) in inspection.kinds.iter() {
        let digest = digest_text(inspection.kinds.get(kind).sha256());
        writeln!(out, "{:<15} digest {digest}", kind.name())?;
    }
    writeln!(out, "{:<15} digest {}\n", "all", digest_text(inspection.sha256))?;
    let IdSequences { code_chunks, execution_log } = inspection.sequences;
    let text = format_args!("code_chunks {code_chunks}, execution_log {execution_log}");
    write_fact(out, "id sequences", &text)?;
    for kind in &inspection.missing {
        write_missing_table(out, *kind)?;
    }
    if let Some(manifest) = &inspection.manifest {
        let matches = match inspection.manifest_matches {
            Some(false) => "does not match the contents",
            _ => "matches the contents",
        };
        let (tool, time) = (escaped(&manifest.tool), escaped(&manifest.created_at));
        let source = escaped(&manifest.source.file_name);
        let text = format_args!("{matches}; written by {tool} at {time}, from {source}");
        write_fact(out, "manifest", &text)?;
    } else if inspection.format_version.is_some() {
        write_fact(out, "manifest", &"none")?;
    }
    if inspection.unknown_keys > 0 {
        write_fact(out, "unknown keys", &HumanCount(inspection.unknown_keys))?;
    }
    write_tables(out, "other tables", &inspection.uncopied_tables)
}

fn digest_text(digest: Option<Digest>) -> String {
    digest.map_or_else(|| "none (invalid items)".to_owned(), |d| d.to_string())
}
