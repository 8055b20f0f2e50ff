use std::io::Write;
use std::path::{Path, PathBuf};

use chunkmigrate::internal::{HtmlReportFile, verify_sample};
use chunkmigrate::record::RecordKind;
use chunkmigrate::table::TableSelection;
use chunkmigrate::verify::{self, FindingClass, VerifyOptions, verify_pair, verify_round_trip};
use clap::{ValueEnum, ValueHint};

use crate::cli::commands::jobs_arg::JobsArg;
use crate::cli::commands::kind_arg::{kind_or_none_parser, selected};
use crate::cli::commands::path_arg::{output_parser, store_parser};
use crate::cli::commands::tables_arg;
use crate::cli::exit_status::Exit;
use crate::cli::failure::CliError;
use crate::cli::help_sections::after_help;
use crate::cli::html;
use crate::cli::report::advice::advice;
use crate::cli::report::findings::first_of_each_class;
use crate::cli::report::verify::write_report;
use crate::cli::term::ui::Ui;

/// Check that two stores hold the same records, or that one survives a round trip
///
/// With two files, compares them record by record; each may be a SQLite database or a KV file. With
/// one file, checks a round trip: a database to a KV file and back, or a KV file to a database and
/// back, comparing every step. With no arguments, round-trips a built-in sample of difficult
/// encodings, then checks that the verifier detects each kind of damage: for each class of finding
/// it corrupts one record and expects exactly that finding.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help(&[&classes(), AFTER_HELP]))]
pub(crate) struct Args {
    /// A database or KV file
    ///
    /// [default: the built-in sample]
    #[arg(value_parser = store_parser(), value_hint = ValueHint::FilePath)]
    left: Option<PathBuf>,
    /// A second store, to compare the first with
    ///
    /// [default: a round trip of the first, into the other kind of store and back]
    #[arg(value_parser = store_parser(), value_hint = ValueHint::FilePath)]
    right: Option<PathBuf>,
    /// Compare only these kinds of records (comma-separated)
    ///
    /// [default: all]
    #[arg(long, value_name = "KIND", value_parser = kind_or_none_parser(), value_delimiter = ',', requires = "left")]
    only: Vec<Option<RecordKind>>,

    /// Compare these tables too (comma-separated), or all
    ///
    /// With all, the rest of the schema is compared as well.
    ///
    /// [default: the tables that a KV file carries]
    #[arg(long, value_name = "LIST", value_parser = tables_arg::parse, value_hint = ValueHint::Other, requires = "left")]
    tables: Vec<TableSelection>,
    /// Compare digests first, and records individually only where the digests differ
    ///
    /// Both stores are still read in full. Content hashes are checked only with --strict or --report,
    /// which need their warnings; chunks are then compared individually.
    ///
    /// [default: compare every record]
    #[arg(long)]
    quick: bool,
    /// Count warnings as divergences
    ///
    /// [default: warnings are reported, but change neither the verdict nor the exit status]
    #[arg(long)]
    strict: bool,
    /// Maximum number of findings of each class to print (all are counted)
    ///
    /// [default: 10, with --format json 1000]
    #[arg(long, value_name = "N", value_hint = ValueHint::Other)]
    limit: Option<usize>,
    /// Write every finding to this file as JSON Lines (one object per line)
    ///
    /// Overwrites an earlier report, never any other file.
    ///
    /// [default: none]
    #[arg(long, value_name = "FILE", value_parser = output_parser(), value_hint = ValueHint::FilePath)]
    report: Option<PathBuf>,
    /// Write the report to this file as an HTML page, with side-by-side values
    ///
    /// The page groups the findings by source file, and needs no network. Overwrites an earlier page,
    /// never any other file.
    ///
    /// [default: none]
    #[arg(long, value_name = "FILE", value_parser = output_parser(), value_hint = ValueHint::FilePath)]
    html: Option<PathBuf>,
    /// Maximum number of findings of each class on the page (all are counted)
    #[arg(long, value_name = "N", value_hint = ValueHint::Other, default_value_t = 1000, requires = "html")]
    html_limit: usize,
    /// How much of each differing value to show
    ///
    /// [default: short in text and HTML, full in JSON and --report]
    #[arg(long, value_name = "DETAIL", value_enum)]
    values: Option<Values>,
    /// Ignore an unknown column that has values (repeatable)
    ///
    /// At least one of the stores must have the column. Unknown columns with values are an error
    /// unless listed here, as their values would not be compared.
    ///
    /// [default: none]
    #[arg(long, value_name = "TABLE.COLUMN", value_hint = ValueHint::Other, requires = "left")]
    without_column: Vec<String>,
    /// Directory for temporary files, including those of a round trip
    ///
    /// [default: $TMPDIR, or else /tmp; for sorting $SQLITE_TMPDIR, or else $TMPDIR, /var/tmp,
    /// /tmp]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    temp_dir: Option<PathBuf>,
    #[command(flatten)]
    threads: JobsArg,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Values {
    /// Whole values; after 16 MiB of them as short
    Full,
    /// Long text only around its first difference
    Short,
    /// Only the length and SHA-256 of text
    Redacted,
}

impl From<Values> for verify::Values {
    fn from(values: Values) -> Self {
        match values {
            Values::Full => verify::Values::Full,
            Values::Short => verify::Values::Short,
            Values::Redacted => verify::Values::Redacted,
        }
    }
}

fn classes() -> String {
    let class = |class| format!("\n  {class}\n      {}", advice(class));
    format!("Classes of findings:{}", FindingClass::ALL.map(class).concat())
}

const AFTER_HELP: &str = "
Exit status:
  0
      all records of both stores are equal, or with --quick their digests
  1
      the stores diverge, or with --strict there are warnings
  2
      error: bad usage, unreadable or corrupt input, I/O failure, or out of memory
  129, 130, 143
      interrupted by SIGHUP, SIGINT or SIGTERM: no verdict, temporary files were removed

Examples:
  Check that it works on this machine:
      chunkmigrate verify
  Compare a database with its copy:
      chunkmigrate verify code.db code.kv
  Check that a database survives a round trip:
      chunkmigrate verify code.db
  Check a KV file before using it:
      chunkmigrate verify code.kv --quick
  Save every finding about chunks; exit status 1 if there are any:
      chunkmigrate verify old.db code.db --only chunk --report findings.jsonl
  Write the report as an HTML page:
      chunkmigrate verify code.db code.kv --html page.html
  Write a report that shows no code:
      chunkmigrate verify code.db code.kv --values redacted > report.txt
";

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    let values = args.values.map(verify::Values::from);
    let limit = ui.limit(args.limit);
    let page_limit = args.html.as_ref().map_or(0, |_| args.html_limit);
    let options = VerifyOptions::default()
        .only(selected(&args.only))
        .tables(args.tables.iter().cloned().collect())
        .quick(args.quick)
        .strict(args.strict)
        .limit(limit.max(page_limit))
        .report(args.report.clone())
        .values(values.unwrap_or(verify::Values::Full))
        .without_columns(args.without_column.clone())
        .temp_dir(args.temp_dir.clone())
        .jobs(args.threads.jobs);
    let for_people = values.unwrap_or(verify::Values::Short);
    let stores: Vec<&Path> =
        [&args.left, &args.right].into_iter().filter_map(Option::as_deref).collect();
    let page = args.html.as_deref();
    let page = page.map(|path| HtmlReportFile::create(path, &stores, args.report.as_deref()));
    let page = page.transpose()?;
    let progress = ui.progress();
    let mut report = match (&args.left, &args.right) {
        (None, _) => verify_sample(&options, &progress)?,
        (Some(left), None) => verify_round_trip(left, &options, &progress)?,
        (Some(left), Some(right)) => verify_pair(left, right, &options, &progress)?,
    };
    // The page need not suggest itself.
    report.html.clone_from(&args.html);
    let write = |out: &mut dyn Write| html::write_page(out, &report, for_people, page_limit);
    let page = page.map(|page| page.publish(&progress, write));
    report.html = page.transpose()?;
    report.findings.retain(first_of_each_class(limit));
    drop(progress);
    ui.report(|out| write_report(out, &report, for_people), &report)?;
    Ok(match report.is_identical() {
        true => Exit::Done,
        false => Exit::Diverged,
    })
}
