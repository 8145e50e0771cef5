//! Identity, asked for the keys that verify access tokens and for nothing else.

use wathiq_chassis::client::Channel;
use wathiq_chassis::{BoxError, VerificationKey};
use wathiq_proto::wathiq::identity::v1 as pb;
use wathiq_proto::wathiq::identity::v1::directory_service_client::DirectoryServiceClient;

/// The keys that verify access tokens.
///
/// # Errors
/// Whatever identity answered.
pub async fn verification_keys(channel: Channel) -> Result<Vec<VerificationKey>, BoxError> {
    let answer = DirectoryServiceClient::new(channel)
        .list_verification_keys(pb::ListVerificationKeysRequest {})
        .await?;
    answer
        .into_inner()
        .keys
        .into_iter()
        .map(|key| {
            let public_key =
                <[u8; 32]>::try_from(key.public_key).map_err(|_| "a key is not 32 bytes long")?;
            Ok(VerificationKey {
                kid: key.key_id,
                public_key,
            })
        })
        .collect()
}
