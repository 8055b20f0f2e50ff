use std::io::Write;
use std::path::{Path, PathBuf};

use chunkmigrate::record::RecordKind;
use chunkmigrate::verify::DivergenceClass;
use chunkmigrate::verify::{
    self, PageFile, VerifyOptions, verify_pair, verify_round_trip, verify_sample,
};
use clap::{ValueEnum, ValueHint};

use crate::cli::after_help::AfterHelp;
use crate::cli::commands::kind_arg::kind_parser;
use crate::cli::exit::{Exit, Statuses};
use crate::cli::failure::Failure;
use crate::cli::html;
use crate::cli::report::verify::write_report;
use crate::cli::report::verify_json::document;
use crate::cli::report::verify_outcome::Verified;
use crate::cli::term::ui::Ui;

/// Prove that two stores hold the same, or that one survives a round trip
///
/// With two files, the records of both are compared one by one; each may be a SQLite database or a
/// KV file. With one file, it goes round: a database into a KV file and back, a KV file into a
/// database and back, each step compared. Without a file, records in every awkward encoding there
/// is go round, and then the verifier is tested: one record is damaged for each class of divergence,
/// and it must find just that.
#[derive(Debug, clap::Args)]
#[command(after_long_help = after_help())]
pub(in crate::cli) struct Args {
    /// A database or KV file
    ///
    /// Without it the built-in sample is verified.
    #[arg(value_hint = ValueHint::FilePath)]
    left: Option<PathBuf>,
    /// Another one, to compare the first with
    ///
    /// Without it the first goes round: into the other kind of store and back.
    #[arg(value_hint = ValueHint::FilePath)]
    right: Option<PathBuf>,
    /// Compare only these kinds of records
    ///
    /// Several are separated by commas.
    ///
    /// [default: all]
    #[arg(long, value_name = "KIND", value_parser = kind_parser(), value_delimiter = ',', requires = "left")]
    only: Vec<RecordKind>,
    /// Take equal digests as proof: records are compared one by one only where they differ
    ///
    /// Both stores are read in full. Warnings are looked for only with --strict or --report, where they
    /// count or are kept: chunks, which alone have some, are then compared record by record. Without it
    /// all records are.
    #[arg(long)]
    quick: bool,
    /// Let warnings count as divergence
    ///
    /// Without it they are told, and change neither the verdict nor the exit status.
    #[arg(long)]
    strict: bool,
    /// How many findings to print; all are counted
    ///
    /// [default: 20, with --format json 1000]
    #[arg(long, value_name = "N", value_hint = ValueHint::Other)]
    limit: Option<usize>,
    /// Write every finding to this file, one JSON object a line
    ///
    /// The report of an earlier run is replaced, no other file is.
    ///
    /// [default: none]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    report: Option<PathBuf>,
    /// Write the report to this file as a page of HTML, with values side by side
    ///
    /// It can be read without a network and without scripts, and shows the findings that are printed.
    /// The page of an earlier run is replaced, no other file is.
    ///
    /// [default: none]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    html: Option<PathBuf>,
    /// How much of differing values to show
    ///
    /// [default: short for people, full for programs]
    #[arg(long, value_name = "DETAIL", value_enum)]
    values: Option<Values>,
    /// Leave out a column that this version doesn't know
    ///
    /// It can be given more than once, and not every database needs to have the column, but at least
    /// one. A column of that kind that is not named and holds anything is an error, as its values
    /// would not be compared.
    ///
    /// [default: none]
    #[arg(long, value_name = "TABLE.COLUMN", value_hint = ValueHint::Other, requires = "left")]
    without_column: Vec<String>,
    /// Where to keep round trips, and to sort what does not fit into memory
    ///
    /// [default: $TMPDIR, or else /tmp; for sorting $SQLITE_TMPDIR, or else $TMPDIR, /var/tmp, /tmp]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    temp_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Values {
    /// All of a value; behind 16 MiB of them as short
    Full,
    /// Long text only around its first difference
    Short,
    /// Of a text only its length and SHA-256
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

fn after_help() -> String {
    let statuses = Statuses {
        done: "every record of both sides was compared and is equal, or its digest is with --quick",
        diverged: Some("the stores diverge, or with --strict there are warnings"),
        stopped: Some("there is no verdict, temporary files are removed"),
    };
    let classes = DivergenceClass::ALL.map(|class| (class, class.advice()));
    AfterHelp::default()
        .section("Classes of findings", classes)
        .end(
            &statuses,
            &[
                ("See that it works on this machine", "chunkmigrate verify"),
                (
                    "Compare a database with its copy",
                    "chunkmigrate verify code.db code.kv",
                ),
                (
                    "See that a database survives a migration",
                    "chunkmigrate verify code.db",
                ),
                (
                    "Check a KV file before it is used",
                    "chunkmigrate verify code.kv --quick",
                ),
                (
                    "Keep every finding about chunks; exit status 1 if there are any",
                    "chunkmigrate verify old.db code.db --only chunk --report findings.jsonl",
                ),
                (
                    "Have the report as a page for a browser",
                    "chunkmigrate verify code.db code.kv --html page.html",
                ),
                (
                    "Show nothing of the code in what is passed on",
                    "chunkmigrate verify code.db code.kv --values redacted > report.txt",
                ),
            ],
        )
}

pub(in crate::cli) fn run(args: &Args, ui: &Ui) -> Result<Exit, Failure> {
    let values = args.values.map(verify::Values::from);
    let options = VerifyOptions {
        only: args.only.clone(),
        quick: args.quick,
        strict: args.strict,
        limit: ui.limit(args.limit),
        report: args.report.clone(),
        values: values.unwrap_or(verify::Values::Full),
        without_columns: args.without_column.clone(),
        temp_dir: args.temp_dir.clone(),
    };
    let for_people = values.unwrap_or(verify::Values::Short);
    let stores: Vec<&Path> = [&args.left, &args.right]
        .into_iter()
        .filter_map(Option::as_deref)
        .collect();
    let page = args.html.as_deref();
    let page = page.map(|path| PageFile::create(path, &stores, args.report.as_deref()));
    let page = page.transpose()?;
    let progress = ui.progress();
    let verified = match (&args.left, &args.right) {
        (None, _) => Verified::Sample(verify_sample(&options, &progress)?),
        (Some(left), None) => Verified::Stores(verify_round_trip(left, &options, &progress)?),
        (Some(left), Some(right)) => {
            Verified::Stores(verify_pair(left, right, &options, &progress)?)
        }
    };
    let write = |out: &mut dyn Write| html::write_page(out, &verified, for_people);
    let page = page.map(|page| page.publish(progress.as_ref(), write));
    let page = page.transpose()?;
    drop(progress);
    let document = document(&verified, options.values, page.as_deref());
    let report = |out: &mut dyn Write| write_report(out, &verified, for_people, page.as_deref());
    ui.report(report, &document)?;
    Ok(match verified.is_identical() {
        true => Exit::Done,
        false => Exit::Diverged,
    })
}
