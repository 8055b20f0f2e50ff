use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use chunkmigrate::internal::Line;
use chunkmigrate::migrate::{ExportItem, ExportOptions, export};
use chunkmigrate::record::RecordKind;
use chunkmigrate::table::TableSelection;
use clap::ValueHint;
use clap::error::ErrorKind;
use serde_json::value::to_raw_value;

use crate::cli::command_line::command;
use crate::cli::commands::jobs_arg::JobsArg;
use crate::cli::commands::kind_arg::{kind_or_none_parser, selected};
use crate::cli::commands::path_arg::store_parser;
use crate::cli::commands::tables_arg;
use crate::cli::exit_status::Exit;
use crate::cli::failure::CliError;
use crate::cli::help_sections::after_help;
use crate::cli::report::findings::key;
use crate::cli::term::json::write_safe_json;
use crate::cli::term::ui::{Ui, ignore_broken_pipe};

/// Write the records of a store to stdout as JSON Lines (NDJSON)
///
/// Each line is {"kind": ..., "key": ..., "value": {...}}, in key order, for jq and similar tools
/// and for `chunkmigrate import`. If an id sequence is above the highest id of any record, a line
/// of kind "sequences" holds the id sequences, unless only some records are exported. The last
/// line, of kind "end", holds the number of lines of each kind and a digest of them, so that an
/// import can check that the text is complete; an export that fails writes none. With tables, the
/// first line, of kind "tables", describes them, and each row is a line of the kind "table:NAME" with
/// an object of its columns. Invalid rows and entries are reported on stderr, and the rest is written. On a terminal, control characters are
/// escaped; in a file or a pipe, each value is byte for byte that of a KV file.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help(&[AFTER_HELP]))]
pub(crate) struct Args {
    /// A database or KV file
    #[arg(value_parser = store_parser(), value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Export only these kinds of records (comma-separated)
    ///
    /// [default: all]
    #[arg(long, value_name = "KIND", value_parser = kind_or_none_parser(), value_delimiter = ',')]
    only: Vec<Option<RecordKind>>,
    /// Export these tables too (comma-separated), or all
    ///
    /// The first line then describes the tables. Bytes are in Base64. With all, the description
    /// contains everything else in the database. Quote a name as in SQL if it has a comma or is all.
    ///
    /// [default: all tables that a KV file carries, unless --only is given; none of a database]
    #[arg(long, value_name = "LIST", value_parser = tables_arg::parse, value_hint = ValueHint::Other)]
    tables: Vec<TableSelection>,
    /// Export only records and rows whose key starts with this prefix
    ///
    /// A key looks like chunk:src/lib.rs:0:12; a colon in a path is doubled. That of a row starts
    /// with table: and the name of its table. A prefix that no key can have is an error.
    ///
    /// [default: all keys]
    #[arg(long, value_name = "KEYPREFIX", value_hint = ValueHint::Other, default_value = "", hide_default_value = true)]
    prefix: String,
    /// Directory for temporary files
    ///
    /// [default: $SQLITE_TMPDIR, or else $TMPDIR, /var/tmp, /tmp]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    temp_dir: Option<PathBuf>,
    #[command(flatten)]
    threads: JobsArg,
}

const AFTER_HELP: &str = "
Exit status:
  0
      every record was written, or the reader closed the pipe
  1
      invalid rows or entries; all valid records were written
  2
      error: bad usage, unreadable or corrupt input, I/O failure, or out of memory
  129, 130, 143
      interrupted by SIGHUP, SIGINT or SIGTERM: the output is incomplete

Examples:
  Write all records to a file:
      chunkmigrate export code.db > code.ndjson
  Show the first three file metrics:
      chunkmigrate export code.kv --only file-metrics | head -n 3
  Write a whole database:
      chunkmigrate export code.db --tables all > code.ndjson
  Write the chunks of one file:
      chunkmigrate export code.kv --prefix chunk:src/lib.rs: > lib.ndjson
";

/// Fails if no key of the selected kinds can start with the prefix: it is probably mistyped, and
/// the empty export would look like that of an empty store.
fn check_prefix(args: &Args) -> Result<(), CliError> {
    let starts: Vec<&str> = selected(&args.only).iter().map(RecordKind::key_prefix).collect();
    let prefix = args.prefix.as_str();
    let can_match = |start: &&str| start.starts_with(prefix) || prefix.starts_with(*start);
    let has_tables = args.only.is_empty() || !args.tables.is_empty();
    if starts.iter().any(can_match) || has_tables && can_match(&"table:") {
        return Ok(());
    }
    let message = format!(
        "no key of the selected kinds starts with {prefix:?}: all of them start with {}",
        starts.join(" or ")
    );
    let error = command().error(ErrorKind::InvalidValue, message);
    Err(CliError::usage(&error))
}

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    check_prefix(args)?;
    let options = ExportOptions::default()
        .only(selected(&args.only))
        .tables(args.tables.iter().cloned().collect())
        .prefix(args.prefix.as_bytes())
        .temp_dir(args.temp_dir.clone())
        .jobs(args.threads.jobs);
    let stdout = io::stdout().lock();
    let to_terminal = stdout.is_terminal();
    let mut out = BufWriter::with_capacity(1 << 16, stdout);
    let mut written = Ok(());
    let mut findings: u64 = 0;
    let progress = ui.progress();
    export(&args.file, &options, &progress, &mut |exported| {
        match exported {
            ExportItem::Tables(tables) => {
                let json = to_raw_value(tables).map_err(io::Error::other);
                written =
                    json.and_then(|json| write_line(&mut out, &Line::Tables(&json), to_terminal));
            }
            ExportItem::Row { table, key, object } => {
                written = match to_terminal {
                    true => Line::of_row(&table.name, key, object)
                        .map_err(io::Error::other)
                        .and_then(|line| write_line(&mut out, &line, true)),
                    false => Line::write_row(&mut out, &table.name, key, object)
                        .and_then(|()| out.write_all(b"\n")),
                };
            }
            ExportItem::Record { kind, entry } => {
                written = match to_terminal {
                    true => Line::of(kind, entry)
                        .map_err(io::Error::other)
                        .and_then(|line| write_line(&mut out, &line, true)),
                    false => Line::write_record(&mut out, kind, entry)
                        .and_then(|()| out.write_all(b"\n")),
                };
            }
            ExportItem::IdSequences(marks) => {
                written = write_line(&mut out, &Line::IdSequences(marks), to_terminal);
            }
            ExportItem::End(end) => {
                written = write_line(&mut out, &Line::End(end), to_terminal);
            }
            ExportItem::NotClosed => {
                let file = args.file.display();
                ui.warn(&format!(
                    "warning: {file} was not closed cleanly: this is its last complete state"
                ));
            }
            ExportItem::NotCarried(table) => {
                let (name, reason) = (&table.name, table.reason.as_deref().unwrap_or_default());
                ui.warn(&format!("warning: {name:?} is not exported: {reason}"));
            }
            ExportItem::Finding(finding) => {
                findings += 1;
                let key = key(&finding).unwrap_or_default();
                ui.warn(&format!("{} {key}: {}", finding.class, finding.message));
            }
        }
        Ok(match &written {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        })
    })?;
    drop(progress);
    ignore_broken_pipe(written.and_then(|()| out.flush()))?;
    Ok(match findings {
        0 => Exit::Done,
        _ => Exit::Diverged,
    })
}

/// Writes a record in the form of a KV file, but escaped if the output is a terminal.
fn write_line(out: &mut dyn Write, line: &Line<'_>, to_terminal: bool) -> io::Result<()> {
    match to_terminal {
        true => write_safe_json(out, line)?,
        false => serde_json::to_writer(&mut *out, line)?,
    }
    out.write_all(b"\n")
}
