use std::sync::Arc;

use chat_domain::{
    AccessChange, ChangeAccess, ChatError, Cut, CutConnections, Email, Erasure, Pause, User, UserStore,
};
use tokio::time::sleep;

use crate::report::{self, ErasedAgain};
use crate::{AdminError, Stores, eraser, now};

/// How often connections are listed: once, and once more after the index has caught up.
const LOOKS: usize = 2;

/// Changes whether a user is admitted, or with which account, and then ends their connections.
pub(crate) async fn change_and_cut(
    stores: &Stores,
    action: &'static str,
    email: &Email,
    change: &AccessChange,
) -> Result<String, AdminError> {
    let cut = sockets(stores)?;
    let user = ChangeAccess::new(stores.users.clone()).execute(email, change, now()?).await?;
    let cut = all_of(&cut, stores, email).await?;
    Ok(report::of_user(action, &user, Some(cut)))
}

pub(crate) async fn resume(stores: &Stores, email: &Email) -> Result<String, AdminError> {
    let change = ChangeAccess::new(stores.users.clone());
    let user = change.execute(email, &AccessChange::Resume, now()?).await?;
    Ok(report::of_user("resume", &user, None))
}

pub(crate) async fn disconnect(stores: &Stores, email: &Email) -> Result<String, AdminError> {
    let cut = all_of(&sockets(stores)?, stores, email).await?;
    let user = stores.users.get(email).await.map_err(ChatError::from)?;
    let user = user.unwrap_or_else(|| User::unknown(email.clone()));
    Ok(report::of_user("disconnect", &user, Some(cut)))
}

fn sockets(stores: &Stores) -> Result<CutConnections, AdminError> {
    let pusher = stores.pusher.clone().ok_or(AdminError::NoCallbackUrl)?;
    Ok(CutConnections::new(stores.connections.clone(), pusher))
}

async fn all_of(cut: &CutConnections, stores: &Stores, email: &Email) -> Result<Cut, AdminError> {
    let mut all = Cut::default();
    for look in 0..LOOKS {
        if look > 0 {
            sleep(stores.index_lag).await;
        }
        let Cut { found, closed, gone, failed } = cut.execute(email).await?;
        all.found += found;
        all.closed += closed;
        all.gone += gone;
        all.failed += failed;
    }
    Ok(all)
}

/// Erases everybody again who was erased, and has not used the address since.
pub(crate) async fn replay_erasures(stores: &Stores, pause: Arc<dyn Pause>) -> Result<String, AdminError> {
    let erase = eraser(stores, pause);
    let (mut again, mut used_again, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let page = stores.users.list(after).await.map_err(ChatError::from)?;
        for user in page.users {
            match user.erasure {
                None => {}
                Some(Erasure { used_again_at: Some(_), .. }) => used_again.push(user),
                Some(Erasure { at, used_again_at: None }) => {
                    let found = erase.find(&user.email).await?;
                    if !found.is_nothing() {
                        // The note keeps its time: it says when the user asked for it.
                        let removed = erase.execute(&user.email, at).await?;
                        let remaining = erase.find(&user.email).await?;
                        again.push(ErasedAgain { email: user.email, removed, remaining });
                    }
                }
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let is_done = again.iter().all(|one| one.remaining.is_nothing());
    let receipt = report::replayed(&again, &used_again);
    if is_done { Ok(receipt) } else { Err(AdminError::Remains(receipt)) }
}
