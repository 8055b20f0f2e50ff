//! The outcome of a verification, in the words that all reports share.

use chunkmigrate::internal::SelfTest;
use chunkmigrate::verify::VerifyReport;
use chunkmigrate::verify::{Comparison, FindingClass, KindCounts, TableComparison};
use indicatif::HumanCount;

use crate::cli::report::pluralize::count_of;
use crate::cli::term::terminal_escape::{escaped, escaped_path};

/// The first word of the verdict.
pub(crate) fn word(report: &VerifyReport) -> &'static str {
    match report.is_identical() {
        true => "Identical",
        false => "Diverged",
    }
}

/// The verdict after that word and a colon.
pub(crate) fn sentence(report: &VerifyReport) -> String {
    match &report.self_test {
        Some(self_test) => of_sample(self_test, report.is_identical()),
        None if report.is_identical() => of_identical(report) + &left_out(report),
        None => of_diverged(report) + &left_out(report),
    }
}

/// The result of the self-test after the built-in sample.
pub(crate) fn self_test(report: &VerifyReport) -> Option<(String, String)> {
    let detected = &report.self_test.as_ref()?.detected_classes;
    let names: Vec<&str> = detected.iter().map(|class| class.name()).collect();
    let all = FindingClass::ALL.into_iter();
    let total = all.filter(|class| class.is_of_comparison()).count();
    Some((format!("{} of {total} kinds of damage detected:", names.len()), names.join(", ")))
}

/// The number of findings that are not shown, and how to get them: an option that shows more, if one
/// does.
pub(crate) fn more_findings(
    report: &VerifyReport,
    shown: usize,
    option: Option<&str>,
) -> Option<String> {
    let more = report.counts().total().saturating_sub(shown as u64);
    let hint = match (&report.report, option) {
        (Some(path), _) => format!("all are in {}", escaped_path(path)),
        (None, Some(option)) => format!("{option} shows more, --report FILE saves all"),
        (None, None) => "--report FILE saves all".to_owned(),
    };
    let findings = count_of(more, "more finding", "more findings");
    (more > 0).then(|| format!("and {findings}; {hint}"))
}

fn of_sample(self_test: &SelfTest, is_identical: bool) -> String {
    let (intact, total) = (HumanCount(self_test.intact), HumanCount(self_test.total));
    match is_identical {
        true => format!(
            "all {total} records survived the round trip, and every kind of damage was detected."
        ),
        false => format!("{intact} of {total} records survived the round trip."),
    }
}

fn of_diverged(report: &VerifyReport) -> String {
    let warnings = count_of(report.warnings(), "warning", "warnings");
    let divergences = count_of(report.divergences(), "divergence", "divergences");
    let findings = match (report.divergences(), report.warnings()) {
        (_, 0) => divergences,
        (0, _) => format!("{warnings} (counted by --strict)"),
        (_, _) => format!("{divergences}, {warnings}"),
    };
    let trip = match report.legs.len() {
        1 => "",
        _ => " after the round trip",
    };
    format!(
        "{findings}; {} of {} are equal{trip}.{}",
        HumanCount(report.equal()),
        count_of(compared(report), "record", "records"),
        unchecked_warnings(report)
    )
}

fn of_identical(report: &VerifyReport) -> String {
    let warnings = match report.warnings() {
        0 => String::new(),
        count => format!(" {}.", count_of(count, "warning", "warnings")),
    };
    let warnings = warnings + unchecked_warnings(report);
    let compared = compared(report);
    let is_trip = report.legs.len() > 1;
    if report.quick {
        let individually = match report.has_all_warnings {
            true => "only chunks were compared individually, to check for warnings",
            false => "records were not compared individually",
        };
        let trip = if is_trip { " after the round trip" } else { "" };
        return format!(
            "the digests of {} are equal{trip}; {individually}.{warnings}",
            count_of(compared, "record", "records")
        );
    }
    let done = if is_trip { "survived the round trip" } else { "are equal" };
    let verdict = match (compared, is_trip) {
        (0, _) => "neither store has any records".to_owned(),
        (1, false) => "the 1 record is equal".to_owned(),
        (1, true) => format!("the 1 record {done}"),
        _ => format!("all {} records {done}", HumanCount(compared)),
    };
    format!("{verdict}.{warnings}")
}

/// Which records were not checked for warnings.
fn unchecked_warnings(report: &VerifyReport) -> &'static str {
    match (report.warnings(), report.has_all_warnings) {
        (_, true) => "",
        (0, false) => " Warnings were not checked.",
        (_, false) => " Only records whose digests differ were checked for warnings.",
    }
}

/// What was not compared, so that it isn't mistaken for equal.
fn left_out(report: &VerifyReport) -> String {
    let columns = report.without_columns.iter().map(|column| escaped(column));
    let columns: Vec<_> = columns.collect();
    let names = columns.join(", ");
    match columns.len() {
        0 => String::new(),
        1 => format!(" The column {names} was ignored."),
        _ => format!(" The columns {names} were ignored."),
    }
}

/// Number of records in the first comparison.
fn compared(report: &VerifyReport) -> u64 {
    let Some(leg) = report.legs.first() else {
        return 0;
    };
    let counts = total(leg);
    counts.equal + counts.differing + counts.only_left + counts.only_right
}

/// The kinds and tables of a comparison, without kinds that neither store has if there are tables.
pub(crate) fn shown_kinds(comparison: &Comparison) -> Vec<TableComparison> {
    let mut kinds = comparison.kinds_and_tables();
    let is_empty = |counts: &KindCounts| counts.left + counts.right == 0;
    if !comparison.tables.is_empty() {
        kinds.retain(|kind| kind.kind.record().is_none() || !is_empty(&kind.counts));
    }
    kinds
}

pub(crate) fn total(comparison: &Comparison) -> KindCounts {
    let mut total = KindCounts::default();
    for (_, counts) in comparison.kinds.iter() {
        total += *counts;
    }
    for table in &comparison.tables {
        total += table.counts;
    }
    total
}

/// A column of numbers for each kind of record.
pub(crate) struct Column {
    pub(crate) label: &'static str,
    /// What it counts, as a CSS class; `side` for all records of a side.
    pub(crate) class: &'static str,
    pub(crate) count: fn(&KindCounts) -> u64,
}

const COLUMNS: [Column; 8] = [
    Column::new("left", "side", |counts| counts.left),
    Column::new("right", "side", |counts| counts.right),
    Column::new("equal", "equal", |counts| counts.equal),
    Column::new("only left", "only-left", |counts| counts.only_left),
    Column::new("only right", "only-right", |counts| counts.only_right),
    Column::new("different", "different", |counts| counts.differing),
    Column::new("invalid left", "invalid", |counts| counts.invalid_left),
    Column::new("invalid right", "invalid", |counts| counts.invalid_right),
];

impl Column {
    const fn new(label: &'static str, class: &'static str, count: fn(&KindCounts) -> u64) -> Self {
        Column { label, class, count }
    }
}

/// The columns of a comparison; those of invalid records only if there are any.
pub(crate) fn columns(comparison: &Comparison) -> Vec<&'static Column> {
    let total = total(comparison);
    let has_invalid = total.invalid_left + total.invalid_right > 0;
    let is_shown = |column: &&Column| column.class != "invalid" || has_invalid;
    COLUMNS.iter().filter(is_shown).collect()
}
