//! Passwords and second factors.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wathiq_proto::wathiq::identity::v1 as pb;

use crate::api::wire::{Show, body, view};
use crate::api::{Answer, Created};
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::json::{Body, IdempotencyKey};
use crate::session::User;

view! {
    /// The secret of a new authenticator; shown once.
    TotpEnrolment from pb::BeginTotpEnrolmentResponse {
        /// Base32.
        secret: String,
        /// `otpauth://` form of the same.
        uri: String,
        expire_time: Option<DateTime<Utc>>,
    }
    /// A password reset under way; answered the same whether the account exists or not.
    PasswordReset from pb::RequestPasswordResetResponse {
        password_reset_id: String,
        expire_time: Option<DateTime<Utc>>,
    }
}

/// Recovery codes, each good for one sign-in; shown once.
#[derive(serde::Serialize, utoipa::ToSchema)]
struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

body! {
    /// A first code of the new authenticator.
    TotpCompletion {
        code: String,
    }
    /// The password once more, and where an authenticator is in use, a second factor.
    TotpRequest {
        password: String,
        /// A TOTP or recovery code.
        #[serde(default)]
        second_factor: Option<String>,
    }
    /// A code of the authenticator.
    TotpCode {
        totp_code: String,
    }
    /// A change of password.
    PasswordChange {
        current_password: String,
        new_password: String,
    }
    /// Whose password was forgotten.
    PasswordResetRequest {
        email: String,
    }
    /// The end of a password reset.
    PasswordResetCompletion {
        /// The code of the mail, in upper or lower case, with or without its hyphens.
        #[schema(pattern = "^([0-9A-Za-z]{4}[ -]?){2}[0-9A-Za-z]{4}$", example = "7K2M-9QXF-4TRB")]
        code: String,
        new_password: String,
        /// A TOTP or recovery code, where the account has a second factor.
        #[serde(default)]
        second_factor: Option<String>,
    }
}

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(request_password_reset))
        .routes(routes!(reset_password))
        .routes(routes!(begin_totp))
        .routes(routes!(complete_totp))
        .routes(routes!(regenerate_recovery_codes))
        .routes(routes!(change_password))
}

/// Asks for a code to set a new password.
#[utoipa::path(post, path = "/v1/password-resets", tag = "accounts", request_body = PasswordResetRequest, responses((status = 202, body = PasswordReset)))]
async fn request_password_reset(
    State(app): State<App>,
    ClientAddress(client_address): ClientAddress,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<PasswordResetRequest>,
) -> Answer<(StatusCode, Json<PasswordReset>)> {
    let request = pb::RequestPasswordResetRequest {
        request_id,
        email: body.email,
        client_address,
    };
    let answer = app.clients.accounts().request_password_reset(request).await?;
    Ok((StatusCode::ACCEPTED, Json(answer.into_inner().show())))
}

/// Sets a new password with the code and ends all sessions.
#[utoipa::path(post, path = "/v1/password-resets/{password_reset_id}/completion", tag = "accounts", request_body = PasswordResetCompletion, responses((status = 204)))]
async fn reset_password(
    State(app): State<App>,
    Path(password_reset_id): Path<String>,
    ClientAddress(client_address): ClientAddress,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<PasswordResetCompletion>,
) -> Answer<StatusCode> {
    let request = pb::ResetPasswordRequest {
        request_id,
        password_reset_id,
        code: body.code,
        new_password: body.new_password,
        second_factor: body.second_factor.unwrap_or_default(),
        client_address,
    };
    app.clients.accounts().reset_password(request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins enrolment of an authenticator (RFC 6238).
#[utoipa::path(post, path = "/v1/me/totp", tag = "accounts", request_body = TotpRequest, responses((status = 201, body = TotpEnrolment)))]
async fn begin_totp(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<TotpRequest>,
) -> Answer<Created<TotpEnrolment>> {
    let second_factor = body.second_factor.unwrap_or_default();
    let request = pb::BeginTotpEnrolmentRequest {
        request_id,
        password: body.password,
        second_factor,
    };
    let answer = app.clients.accounts().begin_totp_enrolment(request).await?;
    Ok(Created(answer.into_inner().show()))
}

/// Ends enrolment with a first code and hands out recovery codes.
#[utoipa::path(post, path = "/v1/me/totp/completion", tag = "accounts", request_body = TotpCompletion, responses((status = 200, body = RecoveryCodes)))]
async fn complete_totp(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<TotpCompletion>,
) -> Answer<Json<RecoveryCodes>> {
    let request = pb::CompleteTotpEnrolmentRequest {
        request_id,
        code: body.code,
    };
    let answer = app
        .clients
        .accounts()
        .complete_totp_enrolment(request)
        .await?
        .into_inner();
    Ok(Json(RecoveryCodes {
        recovery_codes: answer.recovery_codes,
    }))
}

/// Hands out new recovery codes; the old ones stop working.
#[utoipa::path(post, path = "/v1/me/recovery-codes", tag = "accounts", request_body = TotpCode, responses((status = 200, body = RecoveryCodes)))]
async fn regenerate_recovery_codes(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<TotpCode>,
) -> Answer<Json<RecoveryCodes>> {
    let request = pb::RegenerateRecoveryCodesRequest {
        request_id,
        totp_code: body.totp_code,
    };
    let answer = app
        .clients
        .accounts()
        .regenerate_recovery_codes(request)
        .await?
        .into_inner();
    Ok(Json(RecoveryCodes {
        recovery_codes: answer.recovery_codes,
    }))
}

/// Changes the password and ends all other sessions.
#[utoipa::path(put, path = "/v1/me/password", tag = "accounts", request_body = PasswordChange, responses((status = 204)))]
async fn change_password(
    State(app): State<App>,
    _: User,
    IdempotencyKey(request_id): IdempotencyKey,
    Body(body): Body<PasswordChange>,
) -> Answer<StatusCode> {
    let request = pb::ChangePasswordRequest {
        request_id,
        current_password: body.current_password,
        new_password: body.new_password,
    };
    app.clients.accounts().change_password(request).await?;
    Ok(StatusCode::NO_CONTENT)
}
