use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use chat_domain::{BoxError, Timestamp};

/// The text is no key that CloudFront's URLs can be signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key is not a P-256 key in PKCS #8, DER in base64")]
pub struct CloudFrontKeyError;

/// Signs URLs of a CloudFront distribution, so that images are opened near their reader instead of in the
/// bucket's region.
///
/// The key is one of the distribution's trusted key group. It is an ECDSA key, since RSA signs with SHA-1
/// unless asked otherwise, and its signatures are four times as long. The policy is a canned one: it names
/// the URL and when it expires, and nothing else.
///
/// ```
/// use chat_adapters_aws::CloudFrontSigner;
///
/// // openssl ecparam -genkey -name prime256v1 -noout -out images.pem
/// // openssl pkcs8 -topk8 -nocrypt -in images.pem -outform DER | openssl base64 -A
/// let key = "not a key";
/// let signer = CloudFrontSigner::new("d111111abcdef8.cloudfront.net", "K2JCJMDEHXQW5F", key);
/// assert!(signer.is_err());
/// ```
#[derive(Clone)]
pub struct CloudFrontSigner {
    domain: String,
    key_id: String,
    key: Arc<EcdsaKeyPair>,
}

impl CloudFrontSigner {
    /// Signs for the distribution of this domain name, with the key that CloudFront knows by `key_id`.
    ///
    /// # Errors
    /// [`CloudFrontKeyError`], if `key` is not a private P-256 key in PKCS #8, DER in base64.
    pub fn new(
        domain: impl Into<String>,
        key_id: impl Into<String>,
        key: &str,
    ) -> Result<Self, CloudFrontKeyError> {
        let der = BASE64_STANDARD.decode(key).map_err(|_| CloudFrontKeyError)?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der);
        let key = Arc::new(key.map_err(|_| CloudFrontKeyError)?);
        Ok(Self { domain: domain.into(), key_id: key_id.into(), key })
    }

    /// The URL of the object with this key, good until then; CloudFront knows full seconds only.
    ///
    /// Object keys go into the URL and the policy as they are: an attachment's key has letters, digits and
    /// hyphens, which neither escapes.
    ///
    /// # Errors
    /// Signing fails without a source of randomness.
    pub(crate) fn url(&self, key: &str, expires_at: Timestamp) -> Result<String, BoxError> {
        let (domain, key_id) = (&self.domain, &self.key_id);
        let url = format!("https://{domain}/{key}");
        let expires = expires_at.unix_ms().div_euclid(1_000);
        let policy = canned_policy(&url, expires);
        let signature =
            self.key.sign(&SystemRandom::new(), policy.as_bytes()).map_err(|_| "it has no random")?;
        let signature = url_safe(signature.as_ref());
        Ok(format!(
            "{url}?Expires={expires}&Signature={signature}&Key-Pair-Id={key_id}&Hash-Algorithm=SHA256"
        ))
    }
}

/// What is signed, byte for byte as CloudFront composes it again from the URL.
fn canned_policy(url: &str, expires: i64) -> String {
    format!(
        r#"{{"Statement":[{{"Resource":"{url}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}]}}"#
    )
}

/// Base64 with CloudFront's own letters for those that mean something in a query.
fn url_safe(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes).replace('+', "-").replace('=', "_").replace('/', "~")
}

impl fmt::Debug for CloudFrontSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudFrontSigner").field("domain", &self.domain).finish_non_exhaustive()
    }
}
