//! What goes into the image: operands resolved to store paths with their closure, and to files outside the store.

use std::path::{Path, PathBuf};

use cli::Io;
use fs_err as fs;
use nixcmd::{Nix, NixError, resolve_root};
use nixdata::{Closure, StorePath, parse_graph};
use oci::layer::{OnConflict, PathRecipe};

use crate::args::SourceArgs;
use crate::build;
use crate::error::BuildError;
use crate::kept::Kept;
use crate::look::split_name;

/// A graph of a million paths is smaller.
const GRAPH_LIMIT: u64 = 1 << 30;

/// Everything that goes into the image.
#[derive(Debug)]
pub(crate) struct Inputs {
    /// The store paths, each once, dependencies first.
    pub(crate) store: Vec<StoreInput>,
    /// What lies outside the store, in the order given.
    pub(crate) plain: Vec<PathRecipe>,
    /// What the image is called where nobody says.
    pub(crate) name: String,
}

/// One store path of the image.
#[derive(Debug)]
pub(crate) struct StoreInput {
    pub(crate) recipe: PathRecipe,
    /// The size of its NAR, if the graph knows it.
    pub(crate) nar_size: u64,
    /// Whether it was named, or is only depended on.
    pub(crate) is_root: bool,
    /// The paths that it refers to.
    pub(crate) references: Vec<String>,
}

/// An operand, and what it turned out to be.
enum Operand {
    Store(StorePath),
    Plain(PathRecipe),
}

impl Inputs {
    /// Resolves the operands; asks nix for closures unless a graph is given or no path is in a store.
    /// Where there is more in the image anyhow, nothing need be named.
    pub(crate) fn resolve(
        args: &SourceArgs,
        has_more: bool,
        io: &mut Io,
    ) -> Result<Self, BuildError> {
        let cwd = io.env.cwd().to_owned();
        let (mut roots, mut plain) = (Vec::new(), Vec::new());
        let mut name = None;
        for path in operands(args, has_more, &cwd)? {
            match operand(&path, &cwd)? {
                Operand::Store(root) => {
                    name.get_or_insert_with(|| package_name(root.name()));
                    roots.push(root);
                }
                Operand::Plain(recipe) => {
                    let base = cwd.join(&path);
                    name.get_or_insert_with(|| base_name(&base));
                    plain.push(recipe);
                }
            }
        }
        let mut to_root = Vec::new();
        for path in &args.copy_to_root {
            let root =
                store_path(path, &cwd)?.ok_or_else(|| BuildError::NotInStore(path.clone()))?;
            name.get_or_insert_with(|| package_name(root.name()));
            to_root.push(root);
        }
        for copy in &args.copy {
            let recipe = plain_recipe(&copy.source, &cwd, |_| Ok(copy.to.clone()))?;
            name.get_or_insert_with(|| base_name(&cwd.join(&copy.source)));
            plain.push(recipe);
        }
        let store = store_inputs(args, &roots, &to_root, io)?;
        Ok(Self { store, plain, name: name.unwrap_or_else(|| "image".to_owned()) })
    }

    /// Puts roots where they belong.
    pub(crate) fn place(&mut self, roots: &[(PathBuf, String, OnConflict)]) {
        for (path, to, on_conflict) in roots {
            let store = self.store.iter_mut().map(|input| &mut input.recipe);
            let is_it = |recipe: &&mut PathRecipe| Path::new(&recipe.path) == path;
            for recipe in store.chain(&mut self.plain).filter(is_it) {
                recipe.to = Some(to.clone());
                recipe.on_conflict = *on_conflict;
            }
        }
    }
}

/// What was typed, or `./result` where nothing was.
fn operands(args: &SourceArgs, has_more: bool, cwd: &Path) -> Result<Vec<PathBuf>, BuildError> {
    if !has_more && args.paths.is_empty() && args.copy_to_root.is_empty() && args.copy.is_empty() {
        let result = PathBuf::from("./result");
        if fs::symlink_metadata(cwd.join(&result)).is_err() {
            return Err(BuildError::Nothing);
        }
        return Ok(vec![result]);
    }
    Ok(args.paths.clone())
}

fn operand(path: &Path, cwd: &Path) -> Result<Operand, BuildError> {
    if let Some(store_path) = store_path(path, cwd)? {
        return Ok(Operand::Store(store_path));
    }
    let target = |full: &Path| {
        let metadata = fs::metadata(full)
            .map_err(|source| BuildError::Look { path: path.to_owned(), source })?;
        if metadata.is_dir() {
            return Ok("/".to_owned());
        }
        let name = full.file_name().and_then(|name| name.to_str());
        Ok(format!("/{}", name.ok_or_else(|| BuildError::NotUtf8(full.to_owned()))?))
    };
    Ok(Operand::Plain(plain_recipe(path, cwd, target)?))
}

/// The store path that an operand is or leads to; none if it is outside every store.
fn store_path(path: &Path, cwd: &Path) -> Result<Option<StorePath>, BuildError> {
    match resolve_root(path, cwd) {
        Ok(found) => Ok(Some(found)),
        Err(NixError::NotInStore { .. }) => Ok(None),
        Err(NixError::Root { root, source }) => Err(BuildError::Look { path: root, source }),
        Err(error) => Err(error.into()),
    }
}

fn plain_recipe(
    path: &Path,
    cwd: &Path,
    target: impl Fn(&Path) -> Result<String, BuildError>,
) -> Result<PathRecipe, BuildError> {
    if store_path(path, cwd)?.is_some() {
        return Err(BuildError::CopyOfStorePath(path.to_owned()));
    }
    let full = cwd.join(path);
    let to = target(&full)?;
    // A link that is named means what it leads to; links further down stay links.
    let full = fs::canonicalize(&full)
        .map_err(|source| BuildError::Look { path: path.to_owned(), source })?;
    let text = full.to_str().ok_or_else(|| BuildError::NotUtf8(full.clone()))?;
    Ok(PathRecipe::plain(text, to))
}

/// The store paths that were named, each once.
pub(crate) fn read_roots(args: &SourceArgs, io: &Io) -> Result<Vec<StorePath>, BuildError> {
    let cwd = io.env.cwd();
    let mut roots = Vec::new();
    for path in operands(args, false, cwd)?.iter().chain(&args.copy_to_root) {
        let root = store_path(path, cwd)?;
        roots.push(root.ok_or_else(|| BuildError::NotInStore(path.clone()))?);
    }
    roots.sort_unstable();
    roots.dedup();
    Ok(roots)
}

/// The closure of the roots as recipes, dependencies first.
fn store_inputs(
    args: &SourceArgs,
    roots: &[StorePath],
    to_root: &[StorePath],
    io: &mut Io,
) -> Result<Vec<StoreInput>, BuildError> {
    let mut wanted: Vec<StorePath> = roots.iter().chain(to_root).cloned().collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let closure = closure(args, &wanted, io)?;
    let mut inputs = Vec::with_capacity(closure.len() + to_root.len());
    for index in closure.topological() {
        let info = &closure.paths()[index];
        let is_root = wanted.binary_search(&info.path).is_ok();
        let mut recipe = PathRecipe::new(info.path.as_str());
        recipe.nar_hash = info.nar_hash.as_ref().map(ToString::to_string);
        if to_root.contains(&info.path) {
            recipe.to = Some("/".to_owned());
        }
        let references = info.references.iter().map(ToString::to_string).collect();
        let nar_size = info.nar_size.unwrap_or(0);
        inputs.push(StoreInput { recipe, nar_size, is_root, references });
    }
    Ok(inputs)
}

pub(crate) fn closure(
    args: &SourceArgs,
    roots: &[StorePath],
    io: &mut Io,
) -> Result<Closure, BuildError> {
    let Some(file) = &args.graph else {
        let root = io.env.cwd().join(&args.store_root);
        let kept = build::cache(io).map(|cache| Kept::new(cache, roots, root));
        if let Some(closure) = kept.as_ref().and_then(Kept::get) {
            return Ok(closure);
        }
        let nix = Nix::on_path(io.env.path_var(), io.env.cwd());
        let paths: Vec<&Path> = roots.iter().map(StorePath::as_path).collect();
        let closure = nix.closure(&paths, &mut |line: &str| io.detail(format_args!("$ {line}")))?;
        if let Some(kept) = kept {
            kept.add(&closure).map_err(BuildError::Cache)?;
        }
        return Ok(closure);
    };
    let path = io.env.cwd().join(file);
    let bytes = read_limited(&path, GRAPH_LIMIT)
        .map_err(|source| BuildError::Read { path: file.clone(), source })?;
    let infos = parse_graph(&bytes, None)
        .map_err(|source| BuildError::Graph { path: file.clone(), source })?;
    let whole =
        Closure::new(infos).map_err(|source| BuildError::Closure { path: file.clone(), source })?;
    if let Some(absent) = roots.iter().find(|root| whole.get(root.as_str()).is_none()) {
        let path = absent.to_string();
        return Err(BuildError::NotInGraph { graph: file.clone(), path });
    }
    whole.of(roots).map_err(|source| BuildError::Closure { path: file.clone(), source })
}

/// Reads a file, or stdin for `-`.
pub(crate) fn read_operand(path: &Path, limit: u64, io: &mut Io) -> Result<Vec<u8>, BuildError> {
    use std::io::Read as _;
    let wrong = |source| BuildError::Read { path: path.to_owned(), source };
    if path != Path::new("-") {
        return read_limited(&io.env.cwd().join(path), limit).map_err(wrong);
    }
    let mut bytes = Vec::new();
    io.stdin()?.take(limit + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > limit {
        return Err(wrong(std::io::Error::other(format!("it is larger than {limit} bytes"))));
    }
    Ok(bytes)
}

pub(crate) fn read_limited(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(std::io::Error::other(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// A package's name without its version.
fn package_name(name: &str) -> String {
    repository_name(split_name(name).0)
}

fn base_name(path: &Path) -> String {
    let resolved = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    repository_name(&resolved.file_name().unwrap_or_default().to_string_lossy())
}

/// What a registry takes as a name: lower case, letters and digits, single separators between them.
fn repository_name(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() { "image".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_nix_and_the_registries() {
        assert_eq!(package_name("api-1.0"), "api");
        assert_eq!(package_name("python3-3.11.9-env"), "python3");
        assert_eq!(package_name("glibc-locales-2.40"), "glibc-locales");
        assert_eq!(package_name("Ghost_CLI"), "ghost-cli");
        assert_eq!(repository_name("..."), "image");
        assert_eq!(repository_name("My App!"), "my-app");
    }
}
