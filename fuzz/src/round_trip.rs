use std::fs;
use std::path::Path;

use chunkmigrate::Progress;
use chunkmigrate::migrate::{CopyOptions, CopyOutcome, CopySummary, kv_to_sqlite, sqlite_to_kv};
use chunkmigrate::record::RecordKind;
use chunkmigrate::verify::{Finding, FindingClass, InvalidReason};
use chunkmigrate::verify::{VerifyOptions, VerifyReport, verify_pair};
use test_support::folder;
use test_support::input::Input;

use super::database::{Schema, make, rows_of};
use super::encoding::Encoding;
use super::row::{Row, faults};

/// An invalid row: its table, row id, column and reason.
type InvalidField = (&'static str, i64, &'static str, InvalidReason);

/// A database that is copied to a KV file and back: every row survives, or is reported.
pub fn round_trip(data: &[u8]) {
    let mut input = Input::new(data);
    let (encoding, schema) = (input.pick(&Encoding::ALL), input.pick(&Schema::ALL));
    let rows: Vec<Row> = (0..input.below(16))
        .map(|_| {
            let mut row = Row::new(&mut input, encoding);
            if schema != Schema::Own && input.one_in(4) {
                row.invalidate(&mut input, encoding, schema == Schema::LooseWithIds);
            }
            row
        })
        .collect();
    let folder = folder::private();
    let [db, kv, back] = ["code.db", "code.kv", "back.db"].map(|name| folder.path().join(name));
    let rows = make(&db, encoding, schema, &rows);
    let bytes = fs::read(&db).unwrap();
    let faults = faults(&rows, encoding);
    let invalid = rows.iter().zip(&faults).filter_map(|(row, fault)| {
        let (column, reason) = (*fault)?;
        Some((row.kind.table(), row.rowid, column, reason))
    });
    let mut invalid: Vec<InvalidField> = invalid.collect();
    invalid.sort();
    let valid = rows.iter().zip(&faults).filter(|(_, fault)| fault.is_none());
    let mut valid: Vec<String> = valid.map(|(row, _)| row.returned(encoding)).collect();
    valid.sort();

    if !invalid.is_empty() {
        check_rejected(&db, &kv, &invalid);
    }
    let options = CopyOptions::default().skip_invalid(true).limit(usize::MAX);
    let there = sqlite_to_kv(&db, &kv, &options, &progress()).unwrap();
    assert!(there.is_verified(), "{:?}", there.divergences());
    assert_eq!(there.records(), valid.len() as u64);
    counts_add_up(&there, &rows);
    assert_eq!(invalid_in(&there.rejections), invalid);
    let mut names: Vec<_> = invalid.iter().map(by_name).collect();
    names.sort();
    assert_eq!(lines(&folder.path().join("code.kv.rejects.jsonl")), names);

    let report = verify(&db, &kv);
    let divergences = report.findings.iter().filter(|f| !f.class.is_warning());
    let divergences: Vec<Finding> = divergences.cloned().collect();
    assert_eq!(invalid_in(&divergences), invalid);
    assert_eq!(report.is_identical(), invalid.is_empty());
    assert_eq!(report.equal(), valid.len() as u64);

    let and_back = kv_to_sqlite(&kv, &back, &CopyOptions::default(), &progress()).unwrap();
    assert!(and_back.is_complete() && and_back.is_verified());
    assert_eq!(and_back.sequences, there.sequences);
    assert_eq!(and_back.sha256(), there.sha256());
    assert!(verify(&kv, &back).is_identical());
    assert_eq!(verify(&db, &back).is_identical(), invalid.is_empty());
    assert_eq!(rows_of(&back), valid);
    assert_eq!(fs::read(&db).unwrap(), bytes);
    let files = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, if invalid.is_empty() { 3 } else { 4 });
}

/// Unless rows may be skipped, all are reported and there is no target.
fn check_rejected(db: &Path, kv: &Path, invalid: &[InvalidField]) {
    let options = CopyOptions::default().limit(usize::MAX);
    let rejected = sqlite_to_kv(db, kv, &options, &progress()).unwrap();
    assert!(!rejected.is_complete());
    assert!(matches!(rejected.outcome, CopyOutcome::Rejected));
    assert_eq!(invalid_in(&rejected.rejections), invalid);
    assert!(!kv.exists());
}

/// Each row was copied or rejected.
fn counts_add_up(summary: &CopySummary, rows: &[Row]) {
    for kind in RecordKind::ALL {
        let of_kind = rows.iter().filter(|row| row.kind == kind).count() as u64;
        let copied = summary.totals.get(kind).records;
        assert_eq!(copied + summary.rejected.get(kind), of_kind);
    }
    assert_eq!(summary.rejection_counts.total(), summary.rejected_total());
}

/// The rows of findings, which must be about nothing else.
fn invalid_in(findings: &[Finding]) -> Vec<InvalidField> {
    let rows = findings.iter().map(|finding| {
        assert_eq!(finding.class, FindingClass::InvalidRow, "{finding:?}");
        let row = finding.row.unwrap();
        (row.table, row.rowid.unwrap(), row.column, row.reason)
    });
    let mut rows: Vec<InvalidField> = rows.collect();
    rows.sort();
    rows
}

fn verify(left: &Path, right: &Path) -> VerifyReport {
    let options = VerifyOptions::default().limit(usize::MAX);
    verify_pair(left, right, &options, &progress()).unwrap()
}

fn progress() -> Progress {
    Progress::none()
}

type Line = (String, i64, String, String);

fn by_name((table, rowid, column, reason): &InvalidField) -> Line {
    let text = |text: &str| text.to_owned();
    (text(table), *rowid, text(column), text(reason.name()))
}

/// The rows of a rejects file, if there is one.
fn lines(path: &Path) -> Vec<Line> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut rows: Vec<_> = text
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |field: &str| line[field].as_str().unwrap().to_owned();
            (text("table"), line["rowid"].as_i64().unwrap(), text("column"), text("reason"))
        })
        .collect();
    rows.sort();
    rows
}
