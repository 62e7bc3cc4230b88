//! The archive, as `stream_layered_image.py` writes it: the base's layers, the store's, the customisation, the
//! config and the manifest. A layer is made once, into a file without a name, while the one before is sent.

use std::fmt;
use std::io::{self, Read, Seek as _, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use fs_err as fs;

use super::json::repr;
use super::{Conf, ConfError, Json};
use crate::Digest;
use crate::layer::dockertools::outer_member;
use crate::layer::header::padding;
use crate::layer::{LayerError, LayerRecipe, Stamp, StoreRoot};
use crate::source::Sniffed;

/// What `tarfile` pads an archive to.
const RECORD: u64 = 10_240;
/// A manifest or config of a base image is smaller.
const DOCUMENT_LIMIT: u64 = 64 << 20;

/// The names of the owner of a file: what `getpwuid` and `getgrgid` say, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owner {
    /// The user's name.
    pub uname: String,
    /// The group's name.
    pub gname: String,
}

/// What the archive depends on beside the `conf.json`.
pub struct StreamOptions<'a> {
    /// Where store paths are read.
    pub root: &'a StoreRoot,
    /// Another name with its tag than the one in the `conf.json`.
    pub repo_tag: Option<&'a str>,
    /// What `now` is.
    pub now: u64,
    /// The names of the owner of the customisation layer, by user and group.
    pub owner: &'a dyn Fn(u32, u32) -> Owner,
    /// A folder for temporary files.
    pub spool: &'a Path,
    /// Is told what is being done, in the script's words.
    pub log: &'a dyn Fn(&str),
}

impl fmt::Debug for StreamOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamOptions").field("root", &self.root).finish_non_exhaustive()
    }
}

struct Layer {
    checksum: String,
    path: String,
    paths: Vec<String>,
}

/// Writes the whole archive.
///
/// # Errors
/// If something cannot be read or written.
pub fn stream(
    conf: &Conf,
    options: &StreamOptions<'_>,
    to: &mut dyn Write,
) -> Result<(), ConfError> {
    let stamp = conf.stamp(options.now)?;
    let created = conf.created(options.now)?.to_string();
    let recipes = conf.recipes(options.now)?;
    let outer = Stamp { uname: String::new(), gname: String::new(), uid: 0, gid: 0, ..stamp };
    let mut archive = Archive { to, written: 0 };
    let base = conf.from_image.as_deref().map(|path| Base::open(path, options)).transpose()?;
    let mut layers = match &base {
        None => {
            (options.log)("No 'fromImage' provided");
            Vec::new()
        }
        Some(base) => base.copy_layers(&mut archive, options.log)?,
    };
    store_layers(conf, recipes, options, &outer, &mut archive, &mut layers)?;
    (options.log)(&format!("Creating layer {} with customisation...", layers.len() + 1));
    layers.push(customisation(conf, options, &outer, &mut archive)?);
    (options.log)("Adding manifests...");
    let config = overlaid(conf.config.clone(), base.as_ref());
    let image = image_json(conf, config, &created, &layers);
    let checksum = Digest::of(&image);
    let name = format!("{}.json", checksum.encoded());
    archive.member(&name, image.as_bytes(), &outer)?;
    let repo_tag = options.repo_tag.filter(|tag| !tag.is_empty()).unwrap_or(&conf.repo_tag);
    let manifest = manifest_json(&name, repo_tag, &layers);
    archive.member("manifest.json", manifest.as_bytes(), &outer)?;
    archive.finish()?;
    (options.log)("Done.");
    Ok(())
}

fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}

fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn image_json(conf: &Conf, config: Json, created: &str, layers: &[Layer]) -> String {
    let diff_id = |layer: &Layer| text(&format!("sha256:{}", layer.checksum));
    let history = |layer: &Layer| {
        let comment = format!("store paths: {}", repr(&layer.paths));
        object([("created", text(created)), ("comment", text(&comment))])
    };
    let rootfs = object([
        ("diff_ids", Json::List(layers.iter().map(diff_id).collect())),
        ("type", text("layers")),
    ]);
    object([
        ("created", text(created)),
        ("architecture", text(&conf.architecture)),
        ("os", text("linux")),
        ("config", config),
        ("rootfs", rootfs),
        ("history", Json::List(layers.iter().map(history).collect())),
    ])
    .dump()
}

fn manifest_json(config: &str, repo_tag: &str, layers: &[Layer]) -> String {
    let layers = layers.iter().map(|layer| text(&layer.path)).collect();
    Json::List(vec![object([
        ("Config", text(config)),
        ("RepoTags", Json::List(vec![text(repo_tag)])),
        ("Layers", Json::List(layers)),
    ])])
    .dump()
}

/// The config with the variables of the base in front; of a variable that is set twice the last word counts,
/// at the first place.
fn overlaid(mut config: Json, base: Option<&Base>) -> Json {
    let Some(base) = base else { return config };
    let env = |config: Option<&Json>| -> Vec<String> {
        let list = config.and_then(|config| config.get("Env")).and_then(Json::strings);
        list.unwrap_or_default().into_iter().map(str::to_owned).collect()
    };
    let mut resolved: Vec<String> = Vec::new();
    for entry in env(base.config.get("config")).into_iter().chain(env(Some(&config))) {
        let name = |entry: &str| entry.split('=').next().unwrap_or_default().to_owned();
        match resolved.iter_mut().find(|old| name(old) == name(&entry)) {
            Some(old) => *old = entry,
            None => resolved.push(entry),
        }
    }
    if !resolved.is_empty() {
        config.set("Env", Json::List(resolved.into_iter().map(Json::String).collect()));
    }
    config
}

/// A layer that waits to be sent.
struct Waiting {
    file: fs::File,
    size: u64,
    checksum: String,
}

fn store_layers(
    conf: &Conf,
    recipes: Vec<LayerRecipe>,
    options: &StreamOptions<'_>,
    outer: &Stamp,
    archive: &mut Archive<'_>,
    layers: &mut Vec<Layer>,
) -> Result<(), ConfError> {
    let (sender, ready) = sync_channel(1);
    let (root, spool) = (options.root, options.spool);
    std::thread::scope(|scope| {
        let make = move || {
            for recipe in recipes {
                let made = spooled(recipe, root, spool);
                let failed = made.is_err();
                if sender.send(made).is_err() || failed {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("layers".to_owned())
            .spawn_scoped(scope, make)
            .map_err(|source| LayerError::Thread { source })?;
        for paths in &conf.store_layers {
            let number = layers.len() + 1;
            (options.log)(&format!("Creating layer {number} from paths: {}", repr(paths)));
            let mut waiting = ready.recv().unwrap_or(Err(LayerError::Stopped.into()))?;
            let path = format!("{}/layer.tar", waiting.checksum);
            let header = outer_member(&path, waiting.size, outer, 0o644);
            archive.copy(&header, &mut waiting.file, waiting.size, spool)?;
            let (checksum, paths) = (waiting.checksum, paths.clone());
            layers.push(Layer { checksum, path, paths });
        }
        Ok(())
    })
}

fn spooled(recipe: LayerRecipe, root: &StoreRoot, spool: &Path) -> Result<Waiting, ConfError> {
    let wrong = |source| ConfError::Spool { to: spool.to_owned(), source };
    let file = tempfile::tempfile_in(spool).map_err(wrong)?;
    let mut file = fs::File::from_parts(file, spool);
    let made = Arc::new(recipe).make(root, &mut |bytes| file.write_all(bytes));
    let made = made.map_err(|error| match error {
        LayerError::Write { source } => wrong(source),
        error => error.into(),
    })?;
    file.rewind().map_err(wrong)?;
    Ok(Waiting { file, size: made.size, checksum: made.diff_id.encoded().to_owned() })
}

fn customisation(
    conf: &Conf,
    options: &StreamOptions<'_>,
    outer: &Stamp,
    archive: &mut Archive<'_>,
) -> Result<Layer, ConfError> {
    let folder = below(options.root, &conf.customisation_layer);
    let read = |path: &Path| {
        let path = path.to_owned();
        move |source| ConfError::Read { path, source }
    };
    let checksum_file = folder.join("checksum");
    let mut checksum = String::new();
    let file = fs::File::open(&checksum_file).map_err(read(&checksum_file))?;
    file.take(1024).read_to_string(&mut checksum).map_err(read(&checksum_file))?;
    let checksum = checksum.trim().to_owned();
    if checksum.len() != 64 || !checksum.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ConfError::Checksum(checksum_file));
    }
    let tar = folder.join("layer.tar");
    let mut file = fs::File::open(&tar).map_err(read(&tar))?;
    let metadata = file.metadata().map_err(read(&tar))?;
    let Owner { uname, gname } = (options.owner)(metadata.uid(), metadata.gid());
    let (uid, gid) = (metadata.uid(), metadata.gid());
    let stamp = Stamp { uid, gid, uname, gname, ..outer.clone() };
    let path = format!("{checksum}/layer.tar");
    let mode = metadata.permissions().mode() & 0o7777;
    let header = outer_member(&path, metadata.len(), &stamp, mode);
    archive.copy(&header, &mut file, metadata.len(), &tar)?;
    Ok(Layer { checksum, path, paths: vec![conf.customisation_layer.clone()] })
}

/// Where a path of the machine is below the root.
fn below(root: &StoreRoot, path: &str) -> PathBuf {
    root.path().join(path.trim_start_matches('/'))
}

/// The archive being written.
struct Archive<'a> {
    to: &'a mut dyn Write,
    written: u64,
}

impl Archive<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), ConfError> {
        self.written += bytes.len() as u64;
        self.to.write_all(bytes).map_err(ConfError::Write)
    }

    fn member(&mut self, name: &str, bytes: &[u8], stamp: &Stamp) -> Result<(), ConfError> {
        let size = bytes.len() as u64;
        self.write(&outer_member(name, size, stamp, 0o644))?;
        self.write(bytes)?;
        self.write(&[0; 512][..padding(size)])
    }

    /// A header, so many bytes of a file, and what fills the block.
    fn copy(
        &mut self,
        header: &[u8],
        file: &mut dyn Read,
        size: u64,
        name: &Path,
    ) -> Result<(), ConfError> {
        self.write(header)?;
        let mut buffer = vec![0; 256 << 10];
        let mut left = size;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let wrong = |source| ConfError::Read { path: name.to_owned(), source };
            let read = match file.read(&mut buffer[..wanted]) {
                Ok(0) => return Err(wrong(io::ErrorKind::UnexpectedEof.into())),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(wrong(error)),
            };
            self.write(&buffer[..read])?;
            left -= read as u64;
        }
        self.write(&[0; 512][..padding(size)])
    }

    fn finish(&mut self) -> Result<(), ConfError> {
        self.write(&[0; 1024])?;
        let filled = self.written % RECORD;
        if filled > 0 {
            self.write(&vec![0; usize::try_from(RECORD - filled).unwrap_or_default()])?;
        }
        self.to.flush().map_err(ConfError::Write)
    }
}

/// The archive of a base image.
struct Base {
    path: PathBuf,
    file: fs::File,
    members: Vec<Member>,
    config: Json,
    layers: Vec<(String, String)>,
}

/// A member of it, with what Python would write of it again.
struct Member {
    name: String,
    offset: u64,
    size: u64,
    mode: u32,
    stamp: Stamp,
    target: Option<String>,
}

impl Base {
    fn open(path: &str, options: &StreamOptions<'_>) -> Result<Self, ConfError> {
        let path = below(options.root, path);
        let read = |source| ConfError::Read { path: path.clone(), source };
        let file = unpacked(&path, options.spool).map_err(read)?;
        let members = members(&file).map_err(read)?;
        let mut base = Self { path, file, members, config: Json::Null, layers: Vec::new() };
        let manifest = base.document("manifest.json")?;
        let Json::List(list) = &manifest else { return Err(base.wrong("its manifest is no list")) };
        let image = list.first().ok_or_else(|| base.wrong("its manifest is empty"))?;
        let Some(Json::String(config)) = image.get("Config") else {
            return Err(base.wrong("its manifest names no config"));
        };
        base.config = base.document(config)?;
        let layers = image.get("Layers").and_then(Json::strings);
        let diff_ids = base.config.get("rootfs").and_then(|rootfs| rootfs.get("diff_ids"));
        let (Some(layers), Some(diff_ids)) = (layers, diff_ids.and_then(Json::strings)) else {
            return Err(base.wrong("it does not say what its layers are"));
        };
        let pair = |(layer, id): (&str, &str)| {
            (layer.to_owned(), id.strip_prefix("sha256:").unwrap_or(id).to_owned())
        };
        base.layers = layers.into_iter().zip(diff_ids).map(pair).collect();
        Ok(base)
    }

    fn wrong(&self, what: &str) -> ConfError {
        ConfError::Base { path: self.path.clone(), what: what.to_owned() }
    }

    /// The last member of a name, through links.
    fn find(&self, name: &str) -> Result<&Member, ConfError> {
        let mut wanted = name.to_owned();
        for _ in 0..8 {
            let found = self.members.iter().rfind(|member| member.name == wanted);
            match found {
                Some(Member { target: Some(target), .. }) => wanted.clone_from(target),
                Some(member) => return Ok(member),
                None => break,
            }
        }
        Err(self.wrong(&format!("it has no `{name}`")))
    }

    fn document(&self, name: &str) -> Result<Json, ConfError> {
        let member = self.find(name)?;
        if member.size > DOCUMENT_LIMIT {
            return Err(self.wrong(&format!("its `{name}` is {} bytes long", member.size)));
        }
        let mut bytes = vec![0; usize::try_from(member.size).unwrap_or_default()];
        let read = |source| ConfError::Read { path: self.path.clone(), source };
        fs_err::os::unix::fs::FileExt::read_exact_at(&self.file, &mut bytes, member.offset)
            .map_err(read)?;
        serde_json::from_slice(&bytes)
            .map_err(|error| self.wrong(&format!("its `{name}` is not JSON: {error}")))
    }

    fn copy_layers(
        &self,
        archive: &mut Archive<'_>,
        log: &dyn Fn(&str),
    ) -> Result<Vec<Layer>, ConfError> {
        let mut layers = Vec::new();
        for (number, (name, checksum)) in self.layers.iter().enumerate() {
            let member = self.find(name)?;
            let header = outer_member(name, member.size, &member.stamp, member.mode);
            let mut file = self.file.file();
            file.seek(io::SeekFrom::Start(member.offset))
                .map_err(|source| ConfError::Read { path: self.path.clone(), source })?;
            archive.copy(&header, &mut file, member.size, &self.path)?;
            log(&format!("Adding base layer {} from {name}", number + 1));
            let (checksum, path) = (checksum.clone(), name.clone());
            layers.push(Layer { checksum, path, paths: vec![name.clone()] });
        }
        Ok(layers)
    }
}

/// The archive as a plain file, unpacked into the spool if it is compressed.
fn unpacked(path: &Path, spool: &Path) -> io::Result<fs::File> {
    let mut sniffed = Sniffed::new(fs::File::open(path)?)?;
    if sniffed.kind.compressor().is_none() {
        return fs::File::open(path);
    }
    sniffed = sniffed.decoded()?;
    let mut file = fs::File::from_parts(tempfile::tempfile_in(spool)?, path);
    io::copy(&mut sniffed.stream, &mut file)?;
    Ok(file)
}

fn members(file: &fs::File) -> io::Result<Vec<Member>> {
    let mut file = file.file();
    file.rewind()?;
    let mut archive = tar::Archive::new(file);
    let mut members = Vec::new();
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        let header = entry.header();
        let name =
            |text: Option<&[u8]>| String::from_utf8_lossy(text.unwrap_or_default()).into_owned();
        let target = match header.entry_type() {
            tar::EntryType::Link | tar::EntryType::Symlink => {
                entry.link_name_bytes().map(std::borrow::Cow::into_owned)
            }
            _ => None,
        };
        let own = name(Some(&entry.path_bytes()));
        let target = target.map(|target| {
            let target = name(Some(&target));
            let folder = own.rsplit_once('/').map_or("", |(folder, _)| folder);
            if header.entry_type() == tar::EntryType::Link {
                target
            } else {
                joined(folder, &target)
            }
        });
        members.push(Member {
            offset: entry.raw_file_position(),
            size: entry.size(),
            mode: header.mode()?,
            stamp: Stamp {
                mtime: header.mtime()?,
                uid: u32::try_from(header.uid()?).unwrap_or_default(),
                gid: u32::try_from(header.gid()?).unwrap_or_default(),
                uname: name(header.username_bytes()),
                gname: name(header.groupname_bytes()),
            },
            target,
            name: own,
        });
        if members.len() > 100_000 {
            return Err(io::Error::other("it has more than 100000 entries"));
        }
    }
    Ok(members)
}

/// A link's target, from the folder that the link is in.
fn joined(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
