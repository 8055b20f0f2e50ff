//! The report of a copy as text.

use std::io::{self, Write};
use std::path::PathBuf;

use chunkmigrate::migrate::{CopyOutcome, CopySummary, EndLine, MergeCounts, MergeSummary};
use chunkmigrate::record::RecordKind;
use chunkmigrate::store::StoreKind;
use chunkmigrate::table::Kind;
use chunkmigrate::verify::KindTotals;
use chunkmigrate::verify::Values;
use indicatif::HumanBytes;

use crate::cli::report::copy_outcome::verdict;
use crate::cli::report::findings::{key, totals, write_findings};
use crate::cli::report::other_tables::{write_missing_table, write_tables};
use crate::cli::report::pace::pace;
use crate::cli::report::pluralize::{closed, count_of, described, store_name};
use crate::cli::report::suggestions::after_copy;
use crate::cli::report::table::{write_fact, write_kinds, write_table};
use crate::cli::term::output::Output;
use crate::cli::term::terminal_escape::{escaped, escaped_path};

pub(crate) fn write_report(out: &mut Output<'_>, summary: &CopySummary) -> io::Result<()> {
    let (source, target) = (&summary.source, &summary.target);
    let schema = summary.schema_version;
    let schema = schema.map(|version| format!(", Magellan schema {version}"));
    writeln!(
        out,
        "{} ({}{}{}) {} {}\n",
        escaped_path(&source.path),
        store_name(source.store),
        schema.unwrap_or_default(),
        closed(source.closed_cleanly),
        if summary.merge { "into" } else { "to" },
        described(target),
    )?;
    write_counts(out, summary)?;
    writeln!(out)?;
    write_facts(out, summary)?;
    let shown = summary.rejections.len() + summary.divergences().len();
    if let Some(totals) = totals(&summary.counts(), shown) {
        writeln!(out)?;
        write_table(out, &totals)?;
    }
    write_rejections(out, summary)?;
    write_divergences(out, summary)?;
    writeln!(out)?;
    out.paragraph(&verdict(summary), "  ")?;
    match after_copy(summary) {
        Some(step) => step.write(out),
        None => Ok(()),
    }
}

fn write_facts(out: &mut Output<'_>, summary: &CopySummary) -> io::Result<()> {
    if let Some(digest) = summary.sha256() {
        write_fact(out, "digest", &digest)?;
    }
    if let Some(bytes) = summary.file_bytes() {
        write_fact(out, "size", &HumanBytes(bytes))?;
    }
    write_fact(out, "time", &pace(out.elapsed(), [summary.source.path.as_path()]))?;
    match summary.end_line {
        Some(EndLine::Matched) => {
            write_fact(out, "end line", &"matches: the text is complete")?;
        }
        Some(EndLine::Mismatched) => {
            write_fact(out, "end line", &"does not match the lines")?;
        }
        Some(EndLine::Missing) => write_fact(out, "no end line", &"completeness unknown")?,
        None => {}
    }
    for kind in &summary.missing {
        write_missing_table(out, *kind)?;
    }
    for column in &summary.without_columns {
        write_fact(out, "ignored", &format_args!("column {}", escaped(column)))?;
    }
    let is_plain_copy =
        summary.source.store == StoreKind::Sqlite && summary.tables.is_empty() && !summary.merge;
    let copied = is_plain_copy.then(|| summary.records() + summary.rejected_total());
    write_tables(out, &summary.uncopied_tables, copied)?;
    if let Some(merge) = summary.merged() {
        write_merge_facts(out, merge)?;
    }
    if let Some(path) = &summary.stale_rejects_file {
        let path = escaped_path(path);
        let text = format_args!("{path}, left by an earlier run");
        write_fact(out, "stale rejects", &text)?;
    }
    write_target_facts(out, summary.lost_access(), &summary.leftover_dirs)
}

/// Writes how many records of each kind were copied or merged.
fn write_counts(out: &mut Output<'_>, summary: &CopySummary) -> io::Result<()> {
    let merged = summary.merged();
    let mut columns = vec!["records", "rejected"];
    if merged.is_some() {
        columns.extend(["inserted", "updated", "unchanged", "kept"]);
    }
    let is_empty = |(kind, totals): &(RecordKind, &KindTotals)| {
        totals.records + *summary.rejected.get(*kind) == 0
    };
    // Databases of other tools have tables, but none of the kinds.
    let kinds = summary.asked_for().filter(|kind| summary.tables.is_empty() || !is_empty(kind));
    let numbers = |copied: [u64; 2], merged: Option<&MergeCounts>| {
        let merged = merged.map(|of| [of.inserted, of.updated, of.unchanged, of.kept]);
        copied.into_iter().chain(merged.into_iter().flatten()).collect()
    };
    let kinds = kinds.map(|(kind, totals)| {
        let copied = [totals.records, *summary.rejected.get(kind)];
        let merged = merged.map(|merge| merge.counts.get(kind));
        (kind.name().to_owned(), numbers(copied, merged))
    });
    let tables = summary.tables.iter().map(|table| {
        let name = Kind::table(&table.name).to_string();
        let copied = [table.totals.records, table.rejected];
        let merged = merged.and_then(|merge| merge.tables.get(&table.name));
        (escaped(&name).into_owned(), numbers(copied, merged))
    });
    write_kinds(out, &columns, kinds.chain(tables))
}

fn write_rejections(out: &mut Output<'_>, summary: &CopySummary) -> io::Result<()> {
    let total = summary.rejection_counts.total();
    if total == 0 {
        return Ok(());
    }
    let heading = match total == summary.rejected_total() {
        true => "Rejected",
        false => "Rejected, and other findings",
    };
    writeln!(out, "\n{heading}:")?;
    for finding in &summary.rejections {
        let key = key(finding).map(|key| escaped(&key).into_owned());
        let message = escaped(&finding.message);
        match summary.source.store {
            StoreKind::Sqlite if finding.row.is_some() => {
                out.paragraph(&format_args!("  {message}"), "    ")?;
            }
            StoreKind::Ndjson => {
                let key = key.map(|key| format!(", {key}")).unwrap_or_default();
                out.paragraph(&format_args!("  {message} ({}{key})", finding.class), "    ")?;
            }
            _ => {
                let kind = || match &finding.kind {
                    Some(kind) => escaped(&kind.to_string()).into_owned(),
                    None => "the file".to_owned(),
                };
                let what = key.unwrap_or_else(kind);
                out.paragraph(&format_args!("  {what}: {}: {message}", finding.class), "    ")?;
            }
        }
    }
    write_rest(out, total, summary.rejections.len())?;
    match &summary.rejects {
        Some(path) => writeln!(out, "  with their values in {}", escaped_path(path)),
        None => Ok(()),
    }
}

fn write_divergences(out: &mut Output<'_>, summary: &CopySummary) -> io::Result<()> {
    let CopyOutcome::ReadBackDiffers { divergences, counts } = &summary.outcome else {
        return Ok(());
    };
    writeln!(out, "\nRead-back mismatch (left = source, right = target):\n")?;
    write_findings(out, divergences, counts, Values::Short)
}

/// Writes what a merge left unchanged, and what it did besides writing records.
fn write_merge_facts(out: &mut Output<'_>, merge: &MergeSummary) -> io::Result<()> {
    let kept: u64 = merge.counts.iter().map(|(_, counts)| counts.kept).sum();
    if kept > 0 {
        let records = count_of(kept, "record", "records");
        let text = format_args!("{records} that only the target has");
        write_fact(out, "kept", &text)?;
    }
    let names = |names: &[String]| {
        let names: Vec<_> = names.iter().map(|name| escaped(name)).collect();
        names.join(", ")
    };
    if !merge.rebuilt.is_empty() {
        write_fact(out, "rebuilt", &names(&merge.rebuilt))?;
    }
    for index in &merge.stale {
        let (table, why) = (escaped(&index.table), escaped(&index.why));
        write_fact(out, "not rebuilt", &format_args!("{table}: {why}"))?;
        let statement = escaped(&index.statement);
        write_fact(out, "", &format_args!("run: {statement}"))?;
    }
    if !merge.skipped_triggers.is_empty() {
        let triggers = names(&merge.skipped_triggers);
        let text = format_args!("{triggers}: a merge does not run triggers");
        write_fact(out, "not run", &text)?;
    }
    Ok(())
}

fn write_rest(out: &mut Output<'_>, total: u64, shown: usize) -> io::Result<()> {
    match total.saturating_sub(shown as u64) {
        0 => Ok(()),
        more => writeln!(out, "  and {}", count_of(more, "more", "more")),
    }
}

/// Writes which access rights of a replaced file were lost, and what interrupted runs left next to
/// the target.
pub(crate) fn write_target_facts(
    out: &mut Output<'_>,
    lost_access: &[&str],
    leftover_dirs: &[PathBuf],
) -> io::Result<()> {
    if !lost_access.is_empty() {
        let lost = lost_access.join(", ");
        let text = format_args!("{lost} of the replaced file");
        write_fact(out, "not preserved", &text)?;
    }
    for folder in leftover_dirs {
        let folder = escaped_path(folder);
        let text = format_args!("{folder}, from an interrupted run; safe to remove");
        write_fact(out, "leftover", &text)?;
    }
    Ok(())
}
