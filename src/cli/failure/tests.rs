//! Every error as displayed.

use std::path::PathBuf;

use chunkmigrate::Error;
use chunkmigrate::record::RecordError;
use chunkmigrate::store::FileFormat;

use super::*;

fn engine() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
        Some("unable to open database file".to_owned()),
    )
}

fn full() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

fn every_error() -> Vec<Error> {
    let path = || PathBuf::from("dir/file");
    vec![
        Error::UnreadableDatabase {
            path: path(),
            source: engine(),
        },
        Error::Sqlite {
            action: "write",
            path: path(),
            source: engine(),
        },
        Error::DatabaseLocked { path: path() },
        Error::HotJournal { path: path() },
        Error::Truncated {
            path: path(),
            expected: 8192,
            actual: 5000,
        },
        Error::CorruptDatabase {
            path: path(),
            detail: "a detail".to_owned(),
        },
        Error::IntegrityCheck {
            path: path(),
            problems: vec![
                "row 1 missing from index a".to_owned(),
                "another".to_owned(),
            ],
        },
        Error::UnknownCollation {
            path: path(),
            collation: "by_length".to_owned(),
        },
        Error::MultiDatabaseJournal {
            path: path(),
            super_journal: "dir/other-mj01234567".into(),
        },
        Error::NotADatabase { path: path() },
        Error::DatabaseChanged { path: path() },
        Error::TempDiskFull { path: path() },
        Error::TempWrite {
            path: path(),
            source: engine(),
        },
        Error::DiskFull { path: path() },
        Error::TempDatabase { source: engine() },
        Error::TempDir {
            path: path(),
            why: "not a directory",
        },
        Error::NoTables { path: path() },
        Error::NotATable {
            path: path(),
            table: "code_chunks",
            found: "a view",
        },
        Error::MissingColumn {
            path: path(),
            table: "code_chunks",
            column: "content",
        },
        Error::InvalidRow {
            path: path(),
            table: "code_chunks",
            rowid: 4,
            column: "content",
            reason: "storage-class",
            key: "file_path \"a.rs\", byte_start 0, byte_end 9".into(),
            message: "content is a BLOB, must be TEXT".into(),
        },
        Error::NotNull {
            path: path(),
            table: "file_metrics",
            column: "loc",
            key: "metrics:file:a.rs".to_owned(),
        },
        Error::UnwritableTable {
            path: path(),
            table: "code_chunks",
            why: "no such function: norm".to_owned(),
        },
        Error::UnknownColumns {
            path: path(),
            table: "code_chunks",
            columns: vec!["language".to_owned(), "author".to_owned()],
        },
        Error::CannotIgnoreColumn {
            path: path(),
            column: "code_chunks.id".to_owned(),
            why: "it is part of the record",
        },
        Error::Redb {
            action: "read",
            path: path(),
            source: Box::new(redb::Error::TableDoesNotExist("records".to_owned())),
        },
        Error::MustReopen { path: path() },
        Error::Redb {
            action: "write",
            path: path(),
            source: Box::new(redb::Error::Io(full())),
        },
        Error::CorruptKvFile {
            path: path(),
            detail: "a checksum is wrong".to_owned(),
        },
        Error::KvFileInUse { path: path() },
        Error::KvFileChanged { path: path() },
        Error::NotRedb { path: path() },
        Error::NotChunkmigrate {
            path: path(),
            detail: "no format marker".to_owned(),
        },
        Error::OldRedb {
            path: path(),
            version: 2,
        },
        Error::KvVersion {
            supported: 1,
            path: path(),
            found: 2,
        },
        Error::TargetExists { path: path() },
        Error::RejectsFileExists { path: path() },
        Error::NotReplaceable {
            path: path(),
            found: "a SQLite database".to_owned(),
        },
        Error::TargetLocked { path: path() },
        Error::TargetIsSource {
            path: path(),
            source_path: "code.db".into(),
        },
        Error::SidecarOfSource {
            path: path(),
            source_path: "code.db".into(),
        },
        Error::StaleSidecar {
            path: path(),
            side: "dir/file-wal".into(),
        },
        Error::NothingToMergeInto { path: path() },
        Error::Referenced {
            path: path(),
            table: "notes".to_owned(),
            columns: vec!["chunk".to_owned()],
            key: "chunk:a:0:1".to_owned(),
        },
        Error::ParentMissing { path: path() },
        Error::NotAFileName { path: path() },
        Error::DirectorySyncFailed {
            path: path(),
            source: full(),
        },
        Error::RejectsFileIsTarget { path: path() },
        Error::HtmlIsReport { path: path() },
        Error::NotEnoughSpace {
            path: path(),
            what: "the records",
            needed: 10,
            available: 5,
        },
        Error::NotAFile {
            path: path(),
            found: "a FIFO",
        },
        Error::EmptyFile { path: path() },
        Error::KvNotSqlite { path: path() },
        Error::SqliteNotKv { path: path() },
        Error::IsExport { path: path() },
        Error::OtherFormat {
            path: path(),
            format: FileFormat::Gzip,
        },
        Error::OtherFormat {
            path: path(),
            format: FileFormat::Utf16,
        },
        Error::OtherFormat {
            path: path(),
            format: FileFormat::NativeV2,
        },
        Error::UnrecognizedFile { path: path() },
        Error::NotJsonLines {
            path: path(),
            found: "a KV file",
        },
        Error::NoLines { path: path() },
        Error::NoEndLine { path: path() },
        Error::LineCount {
            path: path(),
            found: 41,
            expected: 60,
        },
        Error::LinesDiffer {
            path: path(),
            expected: 60,
        },
        Error::TextChanged { path: path() },
        Error::InvalidRecord {
            key: "chunk:a:0:1".to_owned(),
            detail: "the value is not a JSON object".to_owned(),
        },
        Error::ExecutionExists {
            execution_id: "6b03891c-1431".to_owned(),
        },
        Error::ExecutionNotFound {
            execution_id: "6b03891c-1431".to_owned(),
        },
        Error::Record(RecordError::OffsetRange {
            field: "byte_start",
        }),
        Error::Record(RecordError::NotFinite {
            field: "estimated_loc",
            value: f64::INFINITY,
        }),
        Error::Record(RecordError::NoIdLeft { kind: "chunk" }),
        Error::Backend("the connection was closed".into()),
        Error::Io {
            action: "write",
            path: path(),
            source: full(),
        },
        Error::CreateTempDir {
            path: "dir".into(),
            source: io::ErrorKind::NotFound.into(),
        },
        Error::CreateStagingDir {
            path: "dir".into(),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        Error::Io {
            action: "read",
            path: path(),
            source: rustix::io::Errno::ACCESS.into(),
        },
        Error::Io {
            action: "create",
            path: path(),
            source: rustix::io::Errno::ROFS.into(),
        },
        Error::Io {
            action: "read",
            path: path(),
            source: rustix::io::Errno::IO.into(),
        },
        Error::Io {
            action: "open",
            path: path(),
            source: rustix::io::Errno::MFILE.into(),
        },
        Error::Io {
            action: "create",
            path: path(),
            source: rustix::io::Errno::NAMETOOLONG.into(),
        },
        Error::Thread(io::ErrorKind::WouldBlock.into()),
        Error::Cancelled,
        Error::Internal("the counts don't add up".to_owned()),
    ]
}

#[test]
fn every_error_says_what_happened_to_which_file_and_what_to_do() {
    let failures: Vec<CliError> = every_error().into_iter().map(CliError::from).collect();
    for failure in &failures {
        check_options(failure);
    }
    let mut text = Vec::new();
    for failure in failures {
        failure.write(&mut text).unwrap();
        text.push(b'\n');
    }
    let text = anstream::adapter::strip_bytes(&text).into_vec();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::assert_snapshot!("error_texts", String::from_utf8(text).unwrap());
    });
}

/// Checks that a hint names only options that the command has, or also names the commands that have
/// them.
fn check_options(failure: &CliError) {
    let mut program = crate::cli::command_line::command();
    program.build();
    for command in program.get_subcommands() {
        let options = crate::cli::long_options(command);
        let Some(hint) = failure.hint.map(|hint| hint.for_command(Some(&options))) else {
            continue;
        };
        let mut others = program.get_subcommands();
        let names_command = others.any(|other| {
            hint.contains(other.get_name()) && hint::has_all(&crate::cli::long_options(other), hint)
        });
        let can_not_come = COME_WITH.iter().any(|(start, option)| {
            hint.starts_with(start) && !options.contains(&(*option).to_owned())
        });
        assert!(
            hint::has_all(&options, hint) || names_command || can_not_come,
            "{}: {hint}",
            command.get_name()
        );
    }
}

/// Hints for errors that occur only with a certain option.
const COME_WITH: [(&str, &str); 8] = [
    ("use --replace to overwrite it", "--replace"),
    ("remove it, or choose another with", "--rejects"),
    ("an export that failed leaves no lines", "--allow-empty"),
    ("export it again, or omit --require-end", "--require-end"),
    ("omit --merge to create it", "--merge"),
    ("exclude its kind with --only", "--merge"),
    ("nothing was written; change or delete", "--merge"),
    ("--without-column takes", "--without-column"),
];
