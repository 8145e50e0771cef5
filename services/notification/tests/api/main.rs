//! The service on real parts: PostgreSQL, Kafka, a mail server and a text-message provider. Identity, signature and
//! civil-registry-order are doubles.

#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod doubles;
#[cfg(test)]
mod events;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod sealed;
#[cfg(test)]
mod settling;
#[cfg(test)]
mod smtp;
#[cfg(test)]
mod through_kafka;
