//! Where a tar is cut into members: the rule is part of the codec's name, and never changes.
//!
//! A *segment* is a run of entries that are below the same path of the store (`nix/store/NAME`), or that
//! are all outside it. It is found in the tar itself, so the cuts are the same whoever made the tar. A
//! segment of 1 MiB or more is cut every 1 MiB and shares no member with another one: a store path that is
//! in another layer, or beside other paths, makes the same members there. Smaller segments are packed, as
//! many as fit, into members of at most 1 MiB.

use std::mem;

/// The largest member.
pub(super) const MEMBER: usize = 1 << 20;

const BLOCK: usize = 512;

/// What the members are passed to.
pub(super) type Emit<'a, E> = dyn FnMut(Vec<u8>) -> Result<(), E> + 'a;

/// Cuts a tar that comes in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct Cutter {
    /// Whole small segments.
    pack: Vec<u8>,
    /// The segment that has not ended, or what follows its last cut.
    segment: Vec<u8>,
    /// Whether the segment was cut already.
    is_long: bool,
    /// The store path that the segment is below.
    group: Vec<u8>,
    /// The header block that is coming in.
    header: Vec<u8>,
    /// What is left of the contents of the entry.
    contents: u64,
    /// Whether this is no tar, or its end was seen: there are no more segments to be found.
    is_opaque: bool,
}

impl Cutter {
    pub(super) fn add<E>(&mut self, mut bytes: &[u8], emit: &mut Emit<'_, E>) -> Result<(), E> {
        while !bytes.is_empty() {
            let wanted = if self.is_opaque {
                bytes.len()
            } else if self.contents > 0 {
                usize::try_from(self.contents).unwrap_or(usize::MAX).min(bytes.len())
            } else {
                (BLOCK - self.header.len()).min(bytes.len())
            };
            let (now, later) = bytes.split_at(wanted);
            bytes = later;
            if self.is_opaque || self.contents > 0 {
                self.contents = self.contents.saturating_sub(wanted as u64);
                self.append(now, emit)?;
                continue;
            }
            self.header.extend_from_slice(now);
            if self.header.len() == BLOCK {
                let header = mem::take(&mut self.header);
                self.begin(&header, emit)?;
                self.append(&header, emit)?;
                self.header = header;
                self.header.clear();
            }
        }
        Ok(())
    }

    pub(super) fn finish<E>(mut self, emit: &mut Emit<'_, E>) -> Result<(), E> {
        let rest = mem::take(&mut self.header);
        self.append(&rest, emit)?;
        self.end_segment(emit)?;
        if self.pack.is_empty() { Ok(()) } else { emit(self.pack) }
    }

    /// Looks at a header: whether a segment begins with it, and how long its contents are.
    fn begin<E>(&mut self, header: &[u8], emit: &mut Emit<'_, E>) -> Result<(), E> {
        let size = if has_checksum(header) { octal(&header[124..136]) } else { None };
        let group = match size {
            // The end of the tar, or no tar: a segment of its own.
            None => {
                self.is_opaque = true;
                Vec::new()
            }
            Some(size) => {
                self.contents = size.next_multiple_of(BLOCK as u64);
                match group_of(header) {
                    Some(group) => group,
                    None => return Ok(()),
                }
            }
        };
        if group != self.group || self.is_opaque {
            self.end_segment(emit)?;
            self.group = group;
        }
        Ok(())
    }

    fn append<E>(&mut self, mut bytes: &[u8], emit: &mut Emit<'_, E>) -> Result<(), E> {
        while self.segment.len() + bytes.len() >= MEMBER {
            let (now, later) = bytes.split_at(MEMBER - self.segment.len());
            self.segment.extend_from_slice(now);
            bytes = later;
            if !self.pack.is_empty() {
                emit(mem::take(&mut self.pack))?;
            }
            emit(mem::take(&mut self.segment))?;
            self.is_long = true;
        }
        if self.segment.capacity() == 0 {
            self.segment.reserve_exact(MEMBER);
        }
        self.segment.extend_from_slice(bytes);
        Ok(())
    }

    fn end_segment<E>(&mut self, emit: &mut Emit<'_, E>) -> Result<(), E> {
        if self.segment.is_empty() {
            self.is_long = false;
            return Ok(());
        }
        if mem::take(&mut self.is_long) {
            return emit(mem::take(&mut self.segment));
        }
        if self.pack.len() + self.segment.len() > MEMBER {
            emit(mem::take(&mut self.pack))?;
        }
        self.pack.extend_from_slice(&self.segment);
        self.segment.clear();
        Ok(())
    }
}

/// The store path that an entry is below; empty outside the store; none for an extension header that is
/// named after nothing (`././@PaxHeader`), which belongs to what surrounds it.
fn group_of(header: &[u8]) -> Option<Vec<u8>> {
    let text = |field: &[u8]| field.split(|b| *b == 0).next().unwrap_or_default().to_vec();
    let (prefix, name) = (text(&header[345..500]), text(&header[..100]));
    let name = if prefix.is_empty() { name } else { [prefix, b"/".to_vec(), name].concat() };
    if name.starts_with(b"././@") {
        return None;
    }
    let relative = name.strip_prefix(b"/").or_else(|| name.strip_prefix(b"./")).unwrap_or(&name);
    let path = relative.strip_prefix(b"nix/store/").unwrap_or_default();
    Some(path.split(|b| *b == b'/').next().unwrap_or_default().to_vec())
}

fn has_checksum(header: &[u8]) -> bool {
    let field = 148..156;
    let blank =
        |(at, byte): (usize, &u8)| u64::from(if field.contains(&at) { b' ' } else { *byte });
    let sum: u64 = header.iter().enumerate().map(blank).sum();
    // An empty block has no checksum either: its field is blank.
    octal(&header[148..156]) == Some(sum)
}

/// A number in octal digits, or in base 256 for what is larger.
fn octal(field: &[u8]) -> Option<u64> {
    if let [0x80, rest @ ..] = field {
        let (high, low) = rest.split_at(rest.len().checked_sub(8)?);
        let value = u64::from_be_bytes(low.try_into().ok()?);
        return Some(value).filter(|value| high.iter().all(|b| *b == 0) && *value < 1 << 62);
    }
    let digits =
        field.iter().copied().skip_while(|b| *b == b' ').take_while(|b| !matches!(b, 0 | b' '));
    let mut value: Option<u64> = None;
    for digit in digits {
        if !(b'0'..=b'7').contains(&digit) {
            return None;
        }
        value = Some(value.unwrap_or(0).checked_mul(8)? + u64::from(digit - b'0'));
    }
    // A size near 2^64 is a lie, and rounding it up to a block must not overflow.
    value.filter(|value| *value < 1 << 62)
}
