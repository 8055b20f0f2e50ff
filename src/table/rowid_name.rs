/// The names by which SQL can address a rowid, unless a column has the same name.
const ROWID_NAMES: [&str; 3] = ["rowid", "_rowid_", "oid"];

/// The first name of the rowid that none of the columns has; `None` if they have them all, so that
/// the rowid can't be addressed. For SQL, generated columns count too.
pub(crate) fn free_rowid_name(columns: &[impl AsRef<str>]) -> Option<&'static str> {
    let is_free =
        |name: &&str| !columns.iter().any(|column| column.as_ref().eq_ignore_ascii_case(name));
    ROWID_NAMES.into_iter().find(is_free)
}
