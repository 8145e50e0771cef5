//! Asking providers about many attempts, one of which may always fail while the others do not.

use wathiq_chassis::status::chain;

use crate::app::{App, AppError};
use crate::domain::attempt::Attempt;
use crate::domain::provider::{Provider, Status};
use crate::providers::ProviderError;

/// Attempts that a provider must have been asked about, all in vain, before it counts as down.
const DOWN: usize = 5;

/// What a provider says of an attempt.
#[derive(Debug)]
pub enum Told {
    Status(Status),
    /// Nothing that can be read.
    Unreadable,
    Unanswered,
    /// Nobody can be asked: the provider is no longer configured.
    Gone,
}

/// Asks.
pub async fn ask(app: &App, attempt: &Attempt) -> Told {
    let Some(driver) = app.providers.get(attempt.provider) else {
        return Told::Gone;
    };
    match driver.status(attempt).await {
        Ok(status) => Told::Status(status),
        Err(ProviderError::Unreadable(_)) => Told::Unreadable,
        Err(error) => {
            tracing::warn!(
                event = "provider.unanswered",
                attempt_id = %attempt.id,
                error = chain(&error),
                "the provider does not answer about this attempt"
            );
            Told::Unanswered
        }
    }
}

/// Tells a provider that is down from an attempt about which it never answers.
///
/// # Errors
/// [`AppError::Provider`] where one was asked about several attempts and answered about none.
pub fn check_up<'a>(told: impl Iterator<Item = (Provider, &'a Told)> + Clone) -> Result<(), AppError> {
    let down = |provider: &Provider| {
        let of_provider = told.clone().filter(|(of, _)| of == provider);
        let vain = of_provider
            .clone()
            .filter(|(_, told)| matches!(told, Told::Unanswered));
        let asked = of_provider.count();
        asked >= DOWN && vain.count() == asked
    };
    match Provider::ALL.iter().copied().find(down) {
        Some(provider) => Err(AppError::Provider {
            provider,
            source: None,
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(answered: usize, vain: usize, gone: usize) -> Vec<(Provider, Told)> {
        let all = (0..answered)
            .map(|_| Told::Status(Status::default()))
            .chain((0..vain).map(|_| Told::Unanswered));
        let gone = (0..gone).map(|_| (Provider::TextMessage, Told::Gone));
        all.map(|told| (Provider::Cmi, told)).chain(gone).collect()
    }

    #[test]
    fn a_provider_is_down_when_it_answers_about_nothing() {
        for (answered, vain, gone, down) in [
            (0, 0, 0, false),
            (0, 1, 0, false),
            (0, 5, 0, true),
            (1, 49, 0, false),
            (1, 0, 50, false),
            (0, 5, 50, true),
        ] {
            let told = told(answered, vain, gone);
            let found = check_up(told.iter().map(|(provider, told)| (*provider, told)));
            assert_eq!(found.is_err(), down, "{answered}, {vain}, {gone}");
        }
    }
}
