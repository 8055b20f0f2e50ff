use std::io::{self, Write};
use std::path::PathBuf;

use chunkmigrate::record::{IdSequences, RecordKind};
use chunkmigrate::table::Kind;
use chunkmigrate::table::TableSelection;
use chunkmigrate::verify::{Digest, InspectOptions, Inspection, inspect};
use clap::ValueHint;
use indicatif::{HumanBytes, HumanCount};

use crate::cli::commands::jobs_arg::JobsArg;
use crate::cli::commands::path_arg::store_parser;
use crate::cli::commands::tables_arg;
use crate::cli::exit_status::Exit;
use crate::cli::failure::CliError;
use crate::cli::help_sections::after_help;
use crate::cli::report::other_tables::{write_missing_table, write_tables};
use crate::cli::report::pace::pace;
use crate::cli::report::pluralize::closed;
use crate::cli::report::table::{write_fact, write_kinds};
use crate::cli::term::output::Output;
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
    #[arg(value_parser = store_parser(), value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Include these tables of a database (comma-separated), or all
    ///
    /// [default: the tables that a KV file carries]
    #[arg(long, value_name = "LIST", value_parser = tables_arg::parse, value_hint = ValueHint::Other)]
    tables: Vec<TableSelection>,

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
    let options = InspectOptions::default()
        .tables(args.tables.iter().cloned().collect())
        .jobs(args.threads.jobs);
    let inspection = inspect(&args.file, &options, &ui.progress())?;
    ui.report(|out| write(out, &inspection), &inspection)?;
    Ok(match inspection.is_sound() {
        true => Exit::Done,
        false => Exit::Diverged,
    })
}

fn write(out: &mut Output<'_>, inspection: &Inspection) -> io::Result<()> {
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
    let is_shown = |kind: RecordKind| {
        let content = inspection.kinds.get(kind);
        // Databases of other tools have tables, but none of the kinds.
        inspection.tables.is_empty() || content.totals.records + content.invalid > 0
    };
    let kinds = inspection.kinds.iter().filter(|(kind, _)| is_shown(*kind));
    let kinds = kinds.map(|(kind, content)| {
        let totals = &content.totals;
        let (keys, values) = (totals.key_bytes, totals.value_bytes);
        (kind.name().to_owned(), vec![totals.records, keys, values, content.invalid])
    });
    let tables = inspection.tables.iter().map(|(name, totals)| {
        let (keys, values) = (totals.key_bytes, totals.value_bytes);
        (table_name(name), vec![totals.records, keys, values, 0])
    });
    write_kinds(out, &columns, kinds.chain(tables))?;
    writeln!(out)?;
    let kinds = inspection.kinds.iter().filter(|(kind, _)| is_shown(*kind));
    let kinds = kinds.map(|(kind, content)| (kind.name().to_owned(), content.sha256()));
    let tables = inspection.tables.iter();
    let tables = tables.map(|(name, totals)| (table_name(name), Some(totals.sha256)));
    let digests = kinds.chain(tables).chain([("all".to_owned(), inspection.sha256)]);
    let digests: Vec<_> = digests.collect();
    let width = digests.iter().map(|(name, _)| name.chars().count()).fold(15, usize::max);
    for (name, digest) in digests {
        writeln!(out, "{name:<width$} digest {}", digest_text(digest))?;
    }
    writeln!(out)?;
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
    write_tables(out, &inspection.uncopied_tables, None)?;
    write_fact(out, "time", &pace(out.elapsed(), [inspection.label.path.as_path()]))
}

/// A carried table as a kind.
fn table_name(name: &str) -> String {
    escaped(&Kind::table(name).to_string()).into_owned()
}

fn digest_text(digest: Option<Digest>) -> String {
    digest.map_or_else(|| "none (invalid items)".to_owned(), |d| d.to_string())
}
