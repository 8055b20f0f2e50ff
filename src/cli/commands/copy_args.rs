use std::path::PathBuf;

use chunkmigrate::migrate::{self, CopyOptions, CopySummary};
use chunkmigrate::record::RecordKind;
use clap::{ValueEnum, ValueHint};

use crate::cli::commands::kind_arg::kind_parser;
use crate::cli::exit::{Exit, Statuses};
use crate::cli::failure::Failure;
use crate::cli::report::copy::CopyReport;
use crate::cli::report::copy_json::copy_document;
use crate::cli::term::ui::Ui;

/// Options of every copy.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CopyArgs {
    /// Copy only these kinds of records
    ///
    /// Several are separated by commas.
    ///
    /// [default: all]
    #[arg(long, value_name = "KIND", value_parser = kind_parser(), value_delimiter = ',')]
    only: Vec<RecordKind>,
    /// Replace an existing target once the new one is complete and verified
    ///
    /// All that the old one holds goes with it. Use --merge to add to it instead. Without it, and
    /// without --merge, a target that exists is an error before anything is read.
    #[arg(long, conflicts_with = "merge")]
    replace: bool,
    /// Write into an existing target: records of the same key are replaced, others added
    ///
    /// In one transaction, read back before it ends: all or nothing. What else the target holds
    /// stays as it is: triggers don't run and are listed, full-text tables over the records are
    /// rebuilt, and a merge that would change an id that other tables refer to is an error. A record
    /// that the target does not take is rejected with the reason. If nothing changes, nothing is
    /// written. Without it a new target is made.
    #[arg(long)]
    merge: bool,
    /// What to do with what is no exact record
    ///
    /// That is a row that no record can keep as it is, for example with a NULL where there must be a
    /// value or text that is no UTF-8; or an entry of a KV file whose value is no record. Each is
    /// named with the reason.
    #[arg(long, value_name = "ACTION", value_enum, default_value_t = OnInvalid::Fail)]
    on_invalid: OnInvalid,
    /// Write what is no exact record to this file, one JSON object a line
    ///
    /// Each line has the table, the row, what is wrong with it and its values. A merge replaces the
    /// rejects file of an earlier run.
    ///
    /// [default: none; with --on-invalid skip, <TARGET>.rejects.jsonl]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    rejects: Option<PathBuf>,
    /// Read and check everything, write nothing
    ///
    /// The report says what would have been done. With --merge, the merge is made in a private copy of
    /// the target in the temporary directory, which needs as much disk space. Without it, the target
    /// is written.
    #[arg(long)]
    dry_run: bool,
    /// Don't read the target back before it is published
    ///
    /// The report then says that nothing was verified. Without it every record is read back from
    /// the target and compared with what was read from the source.
    #[arg(long, conflicts_with = "merge")]
    no_verify: bool,
    /// Where to sort what does not fit into memory
    ///
    /// [default: $SQLITE_TMPDIR, or else $TMPDIR, /var/tmp, /tmp]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    temp_dir: Option<PathBuf>,
    /// How many rejections and divergences to print; all are counted
    ///
    /// [default: 20, with --format json 1000]
    #[arg(long, value_name = "N", value_hint = ValueHint::Other)]
    limit: Option<usize>,
}

/// What the exit statuses of a copy mean.
pub(in crate::cli) const STATUSES: Statuses = Statuses {
    done: "everything was copied, and read back the same unless there was --no-verify",
    diverged: Some(
        "something is no exact record, also with --on-invalid skip and --dry-run; or what was read \
         back differs, and no target was made",
    ),
    stopped: Some(
        "no target was made, one that was there is as it was, temporary files are removed",
    ),
};

/// Options of a copy from a database.
#[derive(Debug, Default, clap::Args)]
pub(in crate::cli) struct DatabaseArgs {
    /// Leave a column behind that this version doesn't know
    ///
    /// It can be given more than once. A column of that kind that is not named and holds anything is
    /// an error, as its values would be lost.
    ///
    /// [default: none]
    #[arg(long, value_name = "TABLE.COLUMN", value_hint = ValueHint::Other)]
    without_column: Vec<String>,
    /// Let SQLite check the integrity of the source first
    ///
    /// It checks every page of the database. Without it only what is read is checked: the tables of
    /// records, and the indexes that give their order.
    #[arg(long)]
    check_source: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OnInvalid {
    /// Read on to name it all, make no target
    Fail,
    /// Copy the rest
    Skip,
}

impl CopyArgs {
    pub(in crate::cli) fn options(&self, database: &DatabaseArgs, ui: &Ui) -> CopyOptions {
        CopyOptions {
            only: self.only.clone(),
            replace: self.replace,
            merge: self.merge,
            on_invalid: match self.on_invalid {
                OnInvalid::Fail => migrate::OnInvalid::Fail,
                OnInvalid::Skip => migrate::OnInvalid::Skip,
            },
            rejects: self.rejects.clone(),
            without_columns: database.without_column.clone(),
            check_source: database.check_source,
            require_end: false,
            allow_empty: false,
            dry_run: self.dry_run,
            verify: !self.no_verify,
            temp_dir: self.temp_dir.clone(),
            limit: ui.limit(self.limit),
            created_at: None,
        }
    }
}

/// Prints what a copy did.
pub(in crate::cli) fn report(summary: &CopySummary, ui: &Ui) -> Result<Exit, Failure> {
    let report = CopyReport::new(summary);
    ui.report(|out| report.write(out), &copy_document(summary))?;
    Ok(match summary.is_complete() {
        true => Exit::Done,
        false => Exit::Diverged,
    })
}
