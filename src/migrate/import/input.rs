//! The text that is imported, read in a thread of its own and cut at its line breaks.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use super::{ImportError, ImportSource};
use crate::error::{Error, IoContext as _, KindError, Result};
use crate::progress::{Progress, check_cancelled};
use crate::store::{QueueReceiver, QueueSender, StoreKind, detect, queue};

/// So much is read at once.
const READ_BYTES: usize = 1 << 20;
/// A longer line is no record: neither a value of SQLite's nor the spool can hold more.
const MAX_LINE_BYTES: usize = 900_000_000;
/// So much is kept of a line that is no record because of its length.
const KEPT_BYTES: usize = 1 << 10;
/// How often whoever waits for text looks whether the work is to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// Some lines, the last one with or without its line break.
#[derive(Debug)]
pub(super) enum Portion {
    Lines(Vec<u8>),
    /// The start of one line that is too long.
    Start(Vec<u8>),
}

enum Message {
    Portion(Portion),
    /// The text was read to its end. Without this, a reader that stops has failed.
    End,
    Failed(Error),
}

/// Text on its way in.
pub(super) struct Input {
    path: PathBuf,
    portions: QueueReceiver<Message>,
    /// The file and what it was like before it was read, where it is one that stays.
    file: Option<(PathBuf, Metadata)>,
}

impl ImportSource<'_> {
    /// The name of the text in messages and in the manifest.
    pub(super) fn path(&self) -> &Path {
        match self {
            ImportSource::File(path) => path,
            ImportSource::Reader { name, .. } => name,
        }
    }

    /// The file that the text comes from, if it is one that stays; a pipe is none.
    ///
    /// # Errors
    /// There is no such file, it is a directory, or a store.
    pub(super) fn file(&self) -> Result<Option<&Path>> {
        let ImportSource::File(path) = self else {
            return Ok(None);
        };
        let metadata = fs::metadata(path).io_context("read", path)?;
        if metadata.is_dir() {
            return Err(KindError::not_a_file(path, metadata.file_type()).into());
        }
        if !metadata.is_file() {
            return Ok(None);
        }
        refuse_store(detect(path)?, path)?;
        Ok(Some(path))
    }
}

/// Fails if there is a store where lines should be.
fn refuse_store(found: StoreKind, path: &Path) -> Result<()> {
    let found = match found {
        StoreKind::Sqlite => "a SQLite database",
        StoreKind::Kv => "a KV file",
        StoreKind::Ndjson | StoreKind::Empty | StoreKind::Unknown => return Ok(()),
    };
    let path = path.to_owned();
    Err(ImportError::IsStore { path, found }.into())
}

impl Input {
    /// Starts to read.
    pub(super) fn start(source: ImportSource<'_>) -> Result<Self> {
        let path = source.path().to_owned();
        let file = match source.file()? {
            Some(file) => {
                let metadata = fs::metadata(file).io_context("read", file)?;
                Some((file.to_owned(), metadata))
            }
            None => None,
        };
        let (sender, portions) = queue();
        let name = path.clone();
        let open: Box<dyn FnOnce() -> Result<Box<dyn Read>> + Send> = match source {
            ImportSource::Reader { reader, .. } => Box::new(|| Ok(reader as Box<dyn Read>)),
            // A pipe may let us wait already when it is opened.
            ImportSource::File(path) => {
                let path = path.to_owned();
                Box::new(move || {
                    let file = File::open(&path).io_context("read", &path)?;
                    Ok(Box::new(file) as Box<dyn Read>)
                })
            }
        };
        // Nobody waits for this thread: it may hang in a pipe that nobody writes to.
        thread::Builder::new()
            .name("reader".to_owned())
            .spawn(move || read(&name, open, &sender))
            .map_err(Error::Thread)?;
        Ok(Input {
            path,
            portions,
            file,
        })
    }

    /// The next portion; `None` once the text was read to its end.
    pub(super) fn next(&mut self, progress: &dyn Progress) -> Result<Option<Portion>> {
        loop {
            check_cancelled(progress)?;
            match self.portions.next_within(PATIENCE) {
                None => {}
                Some(Some(Message::Portion(portion))) => return Ok(Some(portion)),
                Some(Some(Message::End)) => return Ok(None),
                Some(Some(Message::Failed(error))) => return Err(error),
                Some(None) => return Err(Error::Internal("a reading thread stopped".to_owned())),
            }
        }
    }

    /// Confirms that nobody wrote the file while it was read.
    pub(super) fn confirm(&self) -> Result<()> {
        let Some((file, before)) = &self.file else {
            return Ok(());
        };
        let now = fs::metadata(file).io_context("look at", file)?;
        let state = |file: &Metadata| (file.len(), file.modified().ok());
        match state(&now) == state(before) {
            true => Ok(()),
            false => Err(ImportError::Changed {
                path: self.path.clone(),
            }
            .into()),
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
    // Nobody listens any more if whoever takes has failed; then its error is the one that counts.
    let _ = sender.send(last, 0);
}

fn read_lines(path: &Path, text: &mut dyn Read, sender: &QueueSender<Message>) -> Result<()> {
    let mut cutter = Cutter::default();
    let mut is_first = true;
    loop {
        let more = cutter.fill(text).io_context("read", path)?;
        if std::mem::take(&mut is_first) {
            refuse_store(StoreKind::of_first_bytes(&cutter.gathered), path)?;
        }
        let portion = match more {
            true => cutter.cut(),
            false => cutter.rest(),
        };
        if let Some((portion, bytes)) = portion
            && sender.send(Message::Portion(portion), bytes).is_err()
        {
            return Ok(());
        }
        if !more {
            return Ok(());
        }
    }
}

/// Cuts text at line breaks.
#[derive(Debug, Default)]
struct Cutter {
    gathered: Vec<u8>,
    /// Bytes of `gathered` that are known to hold no line break.
    searched: usize,
    /// Bytes of a line that is too long, beside those gathered.
    dropped: u64,
}

impl Cutter {
    /// Reads on; `false` at the end of the text.
    fn fill(&mut self, text: &mut dyn Read) -> io::Result<bool> {
        let before = self.gathered.len();
        self.gathered.reserve(READ_BYTES);
        // A pipe hands out little at a time.
        while self.gathered.len() < before + READ_BYTES {
            let wanted = (before + READ_BYTES - self.gathered.len()) as u64;
            match (&mut *text).take(wanted).read_to_end(&mut self.gathered) {
                Ok(0) => return Ok(self.gathered.len() > before),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// All lines that have come to their end.
    fn cut(&mut self) -> Option<(Portion, usize)> {
        let new = self.gathered.get(self.searched..).unwrap_or_default();
        let is_break = |byte: &u8| *byte == b'\n';
        if self.dropped > 0 {
            let Some(end) = new.iter().position(is_break) else {
                self.drop_rest();
                return None;
            };
            let tail = self.gathered.split_off(self.searched + end + 1);
            self.drop_rest();
            return Some(self.start_of_line(tail));
        }
        if let Some(end) = new.iter().rposition(is_break) {
            let tail = self.gathered.split_off(self.searched + end + 1);
            let lines = std::mem::replace(&mut self.gathered, tail);
            self.searched = self.gathered.len();
            let bytes = lines.len();
            return Some((Portion::Lines(lines), bytes));
        }
        self.searched = self.gathered.len();
        let may_be_record = self.gathered.trim_ascii_start().first() == Some(&b'{');
        if self.gathered.len() > MAX_LINE_BYTES || !may_be_record {
            self.drop_rest();
        }
        None
    }

    /// What is left at the end of the text.
    fn rest(&mut self) -> Option<(Portion, usize)> {
        if self.dropped > 0 {
            self.drop_rest();
            return Some(self.start_of_line(Vec::new()));
        }
        let lines = std::mem::take(&mut self.gathered);
        let bytes = lines.len();
        (bytes > 0).then_some((Portion::Lines(lines), bytes))
    }

    /// Keeps only the start of the line.
    fn drop_rest(&mut self) {
        self.dropped += self.gathered.len().saturating_sub(KEPT_BYTES) as u64;
        self.gathered.truncate(KEPT_BYTES);
        self.gathered.shrink_to(2 * READ_BYTES);
        self.searched = self.gathered.len();
    }

    fn start_of_line(&mut self, tail: Vec<u8>) -> (Portion, usize) {
        let start = std::mem::replace(&mut self.gathered, tail);
        self.searched = 0;
        let bytes = start.len();
        self.dropped = 0;
        (Portion::Start(start), bytes)
    }
}
