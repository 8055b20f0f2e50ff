//! Databases with all the files that may lie next to them.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::Scenario;
use super::tables::{insert_chunk, insert_chunks};

/// Chunks that a database has in its main file.
pub(crate) const IN_MAIN: i64 = 20;
/// Chunks that only its `-wal` has.
const IN_WAL: i64 = 7;

/// A state of a database and of its sidecar files.
#[derive(Debug, Clone, Copy)]
pub(crate) enum State {
    RollbackJournal,
    PersistentJournal,
    CleanWal,
    EmptyWal,
    EmptyWalWithShm,
    WalAndShm,
    WalWithoutShm,
    WalAndEmptyShm,
    WalAndForeignShm,
    WalHeaderAndShm,
    WalHeaderWithoutShm,
}

impl State {
    pub(crate) const ALL: [State; 11] = [
        State::RollbackJournal,
        State::PersistentJournal,
        State::CleanWal,
        State::EmptyWal,
        State::EmptyWalWithShm,
        State::WalAndShm,
        State::WalWithoutShm,
        State::WalAndEmptyShm,
        State::WalAndForeignShm,
        State::WalHeaderAndShm,
        State::WalHeaderWithoutShm,
    ];

    /// Creates a database in this state; returns how many chunks it has.
    pub(crate) fn make(self, path: &Path) -> i64 {
        let sidecar = |suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
        let draft = Scenario::new();
        let draft_path = draft.path("draft.db");
        let db = Connection::open(&draft_path).unwrap();
        let mode = match self {
            State::RollbackJournal => "DELETE",
            State::PersistentJournal => "PERSIST",
            _ => "WAL",
        };
        db.pragma_update(None, "journal_mode", mode).unwrap();
        chunkmigrate::internal::create_tables(&db).unwrap();
        insert_chunks(&db, IN_MAIN);
        let copy = |suffix: &str| {
            let from = PathBuf::from(format!("{}{suffix}", draft_path.display()));
            fs::copy(from, sidecar(suffix)).unwrap();
        };
        match self {
            State::RollbackJournal | State::CleanWal | State::EmptyWal | State::EmptyWalWithShm => {
                db.close().unwrap();
                copy("");
            }
            State::PersistentJournal => {
                db.close().unwrap();
                copy("");
                copy("-journal");
            }
            _ => {
                db.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
                for id in 0..IN_WAL {
                    insert_chunk(&db, 1000 + id, "'only in the wal'", "0", &id.to_string());
                }
                copy("");
                copy("-wal");
                copy("-shm");
            }
        }
        match self {
            State::EmptyWal => fs::write(sidecar("-wal"), "").unwrap(),
            State::EmptyWalWithShm => {
                fs::write(sidecar("-wal"), "").unwrap();
                fs::write(sidecar("-shm"), vec![0; 32768]).unwrap();
            }
            State::WalWithoutShm => fs::remove_file(sidecar("-shm")).unwrap(),
            State::WalHeaderAndShm | State::WalHeaderWithoutShm => {
                let wal = fs::read(sidecar("-wal")).unwrap();
                fs::write(sidecar("-wal"), &wal[..32]).unwrap();
                fs::remove_file(sidecar("-shm")).unwrap();
                if matches!(self, State::WalHeaderAndShm) {
                    fs::write(sidecar("-shm"), vec![0; 32768]).unwrap();
                }
            }
            State::WalAndEmptyShm => fs::write(sidecar("-shm"), "").unwrap(),
            State::WalAndForeignShm => {
                let noise: Vec<u8> = (0..32768u32).map(|i| (i * 31 % 251) as u8).collect();
                fs::write(sidecar("-shm"), noise).unwrap();
            }
            _ => {}
        }
        match self {
            State::RollbackJournal | State::PersistentJournal => IN_MAIN,
            State::CleanWal | State::EmptyWal | State::EmptyWalWithShm => IN_MAIN,
            State::WalHeaderAndShm | State::WalHeaderWithoutShm => IN_MAIN,
            _ => IN_MAIN + IN_WAL,
        }
    }
}
