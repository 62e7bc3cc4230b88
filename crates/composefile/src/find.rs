//! Which files a folder's project is made of.

use std::path::{Path, PathBuf};

/// The names that process-compose looks for, the first one that exists being the project's.
pub const NAMES: [&str; 4] =
    ["compose.yml", "compose.yaml", "process-compose.yml", "process-compose.yaml"];

/// The names of a file that is merged over the project's, the first one that exists.
const OVERRIDES: [&str; 4] = [
    "compose.override.yml",
    "compose.override.yaml",
    "process-compose.override.yml",
    "process-compose.override.yaml",
];

/// The files of a folder's project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The project's file.
    pub file: PathBuf,
    /// The file that is merged over it.
    pub override_file: Option<PathBuf>,
}

impl Found {
    /// The files in the order they are merged.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.file.as_path()).chain(self.override_file.as_deref())
    }
}

/// Looks in one folder for the files that process-compose would take there.
pub fn find(folder: &Path) -> Option<Found> {
    let first =
        |names: &[&str]| names.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    Some(Found { file: first(&NAMES)?, override_file: first(&OVERRIDES) })
}

/// Whether a file's name says that it is process-compose's: `process-compose.yaml`, `process-compose.ci.yml`,
/// and the JSON that process-compose-flake writes.
///
/// ```
/// assert!(composefile::is_named_for_process_compose("process-compose.dev.yaml"));
/// assert!(!composefile::is_named_for_process_compose("docker-compose.yaml"));
/// ```
pub fn is_named_for_process_compose(name: &str) -> bool {
    let stem = [".yaml", ".yml", ".json"].iter().find_map(|ending| name.strip_suffix(ending));
    stem.is_some_and(|stem| stem.starts_with("process-compose"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_names_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(find(folder.path()), None);
        for name in ["process-compose.yaml", "process-compose.yml", "process-compose.override.yaml"]
        {
            fs_err::write(folder.path().join(name), "").unwrap();
        }
        let found = find(folder.path()).unwrap();
        assert_eq!(found.file, folder.path().join("process-compose.yml"));
        let names: Vec<_> = found.files().map(|path| path.file_name().unwrap()).collect();
        assert_eq!(names, ["process-compose.yml", "process-compose.override.yaml"]);
    }
}
