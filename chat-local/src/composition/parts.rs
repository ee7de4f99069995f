use axum::Router;
#[cfg(feature = "aws")]
use chat_data_folder::DataFolder;

#[cfg(feature = "aws")]
use super::lambda::Lambda;
use crate::integrations::Integrations;
use crate::login::IssueToken;

/// Everything but the gateway and the page.
pub(crate) struct Composition {
    pub(crate) integrations: Integrations,
    pub(crate) issue_token: IssueToken,
    /// What else the functions and the page need of this server.
    pub(crate) router: Router,
    /// Where messages are kept, in words.
    pub(crate) kept: String,
    /// What has to end after the last event was handled.
    pub(crate) resources: Resources,
}

/// What has to outlive the functions.
#[derive(Default)]
pub(crate) struct Resources {
    #[cfg(feature = "aws")]
    pub(super) lambda: Option<Lambda>,
    #[cfg(feature = "aws")]
    pub(super) data: Option<DataFolder>,
}

impl Resources {
    /// Ends it, and returns when nothing is left.
    pub(crate) async fn shutdown(self) {
        #[cfg(feature = "aws")]
        if let Some(lambda) = self.lambda {
            lambda.shutdown().await;
        }
        #[cfg(feature = "aws")]
        drop(self.data);
    }
}
