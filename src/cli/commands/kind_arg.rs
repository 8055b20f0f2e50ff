use chunkmigrate::record::{KindSet, RecordKind};
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Parses the name of a kind of record, as used in reports, or `none`.
pub(crate) fn kind_or_none_parser() -> impl TypedValueParser<Value = Option<RecordKind>> {
    let kinds = RecordKind::ALL.map(RecordKind::name);
    let names = PossibleValuesParser::new(kinds.into_iter().chain([NONE]));
    names.try_map(|name| match name.as_str() {
        NONE => Ok(None),
        name => name.parse::<RecordKind>().map(Some),
    })
}

/// The name of no kind.
const NONE: &str = "none";

/// The kinds named by an option; without it, all.
pub(crate) fn selected<K: Copy + Into<Option<RecordKind>>>(only: &[K]) -> KindSet {
    match only {
        [] => KindSet::ALL,
        kinds => kinds.iter().filter_map(|kind| (*kind).into()).collect(),
    }
}
