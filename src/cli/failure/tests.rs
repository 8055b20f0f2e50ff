//! Every error as displayed.

use chunkmigrate::Error;
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

/// Errors about a file, which have a `path` besides these fields.
macro_rules! about_file {
    ($($variant:ident { $($fields:tt)* })*) => {
        vec![$(Error::$variant { path: "dir/file".into(), $($fields)* }),*]
    };
}

fn every_error() -> Vec<Error> {
    let mut errors = about_file! {
        UnreadableDatabase { source: engine() }
        Sqlite { action: "write", source: engine() }
        DatabaseLocked {}
        HotJournal {}
        Truncated { expected: 8192, actual: 5000 }
        CorruptDatabase { detail: "a detail".into() }
        IntegrityCheck { problems: vec!["row 1 missing from index a".into(), "another".into()] }
        UnknownCollation { collation: "by_length".into() }
        MultiDatabaseJournal { super_journal: "dir/other-mj01234567".into() }
        NotADatabase {}
        DatabaseChanged {}
        TempDiskFull {}
        TempWrite { source: engine() }
        DiskFull {}
        TempDir { why: "not a directory" }
        NoTables { tables: Vec::new() }
        NoTables { tables: vec!["chunks".into(), "files".into()] }
        NoSuchTable { table: "chunk".into(), tables: vec!["chunks".into()] }
        TableNeedsAll { table: "code_fts".into() }
        TableNotMergeable { table: "notes".into(), why: "it has no primary key" }
        MissingParents { table: "notes".into(), rows: 3 }
        NotCarriedAsRecords { kind: "chunk", table: "code_chunks" }
        TooManyObjects { count: 12_000, limit: 10_000 }
        RowTooLarge { key: "chunks id=7".into() }
        UntrustedSchema { problems: vec!["table \"a\": the statement is a DROP".into()] }
        NotATable { table: "code_chunks", found: "a view" }
        MissingColumn { table: "code_chunks", column: "content" }
        InvalidRow {
            table: "code_chunks",
            rowid: 4,
            column: "content",
            reason: "storage-class",
            key: "file_path \"a.rs\", byte_start 0, byte_end 9".into(),
            message: "content is a BLOB, must be TEXT".into(),
        }
        NotNull { table: "file_metrics", column: "loc", key: "metrics:file:a.rs".into() }
        UnwritableTable { table: "code_chunks", why: "no such function: norm".into() }
        UnknownColumns { table: "code_chunks", columns: vec!["language".into(), "author".into()] }
        CannotIgnoreColumn { column: "code_chunks.id".into(), why: "it is part of the record" }
        Redb { action: "read", source: Box::new(redb::Error::TableDoesNotExist("records".into())) }
        MustReopen {}
        Redb { action: "write", source: Box::new(redb::Error::Io(full())) }
        CorruptKvFile { detail: "a checksum is wrong".into() }
        KvFileInUse {}
        KvFileChanged {}
        NotRedb {}
        NotChunkmigrate { detail: "no format marker".into() }
        OldRedb { version: 2 }
        KvVersion { supported: 1, found: 2 }
        TargetExists {}
        RejectsFileExists {}
        NotReplaceable { found: "a SQLite database".into() }
        TargetLocked {}
        TargetIsSource { source_path: "code.db".into() }
        SidecarOfSource { source_path: "code.db".into() }
        StaleSidecar { side: "dir/file-wal".into() }
        NothingToMergeInto {}
        Referenced {
            table: "notes".into(),
            columns: vec!["chunk".into()],
            key: "chunk:a:0:1".into(),
        }
        ParentMissing {}
        NotAFileName {}
        DirectorySyncFailed { source: full() }
        RejectsFileIsTarget {}
        HtmlIsReport {}
        NotEnoughSpace { what: "the records", needed: 10, available: 5 }
        NotAFile { found: "a FIFO" }
        EmptyFile {}
        KvNotSqlite {}
        SqliteNotKv {}
        IsExport {}
        OtherFormat { format: FileFormat::Gzip }
        OtherFormat { format: FileFormat::Utf16 }
        OtherFormat { format: FileFormat::NativeV2 }
        UnrecognizedFile {}
        NotJsonLines { found: "a KV file" }
        NoLines {}
        NoEndLine {}
        LineCount { found: 41, expected: 60 }
        LinesDiffer { expected: 60 }
        TextChanged {}
        Io { action: "write", source: full() }
        Io { action: "read", source: rustix::io::Errno::ACCESS.into() }
        Io { action: "create", source: rustix::io::Errno::ROFS.into() }
        Io { action: "read", source: rustix::io::Errno::IO.into() }
        Io { action: "open", source: rustix::io::Errno::MFILE.into() }
        Io { action: "create", source: rustix::io::Errno::NAMETOOLONG.into() }
    };
    errors.extend([
        Error::TempDatabase { source: engine() },
        Error::InvalidRecord {
            key: "chunk:a:0:1".to_owned(),
            detail: "the value is not a JSON object".to_owned(),
        },
        Error::ExecutionExists { execution_id: "6b03891c-1431".to_owned() },
        Error::ExecutionNotFound { execution_id: "6b03891c-1431".to_owned() },
        Error::OffsetRange { field: "byte_start" },
        Error::NotFinite { field: "estimated_loc", value: f64::INFINITY },
        Error::MergeNeedsTableNames,
        Error::NoIdLeft { kind: "chunk" },
        Error::Backend("the connection was closed".into()),
        Error::CreateTempDir { path: "dir".into(), source: io::ErrorKind::NotFound.into() },
        Error::CreateStagingDir {
            path: "dir".into(),
            source: io::ErrorKind::PermissionDenied.into(),
        },
        Error::Thread(io::ErrorKind::WouldBlock.into()),
        Error::Cancelled,
        Error::Internal("the counts don't add up".to_owned()),
    ]);
    errors
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
const COME_WITH: [(&str, &str); 14] = [
    ("use --replace to overwrite it", "--replace"),
    ("remove it, or choose another with", "--rejects"),
    ("an export that failed leaves no lines", "--allow-empty"),
    ("export it again, or omit --require-end", "--require-end"),
    ("omit --merge to create it", "--merge"),
    ("exclude its kind with --only", "--merge"),
    ("nothing was written; change or delete", "--merge"),
    ("--without-column takes", "--without-column"),
    ("--tables takes names", "--tables"),
    ("--tables all carries it", "--tables"),
    ("name the tables to carry", "--tables"),
    ("name the other tables", "--tables"),
    ("merge the tables they refer to", "--tables"),
    ("name them, as in --tables", "--tables"),
];
