//! Nix's own answer, where the native evaluation has none.

use std::error::Error;
use std::path::Path;

use fs_err as fs;
use nixexpr::EvalError;
use nixexpr::data::parse_json;

use crate::error::RegistryError;
use crate::registry::{Options, Who};
use crate::tree::{DataTree, Node, Tree};
use crate::{data_error, question};

/// Evaluates an expression by Nix and gives the JSON, or says why not: [`NoNix`] when there is no Nix to ask.
pub type AskNix<'a> = dyn FnMut(&str) -> Result<String, Box<dyn Error + Send + Sync>> + 'a;

/// Nix is not on this machine.
#[derive(Debug, thiserror::Error)]
#[error("Nix is not on PATH")]
pub struct NoNix;

/// Asks Nix for the whole registry. `refusal` is why, unless only Nix was to be asked.
pub(crate) fn ask(
    file: &Path,
    options: &mut Options<'_>,
    refusal: Option<EvalError>,
) -> Result<(Tree, Node), RegistryError> {
    let Some(nix) = options.nix.as_mut().filter(|_| may_ask(options.who, refusal.as_ref())) else {
        return Err(match refusal {
            Some(error) => error.into(),
            None => RegistryError::OnlyNix { file: file.to_owned(), source: Box::new(NoNix) },
        });
    };
    let absolute = fs::canonicalize(file).map_err(RegistryError::Read)?;
    let expression = question::expression(&absolute, options.root.as_ref());
    match (nix(&expression), refusal) {
        (Ok(text), _) => answer(file, &text),
        // What Nix cannot parse either is told by the parser that knows the place.
        (Err(_), Some(error @ EvalError::Syntax { .. })) => Err(error.into()),
        (Err(source), Some(error)) if source.is::<NoNix>() => Err(error.into()),
        (Err(source), Some(error)) => {
            Err(RegistryError::Nix { refusal: error.to_string(), source })
        }
        (Err(source), None) => Err(RegistryError::OnlyNix { file: file.to_owned(), source }),
    }
}

/// Nix may know more about what was refused, and about a text that only the parser here cannot read.
pub(crate) fn may_ask(who: Who, refusal: Option<&EvalError>) -> bool {
    match (who, refusal) {
        (Who::Nix, _) | (Who::Auto, None) => true,
        (Who::Auto, Some(error)) => error.is_refusal() || matches!(error, EvalError::Syntax { .. }),
        (Who::Native, _) => false,
    }
}

fn answer(file: &Path, text: &str) -> Result<(Tree, Node), RegistryError> {
    let data = parse_json(text).map_err(|error| data_error(file, text, &error))?;
    let mut tree = Tree::Data(DataTree::answer(file, &data));
    let top = tree.root();
    let root = tree.child(top, "registry")?.unwrap_or(top);
    Ok((tree, root))
}
