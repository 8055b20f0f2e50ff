use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// Renames a file; fails if the new name exists.
pub(crate) fn rename_to_free_name(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not supported by every file system; creating a hard link doesn't overwrite either.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
        renamed => return renamed.map_err(io::Error::from),
    }
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        // Some file systems have no hard links either, for example exFAT and VirtualBox shared
        // folders.
        Err(_) => rename_over_claim(from, to),
    }
}

/// Reserves the name by creating an empty file, which fails if it exists, and renames over that.
fn rename_over_claim(from: &Path, to: &Path) -> io::Result<()> {
    let claim = File::create_new(to)?.metadata()?;
    let is_claim = || fs::symlink_metadata(to).is_ok_and(|found| is_same(&found, &claim));
    let renamed = match is_claim() {
        true => fs::rename(from, to),
        // Another process replaced it in the meantime.
        false => Err(ErrorKind::AlreadyExists.into()),
    };
    if renamed.is_err() && is_claim() {
        // Cleans up after a failure that is reported; a second error would hide it.
        let _ = fs::remove_file(to);
    }
    renamed
}

fn is_same(found: &Metadata, claim: &Metadata) -> bool {
    (found.dev(), found.ino(), found.len()) == (claim.dev(), claim.ino(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claimed_name_gets_the_file_and_a_taken_name_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("new"), "new").unwrap();
        rename_over_claim(&path("new"), &path("free")).unwrap();
        assert_eq!(fs::read(path("free")).unwrap(), b"new");

        fs::write(path("newer"), "newer").unwrap();
        for rename in [rename_over_claim, rename_to_free_name] {
            let error = rename(&path("newer"), &path("free")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        }
        assert_eq!(fs::read(path("free")).unwrap(), b"new");
        // A claim is removed if the rename fails.
        assert!(rename_over_claim(&path("absent"), &path("other")).is_err());
        assert!(!path("other").exists());
    }
}
