//! Groups findings by what they are about, and those of one key into a card.

use std::collections::{BTreeMap, HashMap};

use chunkmigrate::record::{RecordKey, RecordKind};
use chunkmigrate::table::Kind;
use chunkmigrate::verify::{Finding, FindingClass};

/// What a group of findings is about, in the order of the page.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// The store as a whole: manifest, id sequences, schema.
    Store,
    /// The source file with this path: its chunks, its metrics and those of its symbols.
    File(String),
    /// Records that belong to no file, or to one that is not known.
    Kind(RecordKind),
    /// The rows of a carried table.
    Table(String),
    UnknownKeys,
}

/// All findings about one subject.
#[derive(Debug)]
pub(super) struct Group<'f> {
    pub(super) subject: Subject,
    pub(super) cards: Vec<Card<'f>>,
}

/// All findings about one key, or one finding without a key.
pub(super) type Card<'f> = Vec<&'f Finding>;

impl<'f> Group<'f> {
    pub(super) fn findings(&self) -> impl Iterator<Item = &'f Finding> {
        self.cards.iter().flatten().copied()
    }
}

/// Groups findings: first those about the stores, then file by file; groups with only warnings come
/// last.
pub(super) fn grouped<'f>(findings: &[&'f Finding]) -> Vec<Group<'f>> {
    let paths = findings.iter().filter_map(|f| Some((f.key.as_deref()?, f.file_path.as_deref()?)));
    let paths: HashMap<&[u8], &str> = paths.collect();
    let mut places = HashMap::new();
    let mut groups: BTreeMap<Subject, Vec<Card<'f>>> = BTreeMap::new();
    for finding in findings {
        let subject = subject(finding, &paths);
        let cards = groups.entry(subject).or_default();
        let key = finding.key.as_deref().map(|key| (&finding.kind, key));
        let place = key.map_or(cards.len(), |key| *places.entry(key).or_insert(cards.len()));
        match cards.get_mut(place) {
            Some(card) => card.push(finding),
            None => cards.push(vec![finding]),
        }
    }
    let groups = groups.into_iter();
    let mut groups: Vec<_> = groups.map(|(subject, cards)| Group { subject, cards }).collect();
    for group in &mut groups {
        group.cards.sort_by_key(|card| card.first().map(|finding| place_in_file(finding)));
    }
    groups.sort_by_key(|group| group.findings().all(|finding| finding.class.is_warning()));
    groups
}

fn subject(finding: &Finding, paths: &HashMap<&[u8], &str>) -> Subject {
    let key = finding.key.as_deref();
    match (&finding.kind, key) {
        (Some(Kind::Table(name)), _) => Subject::Table(name.to_string()),
        (Some(Kind::Record(kind)), Some(key)) => match (RecordKey::parse(key), paths.get(key)) {
            (Ok(RecordKey::Chunk { file_path, .. } | RecordKey::FileMetrics { file_path }), _) => {
                Subject::File(file_path)
            }
            (_, Some(path)) => Subject::File((*path).to_owned()),
            _ => Subject::Kind(*kind),
        },
        (Some(Kind::Record(kind)), None) if finding.class == FindingClass::InvalidRow => {
            Subject::Kind(*kind)
        }
        (None, Some(_)) => Subject::UnknownKeys,
        _ => Subject::Store,
    }
}

/// Orders the records of a file: the chunks by their bytes, then the metrics.
fn place_in_file(finding: &Finding) -> (Option<RecordKind>, u64, u64) {
    let kind = finding.kind.as_ref().and_then(Kind::record);
    match chunk_bytes(finding) {
        Some((start, end)) => (kind, start, end),
        None => (kind, 0, 0),
    }
}

/// The bytes of its file that a chunk consists of.
pub(super) fn chunk_bytes(finding: &Finding) -> Option<(u64, u64)> {
    match RecordKey::parse(finding.key.as_deref()?).ok()? {
        RecordKey::Chunk { byte_start, byte_end, .. } => Some((byte_start, byte_end)),
        _ => None,
    }
}
