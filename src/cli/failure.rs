//! Failures as the user sees them: what happened, why, and what to do next.

use std::error::Error as StdError;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use chunkmigrate::Error;
use serde::Serialize;

use super::escape::escaped;
use super::hint::hint;

/// Something that ends the program with a status of 2 or more.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
    cancelled: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            // SQLite's bare code says less than the message above it.
            if !error.is::<rusqlite::ffi::Error>() {
                causes.push(error.to_string());
            }
            cause = error.source();
        }
        Failure {
            message: error.to_string(),
            causes,
            hint: hint(&error).map(str::to_owned),
            cancelled: matches!(error, Error::Cancelled),
        }
    }
}

impl Failure {
    /// Wrong arguments.
    pub(super) fn usage(error: &clap::Error) -> Self {
        let text = error.to_string();
        let about: Vec<&str> = text
            .lines()
            .take_while(|line| !line.trim().is_empty())
            .map(str::trim)
            .collect();
        Failure {
            message: about.join(" ").trim_start_matches("error: ").to_owned(),
            causes: Vec::new(),
            hint: Some("run with --help to see what can be given".to_owned()),
            cancelled: false,
        }
    }

    /// A report that could not be written.
    pub(super) fn output(error: &io::Error) -> Self {
        Failure {
            message: "can't write to stdout".to_owned(),
            causes: vec![error.to_string()],
            hint: None,
            cancelled: false,
        }
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    /// The failure as text.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let red = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        let cyan = Style::new().bold().fg_color(Some(AnsiColor::Cyan.into()));
        writeln!(out, "{red}error:{red:#} {}", escaped(&self.message))?;
        for cause in &self.causes {
            writeln!(out, "  caused by: {}", escaped(cause))?;
        }
        if let Some(hint) = &self.hint {
            writeln!(out, "{cyan}hint:{cyan:#} {}", escaped(hint))?;
        }
        Ok(())
    }

    /// The failure as a JSON document.
    pub(super) fn document(&self) -> impl Serialize + use<'_> {
        Document {
            schema: 1,
            error: Described {
                message: &self.message,
                causes: &self.causes,
                hint: self.hint.as_deref(),
            },
        }
    }
}

#[derive(Serialize)]
struct Document<'f> {
    schema: u32,
    error: Described<'f>,
}

#[derive(Serialize)]
struct Described<'f> {
    message: &'f str,
    causes: &'f [String],
    hint: Option<&'f str>,
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use chunkmigrate::error::KindError;
    use chunkmigrate::kv::KvError;
    use chunkmigrate::migrate::TargetError;
    use chunkmigrate::record::{RecordError, RecordKind};
    use chunkmigrate::sqlite::{Reason, SqliteError};
    use chunkmigrate::store::StoreError;

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
                why: "it is no folder",
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
                reason: Reason::StorageClass,
            },
            SqliteError::UnknownColumns {
                path: path(),
                table,
                columns: vec!["language".to_owned(), "author".to_owned()],
            },
            SqliteError::WithoutColumn {
                path: path(),
                column: "code_chunks.id".to_owned(),
                why: "records are made of it",
            },
        ]
    }

    fn kv_errors(path: &Path) -> Vec<KvError> {
        let path = || path.to_owned();
        vec![
            KvError::Engine {
                action: "read",
                path: path(),
                source: redb::Error::PreviousIo,
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
                detail: "it names no format".to_owned(),
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
            TargetError::IdTaken {
                path: path(),
                id: 7,
                key: "chunk:a:0:1".to_owned(),
                other: "chunk:b:0:1".to_owned(),
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
            KindError::Neither { path: path() },
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
        errors.extend(store_errors());
        errors.extend([
            Error::Io {
                action: "write",
                path,
                source: full(),
            },
            Error::Thread(io::ErrorKind::WouldBlock.into()),
            Error::Cancelled,
            Error::Internal("the counts don't balance".to_owned()),
        ]);
        let mut text = Vec::new();
        for error in errors {
            Failure::from(error).write(&mut text).unwrap();
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
}
