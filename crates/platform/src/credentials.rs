//! The credential store of the system: Secret Service, Keychain or Credential Manager.

use std::sync::Arc;

use keyring_core::{CredentialStore, Error};

/// Opens the store. The connection lasts as long as the value.
///
/// # Errors
/// The library's, when there is no store, or it does not answer.
pub fn credential_store() -> Result<Arc<CredentialStore>, Error> {
    open()
}

#[cfg(target_os = "linux")]
fn open() -> Result<Arc<CredentialStore>, Error> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn open() -> Result<Arc<CredentialStore>, Error> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(target_os = "windows")]
fn open() -> Result<Arc<CredentialStore>, Error> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
fn open() -> Result<Arc<CredentialStore>, Error> {
    Err(Error::NoDefaultStore)
}
