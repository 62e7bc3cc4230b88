//! The environment, read once; every variable a tool looks at is declared here.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The variables that the tools read. Nothing else in the environment changes what they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Var {
    /// `HOME`: where the defaults of the XDG folders and the credential files are.
    Home,
    /// `NO_COLOR`: when not empty, no colour is used unless `--color=always` asks for it.
    NoColor,
    /// `npm_config_registry`: the registry that npm is told to use, for the lockfiles of npm, yarn and pnpm.
    NpmConfigRegistry,
    /// `PATH`: where helper programs (nix, git, credential helpers) are looked for.
    Path,
    /// `COMPOSE_SHELL`: the shell of `pc`'s processes, by default `bash`.
    ComposeShell,
    /// `PC_ADDRESS`: where `pc` listens when a TCP port is asked for.
    PcAddress,
    /// `PC_API_TOKEN`: the token that callers of `pc`'s TCP port must show.
    PcApiToken,
    /// `PC_API_TOKEN_PATH`: the file with that token.
    PcApiTokenPath,
    /// `PC_CONFIG_FILES`: the files of `pc`'s project, with commas between them, when `-f` is not given.
    PcConfigFiles,
    /// `PC_DISABLE_DOTENV`: when set, `pc` reads no `.env`.
    PcDisableDotenv,
    /// `PC_DISABLE_TUI`: when set, and not to `false`, `pc` shows no terminal UI.
    PcDisableTui,
    /// `PC_DISABLED_PROCESSES`: processes that `pc` does not start, with commas between them.
    PcDisabledProcesses,
    /// `PC_HIDE_DISABLED_PROC`: when set, `pc` does not list disabled processes.
    PcHideDisabledProc,
    /// `PC_LOG_FILE`: the file of `pc`'s own log.
    PcLogFile,
    /// `PC_LOG_LEVEL`: how much `pc` says there.
    PcLogLevel,
    /// `PC_LOG_NO_COLOR`: when set, that log has no colours.
    PcLogNoColor,
    /// `PC_NAMESPACES`: the namespaces that `pc` runs, with commas between them.
    PcNamespaces,
    /// `PC_NO_SERVER`: when set, `pc up` cannot be asked by other programs.
    PcNoServer,
    /// `PC_NO_WATCH`: when set, `pc` restarts nothing because a file changed.
    PcNoWatch,
    /// `PC_ORDERED_SHUTDOWN`: when set, `pc` stops a process after those that depend on it.
    PcOrderedShutdown,
    /// `PC_PORT_NUM`: the TCP port of `pc`; to set it is to ask for one.
    PcPortNum,
    /// `PC_READ_ONLY`: when set, other programs may ask `pc` and change nothing.
    PcReadOnly,
    /// `PC_RECURSIVE_METRICS`: when set, the figures of a process in `pc` count its descendants.
    PcRecursiveMetrics,
    /// `PC_SHORTCUTS_FILES`: files with key bindings of `pc`'s terminal UI.
    PcShortcutsFiles,
    /// `PC_SOCKET_PATH`: the unix socket of `pc`.
    PcSocketPath,
    /// `PC_TUI_FULL_SCREEN`: when set, `pc`'s terminal UI starts with the log alone.
    PcTuiFullScreen,
    /// `PORTS_FILE`: the port registry, when `--file` is not given.
    PortsFile,
    /// `PORTS_OFFSET`: the offset of this checkout, added to the numbers that may move.
    PortsOffset,
    /// `REGISTRY`: host, and path, put before an image name that has none: `ghcr.io/org`.
    Registry,
    /// `REGISTRY_AUTH_FILE`: the one file with registry credentials to read.
    RegistryAuthFile,
    /// `REGISTRY_PASSWORD`: the password for the registry.
    RegistryPassword,
    /// `REGISTRY_USER`: the user name for the registry.
    RegistryUser,
    /// `DOCKER_CONFIG`: the folder of docker's `config.json`.
    DockerConfig,
    /// `HTTP_PROXY` (or `http_proxy`): the proxy of http requests.
    HttpProxy,
    /// `HTTPS_PROXY` (or `https_proxy`): the proxy of https requests.
    HttpsProxy,
    /// `NO_PROXY` (or `no_proxy`): hosts that are reached without a proxy.
    NoProxy,
    /// `SSL_CERT_FILE`: certificates to trust instead of the system's.
    SslCertFile,
    /// `TERM`: `dumb` means no colour and no progress line.
    Term,
    /// `TMPDIR`: where blobs wait that cannot be sent on yet, by default `/var/tmp`.
    TmpDir,
    /// `XDG_CACHE_HOME`: where caches go, by default `~/.cache`.
    XdgCacheHome,
    /// `XDG_CONFIG_HOME`: where settings are, by default `~/.config`.
    XdgConfigHome,
    /// `XDG_RUNTIME_DIR`: where podman keeps its credentials.
    XdgRuntimeDir,
    /// `XDG_STATE_HOME`: where the slots of worktrees are held, by default `~/.local/state`.
    XdgStateHome,
}

impl Var {
    /// The name as the shell knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Home => "HOME",
            Self::NoColor => "NO_COLOR",
            Self::NpmConfigRegistry => "npm_config_registry",
            Self::Path => "PATH",
            Self::ComposeShell => "COMPOSE_SHELL",
            Self::PcAddress => "PC_ADDRESS",
            Self::PcApiToken => "PC_API_TOKEN",
            Self::PcApiTokenPath => "PC_API_TOKEN_PATH",
            Self::PcConfigFiles => "PC_CONFIG_FILES",
            Self::PcDisableDotenv => "PC_DISABLE_DOTENV",
            Self::PcDisableTui => "PC_DISABLE_TUI",
            Self::PcDisabledProcesses => "PC_DISABLED_PROCESSES",
            Self::PcHideDisabledProc => "PC_HIDE_DISABLED_PROC",
            Self::PcLogFile => "PC_LOG_FILE",
            Self::PcLogLevel => "PC_LOG_LEVEL",
            Self::PcLogNoColor => "PC_LOG_NO_COLOR",
            Self::PcNamespaces => "PC_NAMESPACES",
            Self::PcNoServer => "PC_NO_SERVER",
            Self::PcNoWatch => "PC_NO_WATCH",
            Self::PcOrderedShutdown => "PC_ORDERED_SHUTDOWN",
            Self::PcPortNum => "PC_PORT_NUM",
            Self::PcReadOnly => "PC_READ_ONLY",
            Self::PcRecursiveMetrics => "PC_RECURSIVE_METRICS",
            Self::PcShortcutsFiles => "PC_SHORTCUTS_FILES",
            Self::PcSocketPath => "PC_SOCKET_PATH",
            Self::PcTuiFullScreen => "PC_TUI_FULL_SCREEN",
            Self::PortsFile => "PORTS_FILE",
            Self::PortsOffset => "PORTS_OFFSET",
            Self::Registry => "REGISTRY",
            Self::RegistryAuthFile => "REGISTRY_AUTH_FILE",
            Self::RegistryPassword => "REGISTRY_PASSWORD",
            Self::RegistryUser => "REGISTRY_USER",
            Self::DockerConfig => "DOCKER_CONFIG",
            Self::HttpProxy => "HTTP_PROXY",
            Self::HttpsProxy => "HTTPS_PROXY",
            Self::NoProxy => "NO_PROXY",
            Self::SslCertFile => "SSL_CERT_FILE",
            Self::Term => "TERM",
            Self::TmpDir => "TMPDIR",
            Self::XdgCacheHome => "XDG_CACHE_HOME",
            Self::XdgConfigHome => "XDG_CONFIG_HOME",
            Self::XdgRuntimeDir => "XDG_RUNTIME_DIR",
            Self::XdgStateHome => "XDG_STATE_HOME",
        }
    }

    /// Proxy variables are also read in lower case, as curl and git do.
    fn lower_case(self) -> Option<&'static str> {
        match self {
            Self::HttpProxy => Some("http_proxy"),
            Self::HttpsProxy => Some("https_proxy"),
            Self::NoProxy => Some("no_proxy"),
            _ => None,
        }
    }
}

/// A snapshot of the environment and the working directory.
///
/// `Debug` prints names only: values may be secrets.
#[derive(Clone, Default)]
pub struct Env {
    vars: BTreeMap<OsString, OsString>,
    cwd: PathBuf,
}

impl Env {
    /// Reads the environment of this process.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
    pub fn from_process() -> Self {
        // A working directory that is gone leaves `.`; whatever needs it fails with that name.
        let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Self { vars: std::env::vars_os().collect(), cwd }
    }

    /// Makes an environment from pairs, for tests.
    pub fn of<K: Into<OsString>, V: Into<OsString>>(
        cwd: impl Into<PathBuf>,
        vars: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let vars = vars.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { vars, cwd: cwd.into() }
    }

    /// The value of a variable; one that is set to nothing counts as not set.
    pub fn get(&self, var: Var) -> Option<&OsStr> {
        let lookup = |name: &str| self.vars.get(OsStr::new(name)).map(OsString::as_os_str);
        lookup(var.name())
            .or_else(|| var.lower_case().and_then(lookup))
            .filter(|value| !value.is_empty())
    }

    /// Whether a variable is there at all, even with nothing in it.
    pub fn is_set(&self, var: Var) -> bool {
        self.vars.contains_key(OsStr::new(var.name()))
    }

    /// The same with more variables, where they are not there yet.
    #[must_use]
    pub fn with_defaults(&self, vars: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut all = self.clone();
        for (name, value) in vars {
            all.vars.entry(name).or_insert(value);
        }
        all
    }

    /// The value of a variable that a file of the user names; set to nothing is a value.
    pub fn named(&self, name: &str) -> Option<&OsStr> {
        self.vars.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The working directory.
    pub fn cwd(&self) -> &Path {
        &self.cwd
    }

    /// The search path for helper programs.
    pub fn path_var(&self) -> Option<&OsStr> {
        self.get(Var::Path)
    }

    /// Everything, for a program that inherits it.
    pub fn all(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.vars.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// `$XDG_CACHE_HOME`, else `~/.cache`; none without a home.
    pub fn cache_home(&self) -> Option<PathBuf> {
        self.xdg(Var::XdgCacheHome, ".cache")
    }

    /// `$XDG_CONFIG_HOME`, else `~/.config`; none without a home.
    pub fn config_home(&self) -> Option<PathBuf> {
        self.xdg(Var::XdgConfigHome, ".config")
    }

    /// `$XDG_STATE_HOME`, else `~/.local/state`; none without a home.
    pub fn state_home(&self) -> Option<PathBuf> {
        self.xdg(Var::XdgStateHome, ".local/state")
    }

    fn xdg(&self, var: Var, below_home: &str) -> Option<PathBuf> {
        // The XDG specification tells programs to ignore relative values.
        let named = self.get(var).map(PathBuf::from).filter(|path| path.is_absolute());
        named.or_else(|| self.get(Var::Home).map(|home| Path::new(home).join(below_home)))
    }
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Env")
            .field("vars", &self.vars.keys().collect::<Vec<_>>())
            .field("cwd", &self.cwd)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_to_nothing_is_not_set() {
        let env = Env::of("/", [("NO_COLOR", ""), ("HOME", "/h"), ("https_proxy", "http://p")]);
        assert_eq!(env.get(Var::NoColor), None);
        assert_eq!(env.get(Var::HttpsProxy), Some(OsStr::new("http://p")));
        assert_eq!(env.cache_home(), Some(PathBuf::from("/h/.cache")));
    }

    #[test]
    fn relative_xdg_folders_are_ignored() {
        let env = Env::of("/", [("XDG_CACHE_HOME", "here"), ("HOME", "/h")]);
        assert_eq!(env.cache_home(), Some(PathBuf::from("/h/.cache")));
    }

    #[test]
    fn debug_shows_no_values() {
        let env = Env::of("/", [("REGISTRY_PASSWORD", "s3cret")]);
        assert!(!format!("{env:?}").contains("s3cret"));
    }
}
