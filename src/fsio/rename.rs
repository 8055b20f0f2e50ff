use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// Renames a file, and fails if there is one of the new name.
pub(crate) fn rename_to_free_name(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system can; a hard link refuses to overwrite as well.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
        renamed => return renamed.map_err(io::Error::from),
    }
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        // Nor does every file system have hard links, as exFAT and what VirtualBox shares.
        Err(_) => rename_over_claim(from, to),
    }
}

/// ManifestTotals a name with an empty file, which is made only if there is none, and renames over that.
fn rename_over_claim(from: &Path, to: &Path) -> io::Result<()> {
    let claim = File::create_new(to)?.metadata()?;
    let is_claim = || fs::symlink_metadata(to).is_ok_and(|found| is_same(&found, &claim));
    let renamed = match is_claim() {
        true => fs::rename(from, to),
        // Somebody replaced it meanwhile.
        false => Err(ErrorKind::AlreadyExists.into()),
    };
    if renamed.is_err() && is_claim() {
        // This follows a failure that is reported; a second one would hide it.
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
        // A claim that leads to nothing is taken back.
        assert!(rename_over_claim(&path("absent"), &path("other")).is_err());
        assert!(!path("other").exists());
    }
}
