//! Files that an evaluation reads: imports and `readFile`.

use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use fs_err as fs;

use crate::error::EvalError;
use crate::machine::{Done, Machine, NO_ENV};
use crate::value::{Origin, Slot, State, Value};

/// Symbolic links that are followed in a row.
const LINKS: usize = 40;

/// A relative path from a folder, with `.` and `..` taken away as text, as Nix does.
pub(crate) fn resolve(base: &Path, text: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in base.join(text).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if matches!(path.components().next_back(), Some(Component::Normal(_))) {
                    path.pop();
                } else if !path.has_root() {
                    path.push("..");
                }
            }
            other => path.push(other),
        }
    }
    path
}

/// The file that a path means: links at its end are followed, and a folder means the `default.nix` in it.
pub(crate) fn resolve_expression(path: &Path) -> Result<PathBuf, EvalError> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let kind = fs::symlink_metadata(&path).map_err(EvalError::Read)?.file_type();
        if !kind.is_symlink() {
            let is_folder = kind.is_dir();
            return Ok(if is_folder { path.join("default.nix") } else { path });
        }
        let target = fs::read_link(&path).map_err(EvalError::Read)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        path = resolve(folder, &target.to_string_lossy());
    }
    let what = format!("too many symbolic links at `{}`", path.display());
    Err(EvalError::Read(io::Error::other(what)))
}

/// Reads a text file of at most `limit` bytes.
///
/// # Errors
/// When it cannot be read, is too large, or is not UTF-8.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<String, EvalError> {
    let file = fs::File::open(path).map_err(EvalError::Read)?;
    let metadata = file.metadata().map_err(EvalError::Read)?;
    if metadata.is_dir() {
        let what = format!("`{}` is a folder", path.display());
        return Err(EvalError::Read(io::Error::new(io::ErrorKind::IsADirectory, what)));
    }
    let too_large = |size| EvalError::TooLarge { file: path.to_owned(), size, limit };
    if metadata.len() > limit {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // A device or a growing file may hold more than its length says.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(EvalError::Read)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(limit + 1));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        EvalError::Refused {
            place: crate::source::place_in(path, &text, valid),
            what: "text that is not UTF-8".to_owned(),
        }
    })
}

impl Machine {
    /// The slot of a file's value; each file is read once.
    pub(crate) fn file(&mut self, path: &Path) -> Result<Slot, EvalError> {
        // A text that stands for a file needs none.
        let stands_for = self.overlay.contains_key(path);
        let path = if stands_for { path.to_owned() } else { resolve_expression(path)? };
        if let Some(&slot) = self.files.get(&path) {
            return Ok(slot);
        }
        let text = match self.overlay.get(&path) {
            Some(text) => Rc::clone(text),
            None => Rc::from(read_text(&path, self.limits.file)?),
        };
        let slot = self.text(&path, &text)?;
        self.files.insert(path, slot);
        Ok(slot)
    }

    /// The slot of the value of a text that stands for the file `path`.
    pub(crate) fn text(&mut self, path: &Path, text: &str) -> Result<Slot, EvalError> {
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        let code = crate::lower::code(path, base, text, &mut self.symbols)?;
        let index = u32::try_from(self.codes.len()).unwrap_or(u32::MAX);
        let root = code.root;
        self.codes.push(Rc::new(code));
        let at = Self::origin(index, root, NO_ENV);
        self.charge(text.len(), at)?;
        self.slot(State::Code { code: index, expr: root, env: NO_ENV }, at)
    }

    fn path_argument(&mut self, slot: Slot, at: Origin) -> Result<Rc<PathBuf>, EvalError> {
        match self.force(slot, at)?.0 {
            Value::Path(path) => Ok(path),
            other => {
                let what = format!("a file named by {}", other.described());
                Err(self.refuse(at, what))
            }
        }
    }

    pub(crate) fn import(&mut self, argument: Slot, at: Origin) -> Result<Done, EvalError> {
        let path = self.path_argument(argument, at)?;
        if self.open_files >= self.limits.imports {
            return Err(self.limit(at, "too many files import each other"));
        }
        let slot = self.file(&path).map_err(|error| self.blame(error, at))?;
        self.open_files += 1;
        if matches!(self.state(slot), State::Busy) {
            let what = format!("`{}` imports itself", path.display());
            return Err(self.fail(at, what));
        }
        let done = self.force(slot, at)?;
        self.open_files -= 1;
        Ok(done)
    }

    pub(crate) fn read_file(&mut self, argument: Slot, at: Origin) -> Result<Value, EvalError> {
        let path = self.path_argument(argument, at)?;
        let text = read_text(&path, self.limits.file).map_err(|error| self.blame(error, at))?;
        if text.contains('\0') {
            let what = format!("`{}` holds a NUL byte, which a string cannot", path.display());
            return Err(self.fail(at, what));
        }
        self.charge(text.len(), at)?;
        Ok(Value::Str(text.into()))
    }

    /// Says who asked for a file that cannot be read.
    fn blame(&self, error: EvalError, at: Origin) -> EvalError {
        match error {
            EvalError::Read(source) => self.fail(at, format!("cannot read: {source}")),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_go_as_text() {
        for (base, text, path) in [
            ("lib", "./a.nix", "lib/a.nix"),
            ("lib", "../a.nix", "a.nix"),
            ("lib", "../../a.nix", "../a.nix"),
            ("", "./.", ""),
            ("/x", "../../a", "/a"),
            ("/x/y", "./b/../c", "/x/y/c"),
        ] {
            assert_eq!(resolve(Path::new(base), text), Path::new(path), "{base} {text}");
        }
    }
}
