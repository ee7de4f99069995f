use std::fs;
use std::path::Path;

use chat_domain::{AttachmentKey, AttachmentStore, UserData};

use crate::AdminError;

/// What became of the images that an export names.
pub(crate) struct Objects {
    pub(crate) saved: usize,
    pub(crate) missing: Vec<AttachmentKey>,
}

/// Saves them in a folder, each in a file named by its key.
pub(crate) async fn save(
    data: &UserData,
    store: &dyn AttachmentStore,
    folder: &Path,
) -> Result<Objects, AdminError> {
    let failed = |source| AdminError::Objects { folder: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    let mut objects = Objects { saved: 0, missing: Vec::new() };
    for key in data.images() {
        match store.inspect(&key).await.map_err(|error| AdminError::Chat(error.into()))? {
            Some(object) => {
                fs::write(folder.join(key.as_str()), object.bytes).map_err(failed)?;
                objects.saved += 1;
            }
            None => objects.missing.push(key),
        }
    }
    Ok(objects)
}
