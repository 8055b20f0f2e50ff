//! The last sentence of a copy's report.

use chunkmigrate::migrate::CopySummary;
use chunkmigrate::store::StoreKind;
use indicatif::HumanCount;

use crate::cli::report::pluralize::{count_of, plural};
use crate::cli::term::terminal_escape::escaped_path;

/// What came of a copy, in one sentence or two.
pub(in crate::cli) fn verdict(summary: &CopySummary) -> String {
    if summary.divergences_total > 0 {
        let made = nothing_made(summary);
        return format!("{made}: what was written could not be read back as it was.");
    }
    let wrong = Wrong::of(summary);
    match (summary.dry_run, summary.sha256.is_some()) {
        (true, true) => dry_run(summary, &wrong),
        (true, false) if summary.merge => format!(
            "Dry run: nothing would be merged: {}; nothing was written.",
            wrong.text()
        ),
        (true, false) => format!(
            "Dry run: no target would be made: {}; nothing was written.",
            wrong.text()
        ),
        (false, false) => format!("{}: {}.", nothing_made(summary), wrong.text()),
        (false, true) => match summary.changed() {
            Some(changed) => merged(summary, changed, &wrong),
            None => copied(summary, &wrong),
        },
    }
}

fn nothing_made(summary: &CopySummary) -> &'static str {
    match summary.merge {
        true => "Nothing was merged",
        false => "No target was made",
    }
}

fn dry_run(summary: &CopySummary, wrong: &Wrong) -> String {
    let done = match summary.changed() {
        None => format!("{} would be copied", records(summary.records())),
        Some(0) if summary.changes_beside => format!("no record would be written, only {BESIDE}"),
        Some(changed) => format!("{} would be written", records(changed)),
    };
    let stays = wrong.but("would stay behind");
    format!("Dry run: {done}; nothing was written.{stays}")
}

/// What a merge may change beside records.
const BESIDE: &str = "the highest ids ever given, or the manifest";

fn merged(summary: &CopySummary, changed: u64, wrong: &Wrong) -> String {
    let target = escaped_path(&summary.target);
    let stays = wrong.but("stayed behind");
    let holds = match summary.records() {
        0 => "there was nothing to merge into it".to_owned(),
        1 => "it holds the 1 record already".to_owned(),
        count => format!("it holds all {} already", records(count)),
    };
    match changed {
        0 if summary.changes_beside => {
            format!("No record was written into {target}, {holds}; only {BESIDE}.{stays}")
        }
        0 => format!("Nothing was written into {target}: {holds}.{stays}"),
        _ => format!(
            "{} written into {target}; all that it holds was read back before the transaction \
             ended.{stays}",
            count_of(changed, "record was", "records were")
        ),
    }
}

fn copied(summary: &CopySummary, wrong: &Wrong) -> String {
    let count = summary.records();
    let copied = count_of(count, "record was", "records were");
    match (summary.verified, wrong.is_nothing(), count) {
        (false, true, _) => format!("{copied} copied. Not verified."),
        (false, false, _) => format!(
            "{copied} copied. Not verified.{}",
            wrong.but("stayed behind")
        ),
        (true, true, 0) => {
            "The source holds no records; the target was read back and holds none.".to_owned()
        }
        (true, true, 1) => {
            "The 1 record was read back from the target and compared: identical.".to_owned()
        }
        (true, true, _) => format!(
            "All {} records were read back from the target and compared: identical.",
            HumanCount(count)
        ),
        (true, false, 0) => format!("No record was copied.{}", wrong.but("stayed behind")),
        (true, false, _) => format!(
            "{copied} copied, read back from {} and compared: identical.{}",
            escaped_path(&summary.target),
            wrong.but("stayed behind")
        ),
    }
}

fn records(count: u64) -> String {
    count_of(count, "record", "records")
}

/// What is not as it should be in the source, or was refused by the target.
struct Wrong {
    /// Rows or entries that are no records.
    rejected: u64,
    /// What else was told: records in other bytes, a manifest that does not hold.
    beside: u64,
    word: (&'static str, &'static str),
}

impl Wrong {
    fn of(summary: &CopySummary) -> Self {
        let rejected = summary.rejected_total();
        Wrong {
            rejected,
            beside: summary.rejections_total.saturating_sub(rejected),
            word: match (summary.source_store, summary.merge) {
                (StoreKind::Ndjson, false) => ("line is", "lines are"),
                (StoreKind::Ndjson, true) => ("line is refused or", "lines are refused or"),
                (StoreKind::Sqlite, _) => ("row is", "rows are"),
                (_, false) => ("entry is", "entries are"),
                (_, true) => ("entry is refused or", "entries are refused or"),
            },
        }
    }

    fn is_nothing(&self) -> bool {
        self.rejected + self.beside == 0
    }

    fn text(&self) -> String {
        match (self.rejected, self.beside) {
            (_, 0) => self.no_records(),
            (0, _) => count_of(self.beside, "finding", "findings"),
            _ => format!("{}; {}", self.no_records(), self.more()),
        }
    }

    /// As a sentence behind the one that tells what was done.
    fn but(&self, how: &str) -> String {
        match (self.rejected, self.beside) {
            (0, 0) => String::new(),
            (0, count) => format!(" But there {} {}.", plural(count, "is", "are"), self.text()),
            (_, 0) => format!(" But {} and {how}.", self.no_records()),
            _ => format!(" But {} and {how}; {}.", self.no_records(), self.more()),
        }
    }

    fn no_records(&self) -> String {
        let rejected = count_of(self.rejected, self.word.0, self.word.1);
        format!(
            "{rejected} no {}",
            plural(self.rejected, "record", "records")
        )
    }

    fn more(&self) -> String {
        let more = count_of(self.beside, "more finding", "more findings");
        format!("there {} {more}", plural(self.beside, "is", "are"))
    }
}
