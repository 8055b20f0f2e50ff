//! The verdict: the last sentence of a copy's report.

use chunkmigrate::migrate::{CopyOutcome, CopySummary, MergeSummary};
use chunkmigrate::store::StoreKind;
use indicatif::HumanCount;

use crate::cli::report::pluralize::{count_of, plural};
use crate::cli::term::terminal_escape::escaped_path;

/// The result of a copy in one or two sentences.
pub(crate) fn verdict(summary: &CopySummary) -> String {
    let problems = Problems::of(summary);
    match &summary.outcome {
        CopyOutcome::Created { verified, .. } => copied(summary, *verified, &problems),
        CopyOutcome::Merged { merge, .. } => merged(summary, merge, &problems),
        CopyOutcome::Unchanged { .. } => unchanged(summary, &problems),
        CopyOutcome::DryRun { merge } => dry_run(summary, merge.as_ref(), &problems),
        CopyOutcome::Rejected => rejected(summary, &problems),
        CopyOutcome::ReadBackDiffers { .. } => {
            let made = nothing_made(summary);
            format!("{made}: the read-back differs from what was written.")
        }
    }
}

fn rejected(summary: &CopySummary, problems: &Problems) -> String {
    let why = problems.text();
    match (summary.dry_run, summary.merge) {
        (true, true) => {
            format!("Dry run: nothing would be merged: {why}; nothing was written.")
        }
        (true, false) => {
            format!("Dry run: no target would be created: {why}; nothing was written.")
        }
        (false, _) => format!("{}: {why}.", nothing_made(summary)),
    }
}

fn nothing_made(summary: &CopySummary) -> &'static str {
    match summary.merge {
        true => "Nothing was merged",
        false => "No target was created",
    }
}

fn dry_run(summary: &CopySummary, merge: Option<&MergeSummary>, problems: &Problems) -> String {
    let done = match merge {
        None => format!("{} would be copied", records(summary.records())),
        Some(merge) => match (merge.changed(), merge.changes_metadata) {
            (0, true) => format!("no records would be written, only {METADATA}"),
            (changed, _) => format!("{} would be written", records(changed)),
        },
    };
    let rejected = problems.suffix("would be");
    format!("Dry run: {done}; nothing was written.{rejected}")
}

/// What a merge may change besides records.
const METADATA: &str = "the id sequences or the manifest";

fn merged(summary: &CopySummary, merge: &MergeSummary, problems: &Problems) -> String {
    let target = escaped_path(&summary.target.path);
    let rejected = problems.suffix("were");
    match merge.changed() {
        0 => format!(
            "No records were written to {target}: {}; only {METADATA} changed.{rejected}",
            contains(summary)
        ),
        changed => format!(
            "Merged {} into {target}; its whole content was verified before the commit.{rejected}",
            records(changed)
        ),
    }
}

fn unchanged(summary: &CopySummary, problems: &Problems) -> String {
    let target = escaped_path(&summary.target.path);
    let (contains, rejected) = (contains(summary), problems.suffix("were"));
    format!("Nothing was written to {target}: {contains}.{rejected}")
}

/// Why no records were merged.
fn contains(summary: &CopySummary) -> String {
    match summary.records() {
        0 => "there was nothing to merge".to_owned(),
        1 => "it already contains the 1 record".to_owned(),
        count => format!("it already contains all {}", records(count)),
    }
}

fn copied(summary: &CopySummary, verified: bool, problems: &Problems) -> String {
    let count = summary.records();
    let rejected = problems.suffix("were");
    match (verified, problems.is_empty(), count) {
        (false, ..) => format!("Copied {}. Not verified.{rejected}", records(count)),
        (true, true, 0) => {
            "The source has no records; the target was read back and has none.".to_owned()
        }
        (true, true, 1) => "Verified: the 1 record read back identical.".to_owned(),
        (true, true, _) => format!("Verified: all {} read back identical.", records(count)),
        (true, false, 0) => format!("No records were copied.{rejected}"),
        (true, false, _) => format!("Copied and verified {}.{rejected}", records(count)),
    }
}

fn records(count: u64) -> String {
    count_of(count, "record", "records")
}

/// What is invalid in the source, or was rejected by the target.
struct Problems {
    /// Items that were not copied.
    rejected: u64,
    /// Other findings: records in other bytes, a manifest that does not match.
    other: u64,
    /// What the source consists of.
    item: (&'static str, &'static str),
    /// Whether the target of a merge may have rejected some of them.
    by_target: bool,
}

impl Problems {
    fn of(summary: &CopySummary) -> Self {
        let rejected = summary.rejected_total();
        Problems {
            rejected,
            other: summary.rejection_counts.total().saturating_sub(rejected),
            item: match summary.source.store {
                StoreKind::Ndjson => ("line", "lines"),
                StoreKind::Sqlite => ("row", "rows"),
                _ => ("entry", "entries"),
            },
            // A database is merged into a KV file, and only tables reject valid records.
            by_target: summary.merge && summary.source.store != StoreKind::Sqlite,
        }
    }

    fn is_empty(&self) -> bool {
        self.rejected + self.other == 0
    }

    /// Why no target was created.
    fn text(&self) -> String {
        match (self.rejected, self.other) {
            (_, 0) => self.invalid(),
            (0, _) => count_of(self.other, "finding", "findings"),
            _ => format!("{}; {}", self.invalid(), self.more()),
        }
    }

    /// The sentence after the one that reports what was done; `were` or `would be` rejected.
    fn suffix(&self, were: &str) -> String {
        let were = match (self.rejected, were) {
            (1, "were") => "was",
            _ => were,
        };
        match (self.rejected, self.other) {
            (0, 0) => String::new(),
            (0, count) => format!(" There {} {}.", plural(count, "is", "are"), self.text()),
            (_, 0) => format!(" {} {were} rejected.", self.items()),
            _ => format!(" {} {were} rejected; {}.", self.items(), self.more()),
        }
    }

    fn items(&self) -> String {
        let (item, items) = self.item;
        let noun = plural(self.rejected, item, items);
        match self.by_target {
            true => format!("{} {noun}", HumanCount(self.rejected)),
            false => format!("{} invalid {noun}", HumanCount(self.rejected)),
        }
    }

    fn invalid(&self) -> String {
        let items = count_of(self.rejected, self.item.0, self.item.1);
        let are = plural(self.rejected, "is", "are");
        match self.by_target {
            true => format!("{items} {are} invalid or rejected by the target"),
            false => format!("{items} {are} invalid"),
        }
    }

    fn more(&self) -> String {
        let more = count_of(self.other, "more finding", "more findings");
        format!("there {} {more}", plural(self.other, "is", "are"))
    }
}
