//! A log file: created, written, put aside when it is large.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use fs_err as fs;
use fs_err::os::unix::fs::OpenOptionsExt as _;
use jiff::Zoned;

use crate::config::model::Rotation;

use super::layout;

/// Upstream's limit when none is given.
const DEFAULT_MEGABYTES: u32 = 100;
/// How the time is written in the name of an old file.
const STAMP: &str = "2006-01-02T15-04-05.000";

/// A log file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the log `{}`", path.display())]
pub(crate) struct LogFileError {
    path: PathBuf,
    source: io::Error,
}

/// A file that lines are appended to.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: std::fs::File,
    size: u64,
    rotation: Option<Rotation>,
    /// Lines wait here until the end of a round.
    pub(crate) pending: Vec<u8>,
    /// What did not fit on the disk.
    lost: u64,
}

impl LogFile {
    /// Opens it anew; one that is rotated is gone on with.
    pub(crate) fn open(path: &Path, rotation: Option<Rotation>) -> Result<Self, LogFileError> {
        let error = |source| LogFileError { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(error)?;
        }
        let file = Self::create(path, rotation.is_some()).map_err(error)?;
        let size = file.metadata().map_err(error)?.len();
        let path = path.to_owned();
        Ok(Self { path, file, size, rotation, pending: Vec::new(), lost: 0 })
    }

    fn create(path: &Path, keeps: bool) -> io::Result<std::fs::File> {
        let mut options = fs::OpenOptions::new();
        options.create(true).write(true).truncate(!keeps).mode(0o600);
        // Others may write to it as well.
        options.custom_flags(rustix::fs::OFlags::APPEND.bits().cast_signed());
        Ok(options.open(path)?.into_file())
    }

    /// Writes what waits. The first failure of a row is told; what is lost is counted.
    pub(crate) fn flush(&mut self) -> Result<(), LogFileError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let result = self.file.write_all(&self.pending);
        let length = self.pending.len() as u64;
        self.pending.clear();
        if self.pending.capacity() > 4 << 20 {
            self.pending.shrink_to(1 << 20);
        }
        if let Err(source) = result {
            let is_first = self.lost == 0;
            self.lost += length;
            let path = self.path.clone();
            return if is_first { Err(LogFileError { path, source }) } else { Ok(()) };
        }
        self.size += length;
        let limit = self.rotation.as_ref().map(|rotation| match rotation.max_size_mb {
            0 => DEFAULT_MEGABYTES,
            size => size,
        });
        if limit.is_some_and(|limit| self.size >= u64::from(limit) << 20) {
            self.rotate().map_err(|source| LogFileError { path: self.path.clone(), source })?;
        }
        Ok(())
    }

    /// Bytes that could not be written.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }

    /// The file's path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn rotate(&mut self) -> io::Result<()> {
        let Some(rotation) = self.rotation.clone() else { return Ok(()) };
        let old = self.aside(&layout::format(&Zoned::now(), STAMP));
        fs::rename(&self.path, &old)?;
        self.file = Self::create(&self.path, true)?;
        self.size = 0;
        if rotation.compress {
            compress(&old)?;
        }
        self.tidy(&rotation)
    }

    /// `name-STAMP.ext`, with a number when that is taken.
    fn aside(&self, stamp: &str) -> PathBuf {
        let (stem, extension) = self.name();
        let named = |number: u32| {
            let number = if number == 0 { String::new() } else { format!("-{number}") };
            self.path.with_file_name(format!("{stem}-{stamp}{number}{extension}"))
        };
        let is_free = |path: &PathBuf| {
            let packed = PathBuf::from(format!("{}.gz", path.display()));
            !path.exists() && !packed.exists()
        };
        (0..u32::MAX).map(named).find(is_free).unwrap_or_else(|| named(0))
    }

    fn name(&self) -> (String, String) {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let extension =
            self.path.extension().map(|extension| format!(".{}", extension.to_string_lossy()));
        (stem, extension.unwrap_or_default())
    }

    /// Removes old files that are too many or too old.
    fn tidy(&self, rotation: &Rotation) -> io::Result<()> {
        let (stem, extension) = self.name();
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut old = Vec::new();
        for entry in fs::read_dir(folder.unwrap_or(Path::new(".")))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let stamp = name.strip_prefix(&format!("{stem}-")).and_then(|rest| {
                rest.strip_suffix(".gz").unwrap_or(rest).strip_suffix(extension.as_str())
            });
            if stamp.is_some_and(is_stamp) {
                old.push((entry.metadata()?.modified()?, name, entry.path()));
            }
        }
        // The newest first; the name decides between equal times.
        old.sort_by(|one, other| (other.0, &other.1).cmp(&(one.0, &one.1)));
        let age = Duration::from_secs(u64::from(rotation.max_age_days) * 24 * 60 * 60);
        let now = SystemTime::now();
        for (index, (time, _, path)) in old.into_iter().enumerate() {
            let is_over = rotation.max_backups > 0 && index >= rotation.max_backups as usize;
            let is_old = rotation.max_age_days > 0
                && now.duration_since(time).is_ok_and(|passed| passed > age);
            if is_over || is_old {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// Whether that stands in the name of a file that we put aside.
fn is_stamp(text: &str) -> bool {
    let shape = "0000-00-00T00-00-00.000";
    let head = text.get(..shape.len()).unwrap_or_default();
    head.len() == shape.len()
        && head
            .chars()
            .zip(shape.chars())
            .all(|(found, like)| if like == '0' { found.is_ascii_digit() } else { found == like })
}

fn compress(path: &Path) -> io::Result<()> {
    let packed = PathBuf::from(format!("{}.gz", path.display()));
    let mut source = fs::File::open(path)?;
    let target = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&packed)?;
    let mut encoder = flate2::write::GzEncoder::new(target, flate2::Compression::default());
    io::copy(&mut source, &mut encoder)?;
    encoder.finish()?;
    fs::remove_file(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_files_are_put_aside_and_few_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs/web.log");
        let rotation = Rotation { max_size_mb: 1, max_backups: 2, ..Rotation::default() };
        let mut file = LogFile::open(&path, Some(rotation)).unwrap();
        for _ in 0..5 {
            file.pending = vec![b'x'; 1 << 20];
            file.flush().unwrap();
        }
        let count = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!((count, fs::metadata(&path).unwrap().len()), (3, 0));
    }

    #[test]
    fn a_full_disk_is_told_once_and_counted() {
        let mut file = LogFile::open(Path::new("/dev/full"), Some(Rotation::default())).unwrap();
        file.pending = vec![b'x'; 10];
        assert!(file.flush().is_err());
        file.pending = vec![b'x'; 10];
        assert!(file.flush().is_ok());
        assert_eq!(file.lost(), 20);
    }
}
