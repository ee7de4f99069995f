//! One line puts a store to the contract of its port: it becomes a test for each promise.

use chat_domain::conformance::Handles;
use own_store::OwnStore;

/// Nobody else can open a store that lives in one process: a database would be opened twice, with
/// [`Handles::two`].
async fn fresh() -> Handles<OwnStore> {
    Handles::only(OwnStore::default())
}

// Nothing erases users from it.
chat_domain::message_store_conformance!(fresh, without MessageEraser);
