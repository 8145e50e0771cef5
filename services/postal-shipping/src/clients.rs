//! The keys of access tokens, asked of identity: the one thing this service needs of another.

use wathiq_chassis::client::Channel;
use wathiq_chassis::{BoxError, KeyFetch, VerificationKey};
use wathiq_proto::wathiq::identity::v1::ListVerificationKeysRequest;
use wathiq_proto::wathiq::identity::v1::directory_service_client::DirectoryServiceClient;

/// Fetches the keys over this channel.
pub fn verification_keys(channel: Channel) -> KeyFetch {
    let directory = DirectoryServiceClient::new(channel);
    std::sync::Arc::new(move || {
        let directory = directory.clone();
        Box::pin(ask(directory))
    })
}

async fn ask(mut directory: DirectoryServiceClient<Channel>) -> Result<Vec<VerificationKey>, BoxError> {
    let answer = directory
        .list_verification_keys(ListVerificationKeysRequest {})
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
