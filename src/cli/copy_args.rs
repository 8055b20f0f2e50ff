use std::path::PathBuf;

use chunkmigrate::migrate::{self, CopyOptions, CopySummary};
use clap::ValueEnum;

use super::copy_document::copy_document;
use super::copy_report::CopyReport;
use super::exit::Exit;
use super::failure::Failure;
use super::kind::{Kind, record_kinds};
use super::ui::Ui;

/// Options of every copy.
#[derive(Debug, clap::Args)]
pub(super) struct CopyArgs {
    /// Copy only these kinds of records
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    only: Vec<Kind>,
    /// Replace an existing target once the new one is complete and verified
    ///
    /// All that the old one holds goes with it. Use --merge to add to it instead.
    #[arg(long, conflicts_with = "merge")]
    replace: bool,
    /// Write into an existing target: records of the same key are replaced, others added
    ///
    /// In one transaction, read back before it ends: all or nothing. What else the target holds
    /// stays as it is. If nothing changes, nothing is written.
    #[arg(long)]
    merge: bool,
    /// What to do with what is no exact record
    #[arg(long, value_enum, default_value_t = OnInvalid::Fail)]
    on_invalid: OnInvalid,
    /// Write what is no exact record to this file, one JSON object a line
    ///
    /// With --on-invalid skip the default is <TARGET>.rejects.jsonl.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Read and check everything, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Don't read the target back before it is published
    #[arg(long, conflicts_with = "merge")]
    no_verify: bool,
    /// Where to sort what does not fit into memory
    #[arg(long, value_name = "DIR")]
    temp_dir: Option<PathBuf>,
    /// How many rejections and divergences to print; all are counted
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

/// Options of a copy from a database.
#[derive(Debug, Default, clap::Args)]
pub(super) struct DatabaseArgs {
    /// Leave a column behind that this version doesn't know
    #[arg(long, value_name = "TABLE.COLUMN")]
    without_column: Vec<String>,
    /// Let SQLite check the integrity of the source first
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
    pub(super) fn options(&self, database: &DatabaseArgs) -> CopyOptions {
        CopyOptions {
            only: record_kinds(&self.only),
            replace: self.replace,
            merge: self.merge,
            on_invalid: match self.on_invalid {
                OnInvalid::Fail => migrate::OnInvalid::Fail,
                OnInvalid::Skip => migrate::OnInvalid::Skip,
            },
            rejects: self.rejects.clone(),
            without_columns: database.without_column.clone(),
            check_source: database.check_source,
            dry_run: self.dry_run,
            verify: !self.no_verify,
            temp_dir: self.temp_dir.clone(),
            limit: self.limit,
            created_at: None,
        }
    }
}

/// Prints what a copy did.
pub(super) fn report(summary: &CopySummary, ui: &Ui) -> Result<Exit, Failure> {
    let report = CopyReport::new(summary);
    ui.report(|out| report.write(out), &copy_document(summary))?;
    Ok(match summary.is_complete() {
        true => Exit::Done,
        false => Exit::Diverged,
    })
}
