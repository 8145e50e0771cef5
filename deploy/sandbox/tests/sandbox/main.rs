//! The sandbox as the platform meets it: over HTTP, with a server of the test's own in the platform's place.

#[cfg(test)]
mod carrier;
#[cfg(test)]
mod cmi;
#[cfg(test)]
mod cmi_money;
#[cfg(test)]
mod platform;
#[cfg(test)]
mod text_payment;
