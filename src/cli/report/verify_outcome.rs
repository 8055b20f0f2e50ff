//! What a verification came to, in the words that every report of it has.

use chunkmigrate::verify::{Comparison, KindCounts};
use chunkmigrate::verify::{SampleReport, VerifyReport};
use indicatif::HumanCount;

use crate::cli::report::pluralize::count_of;
use crate::cli::term::terminal_escape::{escaped, escaped_path};

/// What was verified.
pub(in crate::cli) enum Verified {
    /// Two stores, or one that went round.
    Stores(VerifyReport),
    /// The built-in sample.
    Sample(SampleReport),
}

impl Verified {
    pub(in crate::cli) fn report(&self) -> &VerifyReport {
        match self {
            Verified::Stores(report) => report,
            Verified::Sample(sample) => &sample.round_trip,
        }
    }

    pub(in crate::cli) fn sample(&self) -> Option<&SampleReport> {
        match self {
            Verified::Stores(_) => None,
            Verified::Sample(sample) => Some(sample),
        }
    }

    pub(in crate::cli) fn is_identical(&self) -> bool {
        match self {
            Verified::Stores(report) => report.is_identical(),
            Verified::Sample(sample) => sample.is_identical(),
        }
    }

    /// The word that the last sentence begins with.
    pub(in crate::cli) fn word(&self) -> &'static str {
        match self.is_identical() {
            true => "Identical",
            false => "Diverged",
        }
    }

    /// The last sentence behind that word and a colon.
    pub(in crate::cli) fn sentence(&self) -> String {
        match self {
            Verified::Stores(report) => of_stores(report) + &left_out(report),
            Verified::Sample(sample) => of_sample(sample),
        }
    }

    /// What the verifier was shown, and found, behind the built-in sample.
    pub(in crate::cli) fn self_test(&self) -> Option<(String, String)> {
        let names: Vec<&str> = self.sample()?.proved.iter().map(|c| c.name()).collect();
        Some((
            format!(
                "one record was damaged for each of {} classes, and just that was found:",
                names.len()
            ),
            names.join(", "),
        ))
    }

    /// How many findings there are beyond those that are shown, and how to get at them.
    pub(in crate::cli) fn more_findings(&self, shown: usize) -> Option<String> {
        let report = self.report();
        let total = report.divergences() + report.warnings();
        let more = total.saturating_sub(shown as u64);
        let hint = match &report.report {
            Some(path) => format!("all are in {}", escaped_path(path)),
            None if shown < report.findings.len() => "--report FILE keeps all".to_owned(),
            None => "--limit shows more, --report FILE keeps all".to_owned(),
        };
        let findings = count_of(more, "more finding", "more findings");
        (more > 0).then(|| format!("and {findings}; {hint}"))
    }
}

fn of_sample(sample: &SampleReport) -> String {
    let (as_made, made) = (HumanCount(sample.as_made), HumanCount(sample.made));
    match sample.is_identical() {
        true => format!(
            "all {made} records were found as they were made, there and back, and every kind of \
             damage was found."
        ),
        false => format!("{as_made} of {made} records were found as they were made."),
    }
}

fn of_stores(report: &VerifyReport) -> String {
    let warnings = match (report.warnings(), report.has_all_warnings) {
        (0, true) => String::new(),
        (0, false) => " Warnings were not looked for.".to_owned(),
        (count, true) => format!(" {}.", count_of(count, "warning", "warnings")),
        (count, false) => format!(
            " {}; they were looked for only where digests differ.",
            count_of(count, "warning", "warnings")
        ),
    };
    let compared = compared(report);
    let trip = match report.hops.len() {
        1 => "",
        _ => " there and back",
    };
    if !report.is_identical() {
        let divergences = match report.divergences() {
            0 => "warnings count as divergence".to_owned(),
            count => count_of(count, "divergence", "divergences"),
        };
        return format!(
            "{divergences}; {} compared{trip}, {} of them equal.{warnings}",
            count_of(compared, "record was", "records were"),
            HumanCount(report.equal())
        );
    }
    if report.quick {
        let one_by_one = match report.has_all_warnings {
            true => "only chunks were compared one by one, to look for warnings",
            false => "records were not compared one by one",
        };
        return format!(
            "the digests of {} are equal{trip}; {one_by_one}.{warnings}",
            count_of(compared, "record", "records")
        );
    }
    match compared {
        0 => format!("there are no records on either side.{warnings}"),
        1 => format!("the 1 record was compared{trip}.{warnings}"),
        _ => format!(
            "all {} records were compared one by one{trip}.{warnings}",
            HumanCount(compared)
        ),
    }
}

/// What was not compared, so that nobody takes it for the same.
fn left_out(report: &VerifyReport) -> String {
    let columns = report.without_columns.iter().map(|column| escaped(column));
    let columns: Vec<_> = columns.collect();
    match columns.len() {
        0 => String::new(),
        1 => format!(" The column {} was left out.", columns.join(", ")),
        _ => format!(" The columns {} were left out.", columns.join(", ")),
    }
}

/// How many records took part in the first comparison.
fn compared(report: &VerifyReport) -> u64 {
    let Some(hop) = report.hops.first() else {
        return 0;
    };
    let counts = total(&hop.comparison);
    counts.equal + counts.differing + counts.only_left + counts.only_right
}

/// The counts of all kinds.
pub(in crate::cli) fn total(comparison: &Comparison) -> KindCounts {
    let mut total = KindCounts::default();
    for (_, counts) in comparison.kinds.iter() {
        total += *counts;
    }
    total
}
