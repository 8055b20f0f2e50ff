//! Advice for each class of finding.

use chunkmigrate::verify::FindingClass;

/// What a finding of a class means, and what to do about it, in one line.
///
/// It is not visible whether a record was added to one store or deleted from the other, so no
/// advice suggests a merge that could restore deleted records.
pub(crate) const fn advice(class: FindingClass) -> &'static str {
    match class {
        FindingClass::OnlyLeft => {
            "missing on the right: added on the left or deleted on the right; a merge would restore \
             a deleted record"
        }
        FindingClass::OnlyRight => {
            "missing on the left: added on the right or deleted on the left; a merge would restore a \
             deleted record"
        }
        FindingClass::Field => {
            "changed since the copy: decide which side is right before you copy or merge"
        }
        FindingClass::Undecodable => {
            "corrupt, or written by another program: restore it from the other store"
        }
        FindingClass::Noncanonical => "same record, different bytes: copy it again to rewrite it",
        FindingClass::KeyMismatch => {
            "stored under another record's key: restore both records from the other store"
        }
        FindingClass::UnknownKey => {
            "not a chunkmigrate key: find out what else writes to this file"
        }
        FindingClass::InvalidRow => "fix it at the source, or skip it with --on-invalid skip",
        FindingClass::WrongSymbol => {
            "not merged, as source and target come from different index runs: reindex instead"
        }
        FindingClass::Manifest => "contents changed since the migration: verify against the source",
        FindingClass::Sequence => {
            "ids may be reused: copy again to carry the id sequence over, or --merge where the \
             records agree"
        }
        FindingClass::Schema => {
            "changed since the copy, or not possible in this build of SQLite: copy again, or let the \
             database's own tool create it"
        }
        FindingClass::ContentHash => {
            "the indexer stored a wrong hash: reindex the file (the copy is exact)"
        }
        FindingClass::Graph => {
            "the metrics have the id of another symbol in the graph: reindex the file (the copy is \
             exact)"
        }
        // The library may add classes.
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_own_advice() {
        let mut texts = FindingClass::ALL.map(advice);
        texts.sort_unstable();
        assert!(texts.iter().all(|text| !text.is_empty()));
        assert!(texts.windows(2).all(|pair| pair[0] != pair[1]), "{texts:?}");
    }
}
