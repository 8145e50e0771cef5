//! One trace covers gateway, services, Kafka and notification.
