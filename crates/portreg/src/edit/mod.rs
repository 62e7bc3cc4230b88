//! One entry more, another number, or one entry less in the file of a registry, and nothing else.
//!
//! An edit is computed as a splice of the text ([`nixexpr::edit`]), evaluated, and compared: the new value must be the
//! old one plus exactly the change. What is computed has no text to edit and is refused.

mod locate;
mod snapshot;

use std::path::{Path, PathBuf};

use nixexpr::edit::{NewEntry, NoPlace, Splice};
use nixexpr::{EvalError, Lines, Place};

use self::snapshot::{Difference, Snapshot};
use crate::error::RegistryError;
use crate::registry::{Options, Registry, Who, read};
use crate::{PortPath, Ports};

/// What is to be done.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// A port more.
    Add {
        /// Its path, which is not there yet.
        path: &'a PortPath,
        /// Its number.
        number: u16,
        /// What it is for: one line of text.
        comment: Option<&'a str>,
    },
    /// Another number.
    Set {
        /// The port.
        path: &'a PortPath,
        /// The number.
        number: u16,
        /// Whether what is computed from it may change with it.
        follow: bool,
    },
    /// A port less.
    Remove {
        /// The port.
        path: &'a PortPath,
    },
}

/// A text before and after an edit. Nothing is written yet.
#[derive(Debug)]
pub struct Edited {
    /// The file: the registry, or one that it imports.
    pub file: PathBuf,
    /// Its text.
    pub before: String,
    /// Its text after the edit.
    pub after: String,
    /// Where the edit is.
    pub place: Place,
    /// The registry with the edit.
    pub registry: Registry<'static>,
}

/// Why an edit is not made.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The registry cannot be read, or has no such entry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The path is taken.
    #[error("{}`{path}` is in the registry already", at(place.as_ref()))]
    Exists {
        /// The path.
        path: PortPath,
        /// Where it is.
        place: Option<Place>,
    },
    /// A name on the way is no group.
    #[error("{}`{path}` is no group, so nothing can be in it", at(place.as_ref()))]
    NoGroup {
        /// The path.
        path: PortPath,
        /// Where it is.
        place: Option<Place>,
    },
    /// The entry has several numbers.
    #[error("`{path}` is {what}")]
    Several {
        /// The path.
        path: PortPath,
        /// What it is.
        what: String,
        /// What can be edited instead.
        ends: Vec<PortPath>,
    },
    /// The value is not written out.
    #[error("{}`{path}` is computed, so there is no number to edit", at(place.as_ref()))]
    Computed {
        /// The path.
        path: PortPath,
        /// Where it is computed.
        place: Option<Place>,
    },
    /// The text has no place for it.
    #[error("{place}: {what}")]
    NoPlace {
        /// Where.
        place: Place,
        /// What is there.
        what: String,
    },
    /// Something else has the number from there.
    #[error("{place}: `{other}` is made from `{path}` and would change, too")]
    Follows {
        /// Where the number is.
        place: Place,
        /// The path.
        path: PortPath,
        /// What has its number from it.
        other: PortPath,
    },
    /// The edit would change something else, too, or not do what is wanted.
    #[error("{place}: an edit of `{path}` here would {what}")]
    Other {
        /// Where.
        place: Place,
        /// The path.
        path: PortPath,
        /// What it would do.
        what: String,
    },
}

impl From<EvalError> for EditError {
    fn from(error: EvalError) -> Self {
        Self::Registry(error.into())
    }
}

fn at(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| format!("{place}: "))
}

impl EditError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            // Asking Nix would tell the value, and not where it is written.
            Self::Registry(RegistryError::Eval(error)) if error.is_refusal() => {
                Some("edit the file by hand".to_owned())
            }
            Self::Registry(error) => error.hint(),
            Self::Exists { path, .. } => {
                Some(format!("`ports set {path} PORT` gives it another number"))
            }
            Self::Several { ends, .. } if !ends.is_empty() => {
                let ends: Vec<String> = ends.iter().map(|path| format!("`{path}`")).collect();
                Some(format!("name one of its ends: {}", ends.join(", ")))
            }
            Self::Follows { .. } => Some("`--follow` lets it".to_owned()),
            Self::Computed { .. } | Self::Other { .. } | Self::NoPlace { .. } => {
                Some("edit the file by hand".to_owned())
            }
            _ => None,
        }
    }
}

impl Change<'_> {
    /// The path that changes.
    pub fn path(&self) -> &PortPath {
        match self {
            Self::Add { path, .. } | Self::Set { path, .. } | Self::Remove { path } => path,
        }
    }
}

impl Registry<'_> {
    /// Computes an edit. The registry must have been opened natively: what Nix answered has no places.
    ///
    /// # Errors
    /// When the change cannot be made as a change of one entry in the text.
    pub fn edit(&mut self, change: &Change<'_>) -> Result<Edited, EditError> {
        let (file, splice) = match *change {
            Change::Add { path, number, comment } => {
                self.addition(path, NewEntry { names: &[], number, comment })?
            }
            Change::Set { path, number, .. } => self.replacement(path, number)?,
            Change::Remove { path } => self.removal(path)?,
        };
        let before = read(&file)?;
        let after = splice.apply(&before);
        let place = Lines::of(&before).place(&file, &before, splice.at.start);
        let registry = self.with(&file, &after).map_err(|error| EditError::Other {
            place: place.clone(),
            path: change.path().clone(),
            what: format!("break the file: {error}"),
        })?;
        let mut edited = Edited { file, before, after, place, registry };
        self.verify(change, &mut edited)?;
        Ok(edited)
    }

    /// The registry with another text for a file.
    fn with(&self, file: &Path, text: &str) -> Result<Registry<'static>, RegistryError> {
        let options = Options {
            root: self.options.root.clone(),
            who: Who::Native,
            nix: None,
            overlay: Some((file.to_owned(), text.to_owned())),
        };
        Registry::open(&self.file, options)
    }

    /// Compares the whole file's value before and after.
    fn verify(&mut self, change: &Change<'_>, edited: &mut Edited) -> Result<(), EditError> {
        let path = change.path();
        let other = |what: String| EditError::Other {
            place: edited.place.clone(),
            path: path.clone(),
            what,
        };
        let names = self.full(path);
        let old = Snapshot::take(&mut self.tree, &self.file)?;
        let new = Snapshot::take(&mut edited.registry.tree, &self.file)?;
        let differences = old.differences(&new);
        let is_it = |difference: &Difference<'_>| match *change {
            Change::Add { number, .. } => difference.adds(&names, number.into()),
            Change::Set { number, .. } => difference.sets(&names, number.into()),
            Change::Remove { .. } => difference.removes(&names),
        };
        let wrong = differences.iter().find(|difference| !is_it(difference));
        match (change, wrong) {
            (Change::Set { follow: true, .. }, Some(_)) if differences.iter().any(is_it) => {}
            (Change::Set { .. }, Some(wrong)) if differences.iter().any(is_it) => {
                return Err(EditError::Follows {
                    place: edited.place.clone(),
                    path: path.clone(),
                    other: wrong.path.iter().cloned().collect(),
                });
            }
            (_, Some(wrong)) => {
                let path: PortPath = wrong.path.iter().cloned().collect();
                return Err(other(format!("change `{path}`, too")));
            }
            (Change::Set { .. }, None) if edited.before == edited.after => {}
            (_, None) if differences.is_empty() => return Err(other("change nothing".to_owned())),
            (_, None) => {}
        }
        if let Change::Add { number, .. } = change {
            let is_port = edited
                .registry
                .lookup(path)
                .is_ok_and(|entry| entry.is_some_and(|entry| entry.ports == Ports::One(*number)));
            if !is_port {
                return Err(other("make no port of it".to_owned()));
            }
        }
        Ok(())
    }
}

/// A place in a text, for an edit that has none.
fn no_place(file: &Path, text: &str, error: NoPlace) -> EditError {
    EditError::NoPlace { place: Lines::of(text).place(file, text, error.at), what: error.what }
}

/// A file, and the splice in it.
type Located = (PathBuf, Splice);
