//! Which certificate authorities are trusted.

use std::io;
use std::path::{Path, PathBuf};

use ureq::tls::{Certificate, ClientCert, PemItem, RootCerts, parse_pem};

use crate::Origin;

/// More than this in one file is no list of certificates.
const MAX_FILE: u64 = 64 << 20;

/// Where trusted certificates come from.
#[derive(Debug, Clone, Default)]
pub enum Roots {
    /// The system's own store.
    #[default]
    System,
    /// A file of PEM certificates, as `SSL_CERT_FILE` names it, in place of the system's.
    File(PathBuf),
}

/// Why there is nothing to check a server's certificate with.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    /// The file cannot be read.
    #[error("cannot read trusted certificates")]
    Read(#[source] io::Error),
    /// The file is no list of certificates.
    #[error("`{0}` has no PEM certificates")]
    Empty(PathBuf),
    /// The file is no private key.
    #[error("`{0}` has no PEM private key")]
    NoKey(PathBuf),
    /// The system has no store, or an empty one.
    #[error("this system has no trusted certificates; name a file of them in `SSL_CERT_FILE`")]
    NoneFound,
}

impl Roots {
    /// Reads them, and those of more files; some 10 ms for a system's store, so only when TLS is spoken.
    pub(crate) fn load(&self, more: &[PathBuf]) -> Result<RootCerts, RootsError> {
        let mut all = match self {
            Self::System => {
                let found = rustls_native_certs::load_native_certs().certs;
                found.iter().map(|der| Certificate::from_der(der).to_owned()).collect()
            }
            Self::File(path) => load_file(path)?,
        };
        for path in more {
            all.extend(load_file(path)?);
        }
        if all.is_empty() {
            return Err(RootsError::NoneFound);
        }
        Ok(all.into())
    }
}

/// What one host has of its own: certificates to trust beside the others, and who we are to it.
#[derive(Debug, Clone)]
pub struct HostTls {
    /// The host in lower case.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Files of certificates that are trusted for this host, too.
    pub authorities: Vec<PathBuf>,
    /// The files of a certificate and its key that we show when asked.
    pub pair: Option<(PathBuf, PathBuf)>,
    /// Whether any certificate will do.
    pub unverified: bool,
}

impl HostTls {
    pub(crate) fn is_for(&self, origin: &Origin) -> bool {
        self.host == origin.host() && self.port == origin.port()
    }

    pub(crate) fn identity(&self) -> Result<Option<ClientCert>, RootsError> {
        let Some((certificate, key)) = &self.pair else { return Ok(None) };
        let chain = load_file(certificate)?;
        let text = read(key)?;
        let key = parse_pem(&text).find_map(|item| match item {
            Ok(PemItem::PrivateKey(key)) => Some(key),
            _ => None,
        });
        let key = key.ok_or_else(|| RootsError::NoKey(self.pair.clone().unwrap_or_default().1))?;
        Ok(Some(ClientCert::new_with_certs(&chain, key)))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, RootsError> {
    let mut text = Vec::new();
    let file = fs_err::File::open(path).map_err(RootsError::Read)?;
    io::Read::read_to_end(&mut io::Read::take(file, MAX_FILE), &mut text)
        .map_err(RootsError::Read)?;
    Ok(text)
}

/// The certificates of a PEM file; other PEM items in it are passed over.
fn load_file(path: &Path) -> Result<Vec<Certificate<'static>>, RootsError> {
    let certificates: Vec<_> = parse_pem(&read(path)?)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(RootsError::Empty(path.to_owned()));
    }
    Ok(certificates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_named() {
        let error = Roots::File("/dev/null".into()).load(&[]).unwrap_err();
        assert_eq!(error.to_string(), "`/dev/null` has no PEM certificates");
        let error = Roots::File("/nonexistent/ca.pem".into()).load(&[]).unwrap_err();
        assert_eq!(error.to_string(), "cannot read trusted certificates");
    }
}
