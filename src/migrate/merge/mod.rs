//! Merges the records of one store into an existing one by key: all of them or none.

mod apply;
mod change_set;
mod join;
mod plan;
mod report;
mod tables;
mod target;

pub use join::MergeCounts;

use std::collections::BTreeMap;
use std::fs;

use self::apply::{Apply, Outcome};
use self::plan::Plan;
use self::report::MergeReport;
use self::target::MergeTarget;
use super::copy_job::Job;
use super::copy_sink::CopySink;
use super::{CopyOutcome, CopySummary, MergeSummary};
use crate::error::{Error, IoContext as _, Result};
use crate::fsio::detect;
use crate::record::RecordKind;
use crate::sqlite::{Derived, Refusals};
use crate::stream::Source;
use crate::table::{CarriedTables, TableSelection};

/// How often to retry if the target is written while the merge is being planned.
const ATTEMPTS: usize = 3;

/// Merges the content of a source into the target of a job, or for a dry run into a copy of it.
///
/// The changes are determined first, without a trace on the target. Only then is the target opened
/// for writing, and its whole content is read back before the transaction commits. Whether the
/// target rejects a record is known only when it is written: the transaction is then rolled back
/// and planned again without that record.
pub(super) fn merge<'j>(job: &'j Job<'j>, source: &mut dyn Source) -> Result<CopySummary> {
    let mut report = take(job, source)?;
    source.confirm()?;
    if report.fails() {
        return report.give_up();
    }

    // Only now, because an invalid line of a text may be the one that describes its tables.
    if let TableSelection::Named(names) = &job.options.tables {
        source.carried().unwrap_or(&CarriedTables::default()).check_names(names, source.path())?;
    }
    let mut target = MergeTarget::prepare(job)?;
    let mut attempt = 1;
    let (merge, is_written) = loop {
        let plan = Plan::make(job, source, &target, &mut report)?;
        source.confirm()?;
        let Some(mut plan) = plan else { continue };
        let summary = &mut report.summary;
        summary.totals = plan.totals;
        for planned in &plan.tables {
            let mut tables = summary.tables.iter_mut();
            if let Some(table) = tables.find(|table| table.name == planned.table.name) {
                table.totals = planned.totals;
            }
        }
        summary.sequences = plan.sequences;
        let (counts, changes_metadata) = (plan.counts, plan.changes_metadata);
        let tables = plan.tables.iter().map(|planned| (planned.table.name.clone(), planned.counts));
        let tables: BTreeMap<_, _> = tables.collect();
        let done = |derived| MergeSummary::new(counts, tables.clone(), changes_metadata, derived);
        if !plan.changes_anything() {
            break (done(Derived::default()), false);
        }
        target.prepare_to_write()?;
        let mut apply = Apply { job, target: &target, plan: &mut plan, report: &mut report };
        match apply.run()? {
            Outcome::Done(derived) => break (done(derived), true),
            Outcome::Rejected => {}
            Outcome::GivenUp => return report.give_up(),
            Outcome::Diverged(outcome) => {
                report.summary.outcome = outcome;
                return Ok(report.summary);
            }
            Outcome::Changed if attempt < ATTEMPTS => attempt += 1,
            Outcome::Changed => return Err(changed(job)),
        }
    };
    if report.fails() {
        return report.give_up();
    }
    report.publish_rejects()?;
    let mut summary = report.summary;
    if job.options.dry_run {
        summary.outcome = CopyOutcome::DryRun { merge: Some(merge) };
        return Ok(summary);
    }
    let path = job.destination.given();
    let file_bytes = fs::metadata(path).io_context("stat", path)?.len();
    summary.outcome = match is_written {
        true => CopyOutcome::Merged { file_bytes, merge },
        false => CopyOutcome::Unchanged { file_bytes, merge },
    };
    job.look_for_old_rejects(&mut summary);
    Ok(summary)
}

/// Reads a source to its end to find its invalid items.
fn take<'j>(job: &'j Job<'j>, source: &mut dyn Source) -> Result<MergeReport<'j>> {
    let mut known = Refusals::new(job.options.temp_dir.as_deref());
    loop {
        let rejects = job.rejects()?;
        let mut sink = CopySink::new(job.options, source.store(), None, rejects, &known);
        let totals = job.take_all(source, &mut sink)?;
        if sink.new_refusals.is_empty() {
            let summary = job.summary(source, &sink, &totals)?;
            let rejects = sink.reject_log.rejects.take();
            return Ok(MergeReport::new(job, summary, rejects, sink.keys_of_duplicates));
        }
        let found = sink.new_refusals;
        known.extend(&found)?;
    }
}

/// Fails unless the target is an existing store of the right kind, and tables are named.
pub(super) fn check_target(job: &Job<'_>) -> Result<()> {
    if job.options.tables == TableSelection::All {
        return Err(Error::MergeNeedsTableNames);
    }
    let path = job.destination.given();
    let mut tables = RecordKind::ALL.into_iter().map(RecordKind::table);
    if let Some(table) = tables.find(|table| job.options.tables.contains(table)) {
        let why = "its rows are records, which --only selects";
        return Err(Error::TableNotMergeable {
            path: path.to_owned(),
            table: table.to_owned(),
            why,
        });
    }
    if !job.destination.exists() {
        let path = path.to_owned();
        return Err(Error::NothingToMergeInto { path });
    }
    detect(path)?.expect(job.target_store, path)
}

fn changed(job: &Job<'_>) -> Error {
    Error::DatabaseChanged { path: job.destination.given().to_owned() }
}
