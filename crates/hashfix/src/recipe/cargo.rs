//! `cargo`: nixpkgs' `fetchCargoVendor`, whose hash is that of its staging folder: the lockfile, the archives of the
//! registry, and a folder for each git revision.

use std::path::Path;

use super::{Checkout, Download, Form, Plan, PlanError};
use crate::lock::CargoLock;
use crate::lock::Source;
use crate::registries::crate_url;
use crate::tree::{Content, Node};

/// Plans the staging folder.
///
/// # Errors
/// When the lockfile is broken, or a package comes from another registry.
pub(super) fn plan(path: &Path, text: &str) -> Result<Plan, PlanError> {
    let lock = CargoLock::parse(path, text)?;
    let mut plan = Plan { downloads: Vec::new(), checkouts: Vec::new(), tree: Node::directory() };
    for package in lock.packages {
        let label = format!("{} {}", package.name, package.version);
        match package.source {
            Source::CratesIo { checksum } => {
                let file = format!("tarballs/{}-{}.tar.gz", package.name, package.version);
                plan.tree.insert(&file, Node::file(Content::Download(plan.downloads.len())));
                let url = crate_url(&package.name, &package.version);
                plan.downloads.push(Download { label, url, hash: Some(checksum) });
            }
            Source::Git { url, rev } => {
                let path = format!("git/{rev}");
                // Several packages may come from one revision.
                if !plan.checkouts.iter().any(|known| known.path == path) {
                    plan.checkouts.push(Checkout { label, url, rev, path, form: Form::Tree });
                }
            }
            Source::Registry { index } => {
                return Err(PlanError::Unsupported {
                    path: path.display().to_string(),
                    what: format!(
                        "`{label}` comes from the registry `{index}`, which is not asked yet"
                    ),
                });
            }
        }
    }
    plan.tree.insert("Cargo.lock", Node::file(Content::Bytes(text.as_bytes().to_owned())));
    Ok(plan)
}
