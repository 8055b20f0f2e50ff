//! Failures as the user sees them: what happened, why, and what to do next.

use std::error::Error as StdError;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use chunkmigrate::Error;
use chunkmigrate::error::KindError;
use chunkmigrate::kv::KvError;
use chunkmigrate::migrate::TargetError;
use chunkmigrate::sqlite::SqliteError;
use serde::Serialize;

use super::escape::escaped;

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
            message: "can't write the report to stdout".to_owned(),
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

/// The next step, where one is known.
fn hint(error: &Error) -> Option<&'static str> {
    match error {
        Error::Sqlite(error) => sqlite_hint(error),
        Error::Kv(error) => kv_hint(error),
        Error::Target(error) => target_hint(error),
        Error::Kind(KindError::KvNotSqlite { .. }) => {
            Some("the source of this command must be a SQLite database")
        }
        Error::Io { source, .. } if is_full(source) => Some("make room, or choose another folder"),
        Error::Internal(_) => Some("this is a bug of chunkmigrate; please report it"),
        _ => None,
    }
}

fn is_cannot_open(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen)
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn sqlite_hint(error: &SqliteError) -> Option<&'static str> {
    Some(match error {
        SqliteError::Locked { .. } => "wait for the other process or close it, then try again",
        SqliteError::HotJournal { .. } => {
            "open the database once with the tool that wrote it, or with sqlite3, which rolls the \
             transaction back; then try again"
        }
        SqliteError::Truncated { .. } | SqliteError::NotADatabase { .. } => {
            "restore the file from a backup or copy it again"
        }
        SqliteError::Damaged { .. } | SqliteError::Integrity { .. } => {
            "see what `PRAGMA integrity_check` says; damaged indexes alone are mended by `REINDEX`"
        }
        SqliteError::Changed { .. } => "stop its writer, or try again when it is idle",
        SqliteError::TemporaryFull { .. } => {
            "name a folder with more room with --temp-dir, or set SQLITE_TMPDIR"
        }
        SqliteError::TempDir { .. } => "name another folder with --temp-dir",
        SqliteError::Engine { source, .. } if is_cannot_open(source) => {
            "the database and its -wal and -shm, if there are any, must all be readable"
        }
        SqliteError::NoTables { .. } => "is this the database of a code indexer?",
        SqliteError::UnknownColumns { .. } => {
            "leave a column behind with --without-column TABLE.COLUMN"
        }
        _ => return None,
    })
}

fn kv_hint(error: &KvError) -> Option<&'static str> {
    Some(match error {
        KvError::Locked { .. } => "close the process that has it open, then try again",
        KvError::Version { .. } => "use a newer version of chunkmigrate",
        _ => return None,
    })
}

fn target_hint(error: &TargetError) -> Option<&'static str> {
    Some(match error {
        TargetError::Exists { .. } => "use --replace to replace it",
        TargetError::NotReplaceable { .. } => {
            "choose another name, or remove the file yourself if it is not needed"
        }
        TargetError::Locked { .. } => "close the process that has it open, then try again",
        TargetError::NoFolder { .. } => "create the folder first",
        TargetError::NoRoom { .. } => "make room, or choose another folder",
        _ => return None,
    })
}
