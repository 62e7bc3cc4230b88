//! Tar headers of the `n2c-1` dialect: USTAR where it fits, else PAX, byte for byte as Go's `archive/tar`
//! chooses and writes them.
//!
//! <https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html> is the format. What is particular:
//! names are absolute and directories have no trailing slash; a name of more than 100 bytes is split at
//! a slash into prefix and name if that is possible; a PAX header is named `DIR/PaxHeaders.0/BASE`; the
//! header after it carries the ASCII part of the name, cut at 100 bytes.

/// The size of everything in a tar.
pub(crate) const BLOCK: usize = 512;

/// The largest size that 11 octal digits hold.
const LARGEST_OCTAL_SIZE: u64 = 0o777_7777_7777;
/// The largest user or group number that 7 octal digits hold.
const LARGEST_OCTAL_ID: u32 = 0o777_7777;

const NAME: usize = 100;
const PREFIX: usize = 155;
const OWNER: usize = 32;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Symlink,
    Directory,
}

/// One entry of a tar.
#[derive(Debug)]
pub(crate) struct Header<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) kind: Kind,
    pub(crate) target: &'a [u8],
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) uname: &'a str,
    pub(crate) gname: &'a str,
    pub(crate) size: u64,
    /// The value of the attribute `security.capability`.
    pub(crate) caps: Option<[u8; 20]>,
}

/// How many zero bytes fill the last block of `size` bytes.
pub(crate) fn padding(size: u64) -> usize {
    // Below 512, which every `usize` holds.
    usize::try_from(size.wrapping_neg() % BLOCK as u64).unwrap_or_default()
}

impl Header<'_> {
    /// Writes the header blocks, of which there are one or more, into `out`.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        let split = split_name(self.name);
        let is_long = |text: &[u8], longest| text.len() > longest || !text.is_ascii();
        let fits = (!is_long(self.name, NAME) || split.is_some())
            && !is_long(self.target, NAME)
            && !is_long(self.uname.as_bytes(), OWNER)
            && !is_long(self.gname.as_bytes(), OWNER)
            && self.size <= LARGEST_OCTAL_SIZE
            && self.uid <= LARGEST_OCTAL_ID
            && self.gid <= LARGEST_OCTAL_ID
            && self.caps.is_none();
        if fits {
            let (prefix, name) = split.unwrap_or((b"", self.name));
            out.extend_from_slice(&self.block(prefix, name));
            return;
        }
        let mut records = Vec::new();
        // Sorted by keyword.
        let mut add = |keyword: &str, value: &[u8], is_needed: bool| {
            if is_needed {
                add_record(&mut records, keyword, value);
            }
        };
        add(
            "SCHILY.xattr.security.capability",
            &self.caps.unwrap_or_default(),
            self.caps.is_some(),
        );
        add("gid", self.gid.to_string().as_bytes(), self.gid > LARGEST_OCTAL_ID);
        add("gname", self.gname.as_bytes(), is_long(self.gname.as_bytes(), OWNER));
        add("linkpath", self.target, is_long(self.target, NAME));
        add("path", self.name, is_long(self.name, NAME));
        add("size", self.size.to_string().as_bytes(), self.size > LARGEST_OCTAL_SIZE);
        add("uid", self.uid.to_string().as_bytes(), self.uid > LARGEST_OCTAL_ID);
        add("uname", self.uname.as_bytes(), is_long(self.uname.as_bytes(), OWNER));
        out.extend_from_slice(&extension_block(self.name, records.len() as u64));
        out.extend_from_slice(&records);
        out.resize(out.len() + padding(records.len() as u64), 0);
        out.extend_from_slice(&self.block(b"", self.name));
    }

    fn block(&self, prefix: &[u8], name: &[u8]) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        put_text(&mut block[..100], &ascii(name));
        put_octal(&mut block[100..108], u64::from(self.mode));
        let id = |id| if id > LARGEST_OCTAL_ID { 0 } else { u64::from(id) };
        put_octal(&mut block[108..116], id(self.uid));
        put_octal(&mut block[116..124], id(self.gid));
        put_octal(&mut block[124..136], if self.size > LARGEST_OCTAL_SIZE { 0 } else { self.size });
        // The one time of every entry: the second after the epoch, as in a Nix store.
        put_octal(&mut block[136..148], 1);
        block[156] = match self.kind {
            Kind::File => b'0',
            Kind::Symlink => b'2',
            Kind::Directory => b'5',
        };
        put_text(&mut block[157..257], &ascii(self.target));
        put_text(&mut block[265..297], &ascii(self.uname.as_bytes()));
        put_text(&mut block[297..329], &ascii(self.gname.as_bytes()));
        put_octal(&mut block[329..337], 0);
        put_octal(&mut block[337..345], 0);
        put_text(&mut block[345..500], prefix);
        seal(&mut block);
        block
    }
}

/// The header of a member of an image archive, always one block: a size that octal digits do not hold is
/// in base 256, which every reader of images understands. A name that ends in a slash is a folder's.
pub(crate) fn archive_member(name: &str, size: u64) -> [u8; BLOCK] {
    let is_folder = name.ends_with('/');
    let kind = if is_folder { Kind::Directory } else { Kind::File };
    let mode = if is_folder { 0o755 } else { 0o444 };
    let (name, target, uname, gname) = (name.as_bytes(), &b""[..], "root", "root");
    let (uid, gid, caps) = (0, 0, None);
    let header = Header { name, kind, target, mode, uid, gid, uname, gname, size, caps };
    let mut block = header.block(b"", name);
    if size > LARGEST_OCTAL_SIZE {
        block[124..128].copy_from_slice(&[0x80, 0, 0, 0]);
        block[128..136].copy_from_slice(&size.to_be_bytes());
        seal(&mut block);
    }
    block
}

/// The header in front of PAX records. It has neither owner names nor device numbers.
fn extension_block(name: &[u8], size: u64) -> [u8; BLOCK] {
    let slash = name.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
    let (dir, base) = name.split_at(slash);
    let long = ascii(&[dir, b"PaxHeaders.0/", base].concat()).into_owned();
    let mut cut = &long[..long.len().min(NAME)];
    while let [rest @ .., b'/'] = cut {
        cut = rest;
    }
    let mut block = [0; BLOCK];
    put_text(&mut block[..100], cut);
    put_octal(&mut block[100..108], 0);
    put_octal(&mut block[108..116], 0);
    put_octal(&mut block[116..124], 0);
    put_octal(&mut block[124..136], size);
    put_octal(&mut block[136..148], 0);
    block[156] = b'x';
    seal(&mut block);
    block
}

pub(super) fn seal(block: &mut [u8; BLOCK]) {
    block[257..263].copy_from_slice(b"ustar\0");
    block[263..265].copy_from_slice(b"00");
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    put_octal(&mut block[148..155], u64::from(sum));
}

/// A name of more than 100 bytes as prefix and name, cut at the last slash that leaves a prefix of at
/// most 155 bytes, if both parts then fit.
fn split_name(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= NAME || !name.is_ascii() {
        return None;
    }
    let end = name.len().min(PREFIX + 1);
    let slash = name[..end].iter().rposition(|b| *b == b'/').filter(|at| *at > 0)?;
    let (prefix, rest) = (&name[..slash], &name[slash + 1..]);
    (!rest.is_empty() && rest.len() <= NAME).then_some((prefix, rest))
}

/// `LENGTH KEYWORD=VALUE\n`, where the length counts itself.
pub(super) fn add_record(out: &mut Vec<u8>, keyword: &str, value: &[u8]) {
    let rest = keyword.len() + value.len() + 3;
    let mut length = rest;
    while rest + length.to_string().len() != length {
        length = rest + length.to_string().len();
    }
    out.extend_from_slice(format!("{length} {keyword}=").as_bytes());
    out.extend_from_slice(value);
    out.push(b'\n');
}

/// The text without its non-ASCII characters, as far as it is decodable at all.
fn ascii(text: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if text.is_ascii() { text.into() } else { text.iter().copied().filter(u8::is_ascii).collect() }
}

pub(super) fn put_text(field: &mut [u8], text: &[u8]) {
    let size = text.len().min(field.len());
    field[..size].copy_from_slice(&text[..size]);
    // Old readers take a file whose name field ends in a slash for a directory.
    if text.len() > field.len() {
        let run = field.iter().rev().take_while(|b| **b == b'/').count();
        if run > 0 {
            field[size - run] = 0;
        }
    }
}

/// Octal digits with leading zeros and a NUL at the end.
pub(super) fn put_octal(field: &mut [u8], mut value: u64) {
    let [digits @ .., last] = field else { return };
    *last = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value & 7) as u8;
        value >>= 3;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file<'a>(name: &'a [u8], target: &'a [u8], size: u64) -> Header<'a> {
        let kind = if target.is_empty() { Kind::File } else { Kind::Symlink };
        let (uname, gname) = ("root", "root");
        let (uid, gid, caps) = (0, 0, None);
        Header { name, kind, target, mode: 0o444, uid, gid, uname, gname, size, caps }
    }

    fn encode(header: &Header<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        header.encode(&mut out);
        out
    }

    #[test]
    fn a_short_name_takes_one_block() {
        let block = encode(&file(b"/a", b"", 5));
        assert_eq!(block.len(), BLOCK);
        assert_eq!(&block[..3], b"/a\0");
        assert_eq!(&block[100..136], b"0000444\x000000000\x000000000\x0000000000005\0");
        assert_eq!(&block[136..148], b"00000000001\0");
        assert_eq!(&block[257..265], b"ustar\x0000");
        assert_eq!(&block[329..345], b"0000000\x000000000\0");
        assert_eq!(block[154..156], [0, b' ']);
    }

    #[test]
    fn names_are_split_where_both_parts_fit() {
        let name =
            |dir: usize, base: usize| ["/", &"d".repeat(dir), "/", &"b".repeat(base)].concat();
        let parts = |name: &str| split_name(name.as_bytes()).map(|(p, n)| (p.len(), n.len()));
        assert_eq!(parts(&name(10, 20)), None, "short names are not split");
        assert_eq!(parts(&name(154, 100)), Some((155, 100)));
        assert_eq!(parts(&name(155, 100)), None, "prefix too long");
        assert_eq!(parts(&name(10, 101)), None, "name too long");
        assert_eq!(parts(&format!("/{}", "b".repeat(120))), None, "nothing before the slash");
        assert_eq!(parts(&"é/".repeat(60)), None);
    }

    #[test]
    fn what_does_not_fit_goes_into_records() {
        let name = [b"/\xff\xfe/".as_slice(), &[b'x'; 120]].concat();
        let blocks = encode(&file(&name, b"", 0));
        assert_eq!(blocks.len(), 3 * BLOCK);
        let record = [b"134 path=".as_slice(), &name, b"\n"].concat();
        assert_eq!(record.len(), 134);
        assert_eq!(&blocks[BLOCK..BLOCK + 134], record);
        assert_eq!(&blocks[..17], b"//PaxHeaders.0/xx");
        assert_eq!(&blocks[1024..1028], b"//xx");
        let large = encode(&file(b"/a", b"", 1 << 33));
        assert_eq!(&large[BLOCK..BLOCK + 19], b"19 size=8589934592\n");
        assert_eq!(&large[1024 + 124..1024 + 136], b"00000000000\0");
        let owner = Header { uid: 3_000_000, gname: &"g".repeat(33), ..file(b"/a", b"", 0) };
        let text = String::from_utf8_lossy(&encode(&owner)[BLOCK..2 * BLOCK]).into_owned();
        assert!(
            text.starts_with(&format!("43 gname={}\n15 uid=3000000\n", "g".repeat(33))),
            "{text}"
        );
    }

    #[test]
    fn a_member_of_any_size_takes_one_block() {
        for size in [0, 5, LARGEST_OCTAL_SIZE, LARGEST_OCTAL_SIZE + 1, 1 << 40] {
            let block = archive_member("blobs/sha256/x", size);
            let header = tar::Header::from_byte_slice(&block);
            assert_eq!(header.size().unwrap(), size);
            let sum = block.iter().map(|b| u32::from(*b)).sum::<u32>();
            let field = block[148..156].iter().map(|b| u32::from(*b)).sum::<u32>();
            assert_eq!(header.cksum().unwrap(), sum - field + 8 * 32);
        }
    }

    #[test]
    fn a_record_counts_its_own_length() {
        for size in [0, 1, 80, 89, 90, 91, 980, 990, 991, 992, 9990] {
            let mut out = Vec::new();
            add_record(&mut out, "path", &vec![b'x'; size]);
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text.split(' ').next().unwrap().parse::<usize>().unwrap(), text.len());
        }
    }
}
