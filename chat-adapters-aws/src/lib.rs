#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
mod attributes;
mod calls;
#[cfg(feature = "cognito")]
mod cognito_verifier;
mod connection_store;
#[cfg(feature = "create-tables")]
mod create_tables;
mod message_store;
#[cfg(feature = "api-gateway")]
mod pusher;
mod query;
mod remembering_verifier;
#[cfg(feature = "s3")]
mod s3_attachment_store;
mod tables;

pub use access::{AwsAccess, Endpoints, MissingVariable};
pub use calls::DynamoClient;
#[cfg(feature = "cognito")]
#[cfg_attr(docsrs, doc(cfg(feature = "cognito")))]
pub use cognito_verifier::CognitoVerifier;
pub use connection_store::{DynamoConnectionStore, OF_USER_MAX};
#[cfg(feature = "create-tables")]
#[cfg_attr(docsrs, doc(cfg(feature = "create-tables")))]
pub use create_tables::{CreateTablesError, create_tables, expire_connections};
pub use message_store::DynamoMessageStore;
#[cfg(feature = "api-gateway")]
#[cfg_attr(docsrs, doc(cfg(feature = "api-gateway")))]
pub use pusher::ApiGatewayPusher;
pub use remembering_verifier::{REMEMBERED_FOR, RememberingVerifier};
#[cfg(feature = "s3")]
#[cfg_attr(docsrs, doc(cfg(feature = "s3")))]
pub use s3_attachment_store::S3AttachmentStore;
pub use tables::TableNames;
