use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A tree in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    File(bool, Vec<u8>),
    Symlink(Vec<u8>),
    Directory(BTreeMap<Vec<u8>, Self>),
}

impl Node {
    fn encode(&self, encoder: &mut Encoder<Vec<u8>>) {
        match self {
            Self::File(executable, contents) => {
                encoder.file(*executable, contents.len() as u64).unwrap();
                for piece in contents.chunks(7) {
                    encoder.contents(piece).unwrap();
                }
            }
            Self::Symlink(target) => encoder.symlink(target).unwrap(),
            Self::Directory(entries) => {
                encoder.directory().unwrap();
                for (name, node) in entries {
                    encoder.entry(name).unwrap();
                    node.encode(encoder);
                }
                encoder.end_directory().unwrap();
            }
        }
    }

    fn nar(&self) -> Vec<u8> {
        let mut encoder = Encoder::new(Vec::new()).unwrap();
        self.encode(&mut encoder);
        encoder.finish().unwrap()
    }
}

fn trees() -> impl Strategy<Value = Node> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    let leaf = prop_oneof![
        (any::<bool>(), bytes())
            .prop_map(|(executable, contents)| Node::File(executable, contents)),
        proptest::collection::vec(1..=255_u8, 1..40).prop_map(Node::Symlink),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let name = proptest::collection::vec(1..=255_u8, 1..12)
            .prop_filter("a name", |name| is_name(name));
        proptest::collection::btree_map(name, inner, 0..6).prop_map(Node::Directory)
    })
}

fn read(nar: &[u8]) -> Result<Vec<Event>, ReadError> {
    let mut reader = Reader::new(nar);
    let mut events = Vec::new();
    while let Some(event) = reader.next_event()? {
        events.push(event);
    }
    reader.finish()?;
    Ok(events)
}

/// Writes what was read; equal bytes prove that nothing was lost or let pass.
fn again(nar: &[u8]) -> Result<Vec<u8>, ReadError> {
    let mut reader = Reader::new(nar);
    let mut encoder = Encoder::new(Vec::new()).unwrap();
    while let Some(event) = reader.next_event()? {
        match event {
            Event::Directory => encoder.directory().unwrap(),
            Event::Entry(name) => encoder.entry(&name).unwrap(),
            Event::EndDirectory => encoder.end_directory().unwrap(),
            Event::Symlink(target) => encoder.symlink(&target).unwrap(),
            Event::File { executable, size } => {
                encoder.file(executable, size).unwrap();
                let mut buffer = [0; 11];
                loop {
                    let length = reader.read_contents(&mut buffer)?;
                    if length == 0 {
                        break;
                    }
                    encoder.contents(&buffer[..length]).unwrap();
                }
            }
        }
    }
    reader.finish()?;
    Ok(encoder.finish().unwrap())
}

/// Puts strings together as the format does.
fn raw(strings: &[&[u8]]) -> Vec<u8> {
    let mut nar = Vec::new();
    for string in strings {
        nar.extend((string.len() as u64).to_le_bytes());
        nar.extend_from_slice(string);
        nar.resize(nar.len().next_multiple_of(8), 0);
    }
    nar
}

fn directory_of(names: &[&[u8]]) -> Vec<u8> {
    let mut strings: Vec<&[u8]> = vec![MAGIC, b"(", b"type", b"directory"];
    for name in names {
        strings.extend([b"entry", b"(" as &[u8], b"name", name, b"node"]);
        strings.extend([b"(" as &[u8], b"type", b"symlink", b"target", b"x", b")", b")"]);
    }
    strings.push(b")");
    raw(&strings)
}

#[test]
fn hostile_archives_are_refused() {
    assert!(read(&directory_of(&[b"a", b"b"])).is_ok());
    for name in [b"" as &[u8], b".", b"..", b"a/b", b"/", b"a\0b", &[b'x'; 1025]] {
        let error = read(&directory_of(&[name])).unwrap_err();
        assert!(matches!(error, ReadError::Name { .. } | ReadError::Length { .. }), "{error}");
    }
    for names in [[b"b" as &[u8], b"a"], [b"a", b"a"]] {
        assert!(matches!(read(&directory_of(&names)), Err(ReadError::Order { .. })));
    }
    let nar = directory_of(&[b"a"]);
    let mut padded = nar.clone();
    padded[8 + MAGIC.len()] = 1;
    assert!(matches!(read(&padded), Err(ReadError::Padding(21))));
    let mut trailing = nar.clone();
    trailing.push(0);
    assert!(matches!(read(&trailing), Err(ReadError::Trailing(_))));
    for end in 0..nar.len() {
        assert!(matches!(read(&nar[..end]), Err(ReadError::Truncated(_))), "{end}");
    }
    let empty_target = raw(&[MAGIC, b"(", b"type", b"symlink", b"target", b"", b")"]);
    assert!(matches!(read(&empty_target), Err(ReadError::Name { .. })));
    let device = raw(&[MAGIC, b"(", b"type", b"fifo", b")"]);
    assert_eq!(
        read(&device).unwrap_err().to_string(),
        "byte 56: `fifo` where `regular`, `symlink` or `directory` should be"
    );
    let marked =
        raw(&[MAGIC, b"(", b"type", b"regular", b"executable", b"x", b"contents", b"", b")"]);
    assert!(matches!(read(&marked), Err(ReadError::Word { .. })));
}

#[test]
fn sizes_that_lie_are_refused() {
    let mut huge = raw(&[MAGIC, b"(", b"type", b"regular", b"contents"]);
    huge.extend(u64::MAX.to_le_bytes());
    huge.extend([0; 64]);
    assert!(matches!(read(&huge), Err(ReadError::Truncated(_))));
    let mut word = raw(&[MAGIC]);
    word.extend(u64::MAX.to_le_bytes());
    assert!(matches!(read(&word), Err(ReadError::Length { .. })));
    let mut deep = raw(&[MAGIC]);
    for _ in 0..5000 {
        deep.extend(raw(&[b"(", b"type", b"directory", b"entry", b"(", b"name", b"a", b"node"]));
    }
    assert!(matches!(read(&deep), Err(ReadError::Depth(_))));
}

#[test]
fn the_encoder_refuses_what_is_no_nar() {
    let new = || Encoder::new(Vec::new()).unwrap();
    assert!(matches!(new().finish(), Err(EncodeError::Piece("the end"))));
    assert!(matches!(new().entry(b"a"), Err(EncodeError::Piece("an entry"))));
    assert!(matches!(new().end_directory(), Err(EncodeError::Piece("the end of a directory"))));
    let mut short = new();
    short.file(false, 3).unwrap();
    short.contents(b"ab").unwrap();
    assert_eq!(
        short.finish().unwrap_err().to_string(),
        "a file of 3 bytes was announced, but there are 2"
    );
    let mut long = new();
    long.file(false, 1).unwrap();
    assert_eq!(
        long.contents(b"ab").unwrap_err().to_string(),
        "a file of 1 bytes was announced, but there are more"
    );
    let mut directory = new();
    directory.directory().unwrap();
    assert!(matches!(directory.symlink(b"x"), Err(EncodeError::Piece("a symlink"))));
    for name in [b"" as &[u8], b".", b"..", b"a/b", b"a\0"] {
        assert!(matches!(directory.entry(name), Err(EncodeError::Name(_))));
    }
    directory.entry(b"b").unwrap();
    assert!(matches!(directory.end_directory(), Err(EncodeError::Piece(_))));
    directory.symlink(b"x").unwrap();
    assert_eq!(
        directory.entry(b"a").unwrap_err().to_string(),
        "`a` comes after `b`, but a NAR is sorted by bytes"
    );
    directory.end_directory().unwrap();
    assert!(matches!(directory.symlink(b"x"), Err(EncodeError::Piece(_))));
    directory.finish().unwrap();
}

proptest! {
    #[test]
    fn reads_back_what_it_writes(tree in trees()) {
        let nar = tree.nar();
        prop_assert_eq!(nar.len() % 8, 0);
        prop_assert_eq!(again(&nar).unwrap(), nar);
    }

    #[test]
    fn what_is_accepted_is_canonical(tree in trees(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut nar = tree.nar();
        let at = at.index(nar.len());
        nar[at] = byte;
        if let Ok(written) = again(&nar) {
            prop_assert_eq!(written, nar);
        }
    }

    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(read(&bytes));
        drop(read(&[raw(&[MAGIC]), bytes].concat()));
    }
}
