//! The distribution protocol: <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md>.

use oci::Digest;
use serde_json::Value;

use super::state::{State, Upload};
use super::{Answer, Received};

/// Does what a request asks for.
pub(super) fn answer(request: &Received, body: &[u8], state: &mut State) -> Answer {
    let Some(rest) = request.path.strip_prefix("/v2/") else {
        return Answer::html(404, "404 Not Found");
    };
    if rest.is_empty() {
        return Answer::new(200).header("Docker-Distribution-API-Version", "registry/2.0");
    }
    if let Some((repository, upload)) = rest.split_once("/blobs/uploads/") {
        return blob_upload(request, repository, upload, body, state);
    }
    if let Some((repository, digest)) = rest.split_once("/blobs/") {
        return blob(request, repository, digest, state);
    }
    if let Some((repository, reference)) = rest.split_once("/manifests/") {
        return match request.method.as_str() {
            "GET" | "HEAD" => manifest(repository, reference, state),
            "PUT" => put_manifest(request, repository, reference, body, state),
            "DELETE" if !reference.contains(':') => unsupported(),
            "DELETE" if state.remove_manifest(repository, reference) => Answer::new(202),
            "DELETE" => Answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown"),
            _ => unsupported(),
        };
    }
    if let Some(repository) = rest.strip_suffix("/tags/list") {
        if !state.has_repository(repository) {
            return Answer::error(404, "NAME_UNKNOWN", "repository name not known to registry");
        }
        return tags(request, repository, state);
    }
    Answer::error(404, "NAME_UNKNOWN", "no such thing")
}

/// A page of tags, with a link to the next one.
fn tags(request: &Received, repository: &str, state: &State) -> Answer {
    let last = parameter(&request.query, "last").unwrap_or_default();
    let all = state.tags(repository);
    let mut page: Vec<_> = all.into_iter().filter(|tag| *tag > last).collect();
    let more = page.len() > state.page;
    page.truncate(state.page);
    let body = serde_json::json!({"name": repository, "tags": page}).to_string();
    let answer = Answer::new(200).body(body.into_bytes());
    match page.last().filter(|_| more) {
        Some(last) => {
            answer.header("Link", format!("</v2/{repository}/tags/list?last={last}>; rel=\"next\""))
        }
        None => answer,
    }
}

fn unsupported() -> Answer {
    Answer::error(405, "UNSUPPORTED", "the operation is unsupported")
}

fn blob(request: &Received, repository: &str, digest: &str, state: &State) -> Answer {
    match (request.method.as_str(), state.blob(repository, digest)) {
        ("GET" | "HEAD", Some(bytes)) => Answer::new(200)
            .header("Content-Type", "application/octet-stream")
            .header("Docker-Content-Digest", digest)
            .body(bytes.clone()),
        ("GET" | "HEAD", None) => Answer::error(404, "BLOB_UNKNOWN", "blob unknown to registry"),
        _ => unsupported(),
    }
}

fn blob_upload(
    request: &Received,
    repository: &str,
    id: &str,
    body: &[u8],
    state: &mut State,
) -> Answer {
    if request.method == "POST" && id.is_empty() {
        let from = parameter(&request.query, "from").unwrap_or_default();
        let mounted = parameter(&request.query, "mount").filter(|_| !state.no_mounts);
        if let Some(digest) = mounted.filter(|digest| state.blob(&from, digest).is_some()) {
            state.link(repository, &digest);
            return created(repository, "blobs", &digest);
        }
        return next_step(repository, Vec::new(), state).header("Range", "0-0");
    }
    // A location is good once: whoever comes back to it, or changed its query, is told so.
    let Some(upload) = state.uploads.remove(id) else {
        return Answer::error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    };
    let digest = match request.query.strip_prefix(&upload.query).map(|rest| rest.strip_prefix('&'))
    {
        Some(Some(rest)) => parameter(rest, "digest"),
        Some(None) if request.query == upload.query => None,
        _ => return Answer::error(400, "BLOB_UPLOAD_INVALID", "the query of the location changed"),
    };
    let mut bytes = upload.bytes;
    let range = format!("0-{}", bytes.len().saturating_sub(1));
    if request.method == "GET" {
        let mut status = next_step(repository, bytes, state).header("Range", range);
        status.status = 204;
        return status;
    }
    let start = request
        .header("content-range")
        .map(|range| range.split('-').next() == Some(&bytes.len().to_string()));
    if start == Some(false) {
        let mut wrong = next_step(repository, bytes, state).header("Range", range);
        wrong.status = 416;
        return wrong;
    }
    bytes.extend_from_slice(body);
    match (request.method.as_str(), digest) {
        ("PATCH", None) => {
            let range = format!("0-{}", bytes.len().saturating_sub(1));
            next_step(repository, bytes, state).header("Range", range)
        }
        ("PUT", Some(digest)) => {
            let parsed = digest.parse::<Digest>().ok();
            let algorithm = parsed.as_ref().and_then(Digest::algorithm);
            let found = algorithm.map(|algorithm| {
                let mut hasher = oci::Hasher::new(algorithm);
                hasher.update(&bytes);
                hasher.finish()
            });
            if found.is_none() || found != parsed {
                return Answer::error(400, "DIGEST_INVALID", "provided digest did not match");
            }
            state.blobs.insert(digest.clone(), bytes);
            state.link(repository, &digest);
            created(repository, "blobs", &digest)
        }
        ("DELETE", None) => Answer::new(204),
        _ => unsupported(),
    }
}

/// 202 with a new location, whose query has all that clients like to rewrite.
fn next_step(repository: &str, bytes: Vec<u8>, state: &mut State) -> Answer {
    let id = format!("u{}", state.next_upload);
    let query = format!("_state={}%2Fz+a==&k=2&b=1", state.next_upload);
    state.next_upload += 1;
    let location = format!("http://{}/v2/{repository}/blobs/uploads/{id}?{query}", state.address);
    state.uploads.insert(id, Upload { query, bytes });
    let answer = Answer::new(202).header("Location", location);
    match state.chunk_minimum {
        0 => answer,
        bytes => answer.header("OCI-Chunk-Min-Length", bytes.to_string()),
    }
}

fn created(repository: &str, kind: &str, digest: &str) -> Answer {
    Answer::new(201)
        .header("Location", format!("/v2/{repository}/{kind}/{digest}"))
        .header("Docker-Content-Digest", digest)
}

fn manifest(repository: &str, reference: &str, state: &State) -> Answer {
    match state.manifest(repository, reference) {
        Some((media_type, bytes)) => Answer::new(200)
            .header("Content-Type", media_type)
            .header("Docker-Content-Digest", Digest::of(&bytes).to_string())
            .body(bytes),
        None => Answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown"),
    }
}

fn put_manifest(
    request: &Received,
    repository: &str,
    reference: &str,
    body: &[u8],
    state: &mut State,
) -> Answer {
    let invalid = |message: &str| Answer::error(400, "MANIFEST_INVALID", message);
    let Ok(document) = serde_json::from_slice::<Value>(body) else {
        return invalid("the manifest is not JSON");
    };
    let media_type = request.content_type.clone().unwrap_or_default();
    if document.get("mediaType").and_then(Value::as_str) != Some(&media_type) {
        return invalid("the content type is not the media type");
    }
    let digest = Digest::of(body).to_string();
    if reference.contains(':') && reference != digest {
        return Answer::error(400, "DIGEST_INVALID", "provided digest did not match");
    }
    let layers = document.get("layers").and_then(Value::as_array).into_iter().flatten();
    for blob in document.get("config").into_iter().chain(layers) {
        let digest = blob.get("digest").and_then(Value::as_str).unwrap_or_default();
        if state.blob(repository, digest).is_none() && blob.get("urls").is_none() {
            return Answer::error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
        }
    }
    let children = document.get("manifests").and_then(Value::as_array).into_iter().flatten();
    for child in children {
        let digest = child.get("digest").and_then(Value::as_str).unwrap_or_default();
        if state.manifest(repository, digest).is_none() {
            return Answer::error(400, "MANIFEST_BLOB_UNKNOWN", "manifest unknown to registry");
        }
    }
    state.set_manifest(repository, [reference, &digest], &(media_type, body.to_vec()));
    created(repository, "manifests", &digest)
}

/// A parameter of a query, decoded.
fn parameter(query: &str, name: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    Some(super::auth::decoded(value))
}
