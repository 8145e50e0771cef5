//! PostgreSQL: a cluster of its own, TLS only, with a database and two roles for each service that keeps data.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::process::Command;

use super::{Purpose, Surroundings, database_user};
use crate::description::Postgres;
use crate::process::{Running, User};
use crate::services::SERVICES;
use crate::{secrets, wait};

/// The database of a service.
#[must_use]
pub fn database(service: &str) -> String {
    format!("wathiq_{}", service.replace('-', "_"))
}

/// The role that owns a service's database, and the one that works in it.
#[must_use]
pub fn roles(service: &str) -> [String; 2] {
    ["owner", "app"].map(|part| format!("{}_{part}", database(service)))
}

/// The services with a database.
fn owners() -> impl Iterator<Item = &'static str> {
    SERVICES
        .iter()
        .filter(|service| service.database)
        .map(|service| service.name)
}

/// Lays the cluster out when it does not exist yet, starts it, and waits until it answers over TLS.
///
/// # Errors
/// When PostgreSQL is not installed, cannot be started or does not answer.
pub async fn start(around: &Surroundings<'_>) -> Result<Running> {
    let programs = installed()?;
    let user = database_user()?;
    let password = secrets::kept(&around.layout.secrets().join("postgres"), || {
        secrets::random_hex(16)
    })?;
    let cluster = &around.layout.cluster;
    if !cluster.join("PG_VERSION").is_file() {
        initialise(around, &programs, user, &password).await?;
    }
    let settings = configure(around, user)?;
    let mut spec = around.spec(
        "postgres",
        programs.join("postgres"),
        vec!["-D".into(), cluster.display().to_string()],
    );
    spec.user = user;
    spec.settings = settings;
    spec.folder = cluster.clone();
    let running = around.start(&spec, &["postgres"]).await?;
    let options = superuser(&describe(around)?, "postgres");
    wait::until("PostgreSQL", Duration::from_secs(30), async || {
        running.check_alive()?;
        Ok(options.connect().await?.close().await?)
    })
    .await?;
    Ok(running)
}

/// Creates what is missing of roles and databases.
///
/// # Errors
/// When a statement fails.
pub async fn prepare_databases(around: &Surroundings<'_>) -> Result<()> {
    let description = describe(around)?;
    let mut connection = superuser(&description, "postgres").connect().await?;
    for service in owners() {
        create_roles(&mut connection, &description, service).await?;
        create_database(&mut connection, service, &database(service)).await?;
    }
    connection.close().await?;
    Ok(())
}

/// Creates a database that belongs to a service's owner role and that only its application role may enter besides.
///
/// # Errors
/// When a statement fails.
pub async fn create_database(connection: &mut PgConnection, service: &str, database: &str) -> Result<()> {
    let [owner, application] = roles(service);
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(database)
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        execute(
            connection,
            format!(r#"CREATE DATABASE "{database}" OWNER {owner}"#),
        )
        .await?;
    }
    execute(
        connection,
        format!(r#"REVOKE ALL ON DATABASE "{database}" FROM PUBLIC"#),
    )
    .await?;
    execute(
        connection,
        format!(r#"GRANT CONNECT ON DATABASE "{database}" TO {application}"#),
    )
    .await
}

/// Connection options of the superuser for one database.
pub fn superuser(description: &Postgres, database: &str) -> PgConnectOptions {
    let options = PgConnectOptions::new_without_pgpass()
        .host(&description.host)
        .port(description.port)
        .username(&description.superuser)
        .password(&description.superuser_password)
        .database(database)
        // Statements here carry passwords.
        .disable_statement_logging();
    match &description.ca {
        Some(ca) => options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(ca),
        None => options.ssl_mode(PgSslMode::Disable),
    }
}

/// The files of the roles' passwords, made on the first call.
///
/// # Errors
/// When a file cannot be written.
pub fn describe(around: &Surroundings<'_>) -> Result<Postgres> {
    let folder = around.layout.secrets();
    let mut roles = std::collections::BTreeMap::new();
    for service in owners() {
        for role in self::roles(service) {
            let file = folder.join(&role);
            secrets::kept(&file, || secrets::random_hex(16))?;
            roles.insert(role, file);
        }
    }
    Ok(Postgres {
        host: "127.0.0.1".into(),
        port: around.ports.get("postgres")?,
        superuser: "postgres".into(),
        superuser_password: secrets::kept(&folder.join("postgres"), || secrets::random_hex(16))?,
        ca: Some(around.layout.certificates().join("ca.pem")),
        roles,
    })
}

async fn create_roles(connection: &mut PgConnection, description: &Postgres, service: &str) -> Result<()> {
    for role in roles(service) {
        let file = description
            .roles
            .get(&role)
            .with_context(|| format!("no password for {role}"))?;
        // Hexadecimal by construction: nothing to quote.
        let password = std::fs::read_to_string(file)?;
        let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
            .bind(&role)
            .fetch_one(&mut *connection)
            .await?;
        let verb = if exists { "ALTER" } else { "CREATE" };
        execute(
            connection,
            format!("{verb} ROLE {role} LOGIN PASSWORD '{password}'"),
        )
        .await?;
    }
    Ok(())
}

async fn execute(connection: &mut PgConnection, statement: String) -> Result<()> {
    sqlx::query(AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
}

/// The folder of PostgreSQL's programs, the newest installed version from 15 on.
fn installed() -> Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is not installed")?;
    let newest = versions
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|version| *version >= 15)
        .max()
        .context("PostgreSQL 15 or newer is not installed")?;
    Ok(format!("/usr/lib/postgresql/{newest}/bin").into())
}

/// Made in a folder beside its place and moved there when it is whole: an interrupted start leaves no half of a cluster.
async fn initialise(
    around: &Surroundings<'_>,
    programs: &Path,
    user: Option<User>,
    password: &str,
) -> Result<()> {
    let cluster = &around.layout.cluster;
    let work = cluster.with_extension("new");
    if work.exists() {
        std::fs::remove_dir_all(&work)?;
    }
    std::fs::create_dir_all(&work).with_context(|| format!("cannot create {}", work.display()))?;
    std::fs::set_permissions(&work, std::fs::Permissions::from_mode(0o700))?;
    let password_file = work.join("password");
    secrets::write_private(&password_file, password)?;
    if let Some(user) = user {
        chown(&work, Some(user.uid), Some(user.gid))?;
        chown(&password_file, Some(user.uid), Some(user.gid))?;
    }
    let mut command = initdb(programs, user, &work, &password_file);
    if around.purpose != Purpose::Lasting {
        command.arg("--no-sync");
    }
    let output = command.output().await.context("cannot run initdb")?;
    if output.status.success() {
        std::fs::rename(work.join("cluster"), cluster)?;
    }
    std::fs::remove_dir_all(&work)?;
    if !output.status.success() {
        bail!(
            "initdb failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

fn initdb(programs: &Path, user: Option<User>, work: &Path, password_file: &Path) -> Command {
    // It ends with this process, and does not go on in a folder that the next start removes.
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL"])
        .args(user.into_iter().flat_map(|user| {
            [
                format!("--reuid={}", user.uid),
                format!("--regid={}", user.gid),
                "--clear-groups".to_owned(),
            ]
        }))
        .arg(programs.join("initdb"))
        .args([
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth=scram-sha-256",
        ])
        .arg("--pgdata")
        .arg(work.join("cluster"))
        .arg("--pwfile")
        .arg(password_file)
        .current_dir("/")
        .kill_on_drop(true);
    command
}

/// Settings are written anew at each start: the port may have moved.
fn configure(around: &Surroundings<'_>, user: Option<User>) -> Result<String> {
    let cluster = &around.layout.cluster;
    for (from, to) in [("postgres.pem", "server.crt"), ("postgres.key", "server.key")] {
        let to = cluster.join(to);
        std::fs::copy(around.layout.certificates().join(from), &to)?;
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600))?;
        if let Some(user) = user {
            chown(&to, Some(user.uid), Some(user.gid))?;
        }
    }
    let more = match around.purpose {
        Purpose::Lasting => "",
        Purpose::Test => "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n",
        Purpose::Measurement => "shared_buffers = 1GB\nmax_wal_size = 2GB\nwal_compression = on\n",
    };
    let settings = format!(
        "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\nssl = on\n\
         ssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\nssl_min_protocol_version = 'TLSv1.2'\n\
         password_encryption = 'scram-sha-256'\nmax_connections = 300\nshared_buffers = 64MB\ntimezone = 'UTC'\n\
         log_timezone = 'UTC'\n{more}",
        around.ports.get("postgres")?
    );
    std::fs::write(cluster.join("postgresql.auto.conf"), &settings)?;
    std::fs::write(
        cluster.join("pg_hba.conf"),
        "hostssl all all 127.0.0.1/32 scram-sha-256\n",
    )?;
    Ok(settings)
}
