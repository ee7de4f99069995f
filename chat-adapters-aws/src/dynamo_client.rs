use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, KeysAndAttributes, Put, ReturnValue,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use crate::calls::{OnlyIfNothingHappened, retries, timeouts};
use crate::items::{
    Batch, BatchGet, Failure, Get, Item, Items, Names, Query, QueryPage, Scan, Transacted, Value, Write,
    WriteKind, Written,
};

/// A client of DynamoDB with the timeouts and the retries that the stores rely on.
///
/// Made once and cloned: all clones share one pool of connections, and so one handshake.
///
/// ```
/// use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Region};
/// use chat_adapters_aws::DynamoClient;
///
/// // In a Lambda: `Builder::from(&aws_config::load_defaults(BehaviorVersion::latest()).await)`.
/// let config = Builder::new().behavior_version(BehaviorVersion::latest());
/// let client = DynamoClient::new(config.region(Region::from_static("ap-northeast-2")));
/// ```
#[derive(Clone, Debug)]
pub struct DynamoClient(Client);

impl DynamoClient {
    /// A client of this region, these credentials and this endpoint. Its timeouts and retries are set here.
    #[must_use]
    pub fn new(config: Builder) -> Self {
        Self(Client::from_conf(config.retry_config(retries()).timeout_config(timeouts()).build()))
    }

    /// The SDK's client, with these timeouts and retries.
    #[cfg(feature = "create-tables")]
    pub(crate) fn sdk(&self) -> &Client {
        &self.0
    }
}

impl DynamoClient {
    async fn update(
        &self,
        mut update: UpdateItemFluentBuilder,
        shows_item: bool,
    ) -> Result<Written, Failure> {
        if shows_item {
            update = update
                .return_values(ReturnValue::AllNew)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        }
        match update.customize().config_override(as_write()).send().await {
            Ok(updated) => Ok(Written::Done(updated.attributes.map(from_sdk))),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    let item = failed.item.clone().filter(|item| !item.is_empty());
                    Ok(Written::ConditionFailed(item.map(from_sdk)))
                }
                _ => Err(error.into()),
            },
        }
    }
}

/// What a call that writes is customised with: see [`OnlyIfNothingHappened`].
fn as_write() -> Builder {
    Builder::new().retry_classifier(OnlyIfNothingHappened)
}

/// The codes of refusals that pass by themselves. `TransactionInProgressException` is none of them: the
/// transaction that is in progress is this one.
const THROTTLED: [&str; 5] = [
    "ProvisionedThroughputExceededException",
    // Of a global table with strong consistency: another region is writing the same item.
    "ReplicatedWriteConflictException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "TransactionConflictException",
];

impl<E> From<SdkError<E>> for Failure
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        let throttled = error.code().is_some_and(|code| THROTTLED.contains(&code));
        if throttled { Self::Throttled } else { Self::Unavailable(error.into()) }
    }
}

fn written<T, E>(answer: Result<T, SdkError<E>>) -> Result<Written, Failure>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok(Written::Done(None)),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => {
            Ok(Written::ConditionFailed(None))
        }
        Err(error) => Err(error.into()),
    }
}

#[async_trait]
impl Items for DynamoClient {
    async fn get(&self, get: Get) -> Result<Option<Item>, Failure> {
        let Get { table, key, consistent } = get;
        let request = self.0.get_item().table_name(table).set_key(Some(to_sdk(key)));
        let got = request.consistent_read(consistent).send().await?;
        Ok(got.item.map(from_sdk))
    }

    async fn batch_get(&self, batch: BatchGet) -> Result<Batch, Failure> {
        let BatchGet { table, keys } = batch;
        let keys = keys.into_iter().map(to_sdk).collect();
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).build().expect("it has keys");
        let got = self.0.batch_get_item().request_items(table, keys).send().await?;
        let items = got.responses.unwrap_or_default().into_values().flatten();
        let left = got.unprocessed_keys.unwrap_or_default().into_values().flat_map(|keys| keys.keys);
        Ok(Batch { items: items.map(from_sdk).collect(), unprocessed: left.map(from_sdk).collect() })
    }

    async fn query(&self, query: Query) -> Result<QueryPage, Failure> {
        let Query { table, index, key_condition, names, values, descending, consistent, limit, start } =
            query;
        let got = self
            .0
            .query()
            .table_name(table)
            .set_index_name(index)
            .key_condition_expression(key_condition)
            .set_expression_attribute_names(names_to_sdk(names))
            .set_expression_attribute_values(values_to_sdk(values))
            .scan_index_forward(!descending)
            .consistent_read(consistent)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start.map(to_sdk))
            .send()
            .await?;
        let items = got.items.unwrap_or_default().into_iter().map(from_sdk).collect();
        let next = got.last_evaluated_key.filter(|key| !key.is_empty());
        Ok(QueryPage { items, next: next.map(from_sdk) })
    }

    async fn scan(&self, scan: Scan) -> Result<QueryPage, Failure> {
        let Scan { table, limit, start } = scan;
        let scan = self.0.scan().table_name(table).limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let got = scan.set_exclusive_start_key(start.map(to_sdk)).send().await?;
        let items = got.items.unwrap_or_default().into_iter().map(from_sdk).collect();
        let next = got.last_evaluated_key.filter(|key| !key.is_empty());
        Ok(QueryPage { items, next: next.map(from_sdk) })
    }

    async fn write(&self, write: Write) -> Result<Written, Failure> {
        let Write { table, kind, condition, names, values, shows_item } = write;
        let (names, values) = (names_to_sdk(names), values_to_sdk(values));
        match kind {
            WriteKind::Put(item) => {
                let put = self.0.put_item().table_name(table).set_item(Some(to_sdk(item)));
                let put = put.set_condition_expression(condition).set_expression_attribute_names(names);
                let put = put.set_expression_attribute_values(values);
                written(put.customize().config_override(as_write()).send().await)
            }
            WriteKind::Update(key, update) => {
                let change = self.0.update_item().table_name(table).set_key(Some(to_sdk(key)));
                let change = change.update_expression(update).set_condition_expression(condition);
                let change = change.set_expression_attribute_names(names);
                self.update(change.set_expression_attribute_values(values), shows_item).await
            }
            WriteKind::Delete(key) => {
                let delete = self.0.delete_item().table_name(table).set_key(Some(to_sdk(key)));
                let delete = delete.set_condition_expression(condition).set_expression_attribute_names(names);
                let delete = delete.set_expression_attribute_values(values);
                written(delete.customize().config_override(as_write()).send().await)
            }
            WriteKind::Check(_) => Err(Failure::Unavailable("a check is no request by itself".into())),
        }
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Transacted, Failure> {
        let writes = writes.into_iter().map(in_transaction).collect();
        let request = self.0.transact_write_items().set_transact_items(Some(writes));
        match request.customize().config_override(as_write()).send().await {
            Ok(_) => Ok(Transacted::Done),
            Err(error) => match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let reasons = cancelled.cancellation_reasons().iter();
                    let codes = reasons.map(|reason| reason.code.clone().filter(|code| code != "None"));
                    Ok(Transacted::Cancelled { codes: codes.collect(), source: error.into() })
                }
                _ => Err(error.into()),
            },
        }
    }

    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

fn in_transaction(write: Write) -> TransactWriteItem {
    const COMPLETE: &str = "a part of a transaction has a table, a key and an expression";
    let Write { table, kind, condition, names, values, shows_item: _ } = write;
    let (names, values) = (names_to_sdk(names), values_to_sdk(values));
    let part = TransactWriteItem::builder();
    let part = match kind {
        WriteKind::Put(item) => {
            let put = Put::builder().table_name(table).set_item(Some(to_sdk(item)));
            let put = put.set_condition_expression(condition).set_expression_attribute_names(names);
            part.put(put.set_expression_attribute_values(values).build().expect(COMPLETE))
        }
        WriteKind::Update(key, update) => {
            let change = Update::builder().table_name(table).set_key(Some(to_sdk(key)));
            let change = change.update_expression(update).set_condition_expression(condition);
            let change = change.set_expression_attribute_names(names);
            part.update(change.set_expression_attribute_values(values).build().expect(COMPLETE))
        }
        WriteKind::Delete(key) => {
            let delete = Delete::builder().table_name(table).set_key(Some(to_sdk(key)));
            let delete = delete.set_condition_expression(condition).set_expression_attribute_names(names);
            part.delete(delete.set_expression_attribute_values(values).build().expect(COMPLETE))
        }
        WriteKind::Check(key) => {
            let check = ConditionCheck::builder().table_name(table).set_key(Some(to_sdk(key)));
            let check = check.set_condition_expression(condition).set_expression_attribute_names(names);
            part.condition_check(check.set_expression_attribute_values(values).build().expect(COMPLETE))
        }
    };
    part.build()
}

fn names_to_sdk(names: Names) -> Option<HashMap<String, String>> {
    (!names.is_empty()).then(|| names.into_iter().collect())
}

fn values_to_sdk(values: Item) -> Option<HashMap<String, AttributeValue>> {
    (!values.is_empty()).then(|| to_sdk(values))
}

fn to_sdk(item: Item) -> HashMap<String, AttributeValue> {
    item.into_iter().map(|(name, value)| (name, value_to_sdk(value))).collect()
}

fn value_to_sdk(value: Value) -> AttributeValue {
    match value {
        Value::S(text) => AttributeValue::S(text),
        Value::N(digits) => AttributeValue::N(digits),
        Value::B(bytes) => AttributeValue::B(Blob::new(bytes)),
        Value::Bool(value) => AttributeValue::Bool(value),
        Value::Null => AttributeValue::Null(true),
        Value::L(entries) => AttributeValue::L(entries.into_iter().map(value_to_sdk).collect()),
        Value::M(map) => AttributeValue::M(to_sdk(map)),
        Value::Ss(texts) => AttributeValue::Ss(texts),
        Value::Ns(numbers) => AttributeValue::Ns(numbers),
        Value::Bs(all) => AttributeValue::Bs(all.into_iter().map(Blob::new).collect()),
    }
}

fn from_sdk(item: HashMap<String, AttributeValue>) -> Item {
    item.into_iter().map(|(name, value)| (name, value_from_sdk(value))).collect()
}

fn value_from_sdk(value: AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => Value::S(text),
        AttributeValue::N(digits) => Value::N(digits),
        AttributeValue::B(bytes) => Value::B(bytes.into_inner()),
        AttributeValue::Bool(value) => Value::Bool(value),
        AttributeValue::L(entries) => Value::L(entries.into_iter().map(value_from_sdk).collect()),
        AttributeValue::M(map) => Value::M(from_sdk(map)),
        AttributeValue::Ss(texts) => Value::Ss(texts),
        AttributeValue::Ns(numbers) => Value::Ns(numbers),
        AttributeValue::Bs(all) => Value::Bs(all.into_iter().map(Blob::into_inner).collect()),
        // A type that does not exist yet is one that no store reads.
        _ => Value::Null,
    }
}
