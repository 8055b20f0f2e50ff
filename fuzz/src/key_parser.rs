use chunkmigrate::internal::{file_chunks_prefix, key_kind, parse_key};
use chunkmigrate::record::RecordKey;
use test_support::input::Input;

/// Any bytes as a key, and keys made of them.
pub fn key_parser(data: &[u8]) {
    any_bytes(data);
    let mut input = Input::new(data);
    let (one, other) = (input.key(), neighbour(&mut input));
    for key in [&one, &other] {
        assert_eq!(parse_key(&key.encode()).as_ref(), Ok(key));
    }
    let (one_bytes, other_bytes) = (one.encode(), other.encode());
    assert_eq!(one_bytes == other_bytes, one == other);
    if one.kind() != other.kind() {
        assert_eq!(one_bytes.cmp(&other_bytes), one.kind().cmp(&other.kind()));
    }
    let mut mutated = one_bytes;
    input.mutate(&mut mutated);
    any_bytes(&mutated);
    files_stand_together(&mut input);
}

fn any_bytes(bytes: &[u8]) {
    let parsed = parse_key(bytes);
    assert_eq!(key_kind(bytes), parsed.as_ref().map(RecordKey::kind).map_err(Clone::clone));
    match parsed {
        Ok(key) => assert_eq!(key.encode(), bytes),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A key whose numbers are close to each other in text.
fn neighbour(input: &mut Input<'_>) -> RecordKey {
    let mut key = input.key();
    if let RecordKey::Chunk { byte_start, byte_end, .. } = &mut key
        && input.one_in(2)
    {
        *byte_end = (*byte_start / 10).min(i64::MAX as u64);
    }
    key
}

/// A file's prefix is that of its own chunks; other keys that begin with it are of files whose
/// paths continue after a colon, and sort after them.
fn files_stand_together(input: &mut Input<'_>) {
    let path = input.text();
    let other_path = match input.one_in(2) {
        true => format!("{path}{}", input.text()),
        false => input.text(),
    };
    let mut key = |file_path: &str| {
        let key = RecordKey::Chunk {
            file_path: file_path.to_owned(),
            byte_start: input.offset(),
            byte_end: input.offset(),
        };
        key.encode()
    };
    let (own, others) = (key(&path), key(&other_path));
    let prefix = file_chunks_prefix(&path);
    assert!(own.starts_with(&prefix));
    let goes_on = other_path.starts_with(&format!("{path}:"));
    assert_eq!(
        others.starts_with(&prefix),
        path == other_path || goes_on,
        "{path:?} {other_path:?}"
    );
    if path != other_path {
        let place = |path: &str| format!("{}:", path.replace(':', "::"));
        assert_eq!(own.cmp(&others), place(&path).cmp(&place(&other_path)));
    }
}
