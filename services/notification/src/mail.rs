//! E-mail by SMTP.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment as Attached, Body, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;
use wathiq_chassis::{BoxError, ConfigError};

use crate::clients::signature::Attachment;
use crate::config::{MailConfig, MailSecurity};
use crate::letter::Letter;
use crate::text_message::SendError;

/// Code of a mail that the server found too large (RFC 1870 and RFC 5321, 4.2.3).
pub const TOO_LARGE: &str = "SMTP_552";

/// Connections to the mail server that are kept for a minute after use.
const MAX_CONNECTIONS: u32 = 4;

/// A mail to one person. It does not print.
pub struct Mail<'a> {
    pub to: &'a str,
    /// The same for every attempt.
    pub reference: &'a str,
    pub at: DateTime<Utc>,
    pub letter: &'a Letter,
    pub attachments: Vec<Attachment>,
}

/// Hands mails to the configured server.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    message_id_domain: String,
    within: Duration,
}

impl Mailer {
    /// Connects at first use; to be called inside the runtime.
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
        let within = Duration::from_secs(config.seconds);
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port)
            .hello_name(ClientId::Domain(domain.clone()))
            .timeout(Some(within))
            .pool_config(PoolConfig::new().max_size(MAX_CONNECTIONS))
            .tls(tls(config)?);
        if let (Some(username), Some(file)) = (&config.username, &config.password_file) {
            let password = file.read()?.expose_secret().trim().to_owned();
            builder = builder.credentials(Credentials::new(username.clone(), password));
        }
        Ok(Self { transport: builder.build(), from, message_id_domain: domain, within })
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
        // The transport's own bound is for connecting alone.
        match tokio::time::timeout(self.within, self.transport.send_raw(&envelope, &bytes)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(send_error(error)),
            Err(elapsed) => {
                Err(SendError::Unavailable { code: "SMTP_TIMEOUT".to_owned(), source: elapsed.into() })
            }
        }
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

/// RFC 5321, 4.2.1: 5yz is final. What the server holds against this installation rather than against the mail (RFC 4954:
/// authentication is missing or wrong) is not.
fn send_error(error: lettre::transport::smtp::Error) -> SendError {
    let status = error.status().map(u16::from);
    let code = match status {
        Some(status) => format!("SMTP_{status}"),
        None if error.is_timeout() => "SMTP_TIMEOUT".to_owned(),
        None if error.is_tls() => "SMTP_TLS".to_owned(),
        // The server does not offer what the configuration asks for, such as STARTTLS.
        None if error.is_client() => "SMTP_UNUSABLE".to_owned(),
        None => "SMTP_UNREACHABLE".to_owned(),
    };
    match status {
        Some(500..) if !matches!(status, Some(530 | 534 | 535 | 538)) => SendError::Refused { code },
        // The server's own words may name the recipient: they go no further.
        Some(status) => SendError::Unavailable {
            code,
            source: format!("the mail server answered {status}").into(),
        },
        None => SendError::Unavailable {
            code,
            source: error.into(),
        },
    }
}
