//! A store that another thread is opening, for whoever has something to do meanwhile.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use super::{Claims, OpenOptions, Opening, Origin, Snapshot, StoreKind, Visit};
use crate::codec::Entry;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::record::{RecordKind, Sequences};
use crate::sqlite::{OtherTable, Visited};

type Opened = Result<Box<dyn Snapshot>>;

/// A store that is being opened. What can be known without it is told at once, everything else
/// waits until it is open.
pub(super) struct PendingSnapshot {
    path: PathBuf,
    store: StoreKind,
    opened: OnceCell<Box<dyn Snapshot>>,
    opening: Receiver<Opened>,
    thread: Option<JoinHandle<()>>,
}

impl PendingSnapshot {
    /// Starts to open a store.
    ///
    /// # Errors
    /// There is no thread to be had. That the store can't be opened is told by the first method that
    /// waits for it.
    pub(super) fn start(
        opening: Opening,
        options: &OpenOptions,
        progress: &Arc<dyn Progress>,
    ) -> Result<Self> {
        let (path, store) = (opening.path().to_owned(), opening.store());
        let (options, progress) = (options.clone(), Arc::clone(progress));
        let (sender, receiver) = channel();
        let thread = thread::Builder::new()
            .name("opener".to_owned())
            // If nobody waits any more, nobody wants the store.
            .spawn(move || drop(sender.send(opening.open(&options, &progress))))
            .map_err(Error::Thread)?;
        Ok(PendingSnapshot {
            path,
            store,
            opened: OnceCell::new(),
            opening: receiver,
            thread: Some(thread),
        })
    }

    fn get(&self) -> Result<&dyn Snapshot> {
        if self.opened.get().is_none() {
            let opened = self.opening.recv();
            let opened = opened.map_err(|_| {
                let path = self.path.display();
                Error::Internal(format!("{path} could not be opened"))
            })?;
            let _ = self.opened.set(opened?);
        }
        let opened = self.opened.get().map(Box::as_ref);
        opened.ok_or_else(|| Error::Internal("a store is not open".to_owned()))
    }
}

impl Drop for PendingSnapshot {
    /// Waits for the thread, which may have the file open.
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // If it panicked, that was told by whatever waited for the store.
            let _ = thread.join();
        }
    }
}

impl Visit for PendingSnapshot {
    fn visit(
        &self,
        kind: RecordKind,
        visit: &mut dyn FnMut(Visited<'_>) -> Result<()>,
    ) -> Result<()> {
        self.get()?.visit(kind, visit)
    }

    fn expected_records(&self, kind: RecordKind) -> Option<u64> {
        self.opened.get()?.expected_records(kind)
    }

    fn makes_entries(&self) -> bool {
        self.store == StoreKind::Sqlite
    }
}

impl Snapshot for PendingSnapshot {
    fn path(&self) -> &Path {
        &self.path
    }

    fn store(&self) -> StoreKind {
        self.store
    }

    fn sequences(&self) -> Result<Sequences> {
        self.get()?.sequences()
    }

    fn total_keys(&self) -> Result<Option<u64>> {
        self.get()?.total_keys()
    }

    fn visit_unknown(&self, visit: &mut dyn FnMut(Entry<'_>) -> Result<()>) -> Result<()> {
        self.get()?.visit_unknown(visit)
    }

    fn claims(&self) -> Result<Option<Claims>> {
        self.get()?.claims()
    }

    fn origin(&self) -> Result<Option<Origin>> {
        self.get()?.origin()
    }

    fn closed_cleanly(&self) -> Result<bool> {
        self.get()?.closed_cleanly()
    }

    fn schema_version(&self) -> Option<i64> {
        self.opened.get()?.schema_version()
    }

    fn missing(&self) -> &[RecordKind] {
        self.opened.get().map_or(&[], |opened| opened.missing())
    }

    fn other_tables(&self) -> Result<Vec<OtherTable>> {
        self.get()?.other_tables()
    }

    fn visit_wrong_symbols(&self, visit: &mut dyn FnMut(i64, String) -> Result<()>) -> Result<()> {
        self.get()?.visit_wrong_symbols(visit)
    }

    fn has_unknown_column(&self, column: &str) -> Result<bool> {
        self.get()?.has_unknown_column(column)
    }

    fn expected_bytes(&self) -> u64 {
        self.opened
            .get()
            .map_or(0, |opened| opened.expected_bytes())
    }

    fn sorting_bytes(&self) -> u64 {
        self.opened.get().map_or(0, |opened| opened.sorting_bytes())
    }

    fn confirm(&self) -> Result<()> {
        self.get()?.confirm()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::kv::BulkLoad;
    use crate::progress::NoProgress;

    fn start(path: &Path) -> PendingSnapshot {
        let progress: Arc<dyn Progress> = Arc::new(NoProgress);
        let opening = Opening::look(path).unwrap();
        PendingSnapshot::start(opening, &OpenOptions::default(), &progress).unwrap()
    }

    fn kv_file(folder: &Path) -> PathBuf {
        let path = folder.join("code.kv");
        let mut load = BulkLoad::create(&path, 0).unwrap();
        let (key, value) = (b"execlog:a".as_slice(), b"{}".as_slice());
        load.append([Entry { key, value }].into_iter()).unwrap();
        load.finish(&Sequences::default(), None).unwrap();
        path
    }

    #[test]
    fn whoever_wants_something_gets_it_once_the_store_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let pending = start(&kv_file(folder.path()));
        let mut visited = 0;
        let kind = RecordKind::ExecutionLog;
        pending
            .visit(kind, &mut |_| {
                visited += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!((visited, pending.total_keys().unwrap()), (1, Some(1)));
    }

    #[test]
    fn a_store_that_can_not_be_opened_is_the_error_of_whoever_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = kv_file(folder.path());
        let mut bytes = fs::read(&path).unwrap();
        bytes.truncate(bytes.len() / 2);
        fs::write(&path, bytes).unwrap();
        let pending = start(&path);
        let error = pending
            .visit(RecordKind::Chunk, &mut |_| Ok(()))
            .unwrap_err();
        assert!(matches!(error, Error::Kv(_)), "{error}");
        // And never an empty store afterwards.
        assert!(pending.total_keys().is_err());
    }
}
