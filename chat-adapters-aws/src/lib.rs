#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod attributes;
mod calls;
mod cognito_verifier;
mod connection_store;
#[cfg(feature = "create-tables")]
mod create_tables;
mod message_store;
mod pusher;
mod query;
mod remembering_verifier;
mod s3_attachment_store;
mod tables;

pub use calls::DynamoClient;
pub use cognito_verifier::CognitoVerifier;
pub use connection_store::{DynamoConnectionStore, OF_USER_MAX};
#[cfg(feature = "create-tables")]
#[cfg_attr(docsrs, doc(cfg(feature = "create-tables")))]
pub use create_tables::{CreateTablesError, create_tables, expire_connections};
pub use message_store::DynamoMessageStore;
pub use pusher::ApiGatewayPusher;
pub use remembering_verifier::{REMEMBERED_FOR, RememberingVerifier};
pub use s3_attachment_store::S3AttachmentStore;
pub use tables::TableNames;
