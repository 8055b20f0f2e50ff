//! Reads the text of an import in a separate thread and splits it into lines.

use std::fs::{self, File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::ImportSource;
use super::line_splitter::{LineSplitter, Segment};
use crate::error::{Error, IoContext as _, Result};
use crate::fsio::{StoreKind, detect};
use crate::kv::is_unwritten;
use crate::progress::Progress;
use crate::stream::{QueueReceiver, QueueSender, WAITING_BYTES, queue};

/// How often to check for cancellation while waiting for text.
const PATIENCE: Duration = Duration::from_millis(100);

enum Message {
    Segment(Segment),
    /// The text was read to its end. A reader that stops without it has failed.
    End,
    Failed(Error),
}

/// The incoming text.
pub(super) struct Input {
    path: PathBuf,
    portions: QueueReceiver<Message>,
    /// Metadata of the file before it was read, if it is a regular file.
    before: Option<Metadata>,
}

impl ImportSource<'_> {
    /// Name of the text in messages and in the manifest.
    pub(super) fn path(&self) -> &Path {
        match self {
            ImportSource::File(path) => path,
            ImportSource::Reader { name, .. } => name,
        }
    }

    /// Metadata of the source file if it is a regular file; `None` for a pipe.
    ///
    /// # Errors
    /// The file does not exist, or is a directory or a store.
    pub(super) fn file(&self) -> Result<Option<Metadata>> {
        let ImportSource::File(path) = self else {
            return Ok(None);
        };
        let metadata = fs::metadata(path).io_context("read", path)?;
        if metadata.is_dir() {
            return Err(Error::not_a_file(path, metadata.file_type()));
        }
        if !metadata.is_file() {
            return Ok(None);
        }
        refuse_others(detect(path)?, path)?;
        Ok(Some(metadata))
    }
}

/// Fails for a file type that is known not to contain JSON Lines.
fn refuse_others(found: StoreKind, path: &Path) -> Result<()> {
    let path = path.to_owned();
    let found = match found {
        StoreKind::Sqlite => "a SQLite database",
        StoreKind::Kv => "a KV file",
        StoreKind::Other(format) => return Err(Error::OtherFormat { path, format }),
        StoreKind::Ndjson | StoreKind::Empty | StoreKind::Unknown => return Ok(()),
    };
    Err(Error::NotJsonLines { path, found })
}

impl Input {
    /// Starts reading; `before` is the result of [`ImportSource::file`].
    pub(super) fn start(source: ImportSource<'_>, before: Option<Metadata>) -> Result<Self> {
        let path = source.path().to_owned();
        let (sender, portions) = queue(WAITING_BYTES);
        let name = path.clone();
        let open: Box<dyn FnOnce() -> Result<Box<dyn Read>> + Send> = match source {
            ImportSource::Reader { reader, .. } => Box::new(|| Ok(reader as Box<dyn Read>)),
            // Opening a pipe may block.
            ImportSource::File(path) => {
                let path = path.to_owned();
                Box::new(move || {
                    let file = File::open(&path).io_context("read", &path)?;
                    Ok(Box::new(file) as Box<dyn Read>)
                })
            }
        };
        // This thread is not joined: it may be blocked on a pipe without a writer.
        thread::Builder::new()
            .name("reader".to_owned())
            .spawn(move || read(&name, open, &sender))
            .map_err(Error::Thread)?;
        Ok(Input { path, portions, before })
    }

    /// The next segment; `None` once the whole text was read.
    pub(super) fn next(&mut self, progress: &Progress) -> Result<Option<Segment>> {
        loop {
            progress.check_cancelled()?;
            match self.portions.next_within(PATIENCE) {
                None => {}
                Some(Some(Message::Segment(portion))) => return Ok(Some(portion)),
                Some(Some(Message::End)) => return Ok(None),
                Some(Some(Message::Failed(error))) => return Err(error),
                Some(None) => return Err(Error::Internal("a reader thread stopped".to_owned())),
            }
        }
    }

    /// Confirms that the file was not written while it was being read.
    pub(super) fn confirm(&self) -> Result<()> {
        let Some(before) = &self.before else {
            return Ok(());
        };
        let now = fs::metadata(&self.path).io_context("stat", &self.path)?;
        match is_unwritten(before, &now) {
            true => Ok(()),
            false => Err(Error::TextChanged { path: self.path.clone() }),
        }
    }
}

fn read(
    path: &Path,
    open: Box<dyn FnOnce() -> Result<Box<dyn Read>> + Send>,
    sender: &QueueSender<Message>,
) {
    let last = match open().and_then(|mut text| read_lines(path, text.as_mut(), sender)) {
        Ok(()) => Message::End,
        Err(error) => Message::Failed(error),
    };
    // If the consumer has failed, nobody receives this; its own error is reported instead.
    let _ = sender.send(last, 0);
}

fn read_lines(path: &Path, text: &mut dyn Read, sender: &QueueSender<Message>) -> Result<()> {
    let mut cutter = LineSplitter::new();
    let mut is_first = true;
    loop {
        let more = cutter.fill(text).io_context("read", path)?;
        if std::mem::take(&mut is_first) {
            refuse_others(StoreKind::of_first_bytes(cutter.gathered()), path)?;
        }
        let portion = match more {
            true => cutter.cut(),
            false => cutter.rest(),
        };
        if let Some(portion) = portion {
            let bytes = portion.len();
            if sender.send(Message::Segment(portion), bytes).is_err() {
                return Ok(());
            }
        }
        if !more {
            return Ok(());
        }
    }
}
