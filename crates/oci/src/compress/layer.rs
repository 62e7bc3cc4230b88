//! The compressed layer of a recipe: made, or put together from what was made before.

use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;

use super::{CompressError, Compressed, Compression, compress_cached};
use crate::cache::{Cache, CachedBlob};
use crate::layer::{LayerError, LayerRecipe, Measured, StoreRoot};
use crate::{Digest, Hasher};

/// How a layer is made and compressed.
pub struct Making<'a> {
    /// Where store paths are read.
    pub root: &'a StoreRoot,
    /// How it is compressed.
    pub with: Compression,
    /// How many threads compress.
    pub jobs: usize,
    /// What was made before.
    pub cache: Option<&'a Cache>,
    /// Is told of the bytes of the tar as they are made.
    pub progress: &'a dyn Fn(u64),
}

impl std::fmt::Debug for Making<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Making")
            .field("root", &self.root)
            .field("with", &self.with)
            .finish_non_exhaustive()
    }
}

impl Making<'_> {
    /// Writes the compressed layer of a recipe. If all of it was made before, no file of it is read.
    ///
    /// # Errors
    /// If the layer cannot be made (then [`CompressError::Read`] holds a [`LayerError`]), compressed or written.
    pub fn layer(
        &self,
        recipe: &Arc<LayerRecipe>,
        to: &mut dyn Write,
    ) -> Result<Compressed, CompressError> {
        let codec = self.with.codec();
        let unread = |error: LayerError| CompressError::Read { source: io::Error::other(error) };
        let known = self.cache.zip(recipe.own_key()).filter(|_| self.with != Compression::None);
        let Some((cache, key)) = known else { return self.fresh(recipe, to).map(|blob| blob.made) };
        let mut prefix = Prefix::default();
        if let Some(blob) = cache.blob(codec, &key)
            && blob.members.iter().all(|member| cache.has_member(codec, member))
        {
            recipe.look(self.root).map_err(unread)?;
            if self.assemble(cache, &blob, &mut prefix, to)? {
                return Ok(blob.made);
            }
            // A member was broken: what was written so far is what is made first again.
        }
        let written = prefix.finish();
        let mut skipping = Skipping::new(to, written);
        let blob = self.fresh(recipe, &mut skipping)?;
        if !skipping.was_same() {
            cache.forget_blob(codec, &key);
            return Err(CompressError::Stale);
        }
        let unkept = |source| CompressError::Cache { source };
        cache.add_blob(codec, &key, &blob).map_err(unkept)?;
        let (diff_id, size) = (blob.made.diff_id.clone(), blob.made.tar_size);
        cache.add_measured(&key, &Measured { diff_id, size }).map_err(unkept)?;
        Ok(blob.made)
    }

    fn fresh(
        &self,
        recipe: &Arc<LayerRecipe>,
        to: &mut dyn Write,
    ) -> Result<CachedBlob, CompressError> {
        let reader = Arc::clone(recipe).open(self.root);
        let reader =
            reader.map_err(|error| CompressError::Read { source: io::Error::other(error) })?;
        let mut reader = Counted { inner: reader, progress: self.progress };
        compress_cached(&mut reader, self.with, self.jobs, self.cache, to)
    }

    /// Writes the members one after the other; whether all were there, and what they should be.
    fn assemble(
        &self,
        cache: &Cache,
        blob: &CachedBlob,
        prefix: &mut Prefix,
        to: &mut dyn Write,
    ) -> Result<bool, CompressError> {
        for id in &blob.members {
            let Some(member) = cache.member(self.with.codec(), id) else { return Ok(false) };
            to.write_all(&member).map_err(|source| CompressError::Write { source })?;
            prefix.add(&member);
        }
        let found = prefix.clone().finish();
        Ok(found == Written { digest: blob.made.digest.clone(), size: blob.made.size })
    }
}

/// What was written already.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Written {
    digest: Digest,
    size: u64,
}

#[derive(Debug, Clone, Default)]
struct Prefix {
    hasher: Hasher,
    size: u64,
}

impl Prefix {
    fn add(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
    }

    fn finish(self) -> Written {
        Written { digest: self.hasher.finish(), size: self.size }
    }
}

/// Passes on what comes behind what was written already, and looks whether that was the same.
struct Skipping<'a> {
    to: &'a mut dyn Write,
    written: Written,
    skipped: Prefix,
}

impl<'a> Skipping<'a> {
    fn new(to: &'a mut dyn Write, written: Written) -> Self {
        Self { to, written, skipped: Prefix::default() }
    }

    fn was_same(self) -> bool {
        self.skipped.finish() == self.written
    }
}

impl Write for Skipping<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.written.size - self.skipped.size;
        if left == 0 {
            return self.to.write(bytes);
        }
        let size = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        self.skipped.add(&bytes[..size]);
        Ok(size)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Tells of what is read.
pub(crate) struct Counted<'a, R> {
    pub(crate) inner: R,
    pub(crate) progress: &'a dyn Fn(u64),
}

impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, size: usize) {
        (self.progress)(size as u64);
        self.inner.consume(size);
    }
}

impl<R: BufRead> Read for Counted<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let size = self.inner.read(buf)?;
        (self.progress)(size as u64);
        Ok(size)
    }
}
