//! What a plan needs is brought here: from the cache, from a registry, out of git repositories.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use cli::Progress;
use nixdata::nar::{Digester, NarId};
use nixdata::{Algorithm, Hash};
use transfer::{CallError, Cancel, Client, Expected, Method, Request, Url, UrlError, Verified};

use crate::gnutar;
use crate::objects::{Object, Objects};
use crate::recipe::{Checkout, Download, Form, Plan};
use crate::registries::Registries;
use crate::tree::{Content, Node, TreeError};

/// A download is tried so often; only what may pass by itself is tried again.
const TRIES: u32 = 4;
/// An archive that is larger is refused: the largest ones on the public registry have some hundred megabytes.
const MAX_ARCHIVE: u64 = 4 << 30;

/// Why a part of the output is not here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The lockfile's URL cannot be asked.
    #[error("`{label}`: `{url}` cannot be fetched")]
    Url {
        label: String,
        url: String,
        #[source]
        source: UrlError,
    },
    /// No usable answer.
    #[error("{label}")]
    Call {
        /// With its integrity, as the package may be gone for ever.
        label: String,
        #[source]
        source: Box<CallError>,
    },
    /// The answer is not what the lockfile says, or broke off.
    #[error("`{label}` from {url}")]
    Body {
        label: String,
        url: Url,
        #[source]
        source: io::Error,
    },
    /// It is not in the cache, and nothing may be fetched.
    #[error("{missing} of {total} packages are not in the cache (`{label}` is the first)")]
    Offline { label: String, missing: usize, total: usize },
    /// Git has not what the lockfile names.
    #[error("`{label}`")]
    Git {
        label: String,
        #[source]
        source: gitcmd::GitError,
    },
    /// The cache, or what is made of a checkout.
    #[error("failed to write a part of the output")]
    Write(#[source] io::Error),
    /// Reading the output back, or writing its NAR.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// What fetching may use.
pub(crate) struct Fetcher<'a> {
    pub(crate) client: &'a Client,
    pub(crate) registries: &'a Registries,
    pub(crate) objects: &'a Objects,
    /// For checkouts; it is empty and ours.
    pub(crate) scratch: &'a Path,
    pub(crate) offline: bool,
    pub(crate) jobs: usize,
}

/// What was found where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fetched {
    /// The hash and the size of the output's NAR.
    pub(crate) id: NarId,
    pub(crate) packages: usize,
    pub(crate) downloads: usize,
    pub(crate) bytes: u64,
}

/// The downloads of a plan, as they come.
struct Arrivals {
    slots: Mutex<(Vec<Option<Object>>, bool)>,
    changed: Condvar,
}

impl Arrivals {
    fn put(&self, number: usize, object: Object) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.0[number] = Some(object);
        self.changed.notify_all();
    }

    /// Nothing more will come.
    fn close(&self) {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.changed.notify_all();
    }

    fn wait(&self, number: usize) -> Option<Object> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match (&slots.0[number], slots.1) {
                (Some(object), _) => return Some(object.clone()),
                (None, true) => return None,
                (None, false) => {}
            }
            slots = self.changed.wait(slots).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Fetcher<'_> {
    /// Fetches what a plan needs and writes its NAR to `out`, hashing what is there while the rest is fetched.
    ///
    /// # Errors
    /// The first thing that cannot be had.
    pub(crate) fn run(
        &self,
        mut plan: Plan,
        out: impl io::Write + Send,
        progress: &Progress,
    ) -> Result<Fetched, FetchError> {
        self.check_offline(&plan)?;
        for checkout in &plan.checkouts {
            let node = self.checkout(checkout)?;
            plan.tree.insert(&checkout.path, node);
        }
        let arrivals = Arrivals {
            slots: Mutex::new((vec![None; plan.downloads.len()], false)),
            changed: Condvar::new(),
        };
        let (count, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        let (tree, downloads) = (&plan.tree, &plan.downloads);
        let (id, fetched) = thread::scope(|scope| {
            let hashing = scope.spawn(|| tree.write(Digester::new(out), &|n| arrivals.wait(n)));
            let numbers: Vec<usize> = (0..downloads.len()).collect();
            let fetched = transfer::parallel(
                self.jobs,
                &numbers,
                |_| 0,
                |&number, cancel| {
                    let (object, is_new) = self.object(&downloads[number], cancel)?;
                    if is_new {
                        count.fetch_add(1, Ordering::Relaxed);
                        bytes.fetch_add(object.size, Ordering::Relaxed);
                        progress.add(object.size);
                    }
                    arrivals.put(number, object);
                    Ok::<(), FetchError>(())
                },
            );
            arrivals.close();
            (hashing.join(), fetched)
        });
        fetched?;
        // A panic there is one here.
        let digester = id.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(Fetched {
            id: digester.finish().0,
            packages: plan.downloads.len() + plan.checkouts.len(),
            downloads: usize::try_from(count.into_inner()).unwrap_or(usize::MAX),
            bytes: bytes.into_inner(),
        })
    }

    fn check_offline(&self, plan: &Plan) -> Result<(), FetchError> {
        if !self.offline {
            return Ok(());
        }
        let is_here = |download: &&Download| {
            download.hash.is_some_and(|hash| self.objects.get(&hash).is_some())
        };
        let missing: Vec<&str> = plan
            .downloads
            .iter()
            .filter(|download| !is_here(download))
            .map(|download| download.label.as_str())
            .chain(plan.checkouts.iter().map(|checkout| checkout.label.as_str()))
            .collect();
        match missing.first() {
            None => Ok(()),
            Some(first) => Err(FetchError::Offline {
                label: (*first).to_owned(),
                missing: missing.len(),
                total: plan.downloads.len() + plan.checkouts.len(),
            }),
        }
    }

    /// One download, and whether it went over the network.
    fn object(&self, download: &Download, cancel: &Cancel) -> Result<(Object, bool), FetchError> {
        if let Some(object) = download.hash.and_then(|hash| self.objects.get(&hash)) {
            return Ok((object, false));
        }
        let url = self.registries.resolve(&download.url).map_err(|source| FetchError::Url {
            label: download.label.clone(),
            url: download.url.clone(),
            source,
        })?;
        let mut wait = Duration::from_millis(500);
        let mut tries = TRIES;
        loop {
            tries -= 1;
            match self.download(download, &url) {
                Ok(object) => return Ok((object, true)),
                Err(error) if tries == 0 || cancel.is_cancelled() || !may_pass(&error) => {
                    return Err(error);
                }
                Err(_) => {
                    thread::sleep(wait);
                    wait *= 2;
                }
            }
        }
    }

    fn download(&self, download: &Download, url: &Url) -> Result<Object, FetchError> {
        let label = || download.label.clone();
        let with_hash = || match &download.hash {
            Some(hash) => format!("`{}` ({hash})", download.label),
            None => format!("`{}`", download.label),
        };
        let credential = self.registries.credential(url);
        let request = Request::new(Method::GET, url.clone()).credential(credential.as_ref());
        let response = self
            .client
            .send(&request)
            .map_err(|source| FetchError::Call { label: with_hash(), source: Box::new(source) })?;
        if response.status().as_u16() != 200 {
            return Err(FetchError::Call {
                label: with_hash(),
                source: Box::new(response.into_error()),
            });
        }
        let body = io::Read::take(response.reader(), MAX_ARCHIVE);
        let stored = match download.hash {
            Some(hash) => self.objects.put(Some(&hash), Verified::new(body, expected(&hash), None)),
            None => self.objects.put(None, body),
        };
        stored.map_err(|source| FetchError::Body { label: label(), url: url.clone(), source })
    }

    /// A git revision as it stands in the output.
    fn checkout(&self, checkout: &Checkout) -> Result<Node, FetchError> {
        let folder = tempfile::tempdir_in(self.scratch).map_err(FetchError::Write)?.keep();
        let with_submodules = checkout.form == Form::Tree;
        gitcmd::checkout(&checkout.url, &checkout.rev, &folder, with_submodules)
            .map_err(|source| FetchError::Git { label: checkout.label.clone(), source })?;
        match checkout.form {
            Form::Tree => on_disk(&folder).map_err(FetchError::Write),
            Form::Tar => {
                let mut path = folder.clone().into_os_string();
                path.push(".tar");
                let path = PathBuf::from(path);
                gnutar::write(&folder, &path).map_err(FetchError::Write)?;
                Ok(Node::file(Content::Path(path)))
            }
        }
    }
}

/// Whether another try may help: the network, a busy server, an answer that broke off.
fn may_pass(error: &FetchError) -> bool {
    match error {
        FetchError::Call { source, .. } => match &**source {
            CallError::Status { status, .. } => {
                status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
            }
            CallError::NoAnswer { .. } | CallError::Answer { .. } => true,
            _ => false,
        },
        // What came whole and is wrong will be wrong again; `Verified` marks it so.
        FetchError::Body { source, .. } => {
            !matches!(source.kind(), io::ErrorKind::InvalidData | io::ErrorKind::StorageFull)
        }
        _ => false,
    }
}

fn expected(hash: &Hash) -> Expected {
    let digest = hash.digest();
    // A hash has as many bytes as its function; MD5 is in no lockfile that is read here.
    match hash.algorithm() {
        Algorithm::Sha512 => Expected::Sha512(digest.try_into().unwrap_or([0; 64])),
        Algorithm::Sha256 => Expected::Sha256(digest.try_into().unwrap_or([0; 32])),
        Algorithm::Sha1 | Algorithm::Md5 => Expected::Sha1(digest.try_into().unwrap_or([0; 20])),
    }
}

/// A folder on disk as a node.
fn on_disk(folder: &Path) -> io::Result<Node> {
    use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
    use std::os::unix::fs::PermissionsExt as _;
    let mut entries = std::collections::BTreeMap::new();
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        let node = if kind.is_dir() {
            on_disk(&path)?
        } else if kind.is_symlink() {
            Node::Symlink(fs_err::read_link(&path)?.into_os_string().into_vec())
        } else {
            let executable = entry.metadata()?.permissions().mode() & 0o100 != 0;
            Node::File { executable, content: Content::Path(path) }
        };
        entries.insert(entry.file_name().as_bytes().to_owned(), node);
    }
    Ok(Node::Directory(entries))
}
