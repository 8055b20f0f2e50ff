//! The files that SQLite keeps beside a database, as far as they tell what they are.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use crate::error::{IoContext as _, Result};

/// Length of the header of a `-wal`, behind which its frames are.
pub(super) const WAL_HEADER_BYTES: u64 = 32;
/// What a journal begins with, and ends with if it names a super-journal.
#[cfg(feature = "native-v2")]
const JOURNAL_MAGIC: &[u8; 8] = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
/// The longest end of a journal that names a super-journal: paths are shorter.
#[cfg(feature = "native-v2")]
const JOURNAL_END_BYTES: usize = 8 << 10;

/// The files that SQLite looks for beside a database.
#[cfg(feature = "native-v2")]
pub(crate) fn side_files(path: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", "-journal"].map(|suffix| beside(path, suffix))
}

/// The file that SQLite keeps beside a database under a suffix such as `-wal`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Whether an error says that there is no such file, or that none can have such a name, which happens
/// beside one whose name is as long as names may be.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::InvalidFilename
    )
}

/// SQLite takes a journal for hot when its first byte is not zero.
pub(super) fn has_journal_header(journal: &Path) -> Result<bool> {
    let mut first = [0u8; 1];
    let read = File::open(journal).and_then(|mut file| file.read(&mut first));
    match read {
        Ok(length) => Ok(length == 1 && first != [0]),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(error).io_context("read", journal),
    }
}

/// Whether a `-wal` begins as SQLite would have it: its magic number, and a page size behind its
/// version. SQLite takes one that doesn't for empty, and so is one that a writer has just removed.
pub(super) fn has_wal_header(wal: &Path) -> Result<bool> {
    let mut header = Vec::with_capacity(WAL_HEADER_BYTES as usize);
    let read =
        File::open(wal).and_then(|file| file.take(WAL_HEADER_BYTES).read_to_end(&mut header));
    match read {
        Err(error) if !is_absent(&error) => return Err(error).io_context("read", wal),
        _ => {}
    }
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    let is_magic = matches!(number(0), Some(0x377f_0682 | 0x377f_0683));
    let is_page_size = |size: u32| size.is_power_of_two() && (512..=65536).contains(&size);
    Ok(is_magic && number(8).is_some_and(is_page_size))
}

/// The journal of several databases that the hot journal of a database names: to roll back, SQLite
/// looks into it and may delete it, whatever it is.
#[cfg(feature = "native-v2")]
pub(super) fn super_journal(given: &Path) -> Result<Option<PathBuf>> {
    let path = given.canonicalize().io_context("find", given)?;
    let journal = beside(&path, "-journal");
    match super_journal_of(&journal) {
        Err(error) if is_absent(&error) => Ok(None),
        read => read.io_context("read", &journal),
    }
}

/// The end of a journal that names a super-journal: name, its length, a checksum, the magic number.
#[cfg(feature = "native-v2")]
fn super_journal_of(journal: &Path) -> io::Result<Option<PathBuf>> {
    use std::io::{Seek as _, SeekFrom};
    use std::os::unix::ffi::OsStringExt as _;

    let mut file = File::open(journal)?;
    let mut end = Vec::with_capacity(JOURNAL_END_BYTES);
    let len = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(
        len.saturating_sub(JOURNAL_END_BYTES as u64),
    ))?;
    file.by_ref()
        .take(JOURNAL_END_BYTES as u64)
        .read_to_end(&mut end)?;
    let Some((rest, magic)) = end.split_last_chunk::<8>() else {
        return Ok(None);
    };
    let Some((rest, [a, b, c, d, ..])) = rest.split_last_chunk::<8>() else {
        return Ok(None);
    };
    let name_len = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
    let start = rest.len().checked_sub(name_len);
    let name = start.and_then(|start| rest.get(start..));
    Ok(name
        .filter(|name| magic == JOURNAL_MAGIC && !name.is_empty())
        .map(|name| std::ffi::OsString::from_vec(name.to_vec()).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Between a look at the folder and one into a file, a writer may close the database.
    #[test]
    fn a_side_file_that_has_just_been_removed_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.db");
        assert!(!has_wal_header(&beside(&path, "-wal")).unwrap());
        assert!(!has_journal_header(&beside(&path, "-journal")).unwrap());
        #[cfg(feature = "native-v2")]
        {
            File::create(&path).unwrap();
            assert_eq!(super_journal(&path).unwrap(), None);
        }
    }
}
