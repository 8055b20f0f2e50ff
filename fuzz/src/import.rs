use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use chunkmigrate::codec::Line;
use chunkmigrate::migrate::{
    CopyOptions, CopySummary, ExportFlow, ExportOptions, Exported, ImportError, ImportSource,
    OnInvalid, export, import_to_kv,
};
use chunkmigrate::{Error, NoProgress, Progress};

/// Any text into a KV file: every line is a record, the marks, or named; and what came in goes out
/// and comes in again as it is.
pub fn import(data: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let summary = match import_text(data, &first) {
        Ok(summary) => summary,
        Err(Error::Import(ImportError::IsStore { .. })) => return,
        Err(error) => panic!("{error}"),
    };
    let (lines, marks) = count_lines(data);
    assert_eq!(summary.records() + summary.rejected_total() + marks, lines);
    assert_eq!(summary.rejections.len() as u64, summary.rejections_total);
    for rejection in &summary.rejections {
        let is_of_a_record = rejection.message.starts_with("the table ");
        assert!(is_of_a_record || rejection.message.starts_with("line "));
    }
    let again = import_text(&exported(&first), &second).unwrap();
    assert!(again.is_complete());
    assert_eq!(again.sha256, summary.sha256);
    assert_eq!(again.sequences, summary.sequences);
}

fn import_text(text: &[u8], target: &Path) -> chunkmigrate::Result<CopySummary> {
    let source = ImportSource::Reader {
        name: Path::new("text"),
        reader: Box::new(Cursor::new(text.to_vec())),
    };
    let options = CopyOptions {
        on_invalid: OnInvalid::Skip,
        limit: usize::MAX,
        ..CopyOptions::default()
    };
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    import_to_kv(source, target, &options, &progress)
}

/// The lines that say something, and those of them that tell the marks.
fn count_lines(text: &[u8]) -> (u64, u64) {
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
    let lines = text.split(|byte| *byte == b'\n');
    let lines: Vec<_> = lines.filter(|line| !line.trim_ascii().is_empty()).collect();
    let marks = lines
        .iter()
        .filter(|line| matches!(Line::parse(line), Ok(Line::Sequences(_))));
    (lines.len() as u64, marks.count() as u64)
}

fn exported(store: &Path) -> Vec<u8> {
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    let mut text = Vec::new();
    export(
        store,
        &ExportOptions::default(),
        &progress,
        &mut |exported| {
            let line = match exported {
                Exported::Record { kind, entry } => Line::of(kind, entry).unwrap(),
                Exported::Sequences(marks) => Line::Sequences(marks),
                Exported::Finding(finding) => panic!("{finding:?}"),
            };
            serde_json::to_writer(&mut text, &line).unwrap();
            text.push(b'\n');
            Ok(ExportFlow::Continue)
        },
    )
    .unwrap();
    text
}
