//! Store paths as packages: a name and a version.

use std::collections::{BTreeMap, BTreeSet};

use super::{LookError, Subject, Tar, entries};

/// The store path that a name in an image is in or is: `HASH-NAME`.
pub(crate) fn package(name: &[u8]) -> Option<&str> {
    let below = name.strip_prefix(b"nix/store/")?;
    let base = str::from_utf8(below.split(|b| *b == b'/').next()?).ok()?;
    let (hash, name) = base.split_once('-')?;
    (hash.len() == 32 && !name.is_empty()).then_some(base)
}

/// A package's name and version by Nix's rule: the version begins at the first dash before a non-letter.
pub(crate) fn split_name(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let at = (1..bytes.len()).find(|&at| bytes[at - 1] == b'-' && !bytes[at].is_ascii_alphabetic());
    at.map_or((text, ""), |at| (&text[..at - 1], &text[at..]))
}

/// The store paths of an image, `HASH-NAME`.
pub(crate) fn of_image(subject: &Subject) -> Result<BTreeSet<String>, LookError> {
    let mut out = BTreeSet::new();
    for (number, layer) in subject.layers.iter().enumerate() {
        if let Tar::Recipe(recipe, _) = &layer.tar {
            let paths = recipe.paths.iter().filter(|path| !path.plain);
            let names =
                paths.filter_map(|path| package(path.path.trim_start_matches('/').as_bytes()));
            out.extend(names.map(str::to_owned));
            continue;
        }
        entries::of_layer(subject, number, &mut |name, _| {
            if let Some(base) = package(&name)
                && !out.contains(base)
            {
                out.insert(base.to_owned());
            }
            Ok(())
        })?;
    }
    Ok(out)
}

/// By name, the versions with their hashes.
pub(crate) fn by_name(packages: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<(String, String)>> {
    let mut out: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for base in packages {
        let Some((hash, rest)) = base.split_once('-') else { continue };
        let (name, version) = split_name(rest);
        out.entry(name.to_owned()).or_default().insert((version.to_owned(), hash.to_owned()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_as_nix_does() {
        assert_eq!(split_name("openssl-3.0.1"), ("openssl", "3.0.1"));
        assert_eq!(split_name("glibc-locales-2.40-7"), ("glibc-locales", "2.40-7"));
        assert_eq!(split_name("hello"), ("hello", ""));
        let base = "0123456789abcdfghijklmnpqrsvwxyz-hello-2.12";
        let inside = format!("nix/store/{base}/bin/hello");
        assert_eq!(package(inside.as_bytes()), Some(base));
        assert_eq!(package(b"nix/store/short-x/bin"), None);
        assert_eq!(package(b"etc/passwd"), None);
    }
}
