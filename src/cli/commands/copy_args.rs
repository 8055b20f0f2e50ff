use std::path::PathBuf;

use chunkmigrate::migrate::{CopyOptions, CopySummary};
use chunkmigrate::record::RecordKind;
use chunkmigrate::table::TableSelection;
use clap::{ValueEnum, ValueHint};

use crate::cli::commands::jobs_arg::JobsArg;
use crate::cli::commands::kind_arg::{kind_or_none_parser, selected};
use crate::cli::commands::path_arg::output_parser;
use crate::cli::commands::tables_arg;
use crate::cli::exit_status::Exit;
use crate::cli::failure::CliError;
use crate::cli::report::copy::write_report;
use crate::cli::term::ui::Ui;

/// Options of every copy.
#[derive(Debug, clap::Args)]
pub(crate) struct CopyArgs {
    /// Copy only these kinds of records (comma-separated)
    ///
    /// [default: all]
    #[arg(long, value_name = "KIND", value_parser = kind_or_none_parser(), value_delimiter = ',')]
    only: Vec<Option<RecordKind>>,
    /// Replace an existing target once the new one is complete and verified
    ///
    /// Everything in the old target is lost; use --merge to add to it instead.
    ///
    /// [default: create a new target; fail if it exists, before anything is read]
    #[arg(long, conflicts_with = "merge")]
    replace: bool,
    /// Merge into an existing target: overwrite records with the same key, add the rest
    ///
    /// All writes are one transaction, which is read back before it commits: all or nothing. Rows of
    /// other tables are merged only if --tables names them. The rest of the target stays unchanged:
    /// triggers don't run and are listed, full-text tables over the records are rebuilt, and changing
    /// an id that other tables reference is an error. A record that violates a constraint of the
    /// target is rejected with the reason. If nothing changes, nothing is written.
    ///
    /// [default: create a new target; fail if it exists]
    #[arg(long)]
    merge: bool,
    /// What to do with invalid rows, entries or lines
    ///
    /// An invalid item cannot be copied exactly: a row with NULL in a required column or with text
    /// that is not valid UTF-8, a KV entry or a line that is not a valid record. Each one is
    /// reported with the reason.
    #[arg(long, value_name = "ACTION", value_enum, default_value_t = OnInvalid::Fail)]
    on_invalid: OnInvalid,
    /// Write rejected items to this file as JSON Lines (one object per line)
    ///
    /// Each line has the table, the row, the reason and the values. A merge overwrites the rejects
    /// file of an earlier run.
    ///
    /// [default: none; with --on-invalid skip, <TARGET>.rejects.jsonl]
    #[arg(long, value_name = "FILE", value_parser = output_parser(), value_hint = ValueHint::FilePath)]
    rejects: Option<PathBuf>,
    /// Read and check everything, write nothing
    ///
    /// Reports what would be done. With --merge, the merge runs on a private copy of the target in
    /// the temporary directory, which needs as much disk space.
    ///
    /// [default: write the target]
    #[arg(long)]
    dry_run: bool,
    /// Don't read the target back before it is published
    ///
    /// The report then says that nothing was verified.
    ///
    /// [default: read every record back and compare it with the source]
    #[arg(long, conflicts_with = "merge")]
    no_verify: bool,
    /// Directory for temporary files
    ///
    /// [default: $SQLITE_TMPDIR, or else $TMPDIR, /var/tmp, /tmp]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    temp_dir: Option<PathBuf>,
    #[command(flatten)]
    threads: JobsArg,
    /// Maximum number of findings of each class to print (all are counted)
    ///
    /// [default: 10, with --format json 1000]
    #[arg(long, value_name = "N", value_hint = ValueHint::Other)]
    limit: Option<usize>,
}

/// The exit statuses of a copy.
pub(crate) const EXIT_STATUS: &str = "
Exit status:
  0
      everything was copied and, unless --no-verify was given, read back identical
  1
      invalid or rejected items, also with --on-invalid skip and --dry-run; or the read-back differs and no target was created
  2
      error: bad usage, unreadable or corrupt input, I/O failure, or out of memory
  129, 130, 143
      interrupted by SIGHUP, SIGINT or SIGTERM: no target was created, an existing one is unchanged, temporary files were removed
";

/// Options of a copy from a database.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct DatabaseArgs {
    /// Carry these tables too (comma-separated), or all
    ///
    /// Every row is carried with the exact type and value of each column. With all, so is everything
    /// else in the database: indexes, views, triggers, virtual tables and settings, so that
    /// kv-to-sqlite creates a database that its own tool can open. Quote a name as in SQL if it has a
    /// comma or is all.
    ///
    /// With --merge, rows are merged by their primary keys into tables that the target has.
    ///
    /// [default: none, only the four kinds of records]
    #[arg(long, value_name = "LIST", value_parser = tables_arg::parse, value_hint = ValueHint::Other)]
    tables: Vec<TableSelection>,

    /// Ignore an unknown column that has values (repeatable)
    ///
    /// Unknown columns with values are an error unless listed here, as their values would be lost.
    ///
    /// [default: none]
    #[arg(long, value_name = "TABLE.COLUMN", value_hint = ValueHint::Other)]
    without_column: Vec<String>,
    /// Run SQLite's integrity check on the source first
    ///
    /// It checks every page of the database.
    ///
    /// [default: check only what is read: the tables of records, and the indexes that give their
    /// order]
    #[arg(long)]
    check_source: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnInvalid {
    /// Report every invalid item and create no target
    Fail,
    /// Copy the valid records and write the rest to the rejects file
    Skip,
}

impl CopyArgs {
    pub(crate) fn options(&self, database: &DatabaseArgs, ui: &Ui) -> CopyOptions {
        let tables = database.tables.iter().cloned().collect();
        CopyOptions::default()
            .only(selected(&self.only))
            .tables(tables)
            .replace(self.replace)
            .merge(self.merge)
            .skip_invalid(self.on_invalid == OnInvalid::Skip)
            .rejects(self.rejects.clone())
            .without_columns(database.without_column.clone())
            .check_source(database.check_source)
            .dry_run(self.dry_run)
            .verify(!self.no_verify)
            .temp_dir(self.temp_dir.clone())
            .jobs(self.threads.jobs)
            .limit(ui.limit(self.limit))
    }
}

pub(crate) fn report(summary: &CopySummary, ui: &Ui) -> Result<Exit, CliError> {
    ui.report(|out| write_report(out, summary), summary)?;
    Ok(match summary.is_complete() {
        true => Exit::Done,
        false => Exit::Diverged,
    })
}
