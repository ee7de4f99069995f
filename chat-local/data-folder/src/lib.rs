#![doc = include_str!("../README.md")]

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_local::{DynamoDb, ExpirationRule, S3};
use aws_sdk_dynamodb::config::{Credentials, Region};
use chat_adapters_aws::{AwsAccess, Endpoints};
use chat_domain::{BoxError, UPLOAD_KEPT_FOR};
use tempfile::TempDir;

const LOCK: &str = "lock";
const DATABASE: &str = "dynamodb.sqlite";
const OBJECTS: &str = "objects";

/// The name of the bucket of images.
pub const BUCKET: &str = "playground-attachments";
/// The region that the stand-ins are asked for. Any will do, since nobody outside this machine hears of it.
pub const REGION: &str = "ap-northeast-2";

/// What the names of temporary folders begin with.
const TEMPORARY: &str = "chat-local-";
/// How old the lock of a temporary folder has to be before it counts as left behind: a younger one is perhaps
/// not taken yet.
const LEFT_BEHIND_AFTER: Duration = Duration::from_secs(60);

/// The folder of a chat, locked for as long as this lives.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
    /// Removed once this is dropped.
    _temporary: Option<TempDir>,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataFolderError {
    /// Another process holds its lock.
    #[error("{}: another process uses it", .0.display())]
    InUse(
        /// The folder that is in use.
        PathBuf,
    ),
    /// The operating system refuses.
    #[error("{}: {source}", folder.display())]
    Io {
        /// The folder that cannot be used.
        folder: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl DataFolder {
    /// Opens a folder, and makes it if there is none.
    ///
    /// # Errors
    /// [`DataFolderError`].
    pub fn create(folder: &Path) -> Result<Self, DataFolderError> {
        let made = fs::create_dir_all(folder).and_then(|()| File::create(folder.join(LOCK)));
        Self::locked(folder, made, None)
    }

    /// Opens a folder that a chat has kept.
    ///
    /// # Errors
    /// [`DataFolderError`], also if there is none.
    pub fn open(folder: &Path) -> Result<Self, DataFolderError> {
        Self::locked(folder, File::options().write(true).open(folder.join(LOCK)), None)
    }

    /// A folder that is removed when this is dropped. Those of processes that were killed are removed first.
    ///
    /// # Errors
    /// [`DataFolderError`].
    pub fn temporary() -> Result<Self, DataFolderError> {
        remove_left_behind();
        let made = tempfile::Builder::new().prefix(TEMPORARY).tempdir();
        let temporary =
            made.map_err(|source| DataFolderError::Io { folder: std::env::temp_dir(), source })?;
        let folder = temporary.path().to_owned();
        Self::locked(&folder, File::create(folder.join(LOCK)), Some(temporary))
    }

    fn locked(
        folder: &Path,
        lock: io::Result<File>,
        temporary: Option<TempDir>,
    ) -> Result<Self, DataFolderError> {
        let failed = |source| DataFolderError::Io { folder: folder.to_owned(), source };
        let lock = lock.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: folder.to_owned(), _lock: lock, _temporary: temporary }),
            Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse(folder.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// The engine of the tables.
    ///
    /// # Errors
    /// What the engine says of the file.
    pub fn dynamodb(&self) -> Result<DynamoDb, BoxError> {
        Ok(DynamoDb::in_file(&self.path.join(DATABASE))?)
    }

    /// The bucket of images, which removes uploads that no message showed, as the template's bucket does. It
    /// takes requests that are signed with the credentials of `access`.
    ///
    /// # Errors
    /// What the operating system says of the folder of objects.
    pub fn bucket(&self, access: &AwsAccess) -> Result<S3, BoxError> {
        let rule = ExpirationRule { tagging: "chat-upload=pending".to_owned(), after: UPLOAD_KEPT_FOR };
        self.bucket_with(access, Some(rule))
    }

    /// The same bucket for administration: nothing in it expires meanwhile.
    ///
    /// # Errors
    /// As [`bucket`](Self::bucket).
    pub fn bucket_without_expiration(&self, access: &AwsAccess) -> Result<S3, BoxError> {
        self.bucket_with(access, None)
    }

    fn bucket_with(&self, access: &AwsAccess, rule: Option<ExpirationRule>) -> Result<S3, BoxError> {
        let (key, secret) = (access.credentials.access_key_id(), access.credentials.secret_access_key());
        Ok(S3::in_folder(&self.path.join(OBJECTS), BUCKET, key, secret, rule)?)
    }
}

/// How the stand-ins on this machine are reached. The engine of the tables looks at no key, and the bucket
/// takes only this one.
#[must_use]
pub fn local_access(secret_key: String, endpoints: Endpoints) -> AwsAccess {
    let credentials = Credentials::new("local", secret_key, None, None, "chat-data-folder");
    AwsAccess { region: Region::from_static(REGION), credentials, endpoints }
}

/// Removes the temporary folders of processes that were killed: nobody holds their locks. What cannot be
/// removed stays.
fn remove_left_behind() {
    let Ok(entries) = fs::read_dir(std::env::temp_dir()) else { return };
    for entry in entries.flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(TEMPORARY.as_bytes())
            && left_behind(&entry.path()).unwrap_or(false)
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn left_behind(folder: &Path) -> io::Result<bool> {
    let lock = File::open(folder.join(LOCK))?;
    let old = lock.metadata()?.modified()?.elapsed().is_ok_and(|age| age > LEFT_BEHIND_AFTER);
    Ok(old && lock.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_used_by_one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let missing = DataFolder::open(folder.path()).unwrap_err();
        assert!(matches!(missing, DataFolderError::Io { .. }), "{missing}");
        let held = DataFolder::create(folder.path()).unwrap();
        let refused = DataFolder::open(folder.path()).unwrap_err();
        assert!(matches!(refused, DataFolderError::InUse(_)), "{refused}");
        drop(held);
        DataFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn a_temporary_folder_goes_with_its_owner() {
        let temporary = DataFolder::temporary().unwrap();
        let path = temporary.path.clone();
        assert!(path.join(LOCK).is_file());
        drop(temporary);
        assert!(!path.exists());
    }
}
