//! Who may make this call, and for whom.

use std::time::Duration;

use http::{HeaderMap, header::AUTHORIZATION};
use secrecy::SecretString;
use tonic::Status;

use super::{REFLECTION, Shared, UserRule, client_not_allowed};
use crate::{
    caller::Caller,
    status::{self, PLATFORM},
    tls::PeerName,
    token::TokenError,
};

/// The user of a call and the token that proves it.
pub(super) struct User {
    pub(super) caller: Caller,
    pub(super) bearer: SecretString,
}

impl Shared {
    /// The path as a label: methods without a rule share one, so that nobody can make series.
    pub(super) fn label(&self, path: &str) -> &'static str {
        match self.rules.get_key_value(path) {
            Some((path, _)) => path,
            None if path == REFLECTION => REFLECTION,
            None => "unknown",
        }
    }

    pub(super) async fn authorise(
        &self,
        peer: &PeerName,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<Option<User>, Status> {
        if self.reflection && path == REFLECTION {
            return Ok(None);
        }
        let rule = self
            .rules
            .get(path)
            .filter(|rule| rule.clients.contains(&peer.0.as_str()))
            .ok_or_else(|| client_not_allowed(peer))?;
        match (rule.user, bearer(headers)?) {
            (UserRule::None, _) | (UserRule::Optional, None) => Ok(None),
            (UserRule::Required, None) => Err(token_missing()),
            (UserRule::Required | UserRule::Optional, Some(token)) => self.verify(token).await.map(Some),
        }
    }

    async fn verify(&self, token: &str) -> Result<User, Status> {
        let verifier = self.verifier.as_ref().ok_or_else(token_invalid)?;
        match verifier.verify(token).await {
            Ok(caller) => Ok(User {
                caller,
                bearer: SecretString::from(token),
            }),
            Err(TokenError::Invalid) => Err(token_invalid()),
            Err(TokenError::Expired) => Err(status::unauthenticated(
                PLATFORM,
                "TOKEN_EXPIRED",
                "the token has expired",
            )),
            Err(error @ TokenError::Keys(_)) => {
                tracing::warn!(
                    event = "token.keys_unavailable",
                    error = status::chain(&error),
                    "no keys"
                );
                let retry = Duration::from_secs(2);
                Err(status::unavailable(
                    PLATFORM,
                    "KEYS_UNAVAILABLE",
                    retry,
                    "tokens cannot be verified now",
                ))
            }
        }
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Status> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    value
        .to_str()
        .ok()
        .and_then(|text| text.strip_prefix("Bearer "))
        .map(Some)
        .ok_or_else(token_invalid)
}

pub(super) fn token_missing() -> Status {
    status::unauthenticated(
        PLATFORM,
        "TOKEN_MISSING",
        "this method acts for a user: a token must come with it",
    )
}

fn token_invalid() -> Status {
    status::unauthenticated(PLATFORM, "TOKEN_INVALID", "the token is not valid")
}
