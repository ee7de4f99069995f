use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::fmt::Write as _;
use std::ops::Bound;
use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use bytes::Bytes;
use chat_domain::{
    AttachmentEraser, AttachmentKey, AttachmentStore, AttachmentStoreError, DOWNLOAD_URL_LIFETIME,
    IMAGE_MAX_BYTES, ImageFacts, ListedUpload, SignedUrl, StoredObject, Timestamp, UPLOAD_KEPT_FOR,
    UPLOAD_URL_LIFETIME, UploadsPage,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How many bytes all objects may have together: 256 MiB, some 800 pictures as phones send them, or 25 of the
/// largest.
pub const OBJECTS_MAX_BYTES: u64 = 256 * 1024 * 1024;

const LOOKED_AT: usize = IMAGE_MAX_BYTES as usize;

const NOT_POISONED: &str = "nothing panics while it holds the lock of the objects";

/// Uploaded objects in memory, behind URLs that carry their own permission.
///
/// An HTTP server makes the URLs work: for `PUT <base>/<key>?<query>` it calls
/// [`accept_upload`](Self::accept_upload), for `GET <base>/<key>?<query>`
/// [`serve_download`](Self::serve_download), and gives both the key and the query as they stand in the
/// request.
///
/// - The URL's signature is an HMAC-SHA-256 over the method, the key, the expiry and, for an upload, type and
///   length. So nothing needs to be remembered of a URL, and a request that differs from what was announced
///   has no valid signature.
/// - Objects that are [kept](AttachmentStore::keep) stay until the process ends; others are deleted by the
///   first upload that comes [`UPLOAD_KEPT_FOR`] later. Beyond [`OBJECTS_MAX_BYTES`] uploads are refused.
#[derive(Clone)]
pub struct MemoryAttachmentStore {
    storage: Arc<ObjectStorage>,
}

/// What all clones of a store share.
struct ObjectStorage {
    base_url: String,
    mac: Hmac<Sha256>,
    objects: RwLock<Objects>,
}

#[derive(Default)]
struct Objects {
    by_key: BTreeMap<String, Object>,
    /// The keys of all uploads, the oldest first, until it is known whether they stay.
    uploads: VecDeque<(Timestamp, String)>,
    total_bytes: u64,
}

struct Object {
    download: Download,
    uploaded_at: Timestamp,
    kept: bool,
}

impl Objects {
    /// Deletes what nobody kept in time.
    fn forget(&mut self, now: Timestamp) {
        let settled = self.uploads.partition_point(|(at, _)| at.after(UPLOAD_KEPT_FOR) <= now);
        for (at, key) in self.uploads.drain(..settled) {
            // An object that was deleted and uploaded again meanwhile has a later time, and stays.
            if let Entry::Occupied(object) = self.by_key.entry(key)
                && !object.get().kept
                && object.get().uploaded_at == at
            {
                self.total_bytes -= length(&object.remove().download.bytes);
            }
        }
    }
}

/// An object to be sent to whoever asked for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Download {
    /// The content type it was uploaded with.
    pub content_type: String,
    /// All of it. Cloning is cheap.
    pub bytes: Bytes,
}

/// Why [`accept_upload`](MemoryAttachmentStore::accept_upload) refuses, as S3 would. Nothing was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UploadRefused {
    /// The URL is not one of ours, or the request differs in key, type or length from what the URL was made
    /// for.
    #[error("the signature does not cover this upload")]
    Signature,
    /// The URL works no more.
    #[error("the upload URL has expired")]
    Expired,
    /// There is an object under the key already.
    #[error("the object exists already")]
    Exists,
    /// All objects together would have more than [`OBJECTS_MAX_BYTES`].
    #[error("the store is full: it holds at most {OBJECTS_MAX_BYTES} bytes")]
    Full,
}

/// Why [`serve_download`](MemoryAttachmentStore::serve_download) refuses, as S3 would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadRefused {
    /// The URL is not one of ours, or was made for another key.
    #[error("the signature does not cover this download")]
    Signature,
    /// The URL works no more.
    #[error("the download URL has expired")]
    Expired,
    /// Nothing was uploaded under the key, or nobody has kept it.
    #[error("there is no such object that is kept")]
    Missing,
}

/// What a URL permits.
enum Permission<'a> {
    Upload { content_type: &'a str, size_bytes: u64 },
    Download,
}

/// What is wrong with a URL.
enum BadUrl {
    Signature,
    Expired,
}

impl MemoryAttachmentStore {
    /// An empty store whose URLs begin with `base_url`, which does not end in a slash. `secret` is 256 random
    /// bits: who knows them can make URLs.
    #[must_use]
    pub fn new(base_url: impl Into<String>, secret: [u8; 32]) -> Self {
        let mac = Hmac::new_from_slice(&secret).expect("an HMAC takes a key of any length");
        let storage = ObjectStorage { base_url: base_url.into(), mac, objects: RwLock::default() };
        Self { storage: Arc::new(storage) }
    }

    /// Stores what was sent to an upload URL. The server that the URLs lead to calls it.
    ///
    /// # Errors
    /// [`UploadRefused`].
    pub fn accept_upload(
        &self,
        key: &str,
        query: &str,
        content_type: &str,
        bytes: Bytes,
        now: Timestamp,
    ) -> Result<(), UploadRefused> {
        let size_bytes = length(&bytes);
        self.check(key, query, &Permission::Upload { content_type, size_bytes }, now).map_err(
            |bad| match bad {
                BadUrl::Signature => UploadRefused::Signature,
                BadUrl::Expired => UploadRefused::Expired,
            },
        )?;
        let mut objects = self.storage.objects.write().expect(NOT_POISONED);
        objects.forget(now);
        let total_bytes = objects.total_bytes + size_bytes;
        let download = Download { content_type: content_type.to_owned(), bytes };
        match objects.by_key.entry(key.to_owned()) {
            Entry::Occupied(_) => return Err(UploadRefused::Exists),
            Entry::Vacant(_) if total_bytes > OBJECTS_MAX_BYTES => return Err(UploadRefused::Full),
            Entry::Vacant(vacant) => vacant.insert(Object { download, uploaded_at: now, kept: false }),
        };
        objects.uploads.push_back((now, key.to_owned()));
        objects.total_bytes = total_bytes;
        Ok(())
    }

    /// The object that a download URL permits to see. The server that the URLs lead to calls it.
    ///
    /// # Errors
    /// [`DownloadRefused`].
    pub fn serve_download(
        &self,
        key: &str,
        query: &str,
        now: Timestamp,
    ) -> Result<Download, DownloadRefused> {
        self.check(key, query, &Permission::Download, now).map_err(|bad| match bad {
            BadUrl::Signature => DownloadRefused::Signature,
            BadUrl::Expired => DownloadRefused::Expired,
        })?;
        let objects = self.storage.objects.read().expect(NOT_POISONED);
        let kept = objects.by_key.get(key).filter(|object| object.kept);
        kept.map(|object| object.download.clone()).ok_or(DownloadRefused::Missing)
    }

    fn sign(&self, key: &AttachmentKey, permission: &Permission<'_>, expires_at: Timestamp) -> String {
        let mut url = format!("{}/{key}?expires={expires_at}&signature=", self.storage.base_url);
        for byte in self.mac(key.as_str(), permission, expires_at).finalize().into_bytes() {
            write!(url, "{byte:02x}").expect("a String takes everything");
        }
        url
    }

    fn check(
        &self,
        key: &str,
        query: &str,
        permission: &Permission<'_>,
        now: Timestamp,
    ) -> Result<(), BadUrl> {
        let (expires_at, signature) = parse_query(query).ok_or(BadUrl::Signature)?;
        let mac = self.mac(key, permission, expires_at);
        mac.verify_slice(&signature).map_err(|_| BadUrl::Signature)?;
        if now >= expires_at { Err(BadUrl::Expired) } else { Ok(()) }
    }

    /// One line for each part, none of which holds a line break unless the request was made up; then the
    /// signature differs, because the number of lines does.
    fn mac(&self, key: &str, permission: &Permission<'_>, expires_at: Timestamp) -> Hmac<Sha256> {
        let text = match permission {
            Permission::Upload { content_type, size_bytes } => {
                format!("PUT\n{expires_at}\n{size_bytes}\n{key}\n{content_type}")
            }
            Permission::Download => format!("GET\n{expires_at}\n{key}"),
        };
        self.storage.mac.clone().chain_update(text)
    }
}

fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).expect("a length fits 64 bits")
}

/// Reads `expires=<timestamp>&signature=<64 hexadecimal digits>`, exactly as it was written.
fn parse_query(query: &str) -> Option<(Timestamp, [u8; 32])> {
    let (expires_at, digits) = query.strip_prefix("expires=")?.split_once("&signature=")?;
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    let mut signature = [0; 32];
    for (place, byte) in signature.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).ok()?;
    }
    Some((expires_at.parse().ok()?, signature))
}

#[async_trait]
impl AttachmentStore for MemoryAttachmentStore {
    async fn upload_url(
        &self,
        key: &AttachmentKey,
        facts: ImageFacts,
        now: Timestamp,
    ) -> Result<SignedUrl, AttachmentStoreError> {
        let content_type = facts.kind().as_str();
        let expires_at = now.after(UPLOAD_URL_LIFETIME);
        let permission = Permission::Upload { content_type, size_bytes: facts.size_bytes() };
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Ok(SignedUrl { url: self.sign(key, &permission, expires_at), headers, expires_at })
    }

    async fn inspect(&self, key: &AttachmentKey) -> Result<Option<StoredObject>, AttachmentStoreError> {
        let objects = self.storage.objects.read().expect(NOT_POISONED);
        Ok(objects.by_key.get(key.as_str()).map(|object| StoredObject {
            content_type: object.download.content_type.clone(),
            size_bytes: length(&object.download.bytes),
            uploaded_at: object.uploaded_at,
            bytes: object.download.bytes.iter().copied().take(LOOKED_AT).collect(),
        }))
    }

    async fn keep(&self, key: &AttachmentKey) -> Result<bool, AttachmentStoreError> {
        let mut objects = self.storage.objects.write().expect(NOT_POISONED);
        let object = objects.by_key.get_mut(key.as_str());
        Ok(object.map(|object| object.kept = true).is_some())
    }

    async fn release(&self, key: &AttachmentKey) -> Result<(), AttachmentStoreError> {
        let mut objects = self.storage.objects.write().expect(NOT_POISONED);
        // It was uploaded long ago as a rule, and could be deleted at any time from now on.
        if let Some(object) = objects.by_key.remove(key.as_str()) {
            objects.total_bytes -= length(&object.download.bytes);
        }
        Ok(())
    }

    async fn download_url(
        &self,
        key: &AttachmentKey,
        now: Timestamp,
    ) -> Result<SignedUrl, AttachmentStoreError> {
        let expires_at = now.after(DOWNLOAD_URL_LIFETIME);
        let url = self.sign(key, &Permission::Download, expires_at);
        Ok(SignedUrl { url, headers: Vec::new(), expires_at })
    }
}

/// How many objects a page of a list has.
const LISTED_AT_ONCE: usize = 1_000;

#[async_trait]
impl AttachmentEraser for MemoryAttachmentStore {
    async fn list(&self, after: Option<AttachmentKey>) -> Result<UploadsPage, AttachmentStoreError> {
        let objects = self.storage.objects.read().expect(NOT_POISONED);
        let start = after.as_ref().map_or(Bound::Unbounded, |key| Bound::Excluded(key.as_str()));
        let mut rest = objects.by_key.range::<str, _>((start, Bound::Unbounded));
        let listed = rest.by_ref().filter_map(|(key, object)| {
            let (key, uploaded_at) = (key.parse().ok()?, object.uploaded_at);
            Some(ListedUpload { key, size_bytes: length(&object.download.bytes), uploaded_at })
        });
        let uploads: Vec<_> = listed.take(LISTED_AT_ONCE).collect();
        let next = uploads.last().map(|last| last.key.clone()).filter(|_| rest.next().is_some());
        Ok(UploadsPage { uploads, next })
    }

    async fn delete(&self, key: &AttachmentKey) -> Result<(), AttachmentStoreError> {
        let mut objects = self.storage.objects.write().expect(NOT_POISONED);
        if let Some(object) = objects.by_key.remove(key.as_str()) {
            objects.total_bytes -= length(&object.download.bytes);
        }
        Ok(())
    }
}

/// Shows the length alone.
impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Download").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for MemoryAttachmentStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects = self.storage.objects.read().expect(NOT_POISONED);
        f.debug_struct("MemoryAttachmentStore")
            .field("objects", &objects.by_key.len())
            .field("total_bytes", &objects.total_bytes)
            .finish_non_exhaustive()
    }
}
