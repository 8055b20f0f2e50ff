//! A nightly check, for cron: is the copy still equal to the primary store?
//!
//!     cargo run --example nightly_check -- code.db code.kv findings.jsonl 3600
//!
//! A copy that only lacks changes of the primary gets them, and is compared again; anything else
//! needs a person. `findings.jsonl` has every finding of the first comparison, without source text.
//! The last argument is the time limit in seconds. Run it when nobody writes: a change between the
//! comparisons looks like a divergence.
//!
//! | exit status | meaning |
//! | --- | --- |
//! | 0 | the same, or the same now; nothing is printed if nothing was done |
//! | 1 | they differ, in a way that must not be repaired unseen, or that a merge does not repair |
//! | 2 | not established: a store can't be read, or the time is up, or nobody could be told |

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chunkmigrate::migrate::{CopyOptions, kv_to_sqlite, sqlite_to_kv};
use chunkmigrate::store::{StoreKind, detect};
use chunkmigrate::verify::FindingClass;
use chunkmigrate::verify::{Values, VerifyOptions, verify_pair};
use chunkmigrate::{Error, Progress, ProgressSink};

const USAGE: &str = "usage: nightly_check PRIMARY COPY REPORT SECONDS";

/// More divergences than this are not a day's drift.
const REPAIRABLE: usize = 10_000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let checked = run(&args, &mut io::stdout().lock());
    if let Err(error) = &checked {
        let mut error: &dyn StdError = error.as_ref();
        eprintln!("not established: {error}");
        while let Some(cause) = error.source() {
            eprintln!("  caused by: {cause}");
            error = cause;
        }
    }
    ExitCode::from(status(&checked))
}

#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    Same,
    Repaired,
    Alert,
}

/// An error is never "the same": nobody knows what it hid.
pub(crate) fn status(checked: &Result<Verdict, Box<dyn StdError>>) -> u8 {
    match checked {
        Ok(Verdict::Same | Verdict::Repaired) => 0,
        Ok(Verdict::Alert) => 1,
        Err(_) => 2,
    }
}

/// Cancels a run that takes too long.
struct Deadline(Instant);

impl ProgressSink for Deadline {
    fn is_cancelled(&self) -> bool {
        Instant::now() >= self.0
    }
}

pub(crate) fn run(args: &[String], out: &mut dyn Write) -> Result<Verdict, Box<dyn StdError>> {
    let [primary, copy, report, seconds] = args else {
        return Err(USAGE.into());
    };
    let end = Instant::now() + Duration::from_secs(u64::from(seconds.parse::<u32>()?));
    let progress = Progress::new(Deadline(end));
    let [primary, copy, report] = [primary, copy, report].map(Path::new);
    match check(primary, copy, report, &progress, out) {
        Err(error) if matches!(error.downcast_ref(), Some(Error::Cancelled)) => {
            Err(format!("no verdict within {seconds} seconds").into())
        }
        checked => checked,
    }
}

fn check(
    primary: &Path,
    copy: &Path,
    report: &Path,
    progress: &Progress,
    out: &mut dyn Write,
) -> Result<Verdict, Box<dyn StdError>> {
    let options = VerifyOptions::default()
        .limit(REPAIRABLE)
        .report(report.to_owned())
        .values(Values::Redacted);
    let found = verify_pair(primary, copy, &options, progress)?;
    if found.is_identical() {
        return Ok(Verdict::Same);
    }
    let mut classes = BTreeMap::<FindingClass, u64>::new();
    for finding in &found.findings {
        *classes.entry(finding.class).or_default() += 1;
    }
    let (count, report) = (found.divergences(), report.display());
    writeln!(out, "{count} divergences, all in {report}:")?;
    for (class, count) in &classes {
        writeln!(out, "  {count} {class}")?;
    }
    // Only the first findings are kept; the others are not repaired. A merge copies from one kind
    // of store to the other.
    let is_hidden = found.divergences() > REPAIRABLE as u64;
    let store = detect(primary)?;
    if is_hidden || store == detect(copy)? || !classes.keys().copied().all(may_be_repaired) {
        writeln!(out, "Nothing was repaired.")?;
        return Ok(Verdict::Alert);
    }
    let into_copy = CopyOptions::default().merge(true);
    let summary = match store {
        StoreKind::Kv => kv_to_sqlite(primary, copy, &into_copy, progress)?,
        _ => sqlite_to_kv(primary, copy, &into_copy, progress)?,
    };
    // The result is verified and not assumed. The report of the first comparison stays.
    let again = verify_pair(primary, copy, &VerifyOptions::default(), progress)?;
    if !summary.is_complete() || !again.is_identical() {
        writeln!(out, "A merge left {} divergences.", again.divergences())?;
        return Ok(Verdict::Alert);
    }
    writeln!(out, "Repaired: {} records are equal now.", again.equal())?;
    Ok(Verdict::Repaired)
}

/// The copy lacks what the primary has, and nothing else is wrong with it.
fn may_be_repaired(class: FindingClass) -> bool {
    match class {
        FindingClass::OnlyLeft | FindingClass::Field | FindingClass::Sequence => true,
        class if class.is_warning() => true,
        // Everything else, and what later versions find: corruption, or another writer.
        _ => false,
    }
}
