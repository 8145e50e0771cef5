//! E-mail by SMTP.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment as Attached, Body, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, Tls, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use secrecy::ExposeSecret;
use wathiq_chassis::{BoxError, ConfigError};

use crate::clients::signature::Attachment;
use crate::config::{MailConfig, MailSecurity};
use crate::letter::Letter;
use crate::text_message::SendError;

/// Code of a mail that the server found too large (RFC 1870 and RFC 5321, 4.2.3).
pub const TOO_LARGE: &str = "SMTP_552";

/// How long a server may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// A mail to one person. It does not print.
pub struct Mail<'a> {
    pub to: &'a str,
    /// The same for every attempt.
    pub reference: &'a str,
    pub at: DateTime<Utc>,
    pub letter: &'a Letter,
    pub attachments: Vec<Attachment>,
}

/// Hands mails to the configured server, each over a connection of its own: one that an attempt gave up could still answer to
/// that attempt, and be taken to answer to another.
pub struct Mailer {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    hello: ClientId,
    within: Duration,
    from: Mailbox,
    message_id_domain: String,
}

impl Mailer {
    /// Connects when there is something to send.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key.
    pub fn new(config: &MailConfig) -> Result<Self, ConfigError> {
        let from: Mailbox = config
            .from
            .parse()
            .map_err(|_| ConfigError::key("mail.from", "is not `Name <address>`"))?;
        let domain = config
            .message_id_domain
            .clone()
            .unwrap_or_else(|| from.email.domain().to_owned());
        let credentials = match (&config.username, &config.password_file) {
            (Some(username), Some(file)) => {
                let password = file.read()?.expose_secret().trim().to_owned();
                Some(Credentials::new(username.clone(), password))
            }
            (None, None) => None,
            _ => {
                return Err(ConfigError::key(
                    "mail.username",
                    "stands together with `password_file`",
                ));
            }
        };
        Ok(Self {
            host: config.host.clone(),
            port: config.port,
            tls: tls(config)?,
            credentials,
            hello: ClientId::Domain(domain.clone()),
            within: Duration::from_secs(config.seconds),
            from,
            message_id_domain: domain,
        })
    }

    /// Hands a mail over.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send(&self, mail: Mail<'_>) -> Result<(), SendError> {
        let refused = |code: &str| SendError::Refused {
            code: code.to_owned(),
        };
        let address: Address = mail.to.parse().map_err(|_| refused("ADDRESS_INVALID"))?;
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![address.clone()])
            .map_err(|_| refused("ADDRESS_INVALID"))?;
        let message = self
            .message(mail, address)
            .map_err(|_| refused("MAIL_MALFORMED"))?;
        let bytes = message.formatted();
        drop(message);
        let elapsed = |elapsed: tokio::time::error::Elapsed| SendError::Unavailable {
            code: "SMTP_TIMEOUT".to_owned(),
            source: elapsed.into(),
        };
        let mut connection = tokio::time::timeout(self.within, self.hand_over(&envelope, &bytes))
            .await
            .map_err(elapsed)??;
        // It is taken, which is to be noted without delay: how the server says goodbye changes nothing.
        tokio::spawn(async move { drop(tokio::time::timeout(GOODBYE, connection.quit()).await) });
        Ok(())
    }

    async fn hand_over(&self, envelope: &Envelope, bytes: &[u8]) -> Result<AsyncSmtpConnection, SendError> {
        let mut connection = self.connect().await.map_err(unavailable)?;
        match connection.send(envelope, bytes).await {
            Ok(_) => Ok(connection),
            Err(error) => Err(refused_or_not(error)),
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let from_the_start = match &self.tls {
            Tls::Wrapper(parameters) => Some(parameters.clone()),
            _ => None,
        };
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.within), &self.hello, from_the_start, None)
                .await?;
        if let Tls::Required(parameters) = &self.tls {
            connection.starttls(parameters.clone(), &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    fn message(&self, mail: Mail<'_>, to: Address) -> Result<Message, BoxError> {
        let letter = mail.letter;
        let message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .date(SystemTime::from(mail.at))
            .message_id(Some(format!("<{}@{}>", mail.reference, self.message_id_domain)))
            .subject(letter.subject.clone())
            // RFC 3834: nobody's absence notice answers it.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("Content-Language", letter.language.tag()));
        let bodies = MultiPart::alternative()
            .singlepart(body(&letter.text, ContentType::TEXT_PLAIN)?)
            .singlepart(body(&letter.html, ContentType::TEXT_HTML)?);
        if mail.attachments.is_empty() {
            return Ok(message.multipart(bodies)?);
        }
        let pdf = ContentType::parse("application/pdf")?;
        let mixed =
            mail.attachments
                .into_iter()
                .fold(MultiPart::mixed().multipart(bodies), |mixed, attachment| {
                    mixed.singlepart(Attached::new(attachment.file_name).body(attachment.bytes, pdf.clone()))
                });
        Ok(message.multipart(mixed)?)
    }
}

/// Base64 for every language: right-to-left text is nothing but escapes in quoted-printable, and no relay touches it.
fn body(text: &str, content_type: ContentType) -> Result<SinglePart, BoxError> {
    let body = Body::new_with_encoding(text.to_owned(), ContentTransferEncoding::Base64)
        .map_err(|_| "the body cannot be encoded")?;
    Ok(SinglePart::builder().header(content_type).body(body))
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn tls(config: &MailConfig) -> Result<Tls, ConfigError> {
    if config.security == MailSecurity::Plain {
        return Ok(Tls::None);
    }
    let fault = |error: lettre::transport::smtp::Error| ConfigError::key("mail.ca", error.to_string());
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca {
        let pem = std::fs::read(path).map_err(|source| ConfigError::Read {
            path: path.clone(),
            source,
        })?;
        let authority = Certificate::from_pem(&pem).map_err(fault)?;
        parameters = parameters
            .certificate_store(CertificateStore::None)
            .add_root_certificate(authority);
    }
    let parameters = parameters.build().map_err(fault)?;
    Ok(match config.security {
        MailSecurity::Starttls => Tls::Required(parameters),
        MailSecurity::Tls | MailSecurity::Plain => Tls::Wrapper(parameters),
    })
}

/// RFC 5321, 4.2.1: 5yz is final, for this mail. A server that wants authentication first (RFC 4954, section 6) holds that
/// against this installation.
fn refused_or_not(error: SmtpError) -> SendError {
    match error.status().map(u16::from) {
        Some(status @ 500..) if !matches!(status, 530 | 534 | 535 | 538) => SendError::Refused {
            code: format!("SMTP_{status}"),
        },
        _ => unavailable(error),
    }
}

fn unavailable(error: SmtpError) -> SendError {
    if let Some(status) = error.status() {
        // The server's own words may name the recipient: they go no further.
        let source = format!("the mail server answered {status}").into();
        return SendError::Unavailable {
            code: format!("SMTP_{status}"),
            source,
        };
    }
    let code = if error.is_timeout() {
        "SMTP_TIMEOUT"
    } else if error.is_tls() {
        "SMTP_TLS"
    } else if error.is_client() {
        // The server does not offer what the configuration asks for, such as STARTTLS.
        "SMTP_UNUSABLE"
    } else {
        "SMTP_UNREACHABLE"
    };
    SendError::Unavailable {
        code: code.to_owned(),
        source: error.into(),
    }
}
