#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "dynamodb")]
mod access;
mod attributes;
#[cfg(feature = "dynamodb")]
mod calls;
#[cfg(feature = "s3")]
mod cloudfront_signer;
#[cfg(feature = "cognito")]
mod cognito_verifier;
mod connection_store;
#[cfg(feature = "create-tables")]
mod create_tables;
#[cfg(feature = "dynamodb")]
mod dynamo_client;
pub mod items;
mod message_store;
#[cfg(feature = "cognito")]
mod pool_keys;
#[cfg(feature = "api-gateway")]
mod pusher;
mod query;
mod remembering_verifier;
mod report_store;
#[cfg(feature = "s3")]
mod s3_attachment_store;
mod tables;
mod user_store;

#[cfg(feature = "dynamodb")]
#[cfg_attr(docsrs, doc(cfg(feature = "dynamodb")))]
pub use access::{AwsAccess, Endpoints, MissingVariable};
#[cfg(feature = "s3")]
#[cfg_attr(docsrs, doc(cfg(feature = "s3")))]
pub use cloudfront_signer::{CloudFrontKeyError, CloudFrontSigner};
#[cfg(feature = "cognito")]
#[cfg_attr(docsrs, doc(cfg(feature = "cognito")))]
pub use cognito_verifier::CognitoVerifier;
pub use connection_store::{CONNECTION_ROWS_MAX, DynamoConnectionStore};
#[cfg(feature = "create-tables")]
#[cfg_attr(docsrs, doc(cfg(feature = "create-tables")))]
pub use create_tables::{CreateTablesError, create_tables, expire_rows};
#[cfg(feature = "dynamodb")]
#[cfg_attr(docsrs, doc(cfg(feature = "dynamodb")))]
pub use dynamo_client::DynamoClient;
pub use message_store::{DynamoMessageStore, Settled};
#[cfg(feature = "cognito")]
#[cfg_attr(docsrs, doc(cfg(feature = "cognito")))]
pub use pool_keys::PoolKeys;
#[cfg(feature = "api-gateway")]
#[cfg_attr(docsrs, doc(cfg(feature = "api-gateway")))]
pub use pusher::ApiGatewayPusher;
pub use remembering_verifier::{REMEMBERED_FOR, RememberingVerifier};
pub use report_store::{DynamoReportStore, REPORT_KEPT_FOR};
#[cfg(feature = "s3")]
#[cfg_attr(docsrs, doc(cfg(feature = "s3")))]
pub use s3_attachment_store::S3AttachmentStore;
pub use tables::{IndexSchema, KeySchema, TableNames, TableSchema};
pub use user_store::DynamoUserStore;
