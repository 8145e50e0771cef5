//! What every handler shares.

use std::sync::Arc;

use wathiq_chassis::Ambient;
use wathiq_chassis::tls::TlsError;

use crate::clients::Clients;
use crate::config::Settings;
use crate::quota::Minutes;
use crate::session::Exchange;
use crate::slots::Slots;

/// State of the router; cheap to clone.
#[derive(Clone)]
pub struct App {
    pub settings: Arc<Settings>,
    pub clients: Clients,
    pub ambient: Ambient,
    pub exchange: Arc<Exchange>,
    /// Places for files on their way to documents, by person.
    pub uploads: Arc<Slots>,
    /// Places for files on their way to verification, by address: strangers leave those of signed-in people free.
    pub verifications: Arc<Slots>,
    /// Counts of calls while identity cannot be asked.
    pub alone: Arc<Minutes>,
    /// Counts of what partners post: providers of payments and the carrier.
    pub partners: Arc<Minutes>,
}

impl App {
    /// # Errors
    /// When a certificate file cannot be used.
    pub fn new(settings: Settings, ambient: Ambient) -> Result<Self, TlsError> {
        let clients = Clients::new(&settings)?;
        let limits = &settings.http.limits;
        Ok(App {
            exchange: Arc::new(Exchange::new(clients.clone(), Arc::clone(&ambient.clock))),
            uploads: Slots::new(limits.uploads, limits.uploads_each),
            verifications: Slots::new(limits.verifications, limits.verifications_each),
            alone: Arc::new(Minutes::alone()),
            partners: Arc::new(Minutes::of_partners()),
            settings: Arc::new(settings),
            clients,
            ambient,
        })
    }
}
