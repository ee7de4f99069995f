use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chat_adapters_memory::MemoryAttachmentStore;
use chat_domain::conformance::attachment_store;
use chat_domain::testing::{
    AttachmentStoreCall as Call, AttachmentStoreReply as Reply, DecoratedAttachmentStore, Outcome, Port as _,
};
use chat_domain::{
    AttachmentEraser as _, AttachmentKey, AttachmentStore, ImageFacts, ImageType, SignedUrl, StoredObject,
    Timestamp, UPLOAD_KEPT_FOR,
};

use crate::harness::{Browser, RightServer, Server, accepts, at_once, parts};

crate::caught! {
    attachment_store::checks();

    an_upload_url_is_for_a_byte_more =>
        an_announced_upload_is_taken_and_seen, a_larger_or_smaller_upload_is_refused;
    every_image_is_a_png => every_type_of_image_is_taken;
    the_type_of_an_upload_is_not_looked_at => an_upload_of_another_type_is_refused;
    signatures_are_not_looked_at =>
        a_url_does_not_work_for_another_key, a_url_with_a_changed_signature_does_not_work;
    an_upload_url_works_longer => an_upload_url_works_until_it_expires;
    an_upload_url_is_a_download_url => a_download_url_does_not_upload, an_upload_url_does_not_download;

    an_upload_replaces_what_is_there =>
        a_second_upload_is_refused, a_second_url_for_the_same_key_does_not_replace_the_object,
        of_racing_uploads_of_a_key_one_is_taken, a_refused_second_upload_leaves_what_was_kept;
    keeping_touches_the_object => keeping_changes_nothing_of_an_object;

    nothing_is_kept => what_was_kept_stays;
    the_first_upload_of_a_key_counts => what_is_uploaded_anew_has_a_day_of_its_own;
    who_looks_at_an_object_keeps_it => what_nobody_kept_is_gone_after_a_day_and_not_before;

    who_saw_nothing_never_sees_anything => an_upload_is_seen_at_once_by_who_saw_nothing_before;
    a_url_is_an_upload => nothing_is_there_before_an_upload;

    what_is_uploaded_is_kept => what_nobody_kept_does_not_come_down;
    downloads_are_cut => what_was_kept_comes_down_again;
    a_download_url_works_longer => a_download_url_works_again_and_again_until_it_expires;
    only_what_is_there_has_a_download_url =>
        a_download_url_of_nothing_is_given_and_finds_nothing, a_download_url_may_be_given_before_the_upload;

    an_upload_url_has_no_headers => an_upload_url_says_when_it_expires_and_what_to_send;
    only_the_beginning_is_seen => an_object_is_shown_whole_however_short_or_long;
    every_upload_is_of_nine_o_clock => an_object_shows_when_it_was_uploaded;
    everything_can_be_kept => only_what_is_there_can_be_kept;
    a_download_url_does_not_say_when_it_expires => a_download_url_says_when_it_expires;

    a_release_does_nothing => what_was_released_does_not_come_down_any_more;
    only_what_is_there_can_be_released => what_is_not_there_can_be_released;
}

/// The browser of a store whose calls go this way.
fn wrong(
    decorate: impl for<'a> Fn(Call<'a>, &'a Arc<dyn AttachmentStore>) -> Outcome<'a, dyn AttachmentStore>
    + Send
    + Sync
    + 'static,
) -> Browser {
    Browser::of(|next| Arc::new(DecoratedAttachmentStore::new(next, decorate)), |eraser| eraser, RightServer)
}

/// The browser at a server that is wrong.
fn at(server: impl Server + 'static) -> Browser {
    Browser::of(|store| store, |eraser| eraser, server)
}

fn announcing(change: fn(ImageFacts) -> ImageFacts) -> Browser {
    wrong(move |call, next| match call {
        Call::UploadUrl { key, facts, now } => next.call(Call::UploadUrl { key, facts: change(facts), now }),
        call => next.call(call),
    })
}

/// What is seen of an object is changed.
fn seeing(change: fn(StoredObject) -> StoredObject) -> Browser {
    wrong(move |call, next| {
        Box::pin(async move {
            Ok(match next.call(call).await? {
                Reply::Inspect(object) => Reply::Inspect(object.map(change)),
                reply => reply,
            })
        })
    })
}

fn an_upload_url_is_for_a_byte_more() -> Browser {
    announcing(|facts| ImageFacts::new(facts.kind(), facts.size_bytes() + 1, 1, 1).expect("within bounds"))
}

fn every_image_is_a_png() -> Browser {
    announcing(|facts| ImageFacts::new(ImageType::Png, facts.size_bytes(), 1, 1).expect("within bounds"))
}

const A_MINUTE: Duration = Duration::from_secs(60);

/// The URL says that it expires earlier than it does.
fn works_longer(reply: Reply) -> Reply {
    match reply {
        Reply::UploadUrl(url) => {
            Reply::UploadUrl(SignedUrl { expires_at: url.expires_at.before(A_MINUTE), ..url })
        }
        Reply::DownloadUrl(url) => {
            Reply::DownloadUrl(SignedUrl { expires_at: url.expires_at.before(A_MINUTE), ..url })
        }
        reply => reply,
    }
}

fn an_upload_url_works_longer() -> Browser {
    wrong(|call, next| {
        Box::pin(async move {
            match call {
                Call::UploadUrl { key, facts, now } => next
                    .call(Call::UploadUrl { key, facts, now: now.after(A_MINUTE) })
                    .await
                    .map(works_longer),
                call => next.call(call).await,
            }
        })
    })
}

fn a_download_url_works_longer() -> Browser {
    wrong(|call, next| {
        Box::pin(async move {
            match call {
                Call::DownloadUrl { key, now } => {
                    next.call(Call::DownloadUrl { key, now: now.after(A_MINUTE) }).await.map(works_longer)
                }
                call => next.call(call).await,
            }
        })
    })
}

/// One permission is given for both.
fn an_upload_url_is_a_download_url() -> Browser {
    let facts = ImageFacts::new(ImageType::Png, 1_000, 640, 480).expect("within bounds");
    wrong(move |call, next| {
        Box::pin(async move {
            match call {
                Call::UploadUrl { key, now, .. } => next.download_url(&key, now).await.map(Reply::UploadUrl),
                Call::DownloadUrl { key, now } => {
                    next.upload_url(&key, facts, now).await.map(Reply::DownloadUrl)
                }
                call => next.call(call).await,
            }
        })
    })
}

fn the_type_of_an_upload_is_not_looked_at() -> Browser {
    struct Careless;

    impl Server for Careless {
        fn put(
            &self,
            store: &MemoryAttachmentStore,
            url: &SignedUrl,
            _: &str,
            bytes: &[u8],
            now: Timestamp,
        ) -> bool {
            accepts(store, url, "image/png", bytes, now)
        }
    }

    at(Careless)
}

fn signatures_are_not_looked_at() -> Browser {
    struct Careless;

    impl Server for Careless {
        fn get(&self, store: &MemoryAttachmentStore, url: &SignedUrl, _: Timestamp) -> Option<Vec<u8>> {
            let key = parts(url).0.parse().expect("the suite changes keys to keys");
            Some(at_once(store.inspect(&key)).expect("it is in memory")?.bytes)
        }
    }

    at(Careless)
}

fn an_upload_replaces_what_is_there() -> Browser {
    struct Replacing;

    impl Server for Replacing {
        fn put(
            &self,
            store: &MemoryAttachmentStore,
            url: &SignedUrl,
            content_type: &str,
            bytes: &[u8],
            now: Timestamp,
        ) -> bool {
            let (key, _) = parts(url);
            at_once(store.delete(&key.parse().expect("a key"))).expect("it is in memory");
            accepts(store, url, content_type, bytes, now)
        }
    }

    at(Replacing)
}

/// It goes by the day on which the key was used first.
pub(super) fn the_first_upload_of_a_key_counts() -> Browser {
    #[derive(Default)]
    struct Forgetting(Mutex<HashMap<AttachmentKey, Timestamp>>);

    impl Server for Forgetting {
        fn put(
            &self,
            store: &MemoryAttachmentStore,
            url: &SignedUrl,
            content_type: &str,
            bytes: &[u8],
            now: Timestamp,
        ) -> bool {
            let (key, _) = parts(url);
            self.0.lock().unwrap().entry(key.parse().expect("a key")).or_insert(now);
            accepts(store, url, content_type, bytes, now)
        }

        fn expire(&self, store: &MemoryAttachmentStore, now: Timestamp) {
            for (key, first) in self.0.lock().unwrap().iter() {
                if first.after(UPLOAD_KEPT_FOR) <= now {
                    at_once(store.delete(key)).expect("it is in memory");
                }
            }
        }
    }

    at(Forgetting::default())
}

/// Whatever is asked for is kept first, so that nothing is refused.
fn what_is_uploaded_is_kept() -> Browser {
    struct Keeping;

    impl Server for Keeping {
        fn get(&self, store: &MemoryAttachmentStore, url: &SignedUrl, now: Timestamp) -> Option<Vec<u8>> {
            let (key, query) = parts(url);
            at_once(store.keep(&key.parse().ok()?)).expect("it is in memory");
            store.serve_download(key, query, now).ok().map(|download| download.bytes.to_vec())
        }
    }

    at(Keeping)
}

fn downloads_are_cut() -> Browser {
    struct Cutting;

    impl Server for Cutting {
        fn get(&self, store: &MemoryAttachmentStore, url: &SignedUrl, now: Timestamp) -> Option<Vec<u8>> {
            let (key, query) = parts(url);
            let download = store.serve_download(key, query, now).ok()?;
            Some(download.bytes.iter().copied().take(100).collect())
        }
    }

    at(Cutting)
}

fn keeping_touches_the_object() -> Browser {
    let kept = Arc::new(Mutex::new(false));
    wrong(move |call, next| {
        let kept = kept.clone();
        Box::pin(async move {
            *kept.lock().unwrap() |= matches!(call, Call::Keep { .. });
            let is_kept = *kept.lock().unwrap();
            Ok(match next.call(call).await? {
                Reply::Inspect(Some(object)) if is_kept => {
                    Reply::Inspect(Some(StoredObject { uploaded_at: object.uploaded_at.next(), ..object }))
                }
                reply => reply,
            })
        })
    })
}

fn nothing_is_kept() -> Browser {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::Keep { key } = call else { return next.call(call).await };
            Ok(Reply::Keep(next.inspect(&key).await?.is_some()))
        })
    })
}

fn who_looks_at_an_object_keeps_it() -> Browser {
    wrong(|call, next| {
        Box::pin(async move {
            if let Call::Inspect { key } = &call {
                next.keep(key).await?;
            }
            next.call(call).await
        })
    })
}

fn who_saw_nothing_never_sees_anything() -> Browser {
    let absent = Arc::new(Mutex::new(Vec::<AttachmentKey>::new()));
    wrong(move |call, next| {
        let absent = absent.clone();
        Box::pin(async move {
            let Call::Inspect { key } = call else { return next.call(call).await };
            if absent.lock().unwrap().contains(&key) {
                return Ok(Reply::Inspect(None));
            }
            let object = next.inspect(&key).await?;
            if object.is_none() {
                absent.lock().unwrap().push(key.into_owned());
            }
            Ok(Reply::Inspect(object))
        })
    })
}

fn a_url_is_an_upload() -> Browser {
    let announced = Arc::new(Mutex::new(Vec::<AttachmentKey>::new()));
    wrong(move |call, next| {
        let announced = announced.clone();
        Box::pin(async move {
            match &call {
                Call::UploadUrl { key, .. } => announced.lock().unwrap().push(key.clone().into_owned()),
                Call::Inspect { key } if announced.lock().unwrap().contains(key) => {
                    let empty = StoredObject {
                        content_type: "image/png".to_owned(),
                        size_bytes: 0,
                        uploaded_at: Timestamp::MIN,
                        bytes: Vec::new(),
                    };
                    return Ok(Reply::Inspect(Some(next.inspect(key).await?.unwrap_or(empty))));
                }
                _ => {}
            }
            next.call(call).await
        })
    })
}

fn only_what_is_there_has_a_download_url() -> Browser {
    wrong(|call, next| {
        Box::pin(async move {
            if let Call::DownloadUrl { key, .. } = &call
                && next.inspect(key).await?.is_none()
            {
                return Err(chat_domain::AttachmentStoreError::Unavailable {
                    operation: "download_url",
                    source: "there is nothing".into(),
                });
            }
            next.call(call).await
        })
    })
}

fn an_upload_url_has_no_headers() -> Browser {
    wrong(|call, next| {
        Box::pin(async move {
            Ok(match next.call(call).await? {
                Reply::UploadUrl(url) => Reply::UploadUrl(SignedUrl { headers: Vec::new(), ..url }),
                reply => reply,
            })
        })
    })
}

fn only_the_beginning_is_seen() -> Browser {
    seeing(|mut object| {
        object.bytes.truncate(100_000);
        object
    })
}

fn every_upload_is_of_nine_o_clock() -> Browser {
    seeing(|object| {
        let uploaded_at = "2026-11-23T09:00:00.000Z".parse().expect("a timestamp");
        StoredObject { uploaded_at, ..object }
    })
}

fn everything_can_be_kept() -> Browser {
    wrong(|call, next| {
        Box::pin(async move {
            match next.call(call).await? {
                Reply::Keep(_) => Ok(Reply::Keep(true)),
                reply => Ok(reply),
            }
        })
    })
}

fn a_download_url_does_not_say_when_it_expires() -> Browser {
    wrong(|call, next| {
        Box::pin(async move {
            Ok(match next.call(call).await? {
                Reply::DownloadUrl(url) => {
                    Reply::DownloadUrl(SignedUrl { expires_at: Timestamp::MAX, ..url })
                }
                reply => reply,
            })
        })
    })
}

fn a_release_does_nothing() -> Browser {
    wrong(|call, next| match call {
        Call::Release { .. } => Box::pin(async { Ok(Reply::Release(())) }),
        call => next.call(call),
    })
}

fn only_what_is_there_can_be_released() -> Browser {
    wrong(|call, next| {
        Box::pin(async move {
            if let Call::Release { key } = &call
                && next.inspect(key).await?.is_none()
            {
                return Err(chat_domain::AttachmentStoreError::Unavailable {
                    operation: "release",
                    source: "there is nothing".into(),
                });
            }
            next.call(call).await
        })
    })
}
