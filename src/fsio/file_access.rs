//! Access rights of a file: owner, group, mode and access control list (ACL).

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

/// The extended attribute in which Linux stores a file's ACL.
#[cfg(target_os = "linux")]
const ACL: &str = "system.posix_acl_access";

/// The access rights of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileAccess {
    owner: u32,
    group: u32,
    mode: u32,
    acl: Option<Vec<u8>>,
}

impl FileAccess {
    /// The access rights of an existing file with this metadata.
    pub(crate) fn of(path: &Path, metadata: &Metadata) -> io::Result<Self> {
        Ok(FileAccess {
            owner: metadata.uid(),
            group: metadata.gid(),
            mode: metadata.mode() & 0o7777,
            acl: acl_of(path)?,
        })
    }

    /// Applies the access rights to another file and returns those that can't be applied. Nobody
    /// gets more access than the original file granted.
    pub(crate) fn give(&self, path: &Path) -> io::Result<Vec<&'static str>> {
        let mut lost = Vec::new();
        let found = fs::metadata(path)?;
        let mut mode = self.mode;
        let has_owner = found.uid() == self.owner || chown(path, Some(self.owner), None).is_ok();
        if !has_owner {
            lost.push("owner");
            mode &= !0o6000;
        }
        let has_group = found.gid() == self.group || chown(path, None, Some(self.group)).is_ok();
        if !has_group {
            lost.push("group");
            mode = with_group_bits(mode & !0o2000, mode & 0o7);
        }
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        match &self.acl {
            // Remove an ACL inherited from the directory: the original file had none.
            None => remove_acl(path)?,
            Some(acl) if has_group && set_acl(path, acl).is_ok() => {}
            Some(acl) => {
                lost.push("access control list");
                remove_acl(path)?;
                // With an ACL, the mode's group bits are the mask of all its entries.
                let group = if has_group { group_bits(acl) & mode >> 3 } else { mode & 0o7 };
                fs::set_permissions(path, Permissions::from_mode(with_group_bits(mode, group)))?;
            }
        }
        Ok(lost)
    }
}

fn with_group_bits(mode: u32, bits: u32) -> u32 {
    mode & !0o070 | (mode >> 3 & bits & 0o7) << 3
}

/// The permissions that an ACL grants to the file's group. An ACL is a version followed by entries
/// of a tag, permissions and an id (`linux/posix_acl_xattr.h`).
fn group_bits(acl: &[u8]) -> u32 {
    const GROUP_OF_FILE: u16 = 0x04;
    let (entries, _) = acl.get(4..).unwrap_or_default().as_chunks::<8>();
    let mut entries = entries
        .iter()
        .map(|[a, b, c, d, ..]| (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d])));
    let found = entries.find(|(tag, _)| *tag == GROUP_OF_FILE);
    found.map_or(0, |(_, bits)| u32::from(bits & 0o7))
}

#[cfg(target_os = "linux")]
fn acl_of(path: &Path) -> io::Result<Option<Vec<u8>>> {
    use rustix::fs::getxattr;
    use rustix::io::Errno;

    // The maximum length of an attribute.
    let mut acl = vec![0; 64 << 10];
    match getxattr(path, ACL, acl.as_mut_slice()) {
        Ok(length) => {
            acl.truncate(length);
            Ok(Some(acl))
        }
        Err(Errno::NODATA | Errno::NOTSUP | Errno::NOSYS) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(target_os = "linux")]
fn set_acl(path: &Path, acl: &[u8]) -> io::Result<()> {
    rustix::fs::setxattr(path, ACL, acl, rustix::fs::XattrFlags::empty()).map_err(Into::into)
}

#[cfg(target_os = "linux")]
fn remove_acl(path: &Path) -> io::Result<()> {
    use rustix::io::Errno;

    match rustix::fs::removexattr(path, ACL) {
        Ok(()) | Err(Errno::NODATA | Errno::NOTSUP | Errno::NOSYS) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
fn acl_of(_: &Path) -> io::Result<Option<Vec<u8>>> {
    Ok(None)
}

#[cfg(not(target_os = "linux"))]
fn set_acl(_: &Path, _: &[u8]) -> io::Result<()> {
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn remove_acl(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_bits_come_from_the_group_and_not_from_the_mask() {
        let entry = |tag: u16, bits: u16| {
            let [a, b] = tag.to_le_bytes();
            let [c, d] = bits.to_le_bytes();
            [a, b, c, d, 0xff, 0xff, 0xff, 0xff]
        };
        let mut acl = vec![2, 0, 0, 0];
        for (tag, bits) in [(0x01, 6), (0x02, 4), (0x04, 1), (0x10, 7), (0x20, 0)] {
            acl.extend(entry(tag, bits));
        }
        assert_eq!(group_bits(&acl), 1);
        assert_eq!(group_bits(&[2, 0, 0, 0]), 0);
        assert_eq!(with_group_bits(0o674, 0o4), 0o644);
        assert_eq!(with_group_bits(0o604, 0o4), 0o604);
    }
}
