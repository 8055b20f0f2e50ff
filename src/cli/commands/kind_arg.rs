use chunkmigrate::record::{KindSet, RecordKind};
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Parses the name of a kind of record, as used in reports.
pub(crate) fn kind_parser() -> impl TypedValueParser<Value = RecordKind> {
    let names = PossibleValuesParser::new(RecordKind::ALL.map(RecordKind::name));
    names.try_map(|name| name.parse::<RecordKind>())
}

/// The kinds named by an option; without it, all.
pub(crate) fn selected(only: &[RecordKind]) -> KindSet {
    match only {
        [] => KindSet::ALL,
        kinds => kinds.iter().copied().collect(),
    }
}
