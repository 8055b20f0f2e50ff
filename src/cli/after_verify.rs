//! The next step after a verification that found divergences: how to update the older store, and
//! which deleted records a merge would restore.

use chunkmigrate::internal::Newer;
use chunkmigrate::record::KindSet;
use chunkmigrate::store::StoreKind;
use chunkmigrate::verify::{Comparison, KindCounts, Side, StoreLabel, VerifyReport};

use super::commands::tables_arg;
use super::report::pluralize::count_of;
use super::report::suggestions::{NextStep, command, copy_with_tables, transfer};
use super::report::verify_outcome::total;
use super::term::terminal_escape::escaped_path;

/// What to do next: there is always something if the stores differ.
pub(super) fn after_verify(report: &VerifyReport) -> Option<NextStep> {
    let step = match report.legs.as_slice() {
        [leg] => update(report, leg),
        _ => None,
    };
    step.or_else(|| if report.is_identical() { None } else { look_closer(report) })
}

/// How to see all findings.
fn look_closer(report: &VerifyReport) -> Option<NextStep> {
    let (first, last) = (report.legs.first()?, report.legs.last()?);
    let stores = match report.legs.len() {
        1 => vec![first.left.path.as_path(), last.right.path.as_path()],
        _ => vec![first.left.path.as_path()],
    };
    let faults = report.legs.iter().map(|leg| leg.evidence.left.faults + leg.evidence.right.faults);
    let faults: u64 = faults.sum();
    let advice = match faults {
        0 => "decide for each finding which side is right",
        _ => "fix or restore what is invalid, then compare again",
    };
    let is_truncated = report.counts().total() > report.findings.len() as u64;
    let (what, file) = match (&report.report, &report.html) {
        (None, _) if is_truncated => {
            ("all findings go to a file with", ["--report", "findings.jsonl"])
        }
        (_, None) => ("a page shows both sides of each finding", ["--html", "report.html"]),
        _ => return Some(NextStep::new(advice, [])),
    };
    let tables = tables_arg::format(&report.legs.first()?.selection);
    let mut options = file.to_vec();
    options.extend(tables.as_deref().map(|tables| ["--tables", tables]).into_iter().flatten());
    let command = command("verify", &stores, &options, report.only)?;
    Some(NextStep::new(format!("{advice}; {what}"), [command]))
}

/// How to bring one store up to date with the other, if a command would succeed.
fn update(report: &VerifyReport, leg: &Comparison) -> Option<NextStep> {
    let pair = Pair { report, leg, total: total(leg) };
    if !leg.selection.is_none() {
        return pair.copy_tables();
    }
    match leg.evidence.newer() {
        Some(newer) => pair.update_older(newer),
        None => pair.either(),
    }
}

/// Two compared stores.
struct Pair<'r> {
    report: &'r VerifyReport,
    leg: &'r Comparison,
    total: KindCounts,
}

impl Pair<'_> {
    /// A fresh copy of a database with its tables, which no merge carries.
    fn copy_tables(&self) -> Option<NextStep> {
        let from = match (self.leg.left.store, self.leg.right.store) {
            (StoreKind::Sqlite, StoreKind::Kv) => Side::Left,
            (StoreKind::Kv, StoreKind::Sqlite) => Side::Right,
            _ => return None,
        };
        // A copy of some kinds would replace a complete one.
        let is_whole = self.report.only == KindSet::ALL;
        if self.report.is_identical() || self.faults(from) > 0 || !is_whole {
            return None;
        }
        let stores = [from, from.other()].map(|side| self.store(side).path.as_path());
        let command = copy_with_tables(stores, self.report.only, &self.leg.selection)?;
        let (from, to) = (self.name(from), self.name(from.other()));
        let what = format!("if {from} is right, replace {to} by a fresh copy");
        Some(NextStep::new(what, [command]))
    }

    fn update_older(&self, newer: Newer) -> Option<NextStep> {
        let older = newer.side.other();
        let (from, to) = (self.name(newer.side), self.name(older));
        let mut reasons = Vec::new();
        if newer.by_ids {
            reasons.push("its ids are higher".to_owned());
        }
        if newer.by_times {
            reasons.push("its timestamps are later".to_owned());
        }
        if newer.by_origin {
            reasons.push(format!("{to} was copied from it and is unchanged"));
        }
        let reasons = reasons.join(", ");
        let (how, command) = self.way(newer.side, "adds")?;
        let what = format!("{from} is newer than {to} ({reasons}); {how}");
        Some(NextStep::new(what, [command]).or(self.going_back(older)))
    }

    /// What merging the older store into the newer one would do, if anything.
    fn going_back(&self, older: Side) -> Option<NextStep> {
        let (newer, name) = (self.name(older.other()), self.name(older));
        let restored = effect("restore", self.only(older));
        let effects = joined([
            restored.map(|restored| format!("{restored} that only {name} has")),
            effect("revert", self.total.differing),
        ])?;
        let what = format!("Merging {name} into {newer} would {effects}");
        Some(NextStep::new(what, self.merge(older)))
    }

    /// It is unclear which store is newer: both directions, each with its effects.
    fn either(&self) -> Option<NextStep> {
        let mut sides = [Side::Left, Side::Right];
        sides.sort_by_key(|from| !self.is_fresh_copy(*from));
        let ways = sides.into_iter().filter_map(|from| {
            let (how, command) = self.way(from, "adds or restores")?;
            Some((format!("If {} is right, {how}", self.name(from)), command))
        });
        let mut ways: Vec<_> = ways.collect();
        let other = if ways.len() > 1 { ways.pop() } else { None };
        let other = other.map(|(what, command)| NextStep::new(what, [command]));
        let (what, command) = ways.pop()?;
        let what = format!("it is unclear which store is newer. {what}");
        Some(NextStep::new(what, [command]).or(other))
    }

    /// How to bring the records of one side into the other: a description and a command.
    fn way(&self, from: Side, adds: &str) -> Option<(String, String)> {
        let to = from.other();
        let is_fresh_copy = self.is_fresh_copy(from);
        // A merge never deletes records.
        if self.only(from) + self.total.differing == 0 && !is_fresh_copy {
            return None;
        }
        let name = self.name(to);
        let other = if is_fresh_copy { "removes" } else { "keeps" };
        let other = effect(other, self.only(to));
        let effects = joined([
            effect(adds, self.only(from)),
            effect("changes", self.total.differing),
            other.map(|other| format!("{other} that only {name} has")),
        ])?;
        if is_fresh_copy {
            let is_whole = self.faults(from) == 0;
            let command = is_whole.then(|| self.command(from, "--replace"))??;
            Some((format!("make a fresh copy, which {effects}"), command))
        } else {
            let what = format!("merge it into {name}, which {effects}");
            Some((what, self.merge(from)?))
        }
    }

    /// Whether a fresh copy can replace the other store. A database may contain more than records,
    /// and a copy of only some kinds would be incomplete.
    fn is_fresh_copy(&self, from: Side) -> bool {
        self.store(from.other()).store == StoreKind::Kv && self.report.only == KindSet::ALL
    }

    /// The command to merge one side into the other, if it would succeed.
    fn merge(&self, from: Side) -> Option<String> {
        let evidence = &self.leg.evidence;
        let is_whole = self.faults(from) + self.faults(from.other()) == 0;
        (is_whole && !evidence.ids_may_clash()).then(|| self.command(from, "--merge"))?
    }

    fn command(&self, from: Side, option: &str) -> Option<String> {
        let stores = [self.store(from), self.store(from.other())];
        let stores = stores.map(|store| (store.path.as_path(), store.store));
        transfer(stores, option, self.report.only, &self.report.without_columns)
    }

    fn faults(&self, side: Side) -> u64 {
        self.leg.evidence.of(side).faults
    }

    fn only(&self, side: Side) -> u64 {
        match side {
            Side::Left => self.total.only_left,
            Side::Right => self.total.only_right,
        }
    }

    fn store(&self, side: Side) -> &StoreLabel {
        match side {
            Side::Left => &self.leg.left,
            Side::Right => &self.leg.right,
        }
    }

    fn name(&self, side: Side) -> String {
        escaped_path(&self.store(side).path)
    }
}

/// What happens to a number of records; `None` if there are none.
fn effect(verb: &str, records: u64) -> Option<String> {
    (records > 0).then(|| format!("{verb} {}", count_of(records, "record", "records")))
}

/// Joins phrases with commas and "and"; `None` if there are none.
fn joined<const N: usize>(phrases: [Option<String>; N]) -> Option<String> {
    let phrases: Vec<String> = phrases.into_iter().flatten().collect();
    let (last, before) = phrases.split_last()?;
    Some(match before {
        [] => last.clone(),
        before => format!("{} and {last}", before.join(", ")),
    })
}
