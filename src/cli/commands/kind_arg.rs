use chunkmigrate::record::RecordKind;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Parses the name of a kind of record, as used in reports.
pub(in crate::cli) fn kind_parser() -> impl TypedValueParser<Value = RecordKind> {
    let names = PossibleValuesParser::new(RecordKind::ALL.map(RecordKind::name));
    names.try_map(|name| {
        let mut kinds = RecordKind::ALL.into_iter();
        let named = kinds.find(|kind| kind.name() == name);
        named.ok_or("unknown kind")
    })
}
