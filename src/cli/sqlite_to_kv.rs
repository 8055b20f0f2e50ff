use std::path::PathBuf;

use chunkmigrate::migrate::{self, CopyOptions};
use clap::ValueEnum;

use super::copy_document::copy_document;
use super::copy_report::CopyReport;
use super::exit::Exit;
use super::failure::Failure;
use super::ui::Ui;

/// Copy the records of a SQLite database into a new KV file
///
/// The source is read in one transaction and never changed. The target is built out of sight, every
/// record is read back from it and compared, and only then does it appear, whole or not at all.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Args {
    /// The database to read
    #[arg(value_name = "SQLITE")]
    source: PathBuf,
    /// The KV file to make
    #[arg(value_name = "KV")]
    target: PathBuf,
    #[command(flatten)]
    copy: CopyArgs,
}

const EXAMPLES: &str = "\
Examples:
    chunkmigrate sqlite-to-kv code.db code.kv
    chunkmigrate sqlite-to-kv code.db code.kv --only chunk,file-metrics
    chunkmigrate sqlite-to-kv code.db code.kv --replace --on-invalid skip
    chunkmigrate sqlite-to-kv code.db code.kv --dry-run --format json";

/// Options of every copy.
#[derive(Debug, clap::Args)]
struct CopyArgs {
    /// Copy only these kinds of records
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    only: Vec<Kind>,
    /// Replace an existing target once the new one is complete and verified
    #[arg(long)]
    replace: bool,
    /// What to do when a row has no exact record
    #[arg(long, value_enum, default_value_t = OnInvalid::Fail)]
    on_invalid: OnInvalid,
    /// Write rows that have no exact record to this file, one JSON object a line
    ///
    /// With --on-invalid skip the default is <TARGET>.rejects.jsonl.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Leave a column behind that this version doesn't know
    #[arg(long, value_name = "TABLE.COLUMN")]
    without_column: Vec<String>,
    /// Let SQLite check the integrity of the source first
    #[arg(long)]
    check_source: bool,
    /// Read and check everything, write nothing
    #[arg(long)]
    dry_run: bool,
    /// Don't read the target back before it is published
    #[arg(long)]
    no_verify: bool,
    /// Where to sort what does not fit into memory
    #[arg(long, value_name = "DIR")]
    temp_dir: Option<PathBuf>,
    /// How many rows and divergences to print; all are counted
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Chunk,
    ExecutionLog,
    FileMetrics,
    SymbolMetrics,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OnInvalid {
    /// Read on to name them all, make no target
    Fail,
    /// Copy the other rows
    Skip,
}

pub(super) fn run(args: &Args, ui: &Ui) -> Result<Exit, Failure> {
    let progress = ui.progress();
    let options = args.copy.options();
    let summary = migrate::sqlite_to_kv(&args.source, &args.target, &options, &progress)?;
    drop(progress);
    let report = CopyReport::new(&summary);
    ui.report(|out| report.write(out), &copy_document(&summary))?;
    Ok(match summary.is_complete() {
        true => Exit::Done,
        false => Exit::Diverged,
    })
}

impl CopyArgs {
    fn options(&self) -> CopyOptions {
        CopyOptions {
            only: self.only.iter().map(|kind| (*kind).into()).collect(),
            replace: self.replace,
            on_invalid: match self.on_invalid {
                OnInvalid::Fail => migrate::OnInvalid::Fail,
                OnInvalid::Skip => migrate::OnInvalid::Skip,
            },
            rejects: self.rejects.clone(),
            without_columns: self.without_column.clone(),
            check_source: self.check_source,
            dry_run: self.dry_run,
            verify: !self.no_verify,
            temp_dir: self.temp_dir.clone(),
            limit: self.limit,
            created_at: None,
        }
    }
}

impl From<Kind> for chunkmigrate::record::RecordKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Chunk => Self::Chunk,
            Kind::ExecutionLog => Self::ExecutionLog,
            Kind::FileMetrics => Self::FileMetrics,
            Kind::SymbolMetrics => Self::SymbolMetrics,
        }
    }
}
