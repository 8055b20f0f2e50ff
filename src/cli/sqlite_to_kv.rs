use std::path::PathBuf;

use chunkmigrate::migrate;

use super::copy_args::{CopyArgs, DatabaseArgs, report};
use super::exit::Exit;
use super::failure::Failure;
use super::ui::Ui;

/// Copy the records of a SQLite database into a KV file
///
/// The source is read in one transaction and never changed. A new target is built out of sight,
/// every record is read back from it and compared, and only then does it appear, whole or not at
/// all.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Args {
    /// The database to read
    #[arg(value_name = "SQLITE")]
    source: PathBuf,
    /// The KV file to make, or with --merge to write into
    #[arg(value_name = "KV")]
    target: PathBuf,
    #[command(flatten)]
    copy: CopyArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

const EXAMPLES: &str = "\
Examples:
    chunkmigrate sqlite-to-kv code.db code.kv
    chunkmigrate sqlite-to-kv code.db code.kv --only chunk,file-metrics
    chunkmigrate sqlite-to-kv code.db code.kv --replace --on-invalid skip
    chunkmigrate sqlite-to-kv code.db code.kv --merge
    chunkmigrate sqlite-to-kv code.db code.kv --dry-run --format json";

pub(super) fn run(args: &Args, ui: &Ui) -> Result<Exit, Failure> {
    let options = args.copy.options(&args.database);
    let summary = migrate::sqlite_to_kv(&args.source, &args.target, &options, &ui.progress())?;
    report(&summary, ui)
}
