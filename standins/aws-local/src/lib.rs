#![doc = include_str!("../README.md")]

mod cognito;
mod dynamodb;
mod group_commit;
mod s3;
mod wire;

pub use cognito::{Cognito, UserPool};
pub use dynamodb::{DynamoDb, DynamoDbError};
pub use s3::{ExpirationRule, S3, S3Error};
