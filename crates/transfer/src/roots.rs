//! Which certificate authorities are trusted.

use std::io;
use std::path::{Path, PathBuf};

use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

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
    /// The system has no store, or an empty one.
    #[error("this system has no trusted certificates; name a file of them in `SSL_CERT_FILE`")]
    NoneFound,
}

impl Roots {
    /// Reads them; some 10 ms for a system's store, so only when TLS is spoken.
    pub(crate) fn load(&self) -> Result<RootCerts, RootsError> {
        match self {
            Self::System => {
                let found = rustls_native_certs::load_native_certs().certs;
                if found.is_empty() {
                    return Err(RootsError::NoneFound);
                }
                Ok(found.iter().map(|der| Certificate::from_der(der).to_owned()).into())
            }
            Self::File(path) => load_file(path),
        }
    }
}

/// Makes root certificates of a PEM file; other PEM items in it are passed over.
fn load_file(path: &Path) -> Result<RootCerts, RootsError> {
    let mut text = Vec::new();
    let file = fs_err::File::open(path).map_err(RootsError::Read)?;
    io::Read::read_to_end(&mut io::Read::take(file, MAX_FILE), &mut text)
        .map_err(RootsError::Read)?;
    let certificates: Vec<_> = parse_pem(&text)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(RootsError::Empty(path.to_owned()));
    }
    Ok(certificates.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_named() {
        let error = Roots::File("/dev/null".into()).load().unwrap_err();
        assert_eq!(error.to_string(), "`/dev/null` has no PEM certificates");
        let error = Roots::File("/nonexistent/ca.pem".into()).load().unwrap_err();
        assert_eq!(error.to_string(), "cannot read trusted certificates");
    }
}
