//! What every handler shares.

use std::sync::Arc;

use tokio::sync::Semaphore;
use wathiq_chassis::Ambient;
use wathiq_chassis::tls::TlsError;

use crate::clients::Clients;
use crate::config::Settings;
use crate::quota::Alone;
use crate::session::Exchange;

/// State of the router; cheap to clone.
#[derive(Clone)]
pub struct App {
    pub settings: Arc<Settings>,
    pub clients: Clients,
    pub ambient: Ambient,
    pub exchange: Arc<Exchange>,
    /// Uploads under way at once.
    pub uploads: Arc<Semaphore>,
    /// Counts of calls while identity cannot be asked.
    pub alone: Arc<Alone>,
}

impl App {
    /// # Errors
    /// When a certificate file cannot be used.
    pub fn new(settings: Settings, ambient: Ambient) -> Result<Self, TlsError> {
        let clients = Clients::new(&settings)?;
        Ok(App {
            exchange: Arc::new(Exchange::new(clients.clone(), Arc::clone(&ambient.clock))),
            uploads: Arc::new(Semaphore::new(settings.http.concurrent_uploads)),
            alone: Arc::default(),
            settings: Arc::new(settings),
            clients,
            ambient,
        })
    }
}
