//! SQLite's sidecar files, and what their headers show.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use crate::error::{IoContext as _, Result};

/// Length of the header of a `-wal` in bytes, after which its frames begin.
pub(crate) const WAL_HEADER_BYTES: u64 = 32;
/// Magic number at the start of a journal, and at the end of one that names a super-journal.
const JOURNAL_MAGIC: &[u8; 8] = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
/// Maximum length of a journal's super-journal record in bytes: paths are shorter.
const JOURNAL_END_BYTES: usize = 8 << 10;

/// The sidecar files of a database.
pub(crate) fn sidecar_paths(path: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", "-journal"].map(|suffix| beside(path, suffix))
}

/// The sidecar file with a suffix such as `-wal`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The result, or `None` if the file does not exist. A name that is too long counts as missing: the
/// sidecar of a database with the longest possible name cannot exist.
pub(crate) fn if_present<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read.as_ref().map_err(io::Error::kind) {
        Err(ErrorKind::NotFound | ErrorKind::InvalidFilename) => Ok(None),
        _ => read.map(Some),
    }
}

/// SQLite treats a journal as hot if its first byte is not zero.
pub(crate) fn has_journal_header(journal: &Path) -> Result<bool> {
    let mut first = [0u8; 1];
    let read = File::open(journal).and_then(|mut file| file.read(&mut first));
    let length = if_present(read).io_context("read", journal)?;
    Ok(length == Some(1) && first != [0])
}

/// Whether a `-wal` has a valid magic number, and a page size after its version. SQLite treats any
/// other as empty.
pub(crate) fn has_wal_header(wal: &Path) -> Result<bool> {
    let mut header = Vec::with_capacity(WAL_HEADER_BYTES as usize);
    let read =
        File::open(wal).and_then(|file| file.take(WAL_HEADER_BYTES).read_to_end(&mut header));
    if_present(read).io_context("read", wal)?;
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    let is_magic = matches!(number(0), Some(0x377f_0682 | 0x377f_0683));
    let is_page_size = |size: u32| size.is_power_of_two() && (512..=65536).contains(&size);
    Ok(is_magic && number(8).is_some_and(is_page_size))
}

/// The super-journal named in the hot journal of a database: on rollback, SQLite reads that file
/// and may delete it, whatever it is.
pub(crate) fn super_journal(given: &Path) -> Result<Option<PathBuf>> {
    let path = given.canonicalize().io_context("resolve", given)?;
    let journal = beside(&path, "-journal");
    let read = if_present(super_journal_of(&journal)).io_context("read", &journal)?;
    Ok(read.flatten())
}

/// Parses the super-journal record: name, length, checksum, magic number.
fn super_journal_of(journal: &Path) -> io::Result<Option<PathBuf>> {
    use std::io::{Seek as _, SeekFrom};
    use std::os::unix::ffi::OsStringExt as _;

    let mut file = File::open(journal)?;
    let mut end = Vec::with_capacity(JOURNAL_END_BYTES);
    let len = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(len.saturating_sub(JOURNAL_END_BYTES as u64)))?;
    file.by_ref().take(JOURNAL_END_BYTES as u64).read_to_end(&mut end)?;
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

    /// A writer that closes the database removes its sidecar files, even ones that were just
    /// detected.
    #[test]
    fn sidecars_a_writer_has_just_removed_count_as_absent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.db");
        assert!(!has_wal_header(&beside(&path, "-wal")).unwrap());
        assert!(!has_journal_header(&beside(&path, "-journal")).unwrap());
        {
            File::create(&path).unwrap();
            assert_eq!(super_journal(&path).unwrap(), None);
        }
    }
}
