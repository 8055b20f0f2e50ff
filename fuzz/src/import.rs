use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::Path;

use chunkmigrate::internal::Line;
use chunkmigrate::migrate::{
    CopyOptions, CopySummary, EndLine, ExportItem, ExportOptions, ImportSource, export,
    import_to_kv,
};
use chunkmigrate::{Error, Progress};
use serde_json::value::to_raw_value;
use test_support::folder;

/// Any text into a KV file: every line is a record, a row, a description of tables, the id sequences,
/// an end line, or reported; and what was imported is exported and imported again unchanged. A text whose lines don't match its
/// end line is not imported, and without that line it is.
pub fn import(data: &[u8]) {
    let folder = folder::private();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let (lines, without_record, ends) = count_lines(data);
    let descriptions = count(data, |line| matches!(Line::parse(line), Ok(Line::Tables(_))));
    let summary = match import_text(data, &first) {
        Ok(summary) => summary,
        Err(
            Error::NotJsonLines { .. }
            | Error::NotAFile { .. }
            | Error::EmptyFile { .. }
            | Error::OtherFormat { .. },
        ) => return,
        Err(Error::NoLines { .. }) => return assert_eq!(lines, 0),
        Err(Error::LineCount { .. } | Error::LinesDiffer { .. }) => {
            assert!(ends > 0);
            assert!(!first.exists());
            return import(&without_end_lines(data));
        }
        Err(error) => panic!("{error}"),
    };
    let end_line = match ends {
        0 => EndLine::Missing,
        _ => EndLine::Matched,
    };
    assert_eq!(summary.end_line, Some(end_line));
    let is_description = |message: &str| {
        message.contains("not a description of tables")
            || message.contains("an earlier tables line")
    };
    let rejected = summary.rejections.iter().filter(|why| is_description(&why.message)).count();
    let without_record = without_record + descriptions - rejected as u64;
    assert_eq!(summary.records() + summary.rejected_total() + without_record, lines);
    assert_eq!(summary.rejections.len() as u64, summary.rejection_counts.total());
    for rejection in &summary.rejections {
        let is_of_a_record = rejection.message.starts_with("the table ");
        assert!(is_of_a_record || rejection.message.starts_with("line "));
    }
    let again = import_text(&exported(&first), &second).unwrap();
    assert!(again.is_complete());
    assert_eq!(again.end_line, Some(EndLine::Matched));
    assert_eq!(again.sha256(), summary.sha256());
    assert_eq!(again.sequences, summary.sequences);
}

fn import_text(text: &[u8], target: &Path) -> chunkmigrate::Result<CopySummary> {
    let source = ImportSource::Reader {
        name: Path::new("text"),
        reader: Box::new(Cursor::new(text.to_vec())),
    };
    let options = CopyOptions::default().skip_invalid(true).limit(usize::MAX);
    let progress = Progress::none();
    import_to_kv(source, target, &options, &progress)
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter(|line| !line.trim_ascii().is_empty())
}

fn is_end_line(line: &[u8]) -> bool {
    matches!(Line::parse(line), Ok(Line::End(_)))
}

/// The numbers of nonblank lines, of those without a record (id sequences and end lines), and of
/// end lines.
fn count_lines(text: &[u8]) -> (u64, u64, u64) {
    let ends = count(text, is_end_line);
    let id_sequences = count(text, |line| matches!(Line::parse(line), Ok(Line::IdSequences(_))));
    (count(text, |_| true), id_sequences + ends, ends)
}

fn count(text: &[u8], is: fn(&[u8]) -> bool) -> u64 {
    lines(text).filter(|line| is(line)).count() as u64
}

fn without_end_lines(text: &[u8]) -> Vec<u8> {
    let others = lines(text).filter(|line| !is_end_line(line));
    others.collect::<Vec<_>>().join(&b'\n')
}

fn exported(store: &Path) -> Vec<u8> {
    let progress = Progress::none();
    let mut text = Vec::new();
    export(store, &ExportOptions::default(), &progress, &mut |exported| {
        let description;
        let line = match exported {
            ExportItem::Tables(tables) => {
                description = to_raw_value(tables).unwrap();
                Line::Tables(&description)
            }
            ExportItem::Row { table, key, object } => {
                Line::of_row(&table.name, key, object).unwrap()
            }
            ExportItem::NotCarried(table) => panic!("{table:?}"),
            ExportItem::Record { kind, entry } => Line::of(kind, entry).unwrap(),
            ExportItem::IdSequences(id_sequences) => Line::IdSequences(id_sequences),
            ExportItem::End(end) => Line::End(end),
            ExportItem::NotClosed => panic!("the copy was closed"),
            ExportItem::Finding(finding) => panic!("{finding:?}"),
        };
        serde_json::to_writer(&mut text, &line).unwrap();
        text.push(b'\n');
        Ok(ControlFlow::Continue(()))
    })
    .unwrap();
    text
}
