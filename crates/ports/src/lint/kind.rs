//! What kind of text a file is, by its name: what a comment is in it, and how a setting is written.

use std::path::Path;

/// A kind of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Nix,
    Yaml,
    /// YAML for docker-compose, whose lists of two numbers are ports.
    Containers,
    Json,
    /// Settings: TOML, ini, `.env`, units of systemd.
    Config,
    /// Shell scripts, justfiles, Makefiles.
    Script,
    Code(Comments),
    Prose,
    /// The text of a string in another file.
    Embedded,
}

/// Names of files that package managers write.
const WRITTEN: [&str; 5] =
    ["package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "go.sum", "go.work.sum"];

/// How a comment starts that lasts to the end of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comments {
    None,
    /// `#`, at the start of a line or after a blank.
    Hash,
    /// `#`, before anything else on its line.
    HashLine,
    /// `//`, at the start of a line or after a blank.
    Slashes,
}

impl Kind {
    /// The kind of a file; none for what is written by programs only.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        // A name that is not UTF-8 still has an ending.
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
        if WRITTEN.contains(&&*name)
            || matches!(ending, "lock" | "lockb" | "map" | "svg" | "sum")
            || [".min.js", ".min.mjs", ".min.css"].iter().any(|end| name.ends_with(end))
        {
            return None;
        }
        let is_yaml = matches!(ending, "yaml" | "yml");
        if is_yaml && (name.starts_with("docker-compose") || name.starts_with("compose.")) {
            return Some(Self::Containers);
        }
        if stem == ".env" || name.starts_with(".env.") || matches!(&*name, ".env" | "procfile") {
            return Some(Self::Config);
        }
        let by_name = matches!(
            &*name,
            ".envrc"
                | "justfile"
                | ".justfile"
                | "makefile"
                | "gnumakefile"
                | "dockerfile"
                | "containerfile"
        );
        if by_name || name.starts_with("dockerfile.") {
            return Some(Self::Script);
        }
        Some(match ending {
            "nix" => Self::Nix,
            _ if is_yaml => Self::Yaml,
            "json" | "jsonc" | "json5" | "webmanifest" => Self::Json,
            "toml" | "ini" | "conf" | "cfg" | "cnf" | "env" | "properties" | "service"
            | "socket" | "tf" | "tfvars" | "hcl" | "desktop" => Self::Config,
            "sh" | "bash" | "zsh" | "ksh" | "fish" | "just" | "mk" | "dockerfile" => Self::Script,
            "md" | "markdown" | "mdx" | "txt" | "rst" | "adoc" | "org" | "html" | "htm" => {
                Self::Prose
            }
            "py" | "rb" | "pl" | "pm" | "r" | "ex" | "exs" | "jl" | "nu" | "tcl" => {
                Self::Code(Comments::Hash)
            }
            "rs" | "go" | "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" | "java"
            | "kt" | "kts" | "scala" | "swift" | "c" | "h" | "cc" | "cpp" | "hpp" | "cs"
            | "dart" | "zig" | "vue" | "svelte" | "proto" | "gradle" | "groovy" | "jsonnet"
            | "libsonnet" => Self::Code(Comments::Slashes),
            _ => Self::Code(Comments::None),
        })
    }

    /// How a comment starts.
    pub(crate) fn comments(self) -> Comments {
        match self {
            Self::Nix | Self::Yaml | Self::Containers | Self::Config | Self::Script => {
                Comments::Hash
            }
            Self::Embedded => Comments::HashLine,
            Self::Json => Comments::Slashes,
            Self::Code(comments) => comments,
            Self::Prose => Comments::None,
        }
    }

    /// Whether it is YAML.
    pub(crate) fn is_yaml(self) -> bool {
        matches!(self, Self::Yaml | Self::Containers)
    }

    /// Whether `port`, in small letters, is the name of a setting wherever it has a value. Elsewhere it may be a
    /// variable, or a word.
    pub(crate) fn is_settings(self) -> bool {
        match self {
            Self::Nix
            | Self::Yaml
            | Self::Containers
            | Self::Json
            | Self::Config
            | Self::Script => true,
            Self::Code(_) | Self::Prose | Self::Embedded => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell() {
        let of = |name: &str| Kind::of(Path::new(name));
        for name in
            ["a/flake.lock", "yarn.lock", "package-lock.json", "go.sum", "x.min.js", "a.SVG"]
        {
            assert_eq!(of(name), None, "{name}");
        }
        for name in [".env", "a/.env.local", "prod.env", "redis.conf", "x.service"] {
            assert_eq!(of(name), Some(Kind::Config), "{name}");
        }
        for name in ["Justfile", ".envrc", "Dockerfile.dev", "run.sh"] {
            assert_eq!(of(name), Some(Kind::Script), "{name}");
        }
        assert_eq!(of("LICENSE"), Some(Kind::Code(Comments::None)));
        assert_eq!(of("README.md"), Some(Kind::Prose));
        assert_eq!(of("ci.yml"), Some(Kind::Yaml));
        assert_eq!(of("process-compose.yaml"), Some(Kind::Yaml));
        assert_eq!(of("docker-compose.dev.yml"), Some(Kind::Containers));
    }
}
