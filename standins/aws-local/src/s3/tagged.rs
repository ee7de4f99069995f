use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectTaggingInput, DeleteObjectTaggingOutput,
    GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, ListObjectsV2Input,
    ListObjectsV2Output, PutObjectInput, PutObjectOutput, PutObjectTaggingInput, PutObjectTaggingOutput,
};
use s3s::{Body, S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;
use tokio::sync::Mutex;

use super::ExpirationRule;

/// Objects in files, and beside them the tags that those bear who were uploaded with any: files named for
/// their objects.
pub(super) struct Tagged {
    files: FileSystem,
    folder: PathBuf,
    tags: PathBuf,
    rule: Option<ExpirationRule>,
    /// One object is written at a time: the file system looks whether there is one before it writes, and not
    /// again.
    writing: Mutex<()>,
}

impl Tagged {
    pub(super) fn new(files: FileSystem, folder: &Path, rule: Option<ExpirationRule>) -> io::Result<Self> {
        let tags = folder.join(".tags");
        fs::create_dir_all(&tags)?;
        Ok(Self { files, folder: folder.to_owned(), tags, rule, writing: Mutex::default() })
    }

    /// Where the file system keeps an object's type and its checksums. It leaves both there when the object
    /// is deleted.
    fn sidecars(&self, bucket: &str, key: &str) -> [PathBuf; 2] {
        let [bucket, key] = [bucket, key].map(|name| URL_SAFE_NO_PAD.encode(name));
        ["metadata", "internal"]
            .map(|kind| self.folder.join(format!(".bucket-{bucket}.object-{key}.{kind}.json")))
    }

    fn tag(&self, bucket: &str, key: &str) -> PathBuf {
        let name = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        self.tags.join(format!("{}.{}", name(bucket), name(key)))
    }

    fn untag(&self, bucket: &str, key: &str) -> S3Result<()> {
        remove(&self.tag(bucket, key))
    }

    async fn exists(&self, bucket: &str, key: &str) -> bool {
        let head = HeadObjectInput { bucket: bucket.into(), key: key.into(), ..HeadObjectInput::default() };
        self.files.head_object(request(head)).await.is_ok()
    }

    /// Whether an object bears the tag of the rule.
    fn is_hidden(&self, bucket: &str, key: &str) -> S3Result<bool> {
        let Some(rule) = &self.rule else { return Ok(false) };
        match fs::read_to_string(self.tag(bucket, key)) {
            Ok(tagging) => Ok(tagging == rule.tagging),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(internal(error)),
        }
    }

    /// Deletes what the rule names.
    async fn expire(&self) -> S3Result<()> {
        let Some(ExpirationRule { tagging, after }) = &self.rule else { return Ok(()) };
        for tag in fs::read_dir(&self.tags).map_err(internal)? {
            let tag = tag.map_err(internal)?;
            let written = tag.metadata().and_then(|tag| tag.modified()).map_err(internal)?;
            let age = SystemTime::now().duration_since(written).unwrap_or_default();
            let name = tag.file_name();
            let object = name.to_str().and_then(|name| name.split_once('.'));
            let Some((bucket, key)) = object.filter(|_| age >= *after) else { continue };
            if fs::read_to_string(tag.path()).map_err(internal)? != *tagging {
                continue;
            }
            let [bucket, key] =
                [bucket, key].map(|name| percent_decode_str(name).decode_utf8_lossy().into_owned());
            let delete = DeleteObjectInput { bucket, key, ..DeleteObjectInput::default() };
            self.delete_object(request(delete)).await?;
        }
        Ok(())
    }
}

fn remove(file: &Path) -> S3Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(internal(error)),
        _ => Ok(()),
    }
}

fn internal(error: io::Error) -> S3Error {
    s3_error!(error, InternalError)
}

/// A request of this stand-in to itself.
fn request<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: http::Method::GET,
        uri: http::Uri::default(),
        headers: http::HeaderMap::default(),
        extensions: http::Extensions::default(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}

#[async_trait::async_trait]
impl S3 for Tagged {
    async fn put_object(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        // Of two uploads to one key, the one that has arrived whole first is stored, whichever began first.
        // No upload is longer than it said.
        if let Some(body) = request.input.body.take() {
            let mut body = Body::from(body);
            body.store_all_limited(usize::MAX)
                .await
                .map_err(|error| S3Error::with_source(S3ErrorCode::IncompleteBody, error))?;
            request.input.body = Some(body.into());
        }
        let _writing = self.writing.lock().await;
        self.expire().await?;
        let PutObjectInput { bucket, key, tagging, .. } = &request.input;
        let (bucket, key) = (bucket.clone(), key.clone());
        // What is there bears the tags it bears; the upload will be refused, or replace it.
        let tagged = match tagging {
            Some(tagging) if !self.exists(&bucket, &key).await => {
                // The tag is written before the object, because an object without its tag would stay for
                // ever.
                fs::write(self.tag(&bucket, &key), tagging).map_err(internal)?;
                true
            }
            _ => false,
        };
        let put = self.files.put_object(request).await;
        if put.is_err() && tagged && !self.exists(&bucket, &key).await {
            self.untag(&bucket, &key)?;
        }
        put
    }

    async fn put_object_tagging(
        &self,
        request: S3Request<PutObjectTaggingInput>,
    ) -> S3Result<S3Response<PutObjectTaggingOutput>> {
        let PutObjectTaggingInput { bucket, key, tagging, .. } = request.input;
        let _writing = self.writing.lock().await;
        if !self.exists(&bucket, &key).await {
            return Err(s3_error!(NoSuchKey));
        }
        let tags = tagging.tag_set.iter().map(|tag| {
            format!("{}={}", tag.key.as_deref().unwrap_or_default(), tag.value.as_deref().unwrap_or_default())
        });
        fs::write(self.tag(&bucket, &key), tags.collect::<Vec<_>>().join("&")).map_err(internal)?;
        Ok(S3Response::new(PutObjectTaggingOutput::default()))
    }

    async fn delete_object_tagging(
        &self,
        request: S3Request<DeleteObjectTaggingInput>,
    ) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
        let DeleteObjectTaggingInput { bucket, key, .. } = request.input;
        if !self.exists(&bucket, &key).await {
            return Err(s3_error!(NoSuchKey));
        }
        self.untag(&bucket, &key)?;
        Ok(S3Response::new(DeleteObjectTaggingOutput::default()))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
        let deleted = self.files.delete_object(request).await?;
        for sidecar in self.sidecars(&bucket, &key) {
            remove(&sidecar)?;
        }
        self.untag(&bucket, &key)?;
        Ok(deleted)
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let is_presigned = request.uri.query().is_some_and(|query| query.contains("X-Amz-Signature="));
        if is_presigned && self.is_hidden(&request.input.bucket, &request.input.key)? {
            return Err(s3_error!(AccessDenied));
        }
        self.files.get_object(request).await
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.files.head_object(request).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.files.list_objects_v2(request).await
    }
}
