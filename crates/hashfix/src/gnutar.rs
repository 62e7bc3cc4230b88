//! The archive that nixpkgs makes of a git checkout, byte for byte:
//! `tar --owner=0 --group=0 --numeric-owner --format=gnu --sort=name --mtime=@1 --mode u+w -C FOLDER -cf FILE .`
//!
//! The header is that of [GNU tar's manual](https://www.gnu.org/software/tar/manual/html_node/Standard.html): octal
//! numbers that end in NUL, a checksum that ends in NUL and a space, and names that do not fit in an entry of their own.

use std::fs::Metadata;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const BLOCK: usize = 512;
/// Archives end at a multiple of this.
const RECORD: u64 = 20 * BLOCK as u64;
/// The length of a name, or of a link's target, in a header.
const NAME: usize = 100;

/// Writes the archive of a folder.
///
/// # Errors
/// When a file cannot be read, is no file, folder or link, or the archive cannot be written.
pub(crate) fn write(folder: &Path, archive: &Path) -> io::Result<()> {
    let mut tar = Tar { out: BufWriter::new(fs_err::File::create(archive)?), written: 0 };
    tar.node(folder, b".")?;
    tar.bytes(&[0; 2 * BLOCK])?;
    let rest = tar.written.next_multiple_of(RECORD) - tar.written;
    tar.bytes(&vec![0; usize::try_from(rest).unwrap_or(0)])?;
    tar.out.flush()
}

struct Tar<W> {
    out: W,
    written: u64,
}

impl<W: Write> Tar<W> {
    fn node(&mut self, path: &Path, name: &[u8]) -> io::Result<()> {
        let metadata = fs_err::symlink_metadata(path)?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            let name = [name, b"/"].concat();
            self.header(&name, b"", b'5', 0, &metadata)?;
            let mut entries = fs_err::read_dir(path)?.collect::<io::Result<Vec<_>>>()?;
            entries.sort_by_key(fs_err::DirEntry::file_name);
            for entry in entries {
                let name = [&name, entry.file_name().as_bytes()].concat();
                self.node(&entry.path(), &name)?;
            }
        } else if kind.is_symlink() {
            let target = fs_err::read_link(path)?;
            self.header(name, target.as_os_str().as_bytes(), b'2', 0, &metadata)?;
        } else if kind.is_file() {
            self.header(name, b"", b'0', metadata.len(), &metadata)?;
            let mut file = io::Read::take(fs_err::File::open(path)?, metadata.len());
            let copied = io::copy(&mut file, &mut self.out)?;
            if copied != metadata.len() {
                let what = format!("`{}` changed while it was read", path.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, what));
            }
            self.written += copied;
            self.fill()?;
        } else {
            let what = format!("`{}` is no file, folder or link", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(())
    }

    fn header(
        &mut self,
        name: &[u8],
        link: &[u8],
        kind: u8,
        size: u64,
        of: &Metadata,
    ) -> io::Result<()> {
        if link.len() > NAME {
            self.long(link, b'K')?;
        }
        if name.len() > NAME {
            self.long(name, b'L')?;
        }
        let mode = of.permissions().mode() & 0o7777 | 0o200;
        self.block(name, link, kind, size, mode, 1)
    }

    /// A name that does not fit, as the content of an entry before its own.
    fn long(&mut self, name: &[u8], kind: u8) -> io::Result<()> {
        self.block(b"././@LongLink", b"", kind, name.len() as u64 + 1, 0o644, 0)?;
        self.bytes(name)?;
        self.bytes(&[0])?;
        self.fill()
    }

    fn block(
        &mut self,
        name: &[u8],
        link: &[u8],
        kind: u8,
        size: u64,
        mode: u32,
        time: u64,
    ) -> io::Result<()> {
        let mut block = [0; BLOCK];
        let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &name[..name.len().min(NAME)]);
        put(100, format!("{mode:07o}").as_bytes());
        put(108, b"0000000");
        put(116, b"0000000");
        put(124, format!("{size:011o}").as_bytes());
        put(136, format!("{time:011o}").as_bytes());
        put(148, b"        ");
        put(156, &[kind]);
        put(157, &link[..link.len().min(NAME)]);
        put(257, b"ustar  \0");
        let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.bytes(&block)
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// Fills the block with zeros.
    fn fill(&mut self) -> io::Result<()> {
        let rest = self.written.next_multiple_of(BLOCK as u64) - self.written;
        self.bytes(&[0; BLOCK][..usize::try_from(rest).unwrap_or(0)])
    }
}
