//! The requests of Kafka's protocol that the stack needs: topics and access rules in one round trip each. Kafka's own
//! tools start a virtual machine for every call, and librdkafka's Rust binding cannot create access rules.
//!
//! Encoding: <https://kafka.apache.org/protocol>, CreateTopics (19) version 4, DescribeAcls (29) and CreateAcls (30)
//! version 1, the last ones without tagged fields.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::access::Rule;
use crate::topics::Topic;

const CREATE_TOPICS: (i16, i16) = (19, 4);
const DESCRIBE_ACLS: (i16, i16) = (29, 1);
const CREATE_ACLS: (i16, i16) = (30, 1);
const TOPIC_ALREADY_EXISTS: i16 = 36;
const ALLOW: i8 = 3;
/// In a filter: every resource type, pattern, operation or permission.
const ANY: i8 = 1;
const NULL: i16 = -1;
/// A generous limit on an answer to a request that names tens of objects.
const MAX_ANSWER: i32 = 1 << 20;

/// A connection as the principal `operator`.
pub(super) struct Client {
    stream: TlsStream<TcpStream>,
    correlation: i32,
}

impl Client {
    pub(super) async fn connect(port: u16, certificates: &Path) -> Result<Self> {
        let tcp = TcpStream::connect(("127.0.0.1", port)).await?;
        let connector = TlsConnector::from(Arc::new(tls(certificates)?));
        let stream = connector.connect(ServerName::try_from("127.0.0.1")?, tcp).await?;
        Ok(Self {
            stream,
            correlation: 0,
        })
    }

    /// Creates the topics that do not exist yet.
    pub(super) async fn create_topics(&mut self, topics: &[Topic]) -> Result<()> {
        let mut body = Vec::new();
        put_count(&mut body, topics.len())?;
        for topic in topics {
            put_text(&mut body, &topic.name)?;
            body.extend(topic.partitions.to_be_bytes());
            body.extend(1i16.to_be_bytes());
            body.extend(0i32.to_be_bytes());
            put_count(&mut body, 1)?;
            // Issued documents are judged by this record for decades.
            put_text(&mut body, "retention.ms")?;
            put_text(&mut body, "-1")?;
        }
        body.extend(10_000i32.to_be_bytes());
        body.push(0);
        let answer = self.call(CREATE_TOPICS, &body).await?;
        let mut answer = Reader(&answer);
        answer.skip(4)?;
        for _ in 0..answer.int()? {
            let name = answer.text()?.unwrap_or_default();
            let code = answer.short()?;
            let reason = answer.text()?.unwrap_or_default();
            ensure!(
                code == 0 || code == TOPIC_ALREADY_EXISTS,
                "Kafka does not create {name}: {code} {reason}"
            );
        }
        Ok(())
    }

    /// Grants every rule; granting one again changes nothing.
    pub(super) async fn create_rules(&mut self, rules: &[Rule]) -> Result<()> {
        let mut body = Vec::new();
        put_count(&mut body, rules.len())?;
        for rule in rules {
            body.extend((rule.resource as i8).to_be_bytes());
            put_text(&mut body, &rule.name)?;
            body.extend((rule.pattern as i8).to_be_bytes());
            put_text(&mut body, &rule.principal)?;
            put_text(&mut body, "*")?;
            body.extend((rule.operation as i8).to_be_bytes());
            body.extend(ALLOW.to_be_bytes());
        }
        let answer = self.call(CREATE_ACLS, &body).await?;
        let mut answer = Reader(&answer);
        answer.skip(4)?;
        for rule in rules.iter().take(answer.int()?.try_into()?) {
            let code = answer.short()?;
            let reason = answer.text()?.unwrap_or_default();
            ensure!(code == 0, "Kafka does not grant {rule:?}: {code} {reason}");
        }
        Ok(())
    }

    /// How many rules the broker itself knows: it learns of them a moment after the controller has granted them.
    pub(super) async fn known_rules(&mut self) -> Result<usize> {
        let mut body = Vec::new();
        body.extend(ANY.to_be_bytes());
        body.extend(NULL.to_be_bytes());
        body.extend(ANY.to_be_bytes());
        body.extend(NULL.to_be_bytes());
        body.extend(NULL.to_be_bytes());
        body.extend(ANY.to_be_bytes());
        body.extend(ANY.to_be_bytes());
        let answer = self.call(DESCRIBE_ACLS, &body).await?;
        let mut answer = Reader(&answer);
        answer.skip(4)?;
        let code = answer.short()?;
        ensure!(
            code == 0,
            "Kafka does not list its rules: {code} {}",
            answer.text()?.unwrap_or_default()
        );
        answer.text()?;
        let mut known = 0;
        for _ in 0..answer.int()? {
            answer.skip(1)?;
            answer.text()?;
            answer.skip(1)?;
            for _ in 0..answer.int()? {
                answer.text()?;
                answer.text()?;
                answer.skip(2)?;
                known += 1;
            }
        }
        Ok(known)
    }

    async fn call(&mut self, (key, version): (i16, i16), body: &[u8]) -> Result<Vec<u8>> {
        self.correlation += 1;
        let mut message = Vec::with_capacity(body.len() + 32);
        message.extend(key.to_be_bytes());
        message.extend(version.to_be_bytes());
        message.extend(self.correlation.to_be_bytes());
        put_text(&mut message, "wathiq-local")?;
        message.extend(body);
        let exchange = async {
            self.stream
                .write_all(&i32::try_from(message.len())?.to_be_bytes())
                .await?;
            self.stream.write_all(&message).await?;
            self.stream.flush().await?;
            let length = self.stream.read_i32().await?;
            ensure!((4..=MAX_ANSWER).contains(&length), "Kafka answers {length} bytes");
            let mut answer = vec![0; usize::try_from(length)?];
            self.stream.read_exact(&mut answer).await?;
            Ok(answer)
        };
        let answer = tokio::time::timeout(Duration::from_secs(15), exchange)
            .await
            .context("Kafka does not answer")??;
        if answer[..4] != self.correlation.to_be_bytes() {
            bail!("Kafka answers another request");
        }
        Ok(answer[4..].to_vec())
    }
}

fn tls(certificates: &Path) -> Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificates.join("ca.pem"))?)?;
    let chain =
        CertificateDer::pem_file_iter(certificates.join("operator.pem"))?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(certificates.join("operator.key"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)?)
}

fn put_text(out: &mut Vec<u8>, text: &str) -> Result<()> {
    out.extend(i16::try_from(text.len())?.to_be_bytes());
    out.extend(text.as_bytes());
    Ok(())
}

fn put_count(out: &mut Vec<u8>, count: usize) -> Result<()> {
    out.extend(i32::try_from(count)?.to_be_bytes());
    Ok(())
}

/// Reads the protocol's primitive types off the front of an answer.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn skip(&mut self, count: usize) -> Result<&'a [u8]> {
        let (head, rest) = self
            .0
            .split_at_checked(count)
            .context("Kafka's answer is cut off")?;
        self.0 = rest;
        Ok(head)
    }

    fn short(&mut self) -> Result<i16> {
        Ok(i16::from_be_bytes(self.skip(2)?.try_into()?))
    }

    fn int(&mut self) -> Result<i32> {
        Ok(i32::from_be_bytes(self.skip(4)?.try_into()?))
    }

    fn text(&mut self) -> Result<Option<&'a str>> {
        match self.short()? {
            -1 => Ok(None),
            length => Ok(Some(std::str::from_utf8(self.skip(usize::try_from(length)?)?)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_cut_short_is_an_error() {
        let mut whole = Reader(&[0, 2, b'o', b'k', 0, 36]);
        assert_eq!(whole.text().unwrap(), Some("ok"));
        assert_eq!(whole.short().unwrap(), 36);
        assert!(Reader(&[0, 5, b'o']).text().is_err());
        assert_eq!(Reader(&[0xff, 0xff]).text().unwrap(), None);
    }
}
