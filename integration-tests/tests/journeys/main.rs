//! Journeys through every real layer: gateway, services, PostgreSQL, Kafka, PKCS#11, time-stamps, mail.

#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod collector;
#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod duplicates;
#[cfg(test)]
mod files;
#[cfg(test)]
mod legalisation;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod people;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod sealing_faults;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod trace;
