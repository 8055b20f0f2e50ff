//! Every error as displayed.

use std::path::{Path, PathBuf};

use chunkmigrate::error::KindError;
use chunkmigrate::kv::KvError;
use chunkmigrate::migrate::{ImportError, TargetError};
use chunkmigrate::record::{RecordError, RecordKind};
use chunkmigrate::sqlite::SqliteError;
use chunkmigrate::store::{FileFormat, StoreError};
use chunkmigrate::verify::InvalidReason;

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

fn sqlite_errors(path: &Path) -> Vec<SqliteError> {
    let path = || path.to_owned();
    let (table, action) = ("code_chunks", "read");
    vec![
        SqliteError::Engine {
            action,
            path: path(),
            source: engine(),
        },
        SqliteError::Engine {
            action: "write",
            path: path(),
            source: engine(),
        },
        SqliteError::Locked { path: path() },
        SqliteError::HotJournal { path: path() },
        SqliteError::Truncated {
            path: path(),
            expected: 8192,
            actual: 5000,
        },
        SqliteError::Damaged {
            path: path(),
            detail: "a detail".to_owned(),
        },
        SqliteError::Integrity {
            path: path(),
            problems: vec![
                "row 1 missing from index a".to_owned(),
                "another".to_owned(),
            ],
        },
        SqliteError::UnknownCollation {
            path: path(),
            collation: "by_length".to_owned(),
        },
        SqliteError::SuperJournal {
            path: path(),
            super_journal: PathBuf::from("dir/other-mj01234567"),
        },
        SqliteError::NotADatabase { path: path() },
        SqliteError::Changed { path: path() },
        SqliteError::TemporaryFull { path: path() },
        SqliteError::TemporaryWrite {
            path: path(),
            source: engine(),
        },
        SqliteError::Full { path: path() },
        SqliteError::Temporary { source: engine() },
        SqliteError::TempDir {
            path: path(),
            why: "not a directory",
        },
        SqliteError::NoTables { path: path() },
        SqliteError::NotATable {
            path: path(),
            table,
            found: "a view",
        },
        SqliteError::MissingColumn {
            path: path(),
            table,
            column: "content",
        },
        SqliteError::InvalidRow {
            path: path(),
            table,
            rowid: 4,
            column: "content",
            reason: InvalidReason::StorageClass,
            key: "file_path \"a.rs\", byte_start 0, byte_end 9".to_owned(),
            message: "content is a BLOB, must be TEXT".to_owned(),
        },
        SqliteError::NotNull {
            path: path(),
            table: "file_metrics",
            column: "loc",
            key: "metrics:file:a.rs".to_owned(),
        },
        SqliteError::TakesNoRecord {
            path: path(),
            table: "code_chunks",
            why: "no such function: norm".to_owned(),
        },
        SqliteError::UnknownColumns {
            path: path(),
            table,
            columns: vec!["language".to_owned(), "author".to_owned()],
        },
        SqliteError::WithoutColumn {
            path: path(),
            column: "code_chunks.id".to_owned(),
            why: "it is part of the record",
        },
    ]
}

fn kv_errors(path: &Path) -> Vec<KvError> {
    let path = || path.to_owned();
    vec![
        KvError::Engine {
            action: "read",
            path: path(),
            source: redb::Error::TableDoesNotExist("records".to_owned()),
        },
        KvError::MustReopen { path: path() },
        KvError::Engine {
            action: "write",
            path: path(),
            source: redb::Error::Io(full()),
        },
        KvError::Damaged {
            path: path(),
            detail: "a checksum is wrong".to_owned(),
        },
        KvError::Locked { path: path() },
        KvError::Changed { path: path() },
        KvError::NotRedb { path: path() },
        KvError::Foreign {
            path: path(),
            detail: "no format marker".to_owned(),
        },
        KvError::OldRedb {
            path: path(),
            version: 2,
        },
        KvError::Version {
            path: path(),
            found: 2,
        },
    ]
}

fn target_errors(path: &Path) -> Vec<TargetError> {
    let path = || path.to_owned();
    let source_path = PathBuf::from("code.db");
    vec![
        TargetError::Exists { path: path() },
        TargetError::RejectsExist { path: path() },
        TargetError::NotReplaceable {
            path: path(),
            found: "a SQLite database".to_owned(),
        },
        TargetError::Locked { path: path() },
        TargetError::IsSource {
            path: path(),
            source_path: source_path.clone(),
        },
        TargetError::BesideSource {
            path: path(),
            source_path,
        },
        TargetError::SideFile {
            path: path(),
            side: PathBuf::from("dir/file-wal"),
        },
        TargetError::NothingToMergeInto { path: path() },
        TargetError::Referenced {
            path: path(),
            table: "notes".to_owned(),
            columns: vec!["chunk".to_owned()],
            key: "chunk:a:0:1".to_owned(),
        },
        TargetError::NoFolder { path: path() },
        TargetError::NoName { path: path() },
        TargetError::NotSynced {
            path: path(),
            source: full(),
        },
        TargetError::RejectsIsTarget { path: path() },
        TargetError::PageIsReport { path: path() },
        TargetError::NoRoom {
            path: path(),
            what: "the records",
            needed: 10,
            available: 5,
        },
    ]
}

fn kind_errors(path: &Path) -> Vec<KindError> {
    let path = || path.to_owned();
    vec![
        KindError::NotAFile {
            path: path(),
            found: "a FIFO",
        },
        KindError::Empty { path: path() },
        KindError::KvNotSqlite { path: path() },
        KindError::SqliteNotKv { path: path() },
        KindError::Ndjson { path: path() },
        KindError::OtherFormat {
            path: path(),
            format: FileFormat::Gzip,
        },
        KindError::OtherFormat {
            path: path(),
            format: FileFormat::Utf16,
        },
        KindError::OtherFormat {
            path: path(),
            format: FileFormat::NativeV2,
        },
        KindError::Neither { path: path() },
    ]
}

fn import_errors(path: &Path) -> Vec<ImportError> {
    let path = || path.to_owned();
    vec![
        ImportError::IsStore {
            path: path(),
            found: "a KV file",
        },
        ImportError::NoLines { path: path() },
        ImportError::NoEndLine { path: path() },
        ImportError::LineCount {
            path: path(),
            found: 41,
            told: 60,
        },
        ImportError::OtherLines {
            path: path(),
            told: 60,
        },
        ImportError::Changed { path: path() },
    ]
}

fn store_errors() -> Vec<Error> {
    let execution_id = || "6b03891c-1431".to_owned();
    vec![
        StoreError::Undecodable {
            key: "chunk:a:0:1".to_owned(),
            detail: "the value is not a JSON object".to_owned(),
        }
        .into(),
        StoreError::ExecutionExists {
            execution_id: execution_id(),
        }
        .into(),
        StoreError::NoExecution {
            execution_id: execution_id(),
        }
        .into(),
        RecordError::OffsetRange {
            field: "byte_start",
        }
        .into(),
        RecordError::NotFinite {
            field: "estimated_loc",
            value: f64::INFINITY,
        }
        .into(),
        RecordError::NoIdLeft {
            kind: RecordKind::Chunk,
        }
        .into(),
        Error::Backend("the connection was closed".into()),
    ]
}

#[test]
fn every_error_says_what_happened_to_which_file_and_what_to_do() {
    let path = PathBuf::from("dir/file");
    let mut errors: Vec<Error> = Vec::new();
    errors.extend(sqlite_errors(&path).into_iter().map(Error::from));
    errors.extend(kv_errors(&path).into_iter().map(Error::from));
    errors.extend(target_errors(&path).into_iter().map(Error::from));
    errors.extend(kind_errors(&path).into_iter().map(Error::from));
    errors.extend(import_errors(&path).into_iter().map(Error::from));
    errors.extend(store_errors());
    errors.extend([
        Error::Io {
            action: "write",
            path,
            source: full(),
        },
        Error::Io {
            action: "create a temporary directory in",
            path: PathBuf::from("dir"),
            source: io::ErrorKind::NotFound.into(),
        },
        Error::Io {
            action: "create a staging directory in",
            path: PathBuf::from("dir"),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        Error::Io {
            action: "read",
            path: PathBuf::from("dir/file"),
            source: rustix::io::Errno::ACCESS.into(),
        },
        Error::Io {
            action: "create",
            path: PathBuf::from("dir/file"),
            source: rustix::io::Errno::ROFS.into(),
        },
        Error::Io {
            action: "read",
            path: PathBuf::from("dir/file"),
            source: rustix::io::Errno::IO.into(),
        },
        Error::Io {
            action: "open",
            path: PathBuf::from("dir/file"),
            source: rustix::io::Errno::MFILE.into(),
        },
        Error::Io {
            action: "create",
            path: PathBuf::from("dir/file"),
            source: rustix::io::Errno::NAMETOOLONG.into(),
        },
        Error::Thread(io::ErrorKind::WouldBlock.into()),
        Error::Cancelled,
        Error::Internal("the counts don't add up".to_owned()),
    ]);
    let failures: Vec<CliError> = errors.into_iter().map(CliError::from).collect();
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
