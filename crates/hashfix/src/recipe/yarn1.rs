//! `yarn1`: nixpkgs' `fetchYarnDeps`, a flat folder of archives and the lockfile itself.
//!
//! What is a download and what a git checkout follows from the form of `resolved`, in the order of nixpkgs'
//! `fetch-yarn-deps/index.js`; the names of the files follow from the whole URL, by a pattern that is greedier than it
//! looks. Both are part of the hash.

use std::collections::BTreeMap;
use std::path::Path;

use nixdata::{Algorithm, Hash};

use super::{Checkout, Download, Form, Plan, PlanError};
use crate::lock::{LockError, YarnEntry as Entry, YarnLock};
use crate::tree::{Content, Node};

/// How the file of a `git+` dependency is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GitNames {
    WithRevision,
    Bare,
}

/// Where an entry comes from.
#[derive(Debug, PartialEq, Eq)]
enum Origin {
    Git {
        url: String,
        rev: String,
    },
    Download,
    /// A folder of the project: nothing is fetched.
    Local,
}

/// The first dependency whose file the two ways name differently.
///
/// # Errors
/// When the lockfile is broken.
pub(super) fn first_ambiguous(path: &Path, text: &str) -> Result<Option<String>, LockError> {
    let lock = YarnLock::parse(path, text)?;
    let is_git = |resolved: &Option<String>| {
        resolved.as_ref().is_some_and(|resolved| resolved.starts_with("git+"))
    };
    Ok(lock.entries.iter().find(|entry| is_git(&entry.resolved)).map(Entry::label))
}

/// Plans the folder.
///
/// # Errors
/// When the lockfile is broken, or an entry says not where it comes from.
pub(super) fn plan(path: &Path, text: &str, names: GitNames) -> Result<Plan, PlanError> {
    let lock = YarnLock::parse(path, text)?;
    // One entry for each `resolved`, and one file for each name: as in a JavaScript object, the last one stays.
    let mut wanted = BTreeMap::new();
    for entry in &lock.entries {
        let error =
            |what: String| LockError { path: path.to_owned(), line: Some(entry.line), what };
        let Some(resolved) = &entry.resolved else {
            if entry.keys.iter().any(|key| key.contains("@file:")) {
                continue;
            }
            return Err(error(format!("`{}` has no `resolved`", entry.label())).into());
        };
        let (url, fragment) = resolved.split_once('#').unwrap_or((resolved, ""));
        let origin = origin(url, fragment)
            .ok_or_else(|| error(format!("`{resolved}` is no place to fetch from")))?;
        if origin == Origin::Local {
            continue;
        }
        let mut name = file_name(url);
        if url.starts_with("git+") && names == GitNames::WithRevision {
            name = format!("{name}-{fragment}");
        }
        if name.is_empty() || matches!(name.as_str(), "." | "..") || name.contains('/') {
            return Err(error(format!("`{resolved}` gives no file name")).into());
        }
        let same = wanted.insert(name.clone(), (entry, url, fragment, origin));
        // The same archive may be named with its SHA-1 and without; two revisions are two trees.
        if let Some((_, other, other_fragment, origin)) = same {
            let is_git = matches!(origin, Origin::Git { .. });
            if other != url || (is_git && other_fragment != fragment) {
                let what = format!("`{resolved}` and `{other}#{other_fragment}` are both `{name}`");
                return Err(error(what).into());
            }
        }
    }

    let mut plan = Plan { downloads: Vec::new(), checkouts: Vec::new(), tree: Node::directory() };
    for (name, (entry, url, fragment, origin)) in wanted {
        let label = entry.label();
        if let Origin::Git { url, rev } = origin {
            plan.checkouts.push(Checkout { label, url, rev, path: name, form: Form::Tar });
            continue;
        }
        let hash = hash(entry.integrity.as_deref(), fragment).map_err(|what| LockError {
            path: path.to_owned(),
            line: Some(entry.line),
            what: format!("the integrity of `{label}`: {what}"),
        })?;
        plan.tree.insert(&name, Node::file(Content::Download(plan.downloads.len())));
        plan.downloads.push(Download { label, url: url.to_owned(), hash });
    }
    plan.tree.insert("yarn.lock", Node::file(Content::Bytes(text.as_bytes().to_owned())));
    Ok(plan)
}

/// Where an entry comes from; none where nothing can be fetched.
fn origin(url: &str, fragment: &str) -> Option<Origin> {
    let last = url.rsplit('/').next().unwrap_or_default();
    let parts: Vec<&str> = url.split('/').collect();
    let git = |url: String, rev: &str| Some(Origin::Git { url, rev: rev.to_owned() });
    if url.starts_with("file:") {
        return Some(Origin::Local);
    }
    if url.starts_with("https://codeload.github.com/")
        && url.contains("/tar.gz/")
        && parts.len() > 4
    {
        return git(format!("https://github.com/{}/{}.git", parts[3], parts[4]), last);
    }
    if url.starts_with("https://github.com/")
        && url.ends_with(".tar.gz")
        && (parts.len() <= 5 || parts[5] == "archive")
        && parts.len() > 4
    {
        let rev = last.strip_suffix(".tar.gz").unwrap_or(last);
        return git(format!("https://github.com/{}/{}.git", parts[3], parts[4]), rev);
    }
    if is_git(url, fragment) {
        return git(url.strip_prefix("git+").unwrap_or(url).to_owned(), fragment);
    }
    url.starts_with("https://").then_some(Origin::Download)
}

fn is_git(url: &str, fragment: &str) -> bool {
    let is_web = url.starts_with("https:") || url.starts_with("http:");
    if url.starts_with("git:")
        || url.starts_with("ssh:")
        || (url.starts_with("git+") && url["git+".len()..].contains(':'))
        || (is_web && url.rsplit_once('.').is_some_and(|(_, end)| end == "git"))
        || (is_web && url.contains(".git#") && !fragment.is_empty())
    {
        return true;
    }
    let Some((_, rest)) = url.split_once("://") else { return false };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let is_forge = matches!(host, "github.com" | "gitlab.com" | "bitbucket.com" | "bitbucket.org");
    is_forge && path.split('/').filter(|part| !part.is_empty()).count() == 2
}

/// What a download must be: the lockfile's `integrity`, else the SHA-1 behind the `#`, else nothing is known.
fn hash(integrity: Option<&str>, fragment: &str) -> Result<Option<Hash>, String> {
    let Some(integrity) = integrity else {
        let is_sha1 = fragment.len() == 40 && fragment.bytes().all(|byte| byte.is_ascii_hexdigit());
        return Ok(is_sha1.then(|| Hash::parse_with(fragment, Algorithm::Sha1).ok()).flatten());
    };
    let mut strongest: Option<Hash> = None;
    for text in integrity.split_ascii_whitespace() {
        // Options may follow a question mark; a function that is not known here proves nothing.
        let text = text.split('?').next().unwrap_or_default();
        if text.starts_with("sha384-") || text.starts_with("md5-") {
            continue;
        }
        let hash: Hash = text.parse().map_err(|fault: nixdata::HashError| fault.to_string())?;
        strongest = strongest.into_iter().chain([hash]).max_by_key(Hash::algorithm);
    }
    strongest.map(Some).ok_or_else(|| format!("`{integrity}` has no hash that is known here"))
}

/// The name that `fetchYarnDeps` gives a URL.
fn file_name(url: &str) -> String {
    if url.starts_with("git+") || url.starts_with("https://codeload.github.com/") {
        return url.rsplit('/').next().unwrap_or_default().to_owned();
    }
    without_host(url).replace(['@', '/', '%', ':', '-'], "_")
}

/// Leaves out what the pattern `https://(.)*(.com)/` matches: its dots are any character, and it takes all it can.
fn without_host(url: &str) -> String {
    let mut from = 0;
    while let Some(begin) = url[from..].find("https://").map(|at| from + at) {
        let rest = begin + "https://".len();
        let end =
            url[rest..].rfind("com/").filter(|&at| at >= 1).map(|at| rest + at + "com/".len());
        if let Some(end) = end {
            return format!("{}{}", &url[..begin], &url[end..]);
        }
        from = rest;
    }
    url.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_fetch_yarn_deps() {
        for (url, name) in [
            (
                "https://registry.example.com/@types/svgo/-/svgo-0.7.0.tgz",
                "_types_svgo___svgo_0.7.0.tgz",
            ),
            (
                "https://registry.example.org/x/-/x-1.tgz",
                "https___registry.example.org_x___x_1.tgz",
            ),
            ("https://a.com/b.com/c-1.tgz", "c_1.tgz"),
            // The dot of the pattern is any character.
            ("https://telecom/x-1.tgz", "x_1.tgz"),
            ("https://com/x-1.tgz", "https___com_x_1.tgz"),
            ("git+https://github.com/caolan/async", "async"),
            ("https://codeload.github.com/caolan/async/tar.gz/fc9b", "fc9b"),
            ("https://github.com/a/b/archive/v1.tar.gz", "a_b_archive_v1.tar.gz"),
        ] {
            assert_eq!(file_name(url), name, "{url}");
        }
    }

    #[test]
    fn where_an_entry_comes_from() {
        let git =
            |url: &str, rev: &str| Some(Origin::Git { url: url.to_owned(), rev: rev.to_owned() });
        for (url, fragment, expected) in [
            (
                "https://codeload.github.com/a/b/tar.gz/0a",
                "",
                git("https://github.com/a/b.git", "0a"),
            ),
            (
                "https://github.com/a/b/archive/v1.tar.gz",
                "",
                git("https://github.com/a/b.git", "v1"),
            ),
            ("https://github.com/a/b/releases/download/1/x.tar.gz", "", Some(Origin::Download)),
            ("git+https://x/y", "0a", git("https://x/y", "0a")),
            ("git+ssh://git@x/y.git", "0a", git("ssh://git@x/y.git", "0a")),
            ("https://x/y.git", "0a", git("https://x/y.git", "0a")),
            ("https://gitlab.com/a/b", "0a", git("https://gitlab.com/a/b", "0a")),
            ("https://gitlab.com/a/b/c", "0a", Some(Origin::Download)),
            ("https://x/y.tgz", "0a", Some(Origin::Download)),
            ("file:vendor/x", "", Some(Origin::Local)),
            ("http://x/y.tgz", "", None),
        ] {
            assert_eq!(origin(url, fragment), expected, "{url}");
        }
    }

    #[test]
    fn what_cannot_be_fetched_is_named() {
        let error = |text| plan(Path::new("y"), text, GitNames::Bare).err().unwrap().to_string();
        assert_eq!(error("a@1:\n  version \"1\"\n"), "y:1: `a 1` has no `resolved`");
        let two =
            "\na@1:\n  resolved \"git+https://x/y#1\"\na@2:\n  resolved \"git+https://x/y#2\"\n";
        assert_eq!(error(two), "y:4: `git+https://x/y#2` and `git+https://x/y#1` are both `y`");
        assert!(plan(Path::new("y"), two, GitNames::WithRevision).is_ok());
    }
}
