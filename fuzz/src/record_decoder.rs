use chunkmigrate::internal::{decode_json, is_canonical, parse_key, record_key};
use chunkmigrate::record::{Record, RecordKind};
use test_support::input::Input;

/// Any bytes as a value of each kind, and the values of generated records.
pub fn record_decoder(data: &[u8]) {
    any_bytes(data);
    let mut input = Input::new(data);
    let record = input.record();
    let bytes = record.to_json().unwrap();
    assert!(is_canonical(record.kind(), &bytes));
    let decoded = decode_json(record.kind(), &bytes).unwrap();
    assert_eq!(decoded, record);
    assert_eq!(decoded.to_json().unwrap(), bytes);
    assert_eq!(record_key(&record), record.key().encode());
    assert_eq!(parse_key(&record_key(&record)), Ok(record.key()));

    let mut mutated = bytes;
    for _ in 0..=input.below(4) {
        input.mutate(&mut mutated);
        any_bytes(&mutated);
    }
    unencodable(record, &mut input);
}

fn any_bytes(bytes: &[u8]) {
    for kind in RecordKind::ALL {
        let decoded = decode_json(kind, bytes);
        assert_eq!(decoded.as_ref().ok(), with_serde(kind, bytes).as_ref());
        let record = match decoded {
            Ok(record) => record,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert!(!is_canonical(kind, bytes));
                continue;
            }
        };
        assert_eq!(record.kind(), kind);
        assert!(record.check().is_ok());
        let encoded = record.to_json().unwrap();
        assert_eq!(encoded, serde_bytes(&record));
        assert_eq!(is_canonical(kind, bytes), encoded == bytes);
        assert_eq!(decode_json(kind, &encoded).unwrap(), record);
    }
}

/// The record that serde's own code for the Rust types decodes.
fn with_serde(kind: RecordKind, bytes: &[u8]) -> Option<Record> {
    // serde would also accept an array of the fields.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    let record = match kind {
        RecordKind::Chunk => Record::Chunk(serde_json::from_slice(bytes).ok()?),
        RecordKind::ExecutionLog => Record::ExecutionLog(serde_json::from_slice(bytes).ok()?),
        RecordKind::FileMetrics => Record::FileMetrics(serde_json::from_slice(bytes).ok()?),
        RecordKind::SymbolMetrics => Record::SymbolMetrics(serde_json::from_slice(bytes).ok()?),
    };
    record.check().ok().map(|()| record)
}

/// The bytes that serde's own code writes.
fn serde_bytes(record: &Record) -> Vec<u8> {
    let bytes = match record {
        Record::Chunk(record) => serde_json::to_vec(record),
        Record::ExecutionLog(record) => serde_json::to_vec(record),
        Record::FileMetrics(record) => serde_json::to_vec(record),
        Record::SymbolMetrics(record) => serde_json::to_vec(record),
    };
    bytes.unwrap()
}

/// What no store can contain cannot be encoded, or its bytes don't decode.
fn unencodable(mut record: Record, input: &mut Input<'_>) {
    let float = input.pick(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
    match &mut record {
        Record::Chunk(chunk) => chunk.byte_end = i64::MAX as u64 + 1 + input.offset(),
        Record::FileMetrics(metrics) => metrics.complexity_score = Some(float),
        Record::SymbolMetrics(metrics) => metrics.estimated_loc = Some(float),
        Record::ExecutionLog(_) => return,
    }
    assert!(record.check().is_err());
    let decoded = record.to_json().map(|bytes| decode_json(record.kind(), &bytes).is_ok());
    assert_ne!(decoded.ok(), Some(true));
}
