use std::sync::{Arc, Mutex};

use chat_domain::conformance::attachment_eraser;
use chat_domain::testing::{
    AttachmentEraserCall as Call, AttachmentEraserReply as Reply, DecoratedAttachmentEraser, Outcome,
    Port as _, answer,
};
use chat_domain::{
    AttachmentEraser, AttachmentKey, AttachmentStoreError, ListedUpload, Timestamp, UploadsPage,
};

use super::attachment_store::the_first_upload_of_a_key_counts;
use crate::harness::{Browser, RightServer};

crate::caught! {
    attachment_eraser::checks();

    something_is_always_listed => where_nothing_was_uploaded_nothing_is_listed;
    a_list_is_remembered => a_list_sees_every_upload_and_deletion_before_it;
    nothing_is_listed_at_first => uploads_are_listed_by_their_keys_kept_or_not;
    what_is_absent_cannot_be_deleted => what_is_deleted_is_gone_whether_or_not_it_was_there;
    nothing_is_deleted => what_is_deleted_is_gone_whether_or_not_it_was_there;
    the_newest_are_listed_first => uploads_are_listed_by_their_keys_kept_or_not;
    a_list_begins_at_the_key => a_list_goes_on_after_a_key;
    a_list_begins_at_objects_only => a_list_goes_on_after_a_key_that_is_gone;
    a_list_ends_with_its_first_page => more_uploads_than_a_page_holds_are_listed_once_each;
    a_page_holds_everything => more_uploads_than_a_page_holds_are_listed_once_each;
    deleting_hides => what_is_uploaded_again_after_a_deletion_is_not_kept;
    the_first_upload_of_a_key_counts => what_is_uploaded_again_after_a_deletion_has_a_day_of_its_own;
}

/// The browser of an eraser whose calls go this way.
fn wrong(
    decorate: impl for<'a> Fn(Call<'a>, &'a Arc<dyn AttachmentEraser>) -> Outcome<'a, dyn AttachmentEraser>
    + Send
    + Sync
    + 'static,
) -> Browser {
    Browser::of(|store| store, |next| Arc::new(DecoratedAttachmentEraser::new(next, decorate)), RightServer)
}

/// Lists are changed, by the key after which they begin.
fn listing(change: fn(UploadsPage, Option<AttachmentKey>) -> UploadsPage) -> Browser {
    wrong(move |call, next| {
        Box::pin(async move {
            let Call::List { after } = call else { return next.call(call).await };
            Ok(Reply::List(change(next.list(after.clone()).await?, after)))
        })
    })
}

async fn all(next: &Arc<dyn AttachmentEraser>) -> UploadsPage {
    let mut all = next.list(None).await.expect("it is in memory");
    while let Some(after) = all.next.take() {
        let page = next.list(Some(after)).await.expect("it is in memory");
        all.uploads.extend(page.uploads);
        all.next = page.next;
    }
    all
}

fn a_list_is_remembered() -> Browser {
    let remembered = Arc::new(Mutex::new(None::<UploadsPage>));
    wrong(move |call, next| {
        let remembered = remembered.clone();
        Box::pin(async move {
            let Call::List { after } = call else { return next.call(call).await };
            let page = next.list(after).await?;
            Ok(Reply::List(remembered.lock().unwrap().get_or_insert(page).clone()))
        })
    })
}

fn something_is_always_listed() -> Browser {
    listing(|mut page, _| {
        if page.uploads.is_empty() {
            let tag = "0".repeat(32);
            let key = format!("{tag}-{tag}-a-{tag}.gif").parse().expect("a key");
            page.uploads.push(ListedUpload { key, size_bytes: 1, uploaded_at: Timestamp::MIN });
        }
        page
    })
}

fn nothing_is_listed_at_first() -> Browser {
    listing(|page, after| match after {
        None => UploadsPage { uploads: Vec::new(), next: None },
        Some(_) => page,
    })
}

fn what_is_absent_cannot_be_deleted() -> Browser {
    wrong(|call, next| {
        Box::pin(async move {
            if let Call::Delete { key } = &call
                && all(next).await.uploads.iter().all(|upload| upload.key != **key)
            {
                return Err(AttachmentStoreError::Unavailable {
                    operation: "delete",
                    source: "there is nothing".into(),
                });
            }
            next.call(call).await
        })
    })
}

fn nothing_is_deleted() -> Browser {
    wrong(|call, next| match &call {
        Call::Delete { .. } => answer(Ok(Reply::Delete(()))),
        Call::List { .. } => next.call(call),
    })
}

fn the_newest_are_listed_first() -> Browser {
    listing(|mut page, _| {
        page.uploads.reverse();
        page
    })
}

fn a_list_begins_at_the_key() -> Browser {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::List { after } = call else { return next.call(call).await };
            let mut page = all(next).await;
            page.uploads
                .retain(|upload| after.as_ref().is_none_or(|after| upload.key.as_str() >= after.as_str()));
            Ok(Reply::List(page))
        })
    })
}

fn a_list_begins_at_objects_only() -> Browser {
    wrong(|call, next| {
        Box::pin(async move {
            let Call::List { after } = call else { return next.call(call).await };
            let page = all(next).await;
            let is_there = page.uploads.iter().any(|upload| Some(&upload.key) == after.as_ref());
            if after.is_some() && !is_there {
                return Ok(Reply::List(UploadsPage { uploads: Vec::new(), next: None }));
            }
            next.list(after).await.map(Reply::List)
        })
    })
}

fn a_list_ends_with_its_first_page() -> Browser {
    listing(|page, _| UploadsPage { next: None, ..page })
}

fn a_page_holds_everything() -> Browser {
    wrong(|call, next| {
        Box::pin(async move {
            match call {
                Call::List { after: None } => Ok(Reply::List(all(next).await)),
                call => next.call(call).await,
            }
        })
    })
}

/// The object stays, and is kept: only lists do not show it.
fn deleting_hides() -> Browser {
    let hidden = Arc::new(Mutex::new(Vec::<AttachmentKey>::new()));
    wrong(move |call, next| {
        let hidden = hidden.clone();
        Box::pin(async move {
            match call {
                Call::Delete { key } => {
                    hidden.lock().unwrap().push(key.into_owned());
                    Ok(Reply::Delete(()))
                }
                Call::List { after } => {
                    let mut page = next.list(after).await?;
                    page.uploads.retain(|upload| !hidden.lock().unwrap().contains(&upload.key));
                    Ok(Reply::List(page))
                }
            }
        })
    })
}
